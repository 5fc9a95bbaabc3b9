"""The parts of a page of planning that compare: municipalities, care forms, sizes, searches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vacancies.models import CareForm
from vacancies.planning import Sums
from vacancies.rollup_days import ALL
from vacancies.unmet import LEAST_SHOWN
from web import words
from web.language import Language
from web.planning.reading import Found
from web.planning.section import Section
from web.planning.table import Column, Table, Value
from web.words import N_

SIZES = {
    "small": N_("under 30 places"),
    "medium": N_("30 to 79 places"),
    "large": N_("80 places and more"),
    "unknown": N_("number of places unknown"),
}


def comparisons(found: Found, language: Language) -> list[Section]:
    _ = language.gettext
    made = []
    if len(found.by_place) > 1:
        made.append(_by_place(found, language))
    forms = words.labels(language, words.CARE_FORMS)
    titles: list[tuple[str, str, Iterable[Sums], Mapping[str, str]]] = [
        ("forms", _("By care form"), _ordered(found.by_form, CareForm), forms),
        ("sizes", _("By size of the home"), _ordered(found.by_size, SIZES), size_labels(language)),
    ]
    for name, title, groups, labels in titles:
        rows = [_row(labels[str(sums.by[0])], sums) for sums in groups]
        made.append(
            Section(
                name=name, title=title, sentence="", table=Table(title, _columns(language), rows)
            )
        )
    made.append(_unmet(found, forms, language))
    return made


def size_labels(language: Language) -> dict[str, str]:
    return {code: language.gettext(text) for code, text in SIZES.items()}


def place_name(key: str, names: Mapping[str, str], language: Language) -> str:
    """Homes of which only the district is known have its key, perhaps filled up with zeros."""
    district = names.get(key[:5]) if key[5:] == "000" else None
    return names.get(key) or district or key


def _ordered(groups: Iterable[Sums], order: Iterable[str]) -> list[Sums]:
    known = {sums.by[0]: sums for sums in groups}
    return [known[code] for code in order if code in known]


def _columns(language: Language, *more: Column) -> list[Column]:
    _ = language.gettext
    return [
        Column("", "text"),
        Column(_("homes")),
        Column(_("licensed places")),
        Column(_("free")),
        Column(_("occupancy"), "share"),
        Column(_("with a current report"), "share"),
        Column(_("reported on the day"), "share"),
        *more,
    ]


def _row(label: str, sums: Sums, *more: Value) -> tuple[Value, ...]:
    return (
        *(label, sums.homes, sums.licensed, sums.free),
        *(sums.occupancy, sums.current_share, sums.told_share, *more),
    )


def _by_place(found: Found, language: Language) -> Section:
    title = language.gettext("By municipality")
    named = sorted(
        ((place_name(str(sums.by[0]), found.names, language), sums) for sums in found.by_place),
        key=lambda pair: pair[0].casefold(),
    )
    stopped = Column(language.gettext("homes that take nobody"))
    rows = [_row(name, sums, found.stopped.get(str(sums.by[0]), 0.0)) for name, sums in named]
    table = Table(title, _columns(language, stopped), rows)
    return Section(name="municipalities", title=title, sentence="", table=table)


def _unmet(found: Found, forms: Mapping[str, str], language: Language) -> Section:
    _ = language.gettext
    every = {ALL: _("all searches"), **forms}
    rows: list[tuple[Value, ...]] = [
        (
            _("other places together")
            if group.municipality is None
            else place_name(group.municipality, found.names, language),
            every[group.care_form],
            float(group.searches),
        )
        for group in found.unmet
    ]
    title = _("Searches without a result")
    columns = [
        Column(_("Place"), "text"),
        Column(_("Care form"), "text"),
        Column(_("searches"), "whole"),
    ]
    least = language.number(LEAST_SHOWN)
    return Section(
        name="searches",
        title=title,
        sentence="" if rows else _("No group of at least %(least)s searches.", least=least),
        table=Table(title, columns, rows),
        note=_(
            "Only groups of at least %(least)s searches are shown. Nothing is known of who"
            " searched, so a person who asks several times is counted several times; a search for"
            " two care forms counts in both, and once in “all searches”.",
            least=least,
        ),
    )
