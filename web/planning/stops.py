"""Homes that take nobody, by reason, and the places that cannot be used for lack of staff."""

from __future__ import annotations

from datetime import date

from vacancies.models import StopReason
from vacancies.planning import Sums
from web import words
from web.language import Language
from web.planning import chart
from web.planning.period import Period
from web.planning.reading import Found
from web.planning.section import Section, line_chart, moment_of, time_column
from web.planning.table import Column, Table, Value, amount


def stops(found: Found, whole: Sums, period: Period, language: Language) -> Section:
    _ = language.gettext
    reasons = words.labels(language, words.STOP_REASONS)
    by_day: dict[date | str, dict[str, float]] = {}
    for stop in found.stops:
        by_day.setdefault(stop.by[0], {})[stop.reason] = stop.homes
    days = {sums.by[0]: sums.days for sums in found.over_time}
    rows: list[tuple[Value, ...]] = [
        (
            moment_of(day, period, language),
            *(by_day.get(day, {}).get(code, 0.0) for code in StopReason),
            sum(by_day.get(day, {}).values()),
        )
        for day in days
    ]
    table = Table(
        _("Admission stops"),
        [
            time_column(period, language),
            *(Column(reasons[code]) for code in StopReason),
            Column(_("in all")),
        ],
        rows,
    )
    averages = {
        code: sum(
            stop.homes * days.get(stop.by[0], 0) for stop in found.stops if stop.reason == code
        )
        / whole.days
        for code in StopReason
    }
    return Section(
        name="stops",
        title=table.title,
        sentence=_(
            "On an average day %(stopped)s of %(homes)s homes took nobody.",
            stopped=amount(sum(averages.values()), language),
            homes=amount(whole.homes, language),
        ),
        table=table,
        bars=chart.bars(
            [(reasons[code], value) for code, value in averages.items()],
            lambda value: language.number(value, 1),
        ),
    )


def staffed(found: Found, whole: Sums, period: Period, language: Language) -> Section:
    _ = language.gettext
    missing: dict[date | str, float] = {
        stop.by[0]: stop.licensed for stop in found.stops if stop.reason == StopReason.STAFF
    }
    rows: list[tuple[Value, ...]] = [
        (
            moment_of(sums.by[0], period, language),
            sums.licensed,
            sums.licensed - missing.get(sums.by[0], 0.0),
            missing.get(sums.by[0], 0.0),
        )
        for sums in found.over_time
    ]
    table = Table(
        _("Licensed and staffed places"),
        [
            time_column(period, language),
            Column(_("licensed")),
            Column(_("staffed")),
            Column(_("not staffed")),
        ],
        rows,
    )
    average = sum(missing.get(s.by[0], 0.0) * s.days for s in found.over_time) / whole.days
    return Section(
        name="staffed",
        title=table.title,
        sentence=_(
            "Of %(licensed)s licensed places %(missing)s were in homes that took nobody for lack of"
            " staff.",
            licensed=amount(whole.licensed, language),
            missing=amount(average, language),
        ),
        table=table,
        lines=line_chart(found, period, language, table, (1, 2)),
        note=_(
            "No home reports how many places it can staff. So all places of a home that takes"
            " nobody for lack of staff count as not staffed: that is more than are empty."
        ),
    )
