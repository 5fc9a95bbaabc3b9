"""The search form: what was entered, how it becomes parameters of the API, and links that
change one thing of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from werkzeug.datastructures import MultiDict

from vacancies.geocoding import Geocoder
from vacancies.listings import local_date
from vacancies.search import RADIUS_KM, Query
from web import centres, words
from web.language import Language

RADII_KM = (5, 10, 25, 50, 100)
MORE_FILTERS = (
    "sex",
    "room",
    "care_grade",
    "focus",
    "need",
    "available_by",
    "available_until",
    "nights",
    "language",
    "ownership",
    "municipality",
    "max_cost_eur",
)
FIELDS = (
    *centres.NAMES,
    "radius_km",
    "bbox",
    "care_form",
    "include_full",
)


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter, with the parameters of the search without it."""

    label: str
    without: MultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """What was entered; the places as `centres.py` says."""

    entered: MultiDict[str, str]

    @classmethod
    def read(cls, args: MultiDict[str, str]) -> Form:
        pairs = [
            (key, value.strip())
            for key, value in args.items(multi=True)
            if key in (*FIELDS, *MORE_FILTERS) and value.strip()
        ]
        entered = MultiDict(pairs)
        centres.settle(entered, args)
        _complete_stay(entered)
        return cls(entered)

    def text(self, key: str) -> str:
        return self.entered.get(key, "")

    def chosen(self, key: str) -> list[str]:
        return self.entered.getlist(key)

    @property
    def place(self) -> str:
        """What stands in the place field."""
        return centres.text_of(self.entered, centres.FIRST)

    @property
    def place2(self) -> str:
        """What stands in the field of the second place."""
        return centres.text_of(self.entered, centres.SECOND)

    @property
    def radii(self) -> list[str]:
        """The choices of the radius, with one from the address among them."""
        known = {str(km) for km in RADII_KM} | {self.radius}
        return sorted(known, key=lambda km: float(km) if km.replace(".", "", 1).isdigit() else 0)

    @property
    def radius(self) -> str:
        return self.text("radius_km") or f"{RADIUS_KM:g}"

    async def for_api(self, geocoder: Geocoder) -> MultiDict[str, str]:
        """The same as the API's search takes it. Raises for a place that cannot be found."""
        points = await centres.points_of(self.entered, geocoder)
        kept = [pair for pair in self.entered.items(multi=True) if pair[0] not in centres.NAMES]
        return MultiDict([*(("near", point) for point in points), *kept])

    def changed(self, key: str, value: str) -> MultiDict[str, str]:
        """All parameters with `key` set to `value` only, or without it if that is empty."""
        return self.with_changes({key: value})

    def with_changes(self, changes: Mapping[str, str]) -> MultiDict[str, str]:
        """The same for several."""
        args = MultiDict(self.entered.items(multi=True))
        for key, value in changes.items():
            args.poplist(key)
            if value:
                args.add(key, value)
        return args

    def at(
        self, label: str, latitude: object, longitude: object, field: centres.Field = centres.FIRST
    ) -> MultiDict[str, str]:
        """All parameters for the point that was chosen instead of the place entered."""
        args = self.changed(field.place, label)
        args.setlist(field.label, [label])
        args.setlist(field.near, [f"{latitude},{longitude}"])
        return args

    def without_place(self, field: centres.Field) -> MultiDict[str, str]:
        args = MultiDict(self.entered.items(multi=True))
        for name in (field.place, field.label, field.near):
            args.poplist(name)
        return args

    def _without(self, key: str, value: str) -> MultiDict[str, str]:
        args = MultiDict(self.entered.items(multi=True))
        args.setlist(key, [other for other in args.getlist(key) if other != value])
        return args

    def chips(
        self, query: Query, language: Language, today: date, towns: Mapping[str, str]
    ) -> list[Chip]:
        """Every filter that narrows this search, apart from the area. `towns` are the names of
        municipalities by their key."""
        _ = language.gettext
        chips = [
            *self._code_chips("care_form", query.care_forms, words.CARE_FORMS, language),
            *self._code_chips("sex", filter(None, [query.sex]), words.SEXES, language),
            *self._code_chips("room", filter(None, [query.room]), words.ROOMS, language),
            *self._code_chips("focus", query.focuses, words.FOCUSES, language),
            *self._code_chips("need", query.needs, words.NEEDS, language),
            *self._code_chips("ownership", query.ownerships, words.OWNERSHIPS, language),
        ]
        chips += [
            Chip(language.spoken(code), self._without("language", code)) for code in query.languages
        ]
        if query.municipality:
            label = towns.get(query.municipality, query.municipality)
            chips.append(Chip(label, self.changed("municipality", "")))
        if query.care_grade:
            label = _("care grade %(grades)s", grades=query.care_grade)
            chips.append(Chip(label, self.changed("care_grade", "")))
        if query.available_by:
            chips.append(Chip(_stay(query, language, today), self._without_stay()))
        if query.max_cost_eur is not None:
            label = _("up to %(amount)s a month", amount=language.euros(query.max_cost_eur))
            chips.append(Chip(label, self.changed("max_cost_eur", "")))
        if query.include_full:
            chips.append(Chip(_("full ones too"), self.changed("include_full", "")))
        return chips

    def _without_stay(self) -> MultiDict[str, str]:
        return self.with_changes({"available_by": "", "available_until": "", "nights": ""})

    def _code_chips(
        self, key: str, codes: Iterable[str], names: Mapping[Any, str], language: Language
    ) -> list[Chip]:
        return [
            Chip(language.gettext(names[code]), self._without(key, code))
            for code in codes
            if code in names
        ]

    @property
    def more_count(self) -> int:
        """How many of the filters behind "more filters" are set."""
        return sum(len(self.chosen(key)) for key in MORE_FILTERS)


