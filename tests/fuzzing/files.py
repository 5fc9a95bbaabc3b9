"""Files: lists of homes, reports, boundaries, spreadsheets."""

from __future__ import annotations

import io
import json

import msgspec
import xlsxwriter

from providers.imports.entries import Reader
from providers.imports.files import read_table
from providers.imports.mapping import complete_mapping
from providers.imports.sheet_parts import checked
from providers.report_files import LIMITS, read_reports
from tests.fuzzing.target import Target
from vacancies.boundary_files import read_areas
from vacancies.errors import FreiplatzError

CSV = (
    "Einrichtung;Straße;PLZ;Ort;Telefon;E-Mail;Plätze;Träger\n"
    "Haus Abend;Am Weg 1;33330;Gütersloh;05241 123;a@example.org;80;Caritas\n"
    '"Haus ""B""";Weg 2;1067;Dresden;;;2.000;\n'
)
GEOJSON = json.dumps(
    {
        "type": "FeatureCollection",
        "crs": {"properties": {"name": "EPSG:25832"}},
        "features": [
            {
                "type": "Feature",
                "id": 1,
                "properties": {"name": "Haus A", "plz": "33330", "adresse": {"ort": "Gütersloh"}},
                "geometry": {"type": "Point", "coordinates": [8.38, 51.9]},
            },
            {
                "type": "Feature",
                "properties": {"name": "Haus B", "plz": 33330},
                "geometry": {"type": "Polygon", "coordinates": [[[8, 51], [9, 51], [8, 52]]]},
            },
        ],
    }
).encode()
GML = b"""<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0"
 xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:x="http://x.example">
<wfs:member><x:Heim gml:id="a"><x:Name>Haus A</x:Name><x:PLZ>33330</x:PLZ><x:Ort>Essen</x:Ort>
<x:lage><gml:Point srsName="urn:ogc:def:crs:EPSG::25832"><gml:pos>469000 5750000</gml:pos>
</gml:Point></x:lage></x:Heim></wfs:member></wfs:FeatureCollection>"""
REPORTS = (
    b"home_id,care_form,count,sex,room,care_grades,available_from,observed_at,note\n"
    b"a,short_term,2,female,single,2 3,2026-12-01,2026-11-27T10:00:00Z,=1+1\n"
    b"b,long_term,0,,,,,,\n"
)
AREAS = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"AGS": "05754008", "GEN": "Musterstadt"},
                "geometry": {
                    "type": "MultiPolygon",
                    "coordinates": [[[[8, 51], [9, 51], [9, 52], [8, 52], [8, 51]]]],
                },
            }
        ],
    }
).encode()


def workbook(*rows: tuple[object, ...]) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content)
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return content.getvalue()


def read_list(data: bytes) -> None:
    """From a file to homes, each or why not: as the import and the desk do."""
    table = read_table(data)
    reader = Reader(table, complete_mapping(table), "Caritas")
    for row in table.rows:
        msgspec.json.encode(reader.read(row))


def read_packed(data: bytes) -> None:
    """A packed spreadsheet before a library sees it, as in the child process: whatever it raises
    ends that process only. What counts is that it comes to an end, in little memory."""
    checked(data, msgspec.structs.asdict(LIMITS))


def read_workbook(data: bytes) -> None:
    """The same with the library, in its process."""
    read_reports(b"PK\x03\x04" + data[4:])


_REFUSED = (FreiplatzError,)
_BOOK = workbook(("home_id", "care_form", "count"), ("a", "short_term", 2), ("b", "day", 1))

TARGETS = {
    "csv": Target(read_list, _REFUSED, (CSV.encode(), CSV.encode("cp1252"), CSV.encode("utf-16"))),
    "geojson": Target(read_list, _REFUSED, (GEOJSON,)),
    "gml": Target(read_list, _REFUSED, (GML,)),
    "boundaries": Target(
        lambda data: [msgspec.structs.asdict(area) for area in read_areas(data)], _REFUSED, (AREAS,)
    ),
    "report-files": Target(read_reports, _REFUSED, (REPORTS, REPORTS.replace(b",", b";"))),
    "xlsx-parts": Target(read_packed, (Exception,), (_BOOK,), 16_384),
    "xlsx": Target(read_workbook, _REFUSED, (_BOOK,), 16_384),
}
