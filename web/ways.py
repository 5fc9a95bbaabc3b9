"""No dead end: when nothing is found, the searches close by that do find something.

The smallest change of each wish that helps: how much further, how much later, and which single
filter stands in the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any

from msgspec.structs import replace

from vacancies.board import Board
from vacancies.models import Listing
from vacancies.search import RADIUS_RANGE_KM, Query, line_word, requirement
from web.answer import asks_for_details, free_places
from web.language import Language

WIDER_KM = (10, 25, 50, 100, 200)
# A circle that is not the smallest is worth showing if it holds so many times the homes.
WORTH_TIMES = 2
_FAR_KM = RADIUS_RANGE_KM[1]


@dataclass(frozen=True, slots=True)
class WayOn:
    """A search that finds something: the parameters to change, empty ones to leave out."""

    label: str
    changes: dict[str, str]


def ways_on(board: Board, query: Query, language: Language, today: date) -> list[WayOn]:
    """Searches close to `query` that do find homes, each counted, the nearest wish first."""
    return [
        *_further(board, query, language),
        *_later(board, query, language, today),
        *_with_less(board, query, language),
    ]


def _further(board: Board, query: Query, language: Language) -> Iterator[WayOn]:
    """The smallest circle that holds a home, and a round one that holds more."""
    if not query.centres or query.bbox is not None:
        return
    _, distances = board.nearest(replace(query, radius_km=_FAR_KM), 1)
    if not distances:
        return
    smallest_km = min(max(ceil(distances[0]), ceil(query.radius_km)), int(_FAR_KM))
    homes = 0
    for radius_km in (smallest_km, *(km for km in WIDER_KM if km > smallest_km)):
        wider = replace(query, radius_km=radius_km)
        found = board.search(wider, 1)
        if found.total < WORTH_TIMES * homes or not found.total:
            continue
        radius = f"{language.number(radius_km)}\u00a0km"
        if asks_for_details(query) or query.include_full:
            label = language.ngettext(
                "%(num)s home within %(radius)s",
                "%(num)s homes within %(radius)s",
                found.total,
                radius=radius,
            )
        else:
            label = language.ngettext(
                "%(num)s free place within %(radius)s",
                "%(num)s free places within %(radius)s",
                free_places(query, found),
                radius=radius,
            )
        yield WayOn(label, {"radius_km": str(radius_km)})
        if homes:
            return
        homes = found.total


def _later(board: Board, query: Query, language: Language, today: date) -> Iterator[WayOn]:
    """The first day from which a place is free for as long as is asked for."""
    if query.available_by is None:
        return
    first, last = query.available_by, query.available_until or query.available_by
    nights = timedelta((last - first).days if query.nights is None else query.nights)
    slots, _ = board.match(
        replace(query, available_by=None, available_until=None, nights=None, include_full=False)
    )
    needed = requirement(query)
    days = [
        min(starts)
        for listing in map(board.listing, slots.tolist())
        if (starts := list(_starts(listing, needed.line, needed.forms, first, nights)))
    ]
    if not days:
        return
    day = min(days)
    label = language.ngettext(
        "%(num)s home from %(day)s",
        "%(num)s homes from %(day)s",
        days.count(day),
        day=language.coming_day(day, today),
    )
    changes = {"available_by": day.isoformat()}
    if query.available_until is not None:
        changes["available_until"] = max(last, day + nights).isoformat()
    yield WayOn(label, changes)


def _starts(
    listing: Listing, line_bits: int, form_bits: int, first: date, nights: timedelta
) -> Iterator[date]:
    """From which days on the lines that suit are free for so many nights."""
    for line in listing.vacancies:
        word = line_word(line, listing)
        if line.count > 0 and word & line_bits == line_bits and word & form_bits:
            start = max(line.available_from or first, first)
            if line.available_until is None or start + nights <= line.available_until:
                yield start


def _with_less(board: Board, query: Query, language: Language) -> Iterator[WayOn]:
    """Without one of the filters."""
    _ = language.gettext
    any_day: dict[str, Any] = {"available_by": None, "available_until": None, "nights": None}
    filters: list[tuple[str, dict[str, str], dict[str, Any], object]] = [
        (_("Any care form"), {"care_form": ""}, {"care_forms": ()}, query.care_forms),
        (_("For any sex"), {"sex": ""}, {"sex": None}, query.sex),
        (_("Any room"), {"room": ""}, {"room": None}, query.room),
        (_("Any care grade"), {"care_grade": ""}, {"care_grade": None}, query.care_grade),
        (_("Without a focus"), {"focus": ""}, {"focuses": ()}, query.focuses),
        (_("Without special needs"), {"need": ""}, {"needs": ()}, query.needs),
        (_("In any language"), {"language": ""}, {"languages": ()}, query.languages),
        (_("Whoever runs the home"), {"ownership": ""}, {"ownerships": ()}, query.ownerships),
        (
            _("In any municipality"),
            {"municipality": ""},
            {"municipality": None},
            query.municipality,
        ),
        (_("At any time"), dict.fromkeys(any_day, ""), any_day, query.available_by),
        (
            _("At any cost"),
            {"max_cost_eur": ""},
            {"max_cost_eur": None},
            query.max_cost_eur is not None,
        ),
        (
            _("Show homes that are full, to ask for the waiting list"),
            {"include_full": "true"},
            {"include_full": True},
            not query.include_full,
        ),
    ]
    for label, changes, change, is_active in filters:
        if is_active and (found := board.search(replace(query, **change), 1).total):
            homes = language.ngettext("%(num)s home", "%(num)s homes", found)
            yield WayOn(f"{label}: {homes}", changes)
