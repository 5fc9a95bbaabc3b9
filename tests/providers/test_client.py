"""The client against a real server: answers, refusals, and what it does without an answer."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from providers import client as module
from providers.auth import create_key, rotate_key
from providers.client import (
    Client,
    ClientError,
    Conflict,
    InvalidReport,
    KeyRejected,
    Unreachable,
)
from tests.conftest import Service, served
from tests.providers.conftest import PROVIDER, state_of
from vacancies.config import Settings
from vacancies.provider import ensure_provider

ROOT = Path(__file__).parents[2]


async def test_three_lines_push_a_report(ready: Service) -> None:
    with Client(ready.url, await ready.key()) as client:
        taken = await asyncio.to_thread(client.report, "a", short_term=2)
        assert (taken.home_id, taken.warnings, taken.is_test) == ("a", (), False)
        assert taken.listing["properties"]["free"] == {"short_term": 2}
        full = await asyncio.to_thread(client.report, "a", [], if_match=taken.etag)
        assert full.listing["properties"]["free"] == {}
        still = await asyncio.to_thread(client.confirm, "a")
        assert still.revision == full.revision + 1
        moment = datetime.now(UTC) - timedelta(seconds=1)
        with pytest.raises(Conflict):  # older than what stands there
            await asyncio.to_thread(client.report, "a", day=1, observed_at=moment)


async def test_it_works_as_a_single_file(ready: Service, tmp_path: Path) -> None:
    """Copied elsewhere and run with nothing but the standard library."""
    (tmp_path / "freiplatz.py").write_text((ROOT / "providers/client.py").read_text())
    script = (
        "from freiplatz import Client\n"
        "client = Client(sys.argv[1], sys.argv[2])\n"
        "print(client.report('a', short_term=2).revision)"
    )
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c"),
        f"import sys; sys.path.append({str(tmp_path)!r})\n{script}",
        *(ready.url, await ready.key()),
        stdout=subprocess.PIPE,
    )
    said = (await run.communicate())[0].decode()
    assert (run.returncode, int(said)) == (0, (await state_of(ready))[0])


async def test_refusals_are_errors_with_code_and_field(ready: Service) -> None:
    before = await state_of(ready)
    with Client(ready.url, await ready.key()) as client:

        async def refusal(*args: Any, **more: Any) -> module.Refused:
            with pytest.raises(module.Refused) as caught:
                await asyncio.to_thread(client.report, *args, **more)
            return caught.value

        error = await refusal("a", long_term=41)
        assert (type(error), error.status, error.code) == (InvalidReport, 422, "exceeds_capacity")
        error = await refusal("a", longterm=1)
        assert (error.code, error.field) == ("invalid_field", "vacancies[0].care_form")
        assert "long_term" in error.detail
        error = await refusal("a", long_term=1, if_match='"1"')
        assert (type(error), error.code) == (Conflict, "changed_since")
        assert (await refusal("no/body", long_term=1)).status == 404
        with pytest.raises(ValueError, match="full"):
            client.report("a")
    for key in ("fp_wrong", await ready.key("somebody-else")):
        with Client(ready.url, key) as client, pytest.raises(KeyRejected):
            await asyncio.to_thread(client.report, "a", long_term=1)
    assert await state_of(ready) == before


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://freiplatz.example", "fp_x"),
        ("freiplatz.example", "fp_x"),
        ("https://freiplatz.example", "secret"),
    ],
)
def test_what_cannot_be_right_is_said_at_once(url: str, key: str) -> None:
    with pytest.raises(ValueError, match=r"[.]|begins"):
        Client(url, key)


async def test_many_homes_and_files(ready: Service) -> None:
    await ready.put_home("b")
    day = [{"care_form": "day", "count": 1}]
    with Client(ready.url, await ready.key()) as client:
        many = {"a": day, "nobody": day, "b": [{"care_form": "day", "count": 2}] * 2}
        rows = await asyncio.to_thread(client.report_many, many)
        assert [row.is_taken for row in rows] == [True, False, True]
        assert (rows[1].home_id, rows[1].code) == ("nobody", "unknown_home")
        assert [found.code for found in rows[2].warnings] == ["line_repeated"]
        rows = await asyncio.to_thread(client.report_file, b"home_id,day\na,3\nb,x\n")
        assert [(row.is_taken, row.rows) for row in rows] == [(True, (2,)), (False, (3,))]


async def test_more_homes_than_fit_into_a_call(
    ready: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REPORTS", 2)
    for home_id in ("b", "c"):
        await ready.put_home(home_id)
    with Client(ready.url, await ready.key()) as client:
        rows = await asyncio.to_thread(client.report_many, {"a": [], "b": [], "c": []})
    assert [(row.home_id, row.is_taken) for row in rows] == [("a", True), ("b", True), ("c", True)]


async def test_it_hears_what_is_said_of_its_key(ready: Service) -> None:
    pool = ready.state.deployment.pool
    provider = await ensure_provider(pool, PROVIDER)
    key = await create_key(pool, provider.id, is_test=True)
    with Client(ready.url, key) as client:
        taken = await asyncio.to_thread(client.report, "a", long_term=22)
        assert (taken.is_test, taken.key_ends_at) == (True, None)
        assert [found.field for found in taken.warnings] == ["vacancies[0].count"]
        await rotate_key(pool, await pool.fetchval("SELECT max(id) FROM api_key"))
        taken = await asyncio.to_thread(client.confirm, "a")
        assert taken.key_is_replaced
        assert taken.key_ends_at is not None
        left = taken.key_ends_at - datetime.now(UTC)
        assert abs(left - timedelta(hours=72)) < timedelta(minutes=1)


async def test_a_server_that_starts_again_in_between(settings: Settings) -> None:
    """The call begins while nobody listens, and ends when the server is back; the connection
    from before is dead."""
    async with served(settings) as service:
        await service.put_home("a")
        key = await service.key()
        port = int(service.url.rsplit(":", 1)[1])
        client = Client(service.url, key)
        await asyncio.to_thread(client.report, "a", long_term=1)
    waiting = asyncio.create_task(asyncio.to_thread(client.report, "a", long_term=2))
    async with served(settings, port) as service:
        taken = await waiting
        assert taken.listing["properties"]["free"] == {"long_term": 2}
        count = "SELECT count(*) FROM report WHERE home_id = 'a'"
        assert await service.state.deployment.pool.fetchval(count) == 2
        client.close()


@asynccontextmanager
async def unlucky_way(to: str, fates: list[str]) -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy before the server at `to`, at which calls meet one of `fates` each, in turn, and
    then pass. Yields its address, and the `Idempotency-Key` of each call that came by."""
    keys: list[str] = []

    async def pass_on(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers["Idempotency-Key"])
        fate = fates.pop(0) if fates else "pass"
        headers = {name: value for name, value in request.headers.items() if name != "Host"}
        if fate == "busy":
            return web.Response(status=503, headers={"Retry-After": "1"}, text="<html>")
        async with session.request(
            request.method, to + request.path, data=await request.read(), headers=headers
        ) as answer:
            body = await answer.read()
        if fate == "cut":  # done, but nobody hears of it
            assert request.transport is not None
            request.transport.abort()
        if fate == "unknown":
            problem = {"status": 503, "code": "outcome_unknown", "detail": "Lost."}
            return web.Response(status=503, body=json.dumps(problem))
        return web.Response(status=answer.status, body=body)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    async with aiohttp.ClientSession() as session:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}", keys
        finally:
            await runner.cleanup()


