"""A part of a page of planning: one question, the sentence that answers it, a chart, and the
table behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from web.language import Language
from web.planning import chart
from web.planning.period import Period
from web.planning.reading import Found
from web.planning.table import Column, Table, Value, amount


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is its anchor. A table that is long is folded below its chart."""

    name: str
    title: str
    sentence: str
    table: Table
    lines: chart.Lines | None = None
    bars: list[chart.Bar] = []
    note: str = ""


def time_column(period: Period, language: Language) -> Column:
    title = language.gettext("Day") if period.step == "day" else language.gettext("Month")
    return Column(title, "text")


def rows_of(
    found: Found, period: Period, language: Language, *values: str
) -> list[tuple[Value, ...]]:
    """Of each step these members of its sums."""
    return [
        (moment_of(sums.by[0], period, language), *(getattr(sums, name) for name in values))
        for sums in found.over_time
    ]


def moment_of(first_day: date | str, period: Period, language: Language) -> str:
    assert isinstance(first_day, date)
    return period.moment(first_day, language)


def line_chart(
    found: Found,
    period: Period,
    language: Language,
    table: Table,
    columns: Sequence[int],
    *,
    is_share: bool = False,
) -> chart.Lines:
    """Some columns of a table as lines."""
    ticks = [
        period.tick(sums.by[0], language)
        for sums in found.over_time
        if isinstance(sums.by[0], date)
    ]
    return chart.lines(
        ticks,
        [(table.columns[number].label, table.column(number)) for number in columns],
        lambda value: (
            f"{language.number(value * 100)}\u00a0%" if is_share else amount(value, language)
        ),
        1.0 if is_share else None,
    )
