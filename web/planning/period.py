"""The time that a page of planning is about: a quarter by days, a year or all by months."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

import msgspec
from babel import Locale
from babel.dates import format_skeleton

from vacancies.errors import InvalidParameter
from vacancies.planning import Head, Step
from web.language import Language

ALL_TIME = "all"
_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)


class Period(msgspec.Struct, frozen=True):
    """From `first` to `last`: whole months. `code` names it in addresses: 2026-Q3, 2026, all."""

    code: str
    first: date
    last: date
    step: Step

    def label(self, language: Language) -> str:
        if found := _QUARTER.fullmatch(self.code):
            year, quarter = found.groups()
            return language.gettext("Quarter %(quarter)s of %(year)s", quarter=quarter, year=year)
        return language.gettext("Since the beginning") if self.code == ALL_TIME else self.code

    def moment(self, first_day: date, language: Language) -> str:
        """A day, or a month, of this time."""
        return _written("yMMMd" if self.step == "day" else "yMMM", first_day, language.locale)

    def tick(self, first_day: date, language: Language) -> str:
        """The same below a chart: short."""
        return _written("MMMd" if self.step == "day" else "yMMM", first_day, language.locale)

    @property
    def by_months(self) -> Period:
        return msgspec.structs.replace(self, step="month")


# The same days come up in every chart and table of a page, and Babel takes its time for each.
@lru_cache(maxsize=10_000)
def _written(skeleton: str, day: date, locale: Locale) -> str:
    return str(format_skeleton(skeleton, day, locale=locale))


def quarter_of(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


def read_period(code: str, head: Head) -> Period:
    """Raises `InvalidParameter`. Nothing means the newest quarter."""
    code = code or quarter_of(head.until)
    if found := _QUARTER.fullmatch(code):
        year, quarter = map(int, found.groups())
        if year >= 1000:
            month = quarter * 3 - 2
            return Period(code, date(year, month, 1), _month_end(year, month + 2), "day")
    if _YEAR.fullmatch(code) and int(code) >= 1000:
        return Period(code, date(int(code), 1, 1), date(int(code), 12, 31), "month")
    if code == ALL_TIME:
        last = _month_end(head.until.year, head.until.month)
        return Period(code, head.since.replace(day=1), last, "month")
    raise InvalidParameter("A period is a quarter (2026-Q3), a year or all.", field="period")


def periods(head: Head) -> Iterator[Period]:
    """All that there are: the newest quarter first, then years, then all."""
    year, quarter = head.until.year, (head.until.month + 2) // 3
    while f"{year}-Q{quarter}" >= quarter_of(head.since):
        yield read_period(f"{year}-Q{quarter}", head)
        year, quarter = (year, quarter - 1) if quarter > 1 else (year - 1, 4)
    for each in range(head.until.year, head.since.year - 1, -1):
        yield read_period(str(each), head)
    yield read_period(ALL_TIME, head)


def _month_end(year: int, month: int) -> date:
    return (date(year, month, 1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
