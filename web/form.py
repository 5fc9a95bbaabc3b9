"""The search form: what was entered, how it becomes parameters of the API, and links that
change one thing of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from vacancies.search import RADIUS_KM, Query
from web import words
from web.language import Language

RADII_KM = (5, 10, 25, 50, 100)
MORE_FILTERS = ("sex", "room", "care_grade", "focus", "need", "available_by", "max_cost_eur")
FIELDS = (
    "place",
    "label",
    "near",
    "radius_km",
    "bbox",
    "care_form",
    "include_full",
    "municipality",
    "keep",  # homes remembered without a script: see shortlist.py
)


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter, with the parameters of the search without it."""

    label: str
    without: MultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """What was entered. `label` names the point `near` that was chosen among places of
    one name, or is the reader's own position; `near` counts while it is still shown."""

    entered: MultiDict[str, str]

    @classmethod
    def read(cls, args: MultiDict[str, str]) -> Form:
        pairs = [
            (key, value.strip())
            for key, value in args.items(multi=True)
            if key in (*FIELDS, *MORE_FILTERS) and value.strip()
        ]
        entered = MultiDict(pairs)
        place = args.get("place")
        if place is not None and place.strip() != entered.get("label", ""):
            for key in ("near", "label"):  # the reader wants another place by now
                entered.poplist(key)
        if entered.get("near") or entered.get("place"):
            entered.poplist("bbox")
        return cls(entered)

    def text(self, key: str) -> str:
        return self.entered.get(key, "")

    def chosen(self, key: str) -> list[str]:
        return self.entered.getlist(key)

    @property
    def place(self) -> str:
        """What stands in the place field."""
        return self.text("label") if self.entered.get("near") else self.text("place")

    @property
    def radii(self) -> list[str]:
        """The choices of the radius, with one from the address among them."""
        known = {str(km) for km in RADII_KM} | {self.radius}
        return sorted(known, key=lambda km: float(km) if km.replace(".", "", 1).isdigit() else 0)

    @property
    def radius(self) -> str:
        return self.text("radius_km") or f"{RADIUS_KM:g}"

    def for_api(self) -> MultiDict[str, str]:
        """The same as the API's search takes it."""
        api = MultiDict(self.entered.items(multi=True))
        api.poplist("label")
        if api.get("near"):
            api.poplist("place")
        return api

    def changed(self, key: str, value: str) -> MultiDict[str, str]:
        """All parameters with `key` set to `value` only, or without it if that is empty."""
        args = MultiDict(self.entered.items(multi=True))
        args.poplist(key)
        if value:
            args.add(key, value)
        return args

    def at(self, label: str, latitude: object, longitude: object) -> MultiDict[str, str]:
        """All parameters for the point that was chosen instead of the place entered."""
        args = self.changed("place", label)
        args.setlist("label", [label])
        args.setlist("near", [f"{latitude},{longitude}"])
        return args

    def _without(self, key: str, value: str) -> MultiDict[str, str]:
        args = MultiDict(self.entered.items(multi=True))
        args.setlist(key, [other for other in args.getlist(key) if other != value])
        return args

    def chips(self, query: Query, language: Language, today: date) -> list[Chip]:
        """Every filter that narrows this search, apart from the area."""
        _ = language.gettext
        chips = [
            *self._code_chips("care_form", query.care_forms, words.CARE_FORMS, language),
            *self._code_chips("sex", filter(None, [query.sex]), words.SEXES, language),
            *self._code_chips("room", filter(None, [query.room]), words.ROOMS, language),
            *self._code_chips("focus", query.focuses, words.FOCUSES, language),
            *self._code_chips("need", query.needs, words.NEEDS, language),
        ]
        if query.care_grade:
            label = _("care grade %(grades)s", grades=query.care_grade)
            chips.append(Chip(label, self.changed("care_grade", "")))
        if query.available_by:
            label = _("free by %(day)s", day=language.day(query.available_by, today))
            chips.append(Chip(label, self.changed("available_by", "")))
        if query.max_cost_eur is not None:
            label = _("up to %(amount)s a month", amount=language.euros(query.max_cost_eur))
            chips.append(Chip(label, self.changed("max_cost_eur", "")))
        if query.include_full:
            chips.append(Chip(_("full ones too"), self.changed("include_full", "")))
        return chips

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


def api_parameters(query: Query) -> list[tuple[str, str]]:
    """The query as parameters of the API, its places resolved: for the client, whose
    search and stream must mean the same as the page."""
    pairs = [("near", f"{p.latitude:.6f},{p.longitude:.6f}") for p in query.centres]
    if query.centres:
        pairs.append(("radius_km", f"{query.radius_km:g}"))
    elif query.bbox is not None:
        box = query.bbox
        corners = (box.west, box.south, box.east, box.north)
        pairs.append(("bbox", ",".join(f"{degrees:.6f}" for degrees in corners)))
    pairs += [("care_form", form) for form in query.care_forms]
    pairs += [("focus", focus) for focus in query.focuses]
    pairs += [("need", need) for need in query.needs]
    single = {
        "sex": query.sex,
        "room": query.room,
        "care_grade": query.care_grade,
        "available_by": query.available_by,
        "municipality": query.municipality,
        "max_cost_eur": query.max_cost_eur,
    }
    pairs += [(key, str(value)) for key, value in single.items() if value is not None]
    if query.include_full:
        pairs.append(("include_full", "true"))
    return pairs
