"""Files are encoded once and sent to all, and show what has been reported."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from tests.conftest import Service
from tests.web.opendata.conftest import fetch
from vacancies.config import Settings
from vacancies.licences import LICENCES
from web.opendata import pages
from web.opendata.catalogue import JSON_LD, TURTLE
from web.opendata.dumps import CSV, GEOJSON
from web.opendata.feed import HOMES, INDEX, STATUS
from web.opendata.served import Document, Exports, Taken
from web.opendata.terms import Terms, terms_of

DOCUMENTS = (GEOJSON, CSV, HOMES, STATUS, INDEX, TURTLE, JSON_LD)
LICENCE = LICENCES["dl-de/by-2-0"]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the time between two encodings were always over."""
    for name in ("GEOJSON", "CSV", "HOMES", "STATUS", "INDEX", "TURTLE", "JSON_LD"):
        monkeypatch.setattr(pages, name, replace(getattr(pages, name), seconds=0))


@pytest.mark.usefixtures("at_once")
async def test_a_report_is_in_the_files(region: Service) -> None:
    async def seen() -> tuple[Any, Any, str]:
        dump = json.loads((await fetch(region, GEOJSON.path))[1])
        status = json.loads((await fetch(region, STATUS.path))[1])
        table = (await fetch(region, CSV.path))[1].decode()
        row = next(line for line in table.splitlines() if line.startswith("a,"))
        free = {found["id"]: found["properties"]["free"] for found in dump["features"]}
        live = {found["id"]: found for found in status["data"]["status"]}
        assert status["revision"] == dump["revision"] == region.state.board.revision
        return free["a"], live["a"], row

    free, live, row = await seen()
    assert (free, live["free"], live["freshness"]) == ({}, {}, "unknown")
    assert ",fresh," not in row
    await region.report("a", {"care_form": "day", "count": 3})
    free, live, row = await seen()
    assert free == live["free"] == {"day": 3}
    assert live["freshness"] == "fresh"
    assert live["observed_at"].endswith("Z")
    assert ",fresh," in row


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.path)
async def test_every_file_is_packed_tagged_and_free_to_use(
    region: Service, document: Document
) -> None:
    _, body, headers = await fetch(region, document.path, **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in headers
    assert headers["Content-Type"] == document.kind
    assert headers["Cache-Control"] == f"public, max-age={document.seconds}"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["Link"] == f'<{LICENCE.text_url}>; rel="license"'
    assert headers["ETag"].startswith('W/"')
    assert "Last-Modified" not in headers
    said = LICENCE.uri if document in (TURTLE, JSON_LD) else LICENCE.text_url
    assert said.encode() in body
    assert b"\0" not in body

    async with (
        aiohttp.ClientSession(auto_decompress=False) as client,
        client.get(region.url + document.path, headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await answer.read()) == body
        assert answer.headers["ETag"] == headers["ETag"]

    for known in (headers["ETag"], f'"other", {headers["ETag"]}', headers["ETag"][2:], "*"):
        status, nothing, again = await fetch(region, document.path, **{"If-None-Match": known})
        assert (status, nothing) == (304, b"")
        assert again["ETag"] == headers["ETag"]
    assert (await fetch(region, document.path, **{"If-None-Match": '"other"'}))[0] == 200
    async with region.client.head(region.url + document.path) as answer:
        assert (answer.status, answer.headers["ETag"]) == (200, headers["ETag"])


@pytest.mark.usefixtures("at_once")
async def test_homes_that_are_closed_are_gone(region: Service) -> None:
    async def ids() -> list[set[str]]:
        dump = json.loads((await fetch(region, GEOJSON.path))[1])["features"]
        homes = json.loads((await fetch(region, HOMES.path))[1])["data"]["homes"]
        status = json.loads((await fetch(region, STATUS.path))[1])["data"]["status"]
        table = (await fetch(region, CSV.path))[1].decode().splitlines()[1:]
        found = [[home["id"] for home in each] for each in (dump, homes, status)]
        found.append([line.split(",")[0] for line in table])
        assert all(each == sorted(each) for each in found)
        return [set(each) for each in found]

    assert await ids() == [{"a", "b", "full"}] * 4
    await region.put_home("full", status="closed")
    assert await ids() == [{"a", "b"}] * 4


async def test_who_asks_together_gets_one_encoding(region: Service) -> None:
    exports, threads = Exports(), []
    terms = terms_of(region.state.settings)

    def build(taken: Taken, terms: Terms) -> bytes:
        threads.append(threading.current_thread())
        return b",".join(home.id.encode() for home in taken.homes)

    document = Document("/x", "text/plain", 60, build)
    board = region.state.board
    found = await asyncio.gather(*(exports.get(document, board, terms) for _ in range(5)))
    assert [each.body for each in found] == [b"a,b,full"] * 5
    assert exports.encoded == 1
    assert threads[0] is not threading.main_thread()

    await region.report("a", {"count": 1})
    assert await exports.get(document, board, terms) is found[0], "its time is not over"
    eager = replace(document, seconds=0)
    again = await exports.get(eager, board, terms)
    assert exports.encoded == 2
    assert again.revision == board.revision
    assert await exports.get(eager, board, terms) is again, "nothing has changed"
    assert exports.encoded == 2


async def test_who_leaves_does_not_stop_the_others(region: Service) -> None:
    exports, begun, go_on = Exports(), threading.Event(), threading.Event()
    terms = terms_of(region.state.settings)

    def build(taken: Taken, terms: Terms) -> bytes:
        begun.set()
        go_on.wait(10)
        return b"done"

    document = Document("/x", "text/plain", 60, build)
    first, second = (
        asyncio.create_task(exports.get(document, region.state.board, terms)) for _ in range(2)
    )
    await asyncio.to_thread(begun.wait, 10)
    first.cancel()
    go_on.set()
    assert (await second).body == b"done"
    assert exports.encoded == 1


async def test_a_failure_is_not_kept(region: Service) -> None:
    exports, faults = Exports(), [ValueError("no")]
    terms = terms_of(region.state.settings)

    def build(taken: Taken, terms: Terms) -> bytes:
        if faults:
            raise faults.pop()
        return b"done"

    document = Document("/x", "text/plain", 60, build)
    with pytest.raises(ValueError, match="no"):
        await exports.get(document, region.state.board, terms)
    assert (await exports.get(document, region.state.board, terms)).body == b"done"


def test_the_source_is_the_operator_else_the_address(settings: Settings) -> None:
    assert terms_of(settings).attribution == "http://127.0.0.1:8000"
    assert terms_of(replace(settings, public_url="https://x.example/")).base == "https://x.example"
