"""What the address of a page of planning asks for, and what one can choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import msgspec

from vacancies.errors import InvalidParameter
from vacancies.lasting import Size
from vacancies.models import CareForm
from vacancies.planning import Head, Part
from vacancies.rollup_days import ALL
from web import words
from web.language import Language
from web.planning.comparisons import place_name, size_labels
from web.planning.period import Period, periods, read_period
from web.planning.reading import Found

NAMES = ("period", "care_form", "size", "municipality")


class Asked(msgspec.Struct, frozen=True):
    """`given` is what the address said, without what is left to us."""

    part: Part
    period: Period
    given: dict[str, str]


class Choice(msgspec.Struct, frozen=True):
    value: str
    label: str
    is_chosen: bool


def read_asked(args: Mapping[str, str], desk: str, head: Head) -> Asked:
    """Raises `InvalidParameter`."""
    given = {name: text for name in NAMES if (text := args.get(name, "").strip())}
    period = read_period(given.get("period", ""), head)
    form, size = given.get("care_form", ALL), given.get("size")
    if form not in (ALL, *CareForm):
        raise InvalidParameter("There is no such care form.", field="care_form")
    if size is not None and size not in get_args(Size):
        raise InvalidParameter("There is no such size.", field="size")
    municipality = given.get("municipality", desk)
    is_key = municipality.isascii() and municipality.isdigit() and len(municipality) <= 12
    if not (is_key and municipality.startswith(desk)):
        raise InvalidParameter("This desk has no such municipality.", field="municipality")
    part = Part(
        municipality=municipality,
        first=period.first,
        last=period.last,
        step=period.step,
        care_form=form,
        size=size,
    )
    return Asked(part, period, given)


def choices(asked: Asked, found: Found, desk: str, language: Language) -> dict[str, list[Choice]]:
    """What the form offers; of municipalities nothing if there is but one."""
    _ = language.gettext
    part = asked.part
    forms = {ALL: _("all care forms"), **words.labels(language, words.CARE_FORMS)}
    sizes = {"": _("all sizes"), **size_labels(language)}
    keys = {str(sums.by[0]) for sums in found.by_place} | {part.municipality}
    places = {key: place_name(key, found.names, language) for key in sorted(keys - {desk})}
    named = sorted(places.items(), key=lambda pair: pair[1].casefold())
    return {
        "period": [
            Choice(each.code, each.label(language), each.code == asked.period.code)
            for each in periods(found.head)
        ],
        "care_form": [Choice(*pair, pair[0] == part.care_form) for pair in forms.items()],
        "size": [Choice(*pair, pair[0] == (part.size or "")) for pair in sizes.items()],
        "municipality": [
            Choice(value, label, value == part.municipality)
            for value, label in [(desk, _("all municipalities")), *named]
        ]
        if named
        else [],
    }
