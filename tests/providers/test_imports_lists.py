"""Real lists, exact counts. They are not part of the repository: without them, skipped."""

from __future__ import annotations

import csv
import io
import json

import pytest
import xlsxwriter
from pyproj import Transformer

from providers.imports.files import read_table
from providers.imports.intake import Intake
from providers.imports.report import ImportReport
from tests.real_lists import MISSING, REAL_LISTS
from vacancies.database import Pool
from vacancies.writer import Writer

pytestmark = pytest.mark.skipif(not REAL_LISTS.is_dir(), reason=MISSING)

NRW = "de_nrw_homes/nrw_homes_stripped.csv"
NRW_JSON = "de_nrw_homes/nrw_homes_stripped.json"
BERLIN = "de_berlin_lageso/heimaufsicht-pruefberichte.json"


def content_of(name: str) -> bytes:
    path = REAL_LISTS / name
    if not path.is_file():
        pytest.skip(f"{name} is missing")
    return path.read_bytes()


async def take(pool: Pool, writer: Writer, name: str) -> ImportReport:
    return await take_content(pool, writer, content_of(name))


async def take_content(pool: Pool, writer: Writer, content: bytes) -> ImportReport:
    return await Intake(pool, writer, provider="Liste").take(read_table(content))


def counts(report: ImportReport) -> tuple[int, int, int, int, int, int]:
    return (
        report.rows,
        report.taken,
        report.changed,
        report.unchanged,
        report.left_out,
        len(report.refused),
    )


async def test_north_rhine_westphalia(pool: Pool, writer: Writer) -> None:
    assert counts(await take(pool, writer, NRW)) == (2366, 2366, 0, 0, 0, 0)
    revision = await pool.fetchval("SELECT revision FROM revision_head")
    assert counts(await take(pool, writer, NRW)) == (2366, 0, 0, 2366, 0, 0)
    assert counts(await take(pool, writer, NRW_JSON))[:4] == (2366, 0, 0, 2366)
    assert await pool.fetchval("SELECT revision FROM revision_head") == revision
    junk = "SELECT count(*) FROM care_home WHERE website LIKE '%browsehappy%' OR phone = 'null'"
    assert await pool.fetchval(junk) == 0


async def test_berlin(pool: Pool, writer: Writer) -> None:
    report = await take(pool, writer, BERLIN)
    assert counts(report) == (574, 424, 0, 0, 150, 0)
    assert all("ingliederungshilfe" in row.reason for row in report.left_out_rows)
    assert counts(await take(pool, writer, BERLIN)) == (574, 0, 0, 424, 150, 0)
    assert await pool.fetchval("SELECT count(*) FROM care_home WHERE postcode = '13517'") > 0


@pytest.mark.parametrize(
    ("canton", "expected"),
    [
        ("dispo_srz", (346, 315, 0, 0, 14, 17)),
        ("kt_sh", (24, 21, 0, 0, 0, 3)),
        ("kt_sz", (29, 25, 0, 0, 1, 3)),
        ("kt_zg", (11, 11, 0, 0, 0, 0)),
        ("kt_zh", (282, 258, 0, 0, 13, 11)),
    ],
)
async def test_switzerland(
    pool: Pool, writer: Writer, canton: str, expected: tuple[int, ...]
) -> None:
    report = await take(pool, writer, f"ch_osm_nursing_homes/nursing_home_{canton}.geojson")
    assert counts(report) == expected
    assert {refusal.field for refusal in report.refused} <= {"name"}


def next_year(columns: list[str]) -> list[list[str]]:
    """The list of North Rhine-Westphalia as another office might keep it: other names, another
    order, postcodes as numbers, and without its last home."""
    table = read_table(content_of(NRW))
    kept = ("zip", "city", "street", "name", "website", "has_kurzzeitpflege")
    return [columns, *([row.cells[name] for name in kept] for row in table.rows[:-1])]


async def test_next_years_list_with_renamed_columns(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, NRW)
    revision = await pool.fetchval("SELECT revision FROM revision_head")
    german = next_year(["PLZ", "Ort", "Anschrift", "Einrichtung", "Homepage", "Kurzzeitpflege"])
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t", lineterminator="\r").writerows(german)
    mac = text.getvalue().encode("mac_roman", "replace")
    english = next_year(["ZIP", "Town", "Street", "Facility", "URL", "Offers short-term care"])
    for content in (mac, spreadsheet(english)):
        report = await take_content(pool, writer, content)
        assert counts(report) == (2365, 0, 0, 2365, 0, 0)
        assert len(report.vanished) == 1
    assert await pool.fetchval("SELECT revision FROM revision_head") == revision


def spreadsheet(rows: list[list[str]]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"strings_to_numbers": True}) as book:
        book.add_worksheet("Deckblatt").write(0, 0, "Heime in NRW")
        sheet = book.add_worksheet("Heime")
        sheet.merge_range("A1:F1", "Heime in NRW")
        for number, row in enumerate(rows, start=2):
            sheet.write_row(number, 0, row)
    return content.getvalue()


async def test_shifted_rows_of_a_real_list_are_refused(pool: Pool, writer: Writer) -> None:
    """Every tenth row has one cell more at its beginning and one less at its end."""
    table = read_table(content_of(NRW))
    text = io.StringIO(newline="")
    lines = csv.writer(text, delimiter=";")
    lines.writerow(table.columns)
    shifted = set()
    for row in table.rows[:500]:
        cells = [row.cells[column] for column in table.columns]
        if row.number % 10 == 0:
            cells = [cells[0], "Zusatz", *cells[1:-1]]
            shifted.add(row.number)
        lines.writerow(cells)
    report = await take_content(pool, writer, text.getvalue().encode())
    assert {refusal.row for refusal in report.refused} == shifted
    assert {refusal.field for refusal in report.refused} == {"row"}


async def test_switzerland_in_its_own_coordinates(pool: Pool, writer: Writer) -> None:
    """The same homes, the second time with their corners in LV95."""
    name = "ch_osm_nursing_homes/nursing_home_kt_zg.geojson"
    await take(pool, writer, name)
    before = await pool.fetch("SELECT id, latitude, longitude FROM care_home ORDER BY id")
    document = json.loads(content_of(name))
    transformer = Transformer.from_crs(4326, 2056, always_xy=True)

    def moved(position: list[object]) -> list[object]:
        if isinstance(position[0], list):
            return [moved(part) for part in position if isinstance(part, list)]
        return list(transformer.transform(position[0], position[1]))

    for feature in document["features"]:
        feature["geometry"]["coordinates"] = moved(feature["geometry"]["coordinates"])
    document["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2056"}}
    report = await take_content(pool, writer, json.dumps(document).encode())
    assert (report.taken, len(report.refused), report.vanished) == (0, 0, [])
    after = await pool.fetch("SELECT id, latitude, longitude FROM care_home ORDER BY id")
    for old, new in zip(before, after, strict=True):
        assert old["id"] == new["id"]
        assert new["latitude"] == pytest.approx(old["latitude"], abs=2e-5)
        assert new["longitude"] == pytest.approx(old["longitude"], abs=2e-5)
