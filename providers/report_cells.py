"""Columns and cells of files with reports: German and English words to what JSON says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from providers.imports.cells import read_care_forms
from providers.imports.tables import fold
from vacancies.errors import InvalidInput
from vacancies.listings import REGION
from vacancies.models import CareForm, Focus, Room, Sex

Cells = dict[str, str]  # by field; empty for nothing

_NAMES: dict[str, tuple[str, ...]] = {
    "home_id": (
        "id",
        "homeid",
        "einrichtungsid",
        "heimid",
        "hausid",
        "home",
        "einrichtung",
        "heim",
        "haus",
    ),
    "care_form": ("form", "pflegeform", "pflegeart", "angebot"),
    "count": ("free", "freeplaces", "anzahl", "frei", "freieplaetze"),
    "sex": ("gender", "geschlecht"),
    "room": ("zimmer", "zimmerart"),
    "care_grades": ("caregrade", "pflegegrade", "pflegegrad", "pg"),
    "focuses": ("focus", "schwerpunkte", "schwerpunkt"),
    "available_from": ("from", "freiab", "ab", "verfuegbarab"),
    "available_until": ("until", "freibis", "bis", "verfuegbarbis"),
    "note": ("comment", "hinweis", "bemerkung", "notiz"),
    "observed_at": ("asof", "stand", "standvom"),
    CareForm.LONG_TERM.value: ("dauerpflege", "langzeitpflege", "vollstationaer"),
    CareForm.SHORT_TERM.value: ("kurzzeitpflege", "kzp"),
    CareForm.RESPITE.value: ("verhinderungspflege",),
    CareForm.DAY.value: ("daycare", "tagespflege"),
    CareForm.NIGHT.value: ("nightcare", "nachtpflege"),
    CareForm.ASSISTED_LIVING.value: ("betreuteswohnen", "servicewohnen"),
    CareForm.SHARED_FLAT.value: ("pflegewg", "wohngemeinschaft"),
    CareForm.HOSPICE.value: ("hospiz",),
}
# Folded name of a column → what it holds.
KNOWN_COLUMNS = {name: field for field, names in _NAMES.items() for name in (fold(field), *names)}
# Of several columns that may name the home, the first of these does.
HOME_COLUMNS = tuple(map(fold, ("home_id", *_NAMES["home_id"])))
# Columns that hold counts of one care form.
FORM_COLUMNS = frozenset(form.value for form in CareForm)

_SEXES = {
    **dict.fromkeys(("any", "egal", "beliebig", "alle", "mw", "wm"), Sex.ANY),
    **dict.fromkeys(("female", "f", "w", "weiblich", "frau", "frauen"), Sex.FEMALE),
    **dict.fromkeys(("male", "m", "maennlich", "mann", "maenner"), Sex.MALE),
}
_ROOMS = {
    **dict.fromkeys(("any", "egal", "beliebig"), Room.ANY),
    **dict.fromkeys(("single", "einzelzimmer", "einzel", "ez"), Room.SINGLE),
    **dict.fromkeys(("double", "doppelzimmer", "doppel", "dz"), Room.DOUBLE),
}
_FOCUSES = {
    **{focus.value: focus for focus in Focus},
    **dict.fromkeys(("demenz",), Focus.DEMENTIA),
    **dict.fromkeys(("beatmung", "intensivpflege"), Focus.VENTILATION),
    **dict.fromkeys(("palliativ", "palliativpflege"), Focus.PALLIATIVE),
    **dict.fromkeys(("jungepflege", "jung"), Focus.YOUNG),
    **dict.fromkeys(("geschuetzt", "geschuetzterbereich"), Focus.PROTECTED),
    **dict.fromkeys(("adipositas", "bariatrisch"), Focus.BARIATRIC),
}
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,?\s+(\d{1,2}):(\d{2})(?: Uhr)?)?")
_GRADES = re.compile(r"(?:PG\s*)?([0-9])(?:\s*(?:-|–|bis)\s*([0-9]))?", re.IGNORECASE)


def read_lines(cells: Cells) -> list[dict[str, Any]]:
    """The lines of a report in one row, as JSON would have them; none for a row that says 0
    without a care form. Raises `InvalidInput` with the column as its field."""
    details = {name: read(cells[name]) for name, read in _READERS.items() if cells.get(name)}
    found = [
        {"care_form": form, "count": _count(cells[form], form), **details}
        for form in _NAMES
        if form in FORM_COLUMNS and cells.get(form)
    ]
    form, count = cells.get("care_form"), cells.get("count")
    if form and not count:
        raise InvalidInput("count is missing. Write 0 if nothing is free.", field="count")
    if count:
        places = _count(count, "count")
        if form:
            found.append({"care_form": _care_form(form), "count": places, **details})
        elif places:
            raise InvalidInput("care_form is missing: of what kind are they?", field="care_form")
        return found
    if not found:
        raise InvalidInput("There is no count in this row. Write 0 if the home is full.")
    return found


def read_moment(text: str) -> str:
    """RFC 3339 from ISO 8601 or "24.12.2026 8:30"; without a zone it is German time."""
    field = "observed_at"
    try:
        if german := _GERMAN_DATE.fullmatch(text):
            day, month, year, hour, minute = (int(part or -1) for part in german.groups())
            moment = datetime(year, month, day, hour, minute, tzinfo=REGION)
        else:
            if len(text) < len("2026-12-24T08:30"):
                raise ValueError(text)  # a day alone
            moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            "This is no moment. Write it like 2026-12-24T08:30 or 24.12.2026 08:30.", field=field
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=REGION)).isoformat()


def _count(text: str, field: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}(?:[.,]0+)?", text):
        raise InvalidInput(f"{text[:40]!r} is no number of free places.", field=field)
    return int(re.split("[.,]", text)[0])


def _care_form(text: str) -> str:
    forms = read_care_forms(text)
    if len(forms) != 1:
        possible = ", ".join(CareForm)
        raise InvalidInput(
            f"{text[:40]!r} is not one care form. Possible are: {possible}, or the German word.",
            field="care_form",
        )
    return forms[0].value


def _grades(text: str) -> list[int]:
    grades: set[int] = set()
    for part in re.split(r"\s*[,;+/]\s*", text):
        match = _GRADES.fullmatch(part)
        if match is None:
            raise InvalidInput("Write care grades like 2,3 or 2-5.", field="care_grades")
        first = int(match[1])
        grades.update(range(first, int(match[2] or first) + 1))
    return sorted(grades)


def _date(field: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            if (german := _GERMAN_DATE.fullmatch(text)) and german[4] is None:
                return date(int(german[3]), int(german[2]), int(german[1])).isoformat()
            return date.fromisoformat(text).isoformat()
        except ValueError as error:
            raise InvalidInput(
                "This is no date. Write it like 2026-12-24 or 24.12.2026.", field=field
            ) from error

    return read


def _word(field: str, words: Mapping[str, Sex] | Mapping[str, Room]) -> Callable[[str], str]:
    def read(text: str) -> str:
        found = words.get(fold(text))
        if found is None:
            raise InvalidInput(
                f"{text[:40]!r} is not known here. Possible are: {_codes(words)}.", field=field
            )
        return found.value

    return read


def _focuses(text: str) -> list[str]:
    found = [_FOCUSES.get(fold(part)) for part in re.split(r"[,;+/]", text)]
    if None in found:
        raise InvalidInput(
            f"{text[:40]!r} is not known here. Possible are: {_codes(_FOCUSES)}.",
            field="focuses",
        )
    return [focus.value for focus in found if focus]


def _codes(words: Mapping[str, Focus] | Mapping[str, Sex] | Mapping[str, Room]) -> str:
    return ", ".join(dict.fromkeys(words.values()))


_READERS: dict[str, Callable[[str], Any]] = {
    "sex": _word("sex", _SEXES),
    "room": _word("room", _ROOMS),
    "care_grades": _grades,
    "focuses": _focuses,
    "available_from": _date("available_from"),
    "available_until": _date("available_until"),
    "note": str,
}
