"""What looks like a slip of the keyboard: it is taken all the same, and asked about.

A report is never refused for being unlikely, since homes do open, close and flood. So the rules
look for what fingers and copied tables do, not for what is rare; each says below why it is here.
Among the reports of a plausible region fewer than one in 500 is asked about (a test counts them).

Who carries more free places than licensed ones is refused elsewhere (`commands.check_capacity`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import msgspec
from msgspec.structs import replace

from vacancies.listings import local_date
from vacancies.models import CareForm, CareHome, Vacancy

# Below this many more places at once nothing is asked: a closed ward that opens again, a
# holiday of a day care with twelve places.
JUMP_PLACES = 5
LARGE_FORM_PLACES = 50
LARGE_FORM_SHARE = 0.2
# Where nobody knows how many places are licensed, which is so for most homes of a list.
JUMP_PLACES_UNKNOWN = 20
FAR_AHEAD = timedelta(days=366)


class Doubt(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Something that looks like a slip. `code` is a stable API value; `field` is the path of
    what to look at in the report, such as `vacancies[0].count`."""

    code: str
    field: str
    detail: str


def warnings_for(
    before: CareHome, lines: Sequence[Vacancy], at: datetime | None = None
) -> tuple[Doubt, ...]:
    """What to ask about when a home that was `before` reports `lines` at the moment `at`
    (left out: that for which it was judged last). Empty for most.

    At most one doubt about the count of each care form, in this order:

    `count_mistyped`
        A digit typed twice or a zero too many: 2 → 22, 2 → 20, 12 → 122.
    `mostly_free`
        None was free, or it has never reported, and now more than half of the licensed places
        are: the licensed places were entered in the field of the free ones.
    `many_free`
        More than 20 % of the places of a large form (50 or more) are free, after a jump; or 20
        more than before, where it is not known how many are licensed.

    And for each line with places:

    `already_over`
        The last day has passed: a window of last month or the wrong year.
    `far_ahead`
        Free from a day that is more than a year ahead: the wrong year.
    `line_repeated`
        The same form twice with the same details; the counts are added up. Not where both
        say one place: some programs send a line for each bed.
    """
    today = local_date(at or before.evaluated_at)
    return (*_counts(before, lines), *_dates(lines, today), *_repeated(lines))


def _counts(before: CareHome, lines: Sequence[Vacancy]) -> Iterator[Doubt]:
    was, now = _free(before.vacancies), _free(lines)
    for form, free in now.items():
        if free <= was.get(form, 0):
            continue
        index = _largest(lines, form)
        found = _mistyped(before.vacancies, lines, form) or _jump(
            index, was.get(form, 0), free, before.profile.capacity.get(form, 0)
        )
        if found is not None:
            yield found


def _free(lines: Sequence[Vacancy]) -> dict[CareForm, int]:
    free: dict[CareForm, int] = {}
    for line in lines:
        free[line.care_form] = free.get(line.care_form, 0) + line.count
    return free


def _largest(lines: Sequence[Vacancy], form: CareForm) -> int:
    """The line of `form` with the highest count: where a slip would be."""
    return max(
        (index for index, line in enumerate(lines) if line.care_form is form),
        key=lambda index: lines[index].count,
    )


def _mistyped(before: Sequence[Vacancy], lines: Sequence[Vacancy], form: CareForm) -> Doubt | None:
    """Compares each line with the one that had the same details; where form has one line only,
    with that one whatever its details."""
    earlier = [line for line in before if line.care_form is form]
    own = [(index, line) for index, line in enumerate(lines) if line.care_form is form]
    by_details = {_details(line): line.count for line in earlier}
    for index, line in own:
        was = by_details.get(_details(line))
        if was is None and len(earlier) == len(own) == 1:
            was = earlier[0].count
        if was and _is_slip(was, line.count):
            return Doubt(
                code="count_mistyped",
                field=f"vacancies[{index}].count",
                detail=f"{was} places were free before, now {line.count}. Was a digit typed twice,"
                " or a zero too many? If not, there is nothing to do.",
            )
    return None


def _is_slip(was: int, count: int) -> bool:
    digits = str(was)
    twice = {digits[: i + 1] + digits[i:] for i in range(len(digits))}
    return str(count) in twice or str(count) == digits * 2 or count == was * 10


def _jump(index: int, was: int, free: int, licensed: int) -> Doubt | None:
    if free - was < JUMP_PLACES:
        return None
    if not licensed and free - was >= JUMP_PLACES_UNKNOWN:
        code = "many_free"
    elif was == 0 and free * 2 > licensed > 0:
        code = "mostly_free"
    elif licensed >= LARGE_FORM_PLACES and free > LARGE_FORM_SHARE * licensed:
        code = "many_free"
    else:
        return None
    of_licensed = f" of {licensed} licensed ones" if licensed else ""
    return Doubt(
        code=code,
        field=f"vacancies[{index}].count",
        detail=f"{was} places were free before, now {free}{of_licensed}. Are these the free places?"
        " If so, there is nothing to do.",
    )


def _dates(lines: Sequence[Vacancy], today: date) -> Iterator[Doubt]:
    for index, line in enumerate(lines):
        if line.count == 0:
            continue
        if line.available_until is not None and line.available_until < today:
            yield Doubt(
                code="already_over",
                field=f"vacancies[{index}].available_until",
                detail=f"The last day, {line.available_until.isoformat()}, has passed, so this"
                " line is not shown. Correct the date, or leave the line out.",
            )
        if line.available_from is not None and line.available_from > today + FAR_AHEAD:
            yield Doubt(
                code="far_ahead",
                field=f"vacancies[{index}].available_from",
                detail=f"{line.available_from.isoformat()} is more than a year ahead."
                " Check the year.",
            )


def _repeated(lines: Sequence[Vacancy]) -> Iterator[Doubt]:
    seen: dict[Vacancy, int] = {}
    for index, line in enumerate(lines):
        if line.count == 0:
            continue
        alike = replace(line, count=0)
        earlier = seen.setdefault(alike, index)
        if earlier != index and (line.count, lines[earlier].count) != (1, 1):
            yield Doubt(
                code="line_repeated",
                field=f"vacancies[{index}]",
                detail=f"Line {earlier + 1} says the same of this care form, and the counts are"
                " added up. Leave one out if it was entered twice.",
            )


def _details(line: Vacancy) -> Vacancy:
    """All that tells a line from others, so without its count and note."""
    return replace(line, count=0, note=None)
