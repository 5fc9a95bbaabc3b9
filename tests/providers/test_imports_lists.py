"""Real lists, exact counts. They are not part of the repository: without them, skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from providers.imports.files import read_table
from providers.imports.intake import ImportReport, Intake
from vacancies.database import Pool
from vacancies.writer import Writer

FOLDER = Path(
    os.environ.get("TEST_DATA_DIR") or Path(__file__).parents[2].parent / "shared" / "data"
)
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason="the real lists are not here; TEST_DATA_DIR names their folder",
)

NRW = "de_nrw_homes/nrw_homes_stripped.csv"
NRW_JSON = "de_nrw_homes/nrw_homes_stripped.json"
BERLIN = "de_berlin_lageso/heimaufsicht-pruefberichte.json"


async def take(pool: Pool, writer: Writer, name: str) -> ImportReport:
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is missing")
    return await Intake(pool, writer, provider="Liste").take(read_table(path.read_bytes()))


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
