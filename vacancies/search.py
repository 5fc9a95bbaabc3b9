"""What a viewer asks for, and how it is matched: requirements packed into bits.

A home matches if it lies in the area, meets the home filters, and has one public line with
free places that meets all line filters. `any` and an empty list meet everything. Homes
without a free place match only with `include_full`.
"""

from __future__ import annotations

import hashlib
from datetime import date
from enum import StrEnum

import msgspec

from vacancies.geo import BBox
from vacancies.models import (
    CareForm,
    Focus,
    Listing,
    Need,
    Ownership,
    Point,
    Profile,
    Room,
    Sex,
    SpokenLanguage,
    Vacancy,
)

RADIUS_KM = 25.0
RADIUS_RANGE_KM = (1.0, 200.0)
LIMIT = 50
LIMIT_RANGE = (1, 500)


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Search parameters. The area is `bbox`, else the circles around `centres` (the nearest
    counts), else everything. Distances are from `centres`, whatever the area is.

    `available_by` alone asks for a place that is free on that day. With `available_until` it is
    the first day of a time in which `nights` must be free in one piece; None: all of it.
    `own_only` leaves out what was taken over from neighbouring deployments.
    """

    centres: tuple[Point, ...] = ()
    radius_km: float = RADIUS_KM
    bbox: BBox | None = None
    care_forms: tuple[CareForm, ...] = ()
    sex: Sex | None = None
    room: Room | None = None
    care_grade: int | None = None
    focuses: tuple[Focus, ...] = ()
    needs: tuple[Need, ...] = ()
    available_by: date | None = None
    available_until: date | None = None
    nights: int | None = None
    languages: tuple[SpokenLanguage, ...] = ()
    ownerships: tuple[Ownership, ...] = ()
    municipality: str | None = None
    max_cost_eur: float | None = None
    include_full: bool = False
    own_only: bool = False

    def fingerprint(self) -> str:
        """Names this search in cursors: a cursor is good for the same search only."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:10]


def _bits(codes: type[StrEnum], start: int) -> dict[str, int]:
    return {str(code): 1 << (start + i) for i, code in enumerate(codes)}


# One word per line; two bits for who and where, so that "any" has both.
FORM_BITS = _bits(CareForm, 0)
FORM_MASK = sum(FORM_BITS.values())
SEX_BITS = {Sex.FEMALE: 1 << 8, Sex.MALE: 1 << 9, Sex.ANY: 3 << 8}
ROOM_BITS = {Room.SINGLE: 1 << 10, Room.DOUBLE: 1 << 11, Room.ANY: 3 << 10}
GRADE_BITS = {grade: 1 << (11 + grade) for grade in range(1, 6)}
FOCUS_BITS = _bits(Focus, 17)
NEED_BITS = _bits(Need, 0)
# One word per home; who has not said what it is has none of its bits.
LANGUAGE_BITS = _bits(SpokenLanguage, 0)
OWNERSHIP_BITS = _bits(Ownership, len(SpokenLanguage))
ALL_GRADES = sum(GRADE_BITS.values())
ALL_FOCUSES = sum(FOCUS_BITS.values())


def line_word(line: Vacancy, listing: Listing) -> int:
    """What one public line offers. Focuses of the home hold for each of its places."""
    word = FORM_BITS[line.care_form] | SEX_BITS[line.sex] | ROOM_BITS[line.room]
    grades = focuses = 0
    for grade in line.care_grades:
        grades |= GRADE_BITS[grade]
    for focus in line.focuses:
        focuses |= FOCUS_BITS[focus]
    for focus in listing.profile.focuses:
        focuses |= FOCUS_BITS[focus]
    return word | (grades or ALL_GRADES) | (focuses or ALL_FOCUSES)


def needs_word(profile: Profile) -> int:
    word = 0
    for need in profile.needs:
        word |= NEED_BITS[need]
    return word


def home_word(profile: Profile) -> int:
    """The languages that are spoken in a home, and who runs it."""
    word = OWNERSHIP_BITS[profile.ownership] if profile.ownership else 0
    for language in profile.languages:
        word |= LANGUAGE_BITS[language]
    return word


class Requirement(msgspec.Struct, frozen=True):
    """A query in the same bits: `line` must all be there, one of `forms`, of `languages` and of
    `ownerships` must be.

    Days are ordinals. A line is in time if, of what it has in common with the time from
    `first_day` to `last_day`, the last day is `nights` after the first; nobody who asks for no
    day is refused for one.
    """

    line: int
    forms: int
    needs: int
    languages: int  # every bit without
    ownerships: int  # every bit without
    first_day: int
    last_day: int
    nights: int  # far below zero without
    max_cost_eur: float  # infinite without
    include_full: bool


FAR_DAY = date.max.toordinal()
NO_NIGHTS = -FAR_DAY
ANY_HOME = -1  # all bits, and so one of each that is asked for


def requirement(query: Query) -> Requirement:
    line = 0
    # Asking for "any" is asking for nothing in particular.
    if query.sex not in (None, Sex.ANY):
        line |= SEX_BITS[query.sex]
    if query.room not in (None, Room.ANY):
        line |= ROOM_BITS[query.room]
    if query.care_grade is not None:
        line |= GRADE_BITS[query.care_grade]
    for focus in query.focuses:
        line |= FOCUS_BITS[focus]
    first_day, last_day, nights = _stay(query)
    return Requirement(
        line=line,
        forms=sum(FORM_BITS[form] for form in set(query.care_forms)) or FORM_MASK,
        needs=sum(NEED_BITS[need] for need in set(query.needs)),
        languages=sum(LANGUAGE_BITS[code] for code in set(query.languages)) or ANY_HOME,
        ownerships=sum(OWNERSHIP_BITS[code] for code in set(query.ownerships)) or ANY_HOME,
        first_day=first_day,
        last_day=last_day,
        nights=nights,
        max_cost_eur=query.max_cost_eur if query.max_cost_eur is not None else float("inf"),
        include_full=query.include_full,
    )


def _stay(query: Query) -> tuple[int, int, int]:
    """From which day to which, and how many nights in one piece."""
    if query.available_by is None:
        return 0, FAR_DAY, NO_NIGHTS
    first = query.available_by.toordinal()
    if query.available_until is None:
        return first, first, 0
    last = query.available_until.toordinal()
    return first, last, last - first if query.nights is None else query.nights


def asks_for_forms_only(query: Query) -> bool:
    """Whether a home matches, in its area, as soon as it has one of the care forms free."""
    return not (
        query.sex
        or query.room
        or query.care_grade
        or query.focuses
        or query.needs
        or query.available_by
        or query.municipality
        or query.languages
        or query.ownerships
        or query.max_cost_eur is not None
        or query.include_full
    )
