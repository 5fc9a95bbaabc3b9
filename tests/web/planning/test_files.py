"""Spreadsheet and CSV hold the same numbers, as numbers, and calculate nothing."""

from __future__ import annotations

import csv
import io

import aiohttp
from python_calamine import CalamineWorkbook

from tests.web.desk.verbund import DISTRICT, TOWN, Verbund
from tests.web.planning.conftest import FORMULA
from tests.web.staff import Desk

FILE = f"/desk/{DISTRICT}/planning"


async def load(desk: Desk, path: str) -> tuple[aiohttp.ClientResponse, bytes]:
    async with desk.client.get(desk.url + path) as answer:
        return answer, await answer.read()


async def test_the_spreadsheet_is_read_back(verbund: Verbund) -> None:
    async with verbund.browser(f"{DISTRICT}@example.org") as desk:
        answer, content = await load(desk, f"{FILE}.xlsx?period=2026&lang=en")
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="freiplatz-{DISTRICT}-2026.xlsx"'
    )
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    front = {str(row[0]): row[1] for row in book.get_sheet_by_name("Freiplatz").to_python()}
    assert front["Municipality"] == "Kreis Gütersloh"
    assert front["Time"] == "2026"
    places = book.get_sheet_by_name("Free places").to_python()
    assert places[1] == ["Jul 2026", 14.0, 0.0, 150.0]
    occupancy = book.get_sheet_by_name("Occupancy").to_python()
    assert occupancy[1][1] == 136 / 150
    towns = book.get_sheet_by_name("By municipality").to_python()
    assert [row[0] for row in towns[1:]] == [FORMULA, "Gütersloh"]  # a text, not what it comes to


async def test_the_csv_has_whole_numbers_that_add_up(verbund: Verbund) -> None:
    async with verbund.browser(f"{DISTRICT}@example.org") as desk:
        _, content = await load(desk, f"{FILE}.csv?period=2026")
    table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert {row["municipality"] for row in table} == {TOWN, "05754012"}
    assert {row["name"] for row in table} == {"Gütersloh", f"'{FORMULA}"}
    july = next(r for r in table if r["municipality"] == TOWN and r["first_day"] == "2026-07-01")
    assert (july["days"], july["free"], july["licensed"]) == ("31", str(4 * 31), str(40 * 31))
    assert sum(int(row["stop_staff"]) for row in table) == 30
    assert sum(int(row["unstaffed"]) for row in table) == 30 * 100


async def test_files_are_for_those_who_work_at_the_desk(verbund: Verbund) -> None:
    async with verbund.browser(f"{TOWN}@example.org") as desk:
        for kind in ("csv", "xlsx"):
            answer, _ = await load(desk, f"{FILE}.{kind}")
            assert answer.status == 404
