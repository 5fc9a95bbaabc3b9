"""Which column means what: by its name (`names.py`), else by content."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from providers.imports.amounts import read_amount, read_decimal, read_places
from providers.imports.cells import read_care_forms, read_email, read_flag
from providers.imports.names import COSTS, NAMES, TOO_SHORT
from providers.imports.projections import system_in_column
from providers.imports.tables import Table, fold
from vacancies.gazetteer import load_gazetteer
from vacancies.placenames import normal_postcode

# Of each cell so much is looked at: what a column holds shows at its beginning.
_LONGEST_CELL = 300
# These may be read from several columns; the first that says something counts.
SEVERAL = frozenset({"care_form", "target_group"})

# "einrichtung_plz", "addr:city": the beginning says only what it is all about.
_SUBJECT = re.compile(
    r"^(?:einrichtungs?|addr|contact|heim|home|facility|adresse|address|anschrift|kontakt"
    r"|[eé]tablissement)[\W_]+(?:de l['’])?(?=.)",
    re.IGNORECASE,
)
_OF_PROVIDER = re.compile(
    r"^(?:tr[aä]e?ger|betreiber|operator|owner|provider|gestionnaire)[\W_]+", re.IGNORECASE
)
# Counts of free places are a report, not a description: never taken from a list.
_FREE = re.compile(
    r"frei|vacan|free|belegt|occupied|auslastung|aktualisier|update|libre|disponib", re.IGNORECASE
)
# "Investitionskosten (€/Monat)"; what is paid for a day is another amount.
_PER_MONTH = re.compile(
    r"€|\b(?:in )?(?:eur|euro)s?\b|/?\s*\b(?:pro |je |im |per |par )?(?:monat(?:lich)?|month(?:ly)?"
    r"|mois|mensuel(?:le)?|mtl)\b",
    re.IGNORECASE,
)


def recognise(table: Table) -> dict[str, list[str]]:
    """field → columns, for every field that was recognised."""
    found = _by_name(table.columns)
    if "street" in found and not found.keys() & {"postcode", "city", "postcode_city"}:
        values = _sample(table, found["street"][0])
        if values and sum(map(_is_address, values)) >= 0.6 * len(values):
            found["address"] = found.pop("street")
    if "id" in found and not _is_distinct(table, found["id"][0]):
        del found["id"]  # a number of the provider, or of the town
    metres = {"easting", "northing"}
    if not (metres <= found.keys() and all(_is_metres(table, found[field][0]) for field in metres)):
        found = {field: columns for field, columns in found.items() if field not in metres}
    _by_care_form(table, found)
    _by_content(table, found)
    return found


def _by_name(columns: list[str]) -> dict[str, list[str]]:
    meanings: dict[str, list[tuple[int, str]]] = {}
    for column in columns:
        for field, certainty in _meanings(column):
            meanings.setdefault(field, []).append((certainty, column))
    found = {}
    for field, ranked in meanings.items():
        ordered = [column for _, column in sorted(ranked, key=lambda pair: pair[0])]
        found[field] = ordered if field in SEVERAL else ordered[:1]
    return found


def _meanings(column: str) -> Iterable[tuple[str, int]]:
    """(field, how uncertain), none for a column that is somebody else's."""
    if _FREE.search(column):
        return
    provider = _OF_PROVIDER.match(column)
    rest = _SUBJECT.sub("", column)
    spellings = [fold(column), fold(rest)]
    for field, names in NAMES.items():
        if provider is not None and field != "provider":
            continue
        for name in spellings:
            if name in names:
                yield field, names.index(name) * 2 + (rest != column)
                break
    if provider is None:
        yield from _meanings_in_system(column)
        name = fold(_PER_MONTH.sub("", column))
        yield from ((field, names.index(name)) for field, names in COSTS.items() if name in names)


def _meanings_in_system(column: str) -> Iterable[tuple[str, int]]:
    """Of `x_25832`, "Rechtswert (GK3)" and the like; before a column that names no system."""
    found = system_in_column(column)
    if found is None:
        return
    system, rest = found
    name = fold(rest)
    fields = (("longitude", "easting"), ("latitude", "northing"))
    for degrees, metres in fields:
        if name in NAMES[metres] or name in NAMES[degrees]:
            yield (degrees if system.code in (4326, 4258) else metres), -1


