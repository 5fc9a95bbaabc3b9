"""How places, occupancy and reports went on over the time."""

from __future__ import annotations

from vacancies.planning import Sums
from web.language import Language
from web.planning.period import Period
from web.planning.reading import Found
from web.planning.section import Section, line_chart, rows_of, time_column
from web.planning.stops import staffed, stops
from web.planning.table import Column, Table, amount, write


def over_time(found: Found, period: Period, language: Language) -> list[Section]:
    """What went on from step to step of the time."""
    if found.whole is None:
        return []
    make = (_places, _occupancy, _reporting, stops, staffed)
    return [section(found, found.whole, period, language) for section in make]


def _places(found: Found, whole: Sums, period: Period, language: Language) -> Section:
    _ = language.gettext
    table = Table(
        _("Free places"),
        [
            time_column(period, language),
            Column(_("free")),
            Column(_("announced for later")),
            Column(_("licensed places")),
        ],
        rows_of(found, period, language, "free", "coming", "licensed"),
    )
    sentence = _(
        "On an average day %(free)s places were free, and %(coming)s more announced for later.",
        free=amount(whole.free, language),
        coming=amount(whole.coming, language),
    )
    return Section(
        name="places",
        title=table.title,
        sentence=sentence,
        table=table,
        lines=line_chart(found, period, language, table, (1, 2)),
        note=_(
            "As the public sees them at the end of each day: without stale reports and homes that"
            " take nobody."
        ),
    )


def _occupancy(found: Found, whole: Sums, period: Period, language: Language) -> Section:
    _ = language.gettext
    table = Table(
        _("Occupancy"),
        [
            time_column(period, language),
            Column(_("occupancy"), "share"),
            Column(_("places taken")),
            Column(_("of places that count")),
        ],
        rows_of(found, period, language, "occupancy", "taken", "counted"),
    )
    sentence = _("No home with a current report and a known number of places.")
    if whole.occupancy is not None:
        sentence = _(
            "%(share)s of the places of which that is known were taken.",
            share=write(whole.occupancy, "share", language),
        )
    return Section(
        name="occupancy",
        title=table.title,
        sentence=sentence,
        table=table,
        lines=line_chart(found, period, language, table, (1,), is_share=True),
        note=_(
            "Of homes with a current report, a known number of places and no admission stop: taken"
            " is what is not reported free."
        ),
    )


def _reporting(found: Found, whole: Sums, period: Period, language: Language) -> Section:
    _ = language.gettext
    table = Table(
        _("Reports"),
        [
            time_column(period, language),
            Column(_("with a current report"), "share"),
            Column(_("reported on the day"), "share"),
            Column(_("homes")),
            Column(_("hours since the report")),
        ],
        rows_of(found, period, language, "current_share", "told_share", "homes", "age"),
    )
    sentence = _(
        "On an average day %(told)s of %(homes)s homes reported, and %(current)s had a current"
        " report.",
        told=amount(whole.told, language),
        homes=amount(whole.homes, language),
        current=amount(whole.current, language),
    )
    return Section(
        name="reports",
        title=table.title,
        sentence=sentence,
        table=table,
        lines=line_chart(found, period, language, table, (1, 2), is_share=True),
        note=_(
            "A confirmation is a report. A report that came late counts for the day on which it was"
            " true."
        ),
    )
