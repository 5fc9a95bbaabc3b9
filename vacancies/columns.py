"""The columns of the board: one row a home, in arrays that grow by doubling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vacancies.geo import Slots, position
from vacancies.models import CareForm, HomeStatus, Listing, Profile
from vacancies.search import (
    ANY_HOME,
    FAR_DAY,
    NO_NIGHTS,
    Requirement,
    home_word,
    line_word,
    needs_word,
)


class Columns:
    """Everything that a search looks at. `words`, `from_day` and `until_day` hold one entry
    a public line with free places; unused entries are 0 and match nothing. `offers` has the
    bits of all its lines: what is not in there need not be looked for in them."""

    def __init__(self, homes: int = 1024, lines: int = 2) -> None:
        self.latitude = np.zeros(homes)
        self.longitude = np.zeros(homes)
        self.position = np.zeros((homes, 3))
        self.revision = np.zeros(homes, dtype=np.int64)
        self.moved_revision = np.zeros(homes, dtype=np.int64)
        self.is_open = np.zeros(homes, dtype=np.bool_)
        self.is_own = np.zeros(homes, dtype=np.bool_)  # not taken over from a neighbour
        self.has_free = np.zeros(homes, dtype=np.bool_)
        self.needs = np.zeros(homes, dtype=np.int32)
        self.home_words = np.zeros(homes, dtype=np.int32)
        self.cost_eur = np.full(homes, np.inf)  # infinite while unknown
        self.municipality = np.full(homes, -1, dtype=np.int64)  # 12 digits, -1 unknown
        self.free = np.zeros((homes, len(CareForm)), dtype=np.int32)
        self.offers = np.zeros(homes, dtype=np.int32)
        self.words = np.zeros((homes, lines), dtype=np.int32)
        self.from_day = np.zeros((homes, lines), dtype=np.int32)  # ordinal, 0 means now
        self.until_day = np.zeros((homes, lines), dtype=np.int32)  # last day, far without

    def put(self, slot: int, old: Listing | None, new: Listing) -> None:
        """`old` is what the slot holds now: what is the same need not be written again."""
        lines = [line for line in new.vacancies if line.count > 0]
        self._make_room(slot + 1, len(lines))
        if old is None or old.profile != new.profile:
            self._put_profile(slot, new.profile)
        self.revision[slot] = new.revision
        self.moved_revision[slot] = new.moved_revision
        self.is_own[slot] = new.origin is None
        if old is None or old.free != new.free:
            self.has_free[slot] = bool(new.free)
            self.free[slot] = [new.free.get(form, 0) for form in CareForm]
        self.words[slot] = 0
        offers = 0
        for number, line in enumerate(lines):
            word = line_word(line, new)
            offers |= word
            self.words[slot, number] = word
            start = line.available_from
            self.from_day[slot, number] = 0 if start is None else start.toordinal()
            end = line.available_until
            self.until_day[slot, number] = FAR_DAY if end is None else end.toordinal()
        self.offers[slot] = offers

    def _put_profile(self, slot: int, profile: Profile) -> None:
        self.latitude[slot] = profile.point.latitude
        self.longitude[slot] = profile.point.longitude
        self.position[slot] = position(profile.point)
        self.is_open[slot] = profile.status is HomeStatus.OPEN
        self.needs[slot] = needs_word(profile)
        self.home_words[slot] = home_word(profile)
        total = profile.costs.total_eur()
        self.cost_eur[slot] = np.inf if total is None else total
        self.municipality[slot] = municipality_number(profile)

    def meets(
        self, slots: Slots, needed: Requirement, municipalities: tuple[int, int] | None
    ) -> NDArray[np.bool_]:
        """Which of `slots` match, wherever they are; `municipalities` is a range of numbers."""
        words = self.words.take(slots, axis=0)
        lines = (words & needed.line == needed.line) & (words & needed.forms != 0)
        if needed.nights != NO_NIGHTS:
            lines &= self.are_in_time(slots, needed)
        keep: NDArray[np.bool_] = np.logical_or.reduce(lines, axis=1)
        if needed.include_full:
            keep |= ~self.has_free.take(slots)
        keep &= self.is_open.take(slots)
        keep &= self.needs.take(slots) & needed.needs == needed.needs
        if needed.languages != ANY_HOME or needed.ownerships != ANY_HOME:
            words = self.home_words.take(slots)
            keep &= (needed.languages == ANY_HOME) | (words & needed.languages != 0)
            keep &= (needed.ownerships == ANY_HOME) | (words & needed.ownerships != 0)
        keep &= self.cost_eur.take(slots) <= needed.max_cost_eur
        if municipalities is not None:
            numbers = self.municipality.take(slots)
            keep &= (numbers >= municipalities[0]) & (numbers < municipalities[1])
        return keep

    def are_in_time(self, slots: Slots, needed: Requirement) -> NDArray[np.bool_]:
        """Which lines of `slots` are free for as long as is asked for."""
        last = np.minimum(self.until_day.take(slots, axis=0), needed.last_day)
        first = np.maximum(self.from_day.take(slots, axis=0), needed.first_day)
        found: NDArray[np.bool_] = last - first >= needed.nights
        return found

    def _make_room(self, homes: int, lines: int) -> None:
        if homes > len(self.latitude):
            extra = max(homes, 2 * len(self.latitude)) - len(self.latitude)
            for name, column in vars(self).items():
                widths = [(0, extra)] + [(0, 0)] * (column.ndim - 1)
                setattr(self, name, np.pad(column, widths))
        if lines > self.words.shape[1]:
            widths = [(0, 0), (0, max(lines, 2 * self.words.shape[1]) - self.words.shape[1])]
            self.words = np.pad(self.words, widths)
            self.from_day = np.pad(self.from_day, widths)
            self.until_day = np.pad(self.until_day, widths)


def municipality_number(profile: Profile) -> int:
    """The municipality key padded to 12 digits, so that a prefix is a range; -1 unknown."""
    key = profile.municipality
    return -1 if key is None else int(key) * 10 ** (12 - len(key))