def _by_care_form(table: Table, found: dict[str, list[str]]) -> None:
    """Columns such as `has_kurzzeitpflege` (yes or no) and "Plätze Tagespflege" (a number)."""
    taken = {column for columns in found.values() for column in columns}
    for column in table.columns:
        forms = read_care_forms(column)
        if column in taken or len(forms) != 1 or _FREE.search(column):
            continue
        values = _sample(table, column)
        if not values:
            continue
        if all(read_flag(value) is not None for value in values):
            found.setdefault(f"offers.{forms[0].value}", [column])
        elif all(read_places(value) is not None for value in values):
            found.setdefault(f"capacity.{forms[0].value}", [column])


def _sample(table: Table, column: str, most: int = 300) -> list[str]:
    values = (row.cells.get(column, "")[:_LONGEST_CELL].strip() for row in table.rows[: most * 3])
    return [value for value in values if value][:most]


def _is_distinct(table: Table, column: str) -> bool:
    values = [value for row in table.rows if (value := row.cells.get(column, "").strip())]
    return len(set(values)) >= 0.95 * len(values)


def _is_metres(table: Table, column: str) -> bool:
    """Whether a column may hold eastings or northings: "x" and "e" are names of other things."""
    if fold(column) not in TOO_SHORT:
        return True
    values = [read_amount(value) for value in _sample(table, column)]
    return sum(abs(value or 0) >= 1_000 for value in values) >= 0.8 * len(values) > 0


def _by_content(table: Table, found: dict[str, list[str]]) -> None:
    """Fields that no column name gave, from what the cells look like."""
    taken = {column for columns in found.values() for column in columns}
    free = [
        column
        for column in table.columns
        if column not in taken and not _FREE.search(column) and not _OF_PROVIDER.match(column)
    ]
    samples = {column: sample for column in free if (sample := _sample(table, column))}
    for field, looks_so, share in _LOOKS:
        if field in found or (field in ("postcode_city", "address") and "postcode" in found):
            continue
        rated = [
            (sum(map(looks_so, values)) / len(values), column) for column, values in samples.items()
        ]
        best = max(rated, default=(0.0, ""), key=lambda pair: pair[0])
        if best[0] >= share:
            found[field] = [best[1]]
            del samples[best[1]]


def _is_postcode(value: str) -> bool:
    return normal_postcode(value) in load_gazetteer().postcodes


def _is_town(value: str) -> bool:
    return not any(c.isdigit() for c in value) and bool(load_gazetteer().named(value))


def _is_between(low: float, high: float) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        number = read_decimal(value)
        return number is not None and low < number < high and not number.is_integer()

    return check


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda value: compiled.search(value) is not None


_is_address = _matches(r",?\s(D-)?\d{5}\s+[^\d\s]")

# In this order: what is most certain takes its column first. Shares of the cells that must
# look so; the box of coordinates is that of Germany, Austria and Switzerland.
_LOOKS: tuple[tuple[str, Callable[[str], bool], float], ...] = (
    ("postcode", _is_postcode, 0.8),
    ("email", lambda value: read_email(value) is not None, 0.8),
    ("website", _matches(r"^(https?://|www\.)"), 0.8),
    ("latitude", _is_between(45.7, 55.2), 0.95),
    ("longitude", _is_between(5.7, 17.3), 0.95),
    ("postcode_city", _matches(r"^(D-?)?\d{5}\s+[^\d]+$"), 0.8),
    ("address", _is_address, 0.8),
    ("street", _matches(r"^[^\d]{3,}\s\d+ ?[a-z]?( ?[-/+] ?\d+ ?[a-z]?)*$"), 0.6),
    ("phone", _matches(r"^[(+]?0?[\d(][\d\s()/.+-]{5,}$"), 0.7),
    ("city", _is_town, 0.6),
    ("name", _matches(r"senior|pflege|heim|haus|stift|residenz|altenz|hospiz"), 0.4),
)
