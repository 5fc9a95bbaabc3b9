"""The files of each day are kept once, whole, and as they were; what is missing is named."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import aiohttp
import pytest

from tests.conftest import Service, served
from tests.waiting import until
from tests.web.opendata.conftest import BASE, fetch
from tests.web.test_pages import get, text
from vacancies.config import OpenData, Settings
from vacancies.database import Pool
from web.opendata.archive import FORMATS, INDEX_PATH, ROOT, missing_days, path_of, select_days
from web.opendata.archiving import ARCHIVE_LOCK, Archiver, region_day, select_now
from web.opendata.terms import terms_of

LICENCE = "https://www.govdata.de/dl-de/by-2-0"


def archiver(service: Service, years: int = 5) -> Archiver:
    here = service.state
    terms = terms_of(here.settings)
    return Archiver(here.deployment.pool, here.board, here.follower, terms, years)


async def made(service: Service) -> date:
    """Today, which is kept now."""
    day = await archiver(service).make_if_due()
    assert day is not None
    return day.day


async def move(pool: Pool, day: date, days: int) -> None:
    """As if what was kept on `day` had been kept so many days earlier."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO archive_day SELECT day - $2::int, made_at - make_interval(days => $2),"
            " revision, homes, licence, attribution FROM archive_day WHERE day = $1",
            day,
            days,
        )
        await connection.execute(
            "UPDATE archive_file SET day = day - $2::int WHERE day = $1", day, days
        )
        await connection.execute("DELETE FROM archive_day WHERE day = $1", day)


async def index(service: Service) -> Any:
    status, body, _ = await fetch(service, INDEX_PATH)
    assert status == 200
    return json.loads(body)


async def test_a_service_keeps_the_day_by_itself(region: Service) -> None:
    """When it starts, or within minutes."""
    assert await select_days(region.state.deployment.pool) == [], "there was no home yet"
    async with served(region.state.settings) as again:
        pool = again.state.deployment.pool

        async def is_there() -> bool:
            return bool(await select_days(pool))

        await until(is_there)
        today = region_day(await select_now(pool))
    found = await index(region)
    assert (found["licence"], found["attribution"]) == (LICENCE, 'Kreis "Muster\\stadt"')
    assert (found["missing"], found["time_zone"]) == ([], "Europe/Berlin")
    (day,) = found["days"]
    assert day["day"] == str(today)
    assert (day["licence"], day["attribution"]) == (found["licence"], found["attribution"])
    for file in day["files"]:
        assert file["url"] == f"{BASE}{path_of(today, file['format'])}"
        status, body, _ = await fetch(region, path_of(today, file["format"]))
        assert (status, len(body)) == (200, file["size"])
        assert sha256(body).hexdigest() == file["sha256"]


async def test_the_files_are_those_of_now_packed(region: Service) -> None:
    """But for the moment, which both name."""
    today = await made(region)
    (day,) = (await index(region))["days"]
    assert (day["homes"], day["revision"]) == (3, region.state.board.revision)
    for form, document in FORMATS.items():
        now = (await fetch(region, document.path))[1].decode()
        then = gzip.decompress((await fetch(region, path_of(today, form)))[1]).decode()
        assert day["made_at"] in then
        if form == "csv":
            rows = list(csv.DictReader(io.StringIO(now, newline="")))
            kept = list(csv.DictReader(io.StringIO(then, newline="")))
            assert {row.pop("last_updated") for row in kept} == {day["made_at"]}
            assert [row.pop("last_updated") for row in rows]
            assert kept == rows
            assert {row["licence"] for row in kept} == {LICENCE}
        else:
            whole, found = json.loads(now), json.loads(then)
            assert found.pop("last_updated") == day["made_at"]
            assert whole.pop("last_updated")
            assert found == whole
            assert found["licence"] == LICENCE


async def test_no_name_of_a_person_is_kept(service: Service) -> None:
    await service.put_home("1", contact={"phone": "05241 850", "person": "Frau Mustermann"})
    await service.put_home("2", contact={"person": "Herr Mustermann"})
    today = await made(service)
    for form in FORMATS:
        kept = gzip.decompress((await fetch(service, path_of(today, form)))[1]).decode()
        assert "Mustermann" not in kept
        assert "05241 850" in kept
    assert "Mustermann" in (await fetch(service, "/opendata/vacancies.geojson"))[1].decode()


async def test_a_file_is_a_gzip_file_however_one_asks(region: Service) -> None:
    path = path_of(await made(region), "csv")
    found = []
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        for coding in ("identity", "gzip", "br, gzip"):
            headers = {"Accept-Encoding": coding}
            async with client.get(region.url + path, headers=headers) as answer:
                assert answer.headers["Content-Type"] == "application/gzip"
                assert "Content-Encoding" not in answer.headers
                wanted = "public, max-age=31536000, immutable, no-transform"
                assert answer.headers["Cache-Control"] == wanted
                assert answer.headers["Access-Control-Allow-Origin"] == "*"
                assert answer.headers["Link"] == f'<{LICENCE}>; rel="license"'
                found.append((answer.headers["ETag"], await answer.read()))
        ((tag, body),) = set(found)
        assert tag == f'"{sha256(body).hexdigest()}"', "a strong one"
        async with client.head(region.url + path) as answer:
            assert (answer.status, answer.headers["ETag"]) == (200, tag)
            assert answer.headers["Content-Length"] == str(len(body))
        for known in (tag, f'"other", {tag}', "*"):
            headers = {"If-None-Match": known}
            async with client.get(region.url + path, headers=headers) as answer:
                assert (answer.status, await answer.read()) == (304, b"")
                assert answer.headers["ETag"] == tag