async def test_what_was_done_without_an_answer_is_done_once(ready: Service) -> None:
    before = (await state_of(ready))[0]
    async with unlucky_way(ready.url, ["cut", "unknown"]) as (url, keys):
        with Client(url, await ready.key()) as client:
            taken = await asyncio.to_thread(client.report, "a", long_term=7)
            assert taken.listing["properties"]["free"] == {"long_term": 7}
            assert len(keys) == 3
            assert len(set(keys)) == 1
            assert (await state_of(ready))[0] == before + 1 == taken.revision
            await asyncio.to_thread(client.confirm, "a")
            assert keys[-1] != keys[0]


async def test_it_waits_for_as_long_as_it_is_told(ready: Service) -> None:
    async with unlucky_way(ready.url, ["busy"]) as (url, keys):
        with Client(url, await ready.key()) as client:
            began = asyncio.get_running_loop().time()
            await asyncio.to_thread(client.report, "a", long_term=7)
            assert asyncio.get_running_loop().time() - began >= 1
            assert len(keys) == 2


async def test_it_gives_up_and_can_go_on_later(ready: Service) -> None:
    before = (await state_of(ready))[0]
    async with unlucky_way(ready.url, ["unknown", "busy"]) as (url, _):
        with Client(url, await ready.key(), patience_seconds=0.0) as client:
            with pytest.raises(Unreachable, match="503") as caught:
                await asyncio.to_thread(client.report, "a", long_term=7)
            name = caught.value.idempotency_key
            with pytest.raises(Unreachable):
                await asyncio.to_thread(client.report, "a", long_term=7, idempotency_key=name)
            taken = await asyncio.to_thread(client.report, "a", long_term=7, idempotency_key=name)
            assert taken.revision == before + 1 == (await state_of(ready))[0]


async def test_a_server_that_says_nothing_is_left_after_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        client = Client(url, "fp_x", timeout_seconds=0.1, patience_seconds=0)
        with pytest.raises(Unreachable, match="timed out"):
            await asyncio.to_thread(client.confirm, "a")


async def test_a_page_that_is_no_answer_of_ours_is_an_error(ready: Service) -> None:
    with Client(f"{ready.url}/elsewhere", await ready.key()) as client:
        with pytest.raises(ClientError) as caught:
            await asyncio.to_thread(client.confirm, "a")
        assert isinstance(caught.value, module.Refused)
        assert caught.value.status == 404
