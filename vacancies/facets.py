"""How many homes each choice in the search form would leave, before one chooses it.

A choice is counted with all other filters as they are. Of values one of which is enough
(care forms, languages, who runs it) and of those that exclude each other (sex, room, care
grade, municipality) each is counted in place of what is chosen; of those that all count
(focuses, needs) each on top of it. One look at the columns does for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from vacancies.columns import Columns
from vacancies.geo import Slots
from vacancies.models import Room, Sex
from vacancies.search import (
    ALL_GRADES,
    ANY_HOME,
    FOCUS_BITS,
    FORM_BITS,
    FORM_MASK,
    GRADE_BITS,
    LANGUAGE_BITS,
    NEED_BITS,
    OWNERSHIP_BITS,
    ROOM_BITS,
    SEX_BITS,
    Requirement,
)

_SEX_BITS = {str(sex): SEX_BITS[sex] for sex in (Sex.FEMALE, Sex.MALE)}
_ROOM_BITS = {str(room): ROOM_BITS[room] for room in (Room.SINGLE, Room.DOUBLE)}
_GRADE_BITS = {str(grade): bit for grade, bit in GRADE_BITS.items()}
# Of each parameter about lines: its values, and what of a search it stands for.
_OF_LINES: dict[str, tuple[Mapping[str, int], int]] = {
    "sex": (_SEX_BITS, SEX_BITS[Sex.ANY]),
    "room": (_ROOM_BITS, ROOM_BITS[Room.ANY]),
    "care_grade": (_GRADE_BITS, ALL_GRADES),
    "focus": (FOCUS_BITS, 0),
}
_Words = NDArray[np.int32]
_Flags = NDArray[np.bool_]


class Facets(msgspec.Struct, frozen=True):
    """`total` homes match as things are; `counts` by parameter and value, zeros included.
    `municipalities` has those that there are in the area, by the first eight digits of their
    key, each with the slot of a home in it."""

    total: int
    counts: dict[str, dict[str, int]]
    municipalities: dict[str, int]


def count_choices(
    columns: Columns, slots: Slots, needed: Requirement, municipalities: tuple[int, int] | None
) -> Facets:
    """Count the choices among the homes at `slots`: all in the area of the search."""
    open_slots = slots[columns.is_open.take(slots)]
    if not needed.include_full:
        open_slots = open_slots[columns.has_free.take(open_slots)]
    return _Counting(columns, open_slots, needed, municipalities).facets()


class _Counting:
    """The homes in the area, and which of them meet what."""

    def __init__(
        self,
        columns: Columns,
        slots: Slots,
        needed: Requirement,
        municipalities: tuple[int, int] | None,
    ) -> None:
        self._slots, self._needed = slots, needed
        self._words: _Words = columns.words.take(slots, axis=0)
        # Words of 0 stand where there is no line, so a line in time is one that there is.
        self._in_time: _Flags = (self._words != 0) & columns.are_in_time(slots, needed)
        self._full: _Flags = ~columns.has_free.take(slots)
        self._needs: _Words = columns.needs.take(slots)
        self._homes: _Words = columns.home_words.take(slots)
        self._numbers = columns.municipality.take(slots)
        self._meets_needs = self._needs & needed.needs == needed.needs
        self._meets_language = _has_one(self._homes, needed.languages)
        self._meets_ownership = _has_one(self._homes, needed.ownerships)
        self._meets_cost = columns.cost_eur.take(slots) <= needed.max_cost_eur
        self._meets_municipality = np.ones(len(slots), dtype=np.bool_)
        if municipalities is not None:
            low, high = municipalities
            self._meets_municipality = (self._numbers >= low) & (self._numbers < high)
        self._offered_by_all = self._offered(needed.line, needed.forms)

    def facets(self) -> Facets:
        have_line = self._full | (self._offered_by_all != 0)
        everything = have_line & self._home_meets()
        counts = {
            "care_form": self._count_lines(FORM_BITS, self._needed.line, FORM_MASK),
            **{
                name: self._count_lines(bits, self._needed.line & ~own, self._needed.forms)
                for name, (bits, own) in _OF_LINES.items()
            },
            "need": _count_bits(self._needs[everything], NEED_BITS),
            "language": _count_bits(
                self._homes[have_line & self._home_meets(language=False)], LANGUAGE_BITS
            ),
            "ownership": _count_bits(
                self._homes[have_line & self._home_meets(ownership=False)], OWNERSHIP_BITS
            ),
        }
        found, towns = self._count_municipalities(have_line & self._home_meets(municipality=False))
        counts["municipality"] = found
        return Facets(int(np.count_nonzero(everything)), counts, towns)

    def _home_meets(
        self, *, language: bool = True, ownership: bool = True, municipality: bool = True
    ) -> _Flags:
        """Which homes meet all that is asked of homes, but for what is left out."""
        found: _Flags = self._meets_needs & self._meets_cost
        if language:
            found = found & self._meets_language
        if ownership:
            found = found & self._meets_ownership
        if municipality:
            found = found & self._meets_municipality
        return found

    def _offered(self, line: int, forms: int) -> _Words:
        """For each home all bits of its lines that have all of `line` and one of `forms`."""
        words = self._words
        fit = self._in_time & (words & line == line) & (words & forms != 0)
        offered: _Words = np.bitwise_or.reduce(np.where(fit, words, 0), axis=1)
        return offered

    def _count_lines(self, bits: Mapping[str, int], line: int, forms: int) -> dict[str, int]:
        is_same = (line, forms) == (self._needed.line, self._needed.forms)
        offered = self._offered_by_all if is_same else self._offered(line, forms)
        meets = self._home_meets()
        full = int(np.count_nonzero(self._full & meets))  # they match whatever is asked of lines
        return {code: n + full for code, n in _count_bits(offered[meets], bits).items()}

    def _count_municipalities(self, meets: _Flags) -> tuple[dict[str, int], dict[str, int]]:
        known = np.flatnonzero(meets & (self._numbers >= 0))
        numbers, first, counts = np.unique(
            self._numbers[known] // 10_000, return_index=True, return_counts=True
        )
        keys = [f"{number:08d}" for number in numbers.tolist()]
        slots = self._slots[known[first]].tolist()
        return dict(zip(keys, counts.tolist(), strict=True)), dict(zip(keys, slots, strict=True))


def _has_one(words: _Words, asked: int) -> _Flags:
    if asked == ANY_HOME:
        return np.ones(len(words), dtype=np.bool_)
    found: _Flags = words & asked != 0
    return found


def _count_bits(words: _Words, bits: Mapping[str, int]) -> dict[str, int]:
    return {code: int(np.count_nonzero(words & bit)) for code, bit in bits.items()}