@pytest.mark.parametrize(
    "name",
    [
        "2026-11-26.csv.gz",  # nothing was kept
        "2026-02-30.csv.gz",
        "2026-11-27.csv",
        "2026-11-27.xml.gz",
        "２０２６-11-27.csv.gz",
        "x%00",
    ],
)
async def test_what_is_not_there_is_not_found(service: Service, name: str) -> None:
    status, body, headers = await fetch(service, ROOT + name)
    assert (status, headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert INDEX_PATH.encode() in body


async def test_one_of_many_makes_the_day_and_once(region: Service) -> None:
    pool = region.state.deployment.pool
    several = [archiver(region) for _ in range(4)]
    found = await asyncio.gather(*(each.make_if_due() for each in several))
    assert sum(day is not None for day in found) == 1
    assert await archiver(region).make_if_due() is None
    assert len(await select_days(pool)) == 1


async def test_who_dies_in_the_middle_leaves_nothing_behind(region: Service) -> None:
    """Postgres ends the connection of a process that is no more; here it is told to."""
    pool = region.state.deployment.pool
    async with pool.acquire() as blocker, blocker.transaction():
        # Whoever makes the day has to wait here, with the day written and the files not.
        await blocker.execute("LOCK TABLE archive_file IN ACCESS EXCLUSIVE MODE")
        doomed = asyncio.create_task(archiver(region).make_if_due())
        holder = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1"
        waiting = (
            f"SELECT EXISTS ({holder} AND pid IN (SELECT pid FROM pg_locks WHERE NOT granted))"
        )

        async def is_waiting() -> bool:
            return bool(await pool.fetchval(waiting, ARCHIVE_LOCK))

        await until(is_waiting)
        assert await archiver(region).make_if_due() is None, "somebody is at it"
        await pool.execute(f"SELECT pg_terminate_backend(pid) FROM ({holder}) found", ARCHIVE_LOCK)
        (error,) = await asyncio.gather(doomed, return_exceptions=True)
        assert isinstance(error, Exception)
    assert await select_days(pool) == []
    day = await archiver(region).make_if_due()
    assert day is not None
    assert await select_days(pool) == [day]


async def test_days_that_are_missing_are_named(region: Service) -> None:
    pool, today = region.state.deployment.pool, await made(region)
    await move(pool, today, 4)
    assert await archiver(region).make_if_due() is not None
    await move(pool, today, 2)
    found = await index(region)
    ago = [str(today - timedelta(days=number)) for number in range(5)]
    assert [day["day"] for day in found["days"]] == [ago[2], ago[4]]
    assert found["missing"] == [ago[1], ago[3]], "today may still come"


async def test_what_is_too_old_goes_with_the_next_day(region: Service) -> None:
    pool, today = region.state.deployment.pool, await made(region)
    for age in (2 * 366 + 1, 360):
        await move(pool, today, age)
        assert await archiver(region, years=2).make_if_due() is not None
    kept = [day.day for day in await select_days(pool)]
    assert kept == [today, today - timedelta(days=360)]
    assert await pool.fetchval("SELECT count(*) FROM archive_file") == 2 * len(FORMATS)


async def test_a_region_without_homes_has_nothing_to_keep(service: Service) -> None:
    assert await archiver(service).make_if_due() is None
    assert (await index(service))["days"] == []


async def test_an_operator_may_keep_none(settings: Settings) -> None:
    off = replace(settings, open_data=OpenData(archive_years=0))
    async with served(off) as service:
        await service.put_home("1")
        assert await archiver(service, years=0).make_if_due() is None
        assert (await index(service))["days"] == []
        status, html = await get(service, ROOT)
        assert status == 200
        assert "Es gibt noch keine Dateien" in text(html)


async def test_the_day_is_that_of_the_region() -> None:
    assert region_day(datetime(2026, 7, 1, 21, 59, tzinfo=UTC)) == date(2026, 7, 1)
    assert region_day(datetime(2026, 7, 1, 22, 0, tzinfo=UTC)) == date(2026, 7, 2)
    assert region_day(datetime(2026, 12, 1, 22, 59, tzinfo=UTC)) == date(2026, 12, 1)
    assert region_day(datetime(2026, 12, 1, 23, 0, tzinfo=UTC)) == date(2026, 12, 2)


def test_nothing_is_missing_before_the_first_day() -> None:
    today = date(2026, 3, 1)
    assert missing_days([], today) == []
    assert missing_days([today], today) == []
    assert missing_days([date(2026, 2, 27)], today) == [date(2026, 2, 28)]


async def test_the_page_lists_a_year(region: Service) -> None:
    pool, today = region.state.deployment.pool, await made(region)
    await move(pool, today, 2)
    assert await archiver(region).make_if_due() is not None
    await move(pool, today, 366)
    assert await archiver(region).make_if_due() is not None
    status, html = await get(region, ROOT)
    assert status == 200
    assert path_of(today, "csv") in html
    year = str((today - timedelta(days=366)).year)
    assert f"?year={year}" in html
    status, older = await get(region, f"{ROOT}?year={year}&lang=en")
    assert status == 200
    assert path_of(today - timedelta(days=366), "geojson") in older
    assert "no files of this day" in older
    for wrong in ("1999", "x", "２０２６"):
        assert (await fetch(region, f"{ROOT}?year={wrong}"))[0] == 404


async def test_the_list_is_packed_and_tagged(region: Service) -> None:
    today = await made(region)
    _, _, headers = await fetch(region, INDEX_PATH, **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    known = {"If-None-Match": headers["ETag"]}
    assert (await fetch(region, INDEX_PATH, **known))[0] == 304
    await move(region.state.deployment.pool, today, 1)
    assert (await fetch(region, INDEX_PATH, **known))[0] == 200
