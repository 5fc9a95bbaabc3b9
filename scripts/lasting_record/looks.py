"""People who look at a made-up home at random moments after the fit: what they are told, and what
is true. No fit has seen any of this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from scripts.lasting_record.histories import END_HOURS, HISTORY_HOURS
from scripts.lasting_record.homes import Home
from scripts.lasting_record.stored import FORM
from vacancies.lasting import Chance, Curves, size_of, wilson
from vacancies.models import DEFAULT_POLICY

LOOKS = 40  # a home
STALE_HOURS = DEFAULT_POLICY.ageing_for.total_seconds() / 3600


class Look(NamedTuple):
    """`chance` is None where nothing is said."""

    chance: Chance | None
    is_free: bool


def looks(homes: Sequence[Home], curves: Curves, seed: int) -> Iterator[Look]:
    """Looks at homes that are shown with a free place."""
    random = np.random.default_rng(seed)
    for home in homes:
        for hour in random.uniform(HISTORY_HOURS, END_HOURS, LOOKS):
            last = int(np.searchsorted(home.reports, hour, side="right")) - 1
            if last < 0:
                continue
            said = home.reports[last]
            places = int(home.places.free(np.array([said]))[0])
            if places > 0 and hour - said < STALE_HOURS:
                chance = curves.chance(FORM, size_of(home.licensed), places, float(hour - said))
                yield Look(chance, bool(home.places.free(np.array([hour]))[0] > 0))


class Bin(NamedTuple):
    """Looks that were told about the same."""

    at_least: bool
    told: float
    looks: int
    free: int


def reliability(seen: Sequence[Look], width: float = 0.1) -> list[Bin]:
    """What was told, in steps of `width`, against what was true."""
    groups: dict[tuple[bool, int], list[tuple[float, bool]]] = {}
    for chance, is_free in seen:
        if chance is not None:
            key = (chance.at_least, min(int(chance.share / width), round(1 / width) - 1))
            groups.setdefault(key, []).append((chance.share, is_free))
    return [
        Bin(
            at_least,
            float(np.mean([told for told, _ in group])),
            len(group),
            sum(f for _, f in group),
        )
        for (at_least, _), group in sorted(groups.items())
    ]


def row(name: str, found: Bin) -> str:
    low, high = wilson(found.free, found.looks)
    word = "at least" if found.at_least else "about"
    return (
        f"| {name} | {word} {found.told:.2f} | {found.free / found.looks:.2f}"
        f" ({low:.2f}–{high:.2f}) | {found.looks:,} |"
    )
