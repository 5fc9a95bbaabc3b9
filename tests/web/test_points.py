"""All homes of a search as columns, and that what is sent is packed for those who take it."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from html import unescape
from typing import Any

import aiohttp
import pytest

from tests.conftest import Service
from tests.flow.viewer import read_events

NEAR = "near=51.9,8.38&radius_km=22"


@pytest.fixture
async def region(service: Service) -> Service:
    """Homes on a line to the north, 5 km apart; the second is full, the last has never reported."""
    for n in range(4):
        await service.put_home(
            f"h{n}", coordinates={"latitude": 51.9 + n * 0.045, "longitude": 8.38}
        )
    await service.report("h0", {"count": 2}, {"care_form": "day", "count": 3})
    await service.report("h1")
    await service.report("h2", {"count": 1})
    return service


async def points(service: Service, query: str) -> dict[str, Any]:
    status, body, _ = await service.call("GET", f"/api/v1/vacancies/points?{query}")
    assert status == 200, body
    return dict(body)


def rows(body: dict[str, Any], *columns: str) -> list[tuple[Any, ...]]:
    return sorted(zip(*(body[column] for column in columns), strict=True))


async def test_points_are_the_homes_of_the_same_search(region: Service) -> None:
    for query in ("", NEAR, "care_form=day", "include_full=true", f"{NEAR}&include_full=true"):
        _, search, _ = await region.call("GET", f"/api/v1/vacancies?{query}")
        body = await points(region, query)
        assert (body["revision"], body["cursor"]) == (search["revision"], search["cursor"])
        wanted = [
            (
                found["id"],
                found["properties"]["name"],
                found["geometry"]["coordinates"][1],
                found["properties"]["freshness"],
            )
            for found in search["features"]
        ]
        assert rows(body, "id", "name", "latitude", "freshness") == sorted(wanted)
        if NEAR in query:
            assert rows(body, "id", "distance_km") == sorted(
                (found["id"], pytest.approx(found["properties"]["distance_km"], abs=0.001))
                for found in search["features"]
            )
        else:
            assert body["distance_km"] is None


async def test_free_counts_the_care_forms_asked_for(region: Service) -> None:
    assert rows(await points(region, ""), "id", "free") == [("h0", 5), ("h2", 1)]
    assert rows(await points(region, "care_form=day"), "id", "free") == [("h0", 3)]
    both = "care_form=day&care_form=long_term"
    assert rows(await points(region, both), "id", "free") == [("h0", 5), ("h2", 1)]
    body = await points(region, "include_full=true")
    assert rows(body, "id", "free") == [("h0", 5), ("h1", 0), ("h2", 1), ("h3", 0)]
    said = dict(zip(body["id"], body["said_at"], strict=True))
    assert said["h3"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["h1"])


async def test_what_is_known_is_not_sent_again(region: Service) -> None:
    path = "/api/v1/vacancies/points"
    _, _, headers = await region.call("GET", path)
    assert (headers["Cache-Control"], headers["Access-Control-Allow-Origin"]) == ("no-cache", "*")
    known = {"If-None-Match": headers["ETag"]}
    status, body, again = await region.call("GET", path, headers=known)
    assert (status, body, again["ETag"]) == (304, None, headers["ETag"])
    status, _, _ = await region.call("GET", f"{path}?{NEAR}", headers=known)
    assert status == 200
    await region.report("h1", {"count": 4})
    status, body, _ = await region.call("GET", path, headers=known)
    assert status == 200
    assert ("h1", 4) in rows(body, "id", "free")


@pytest.mark.parametrize("query", ["limit=5", "cursor=x", "radius_km=far", "care_form=none"])
async def test_wrong_parameters_are_named(region: Service, query: str) -> None:
    status, body, _ = await region.call("GET", f"/api/v1/vacancies/points?{query}")
    assert (status, body["field"]) == (400, query.split("=")[0])


@pytest.mark.parametrize(
    "search",
    ["", "place=33330&care_form=short_term&care_form=day", "near=51.12345678,8.4&radius_km=30"],
)
async def test_a_page_hands_over_to_the_stream_without_a_reset(
    region: Service, search: str
) -> None:
    async with region.client.get(f"{region.url}/?{search}") as answer:
        html = await answer.text()
    data = re.search(r'<script type="application/json" id="start">(.*?)</script>', html)
    assert data is not None
    start = json.loads(data[1])
    preload = re.search(r'<link rel="preload" [^>]* href="([^"]+)"', html)
    assert preload is not None
    assert unescape(preload[1]) == f"/api/v1/vacancies/points?{start['search']}"
    assert (await points(region, start["search"]))["cursor"] == start["cursor"]
    address = f"{region.url}/api/v1/vacancies/stream?{start['search']}&since={start['cursor']}"
    async with asyncio.timeout(10), region.client.get(address) as stream:
        first = await anext(read_events(stream))
        assert first.name == "ready"


async def sent(service: Service, path: str, accepted: str) -> tuple[bytes, str]:
    """(the body as it travelled, its coding)."""
    async with (
        aiohttp.ClientSession(auto_decompress=False) as client,
        client.get(service.url + path, headers={"Accept-Encoding": accepted}) as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Vary"] == "Accept-Encoding"
        return await answer.read(), answer.headers.get("Content-Encoding", "")


@pytest.mark.parametrize("path", ["/", "/?place=33330", "/homes/h0", "/api/v1/vacancies/points"])
async def test_pages_and_points_are_packed_for_those_who_take_it(
    region: Service, path: str
) -> None:
    packed, coding = await sent(region, path, "br, gzip")
    plain, none = await sent(region, path, "identity")
    assert (coding, none) == ("gzip", "")
    assert len(packed) < len(plain)
    begin = plain[:200]
    assert gzip.decompress(packed).startswith(begin)
    assert (await sent(region, path, "gzip;q=0"))[1] == ""


async def test_files_of_the_client_come_packed_and_stay(region: Service) -> None:
    async with region.client.get(region.url + "/") as answer:
        html = await answer.text()
    files = re.findall(r'(?:href|src)="(/assets/[^"]+)"', html)
    assert {file.rsplit(".", 1)[1] for file in files} == {"js", "css"}
    for file in files:
        assert re.search(r"-[\w-]{8}\.(js|css)$", file)
        async with region.client.get(region.url + file) as answer:
            assert "immutable" in answer.headers["Cache-Control"]
    style = next(file for file in files if file.endswith(".css"))
    plain, none = await sent(region, style, "identity")
    by_gzip, coding = await sent(region, style, "gzip")
    by_brotli, smallest = await sent(region, style, "gzip, br")
    assert (none, coding, smallest) == ("", "gzip", "br")
    assert gzip.decompress(by_gzip) == plain
    assert len(by_brotli) < len(by_gzip) < len(plain)