def _complete_stay(entered: MultiDict[str, str]) -> None:
    """Who says only until when, or how many nights, means from today, or from that day on."""
    nights = entered.get("nights", "")
    if entered.get("available_until") or nights:
        entered.setdefault("available_by", local_date(datetime.now(UTC)).isoformat())
    if nights.isdecimal() and len(nights) < 4 and not entered.get("available_until"):
        with suppress(ValueError):  # said when it is used
            start = date.fromisoformat(entered["available_by"])
            entered["available_until"] = (start + timedelta(days=int(nights))).isoformat()


def _stay(query: Query, language: Language, today: date) -> str:
    """From when, until when, and how long, in words."""
    assert query.available_by is not None
    first = language.day(query.available_by, today)
    if query.available_until is None:
        return language.gettext("free by %(day)s", day=first)
    last = language.day(query.available_until, today)
    if query.nights is None:
        return language.gettext("from %(first)s to %(last)s", first=first, last=last)
    return language.ngettext(
        "%(num)s night from %(first)s to %(last)s",
        "%(num)s nights from %(first)s to %(last)s",
        query.nights,
        first=first,
        last=last,
    )


def api_parameters(query: Query) -> list[tuple[str, str]]:
    """The query as parameters of the API, its places resolved: for the client, whose
    search and stream must mean the same as the page."""
    pairs = [("near", f"{p.latitude:.6f},{p.longitude:.6f}") for p in query.centres]
    if query.bbox is not None:
        box = query.bbox
        corners = (box.west, box.south, box.east, box.north)
        pairs.append(("bbox", ",".join(f"{degrees:.6f}" for degrees in corners)))
    elif query.centres:
        pairs.append(("radius_km", f"{query.radius_km:g}"))
    pairs += [("care_form", form) for form in query.care_forms]
    pairs += [("focus", focus) for focus in query.focuses]
    pairs += [("need", need) for need in query.needs]
    pairs += [("language", code) for code in query.languages]
    pairs += [("ownership", code) for code in query.ownerships]
    single = {
        "sex": query.sex,
        "room": query.room,
        "care_grade": query.care_grade,
        "available_by": query.available_by,
        "available_until": query.available_until,
        "nights": query.nights,
        "municipality": query.municipality,
        "max_cost_eur": query.max_cost_eur,
    }
    pairs += [(key, str(value)) for key, value in single.items() if value is not None]
    if query.include_full:
        pairs.append(("include_full", "true"))
    return pairs
