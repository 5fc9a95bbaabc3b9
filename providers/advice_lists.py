"""Lists of advice offices, read as lists of homes are: any encoding, separator and format."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from providers.imports.entries import Entry, Reader, Refusal
from providers.imports.identity import home_id_of
from providers.imports.mapping import Mapping, complete_mapping
from providers.imports.tables import Table
from vacancies.advice import AdviceOffice
from vacancies.geocoding import OfflineGeocoder


class AdviceReport(msgspec.Struct, kw_only=True):
    """What a list holds, and what of it could not be read."""

    rows: int
    offices: list[AdviceOffice]
    refused: list[Refusal]


def read_advice_offices(table: Table, given: Mapping | None = None) -> AdviceReport:
    """The offices of a list; a row needs a name, and coordinates, a postcode or a town. A column
    with municipality keys (AGS) says for which area an office is there.

    Raises `MappingNeeded` and `InvalidMapping`.
    """
    mapping = complete_mapping(table, given)
    reader, geocoder = Reader(table, mapping, "advice"), OfflineGeocoder()
    report = AdviceReport(rows=len(table.rows), offices=[], refused=[])
    for found in _offices(map(reader.read, table.rows), geocoder):
        if isinstance(found, Refusal):
            report.refused.append(found)
        else:
            report.offices.append(found)
    return report


def _offices(
    entries: Iterator[Entry | Refusal], geocoder: OfflineGeocoder
) -> Iterator[AdviceOffice | Refusal]:
    seen: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, Refusal):
            yield entry
            continue
        point = entry.point
        if point is None and (place := geocoder.locate(entry.address)):
            point = place.point
        first = seen.setdefault(entry.by_address, entry.row)
        if point is None:
            reason = "The place is not known. Add coordinates, or a postcode that exists."
            yield Refusal(entry.row, "postcode", reason)
        elif first != entry.row:
            yield Refusal(entry.row, "name", f"The same office is in row {first}.")
        else:
            yield AdviceOffice(
                id=home_id_of(entry.by_address),
                name=entry.name,
                address=entry.address,
                contact=entry.contact,
                point=point,
                area=entry.municipality,
            )
