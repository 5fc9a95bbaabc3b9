"""Reports are passed on from one deployment to another, over real sockets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.conftest import Service, served
from tests.receiver import receiver
from tests.waiting import until
from tests.web.portals.conftest import connect, copy_of, history, is_settled, settled
from tests.web.webhooks.conftest import Bench
from tests.web.webhooks.test_processes import delivering
from vacancies.command import Command
from vacancies.commands import Confirm, Report, Undo
from vacancies.config import Settings
from vacancies.models import CareForm, Vacancy
from vacancies.provider import ensure_provider
from web.alerts.sealing import Seal
from web.portals.asking import PATH
from web.portals.links import insert_link, record_ids, retry_link, select_link
from web.webhooks.deliveries import select_deliveries

LINE = {"care_form": "short_term", "count": 2, "care_grades": [3, 4], "note": "Zimmer zum Garten"}
MANY = [f"h{number}" for number in range(150)]


async def submit(service: Service, command: Command) -> None:
    (outcome,) = (await service.state.deployment.writer.submit([command])).outcomes
    assert outcome.error is None


async def retry(service: Service, link_id: str) -> None:
    async with service.state.deployment.pool.acquire() as connection, connection.transaction():
        await retry_link(connection, link_id, datetime.now(UTC))


async def test_a_report_arrives_as_the_home_made_it(near: Service, there: Service) -> None:
    for service in (near, there):
        await service.put_home("a")
        await service.put_home("silent")
    link = await connect(near, there.url, await there.key())
    seen_at = datetime.now(UTC) - timedelta(hours=3)
    await near.report("a", LINE, observed_at=seen_at.isoformat())
    await settled(near, link, "a")
    (told,) = await history(there, "a")
    (own,) = await history(near, "a")
    assert told.vacancies == own.vacancies
    assert told.vacancies[0].note == "Zimmer zum Garten"
    assert (told.said_at, told.via, told.portal) == (seen_at, "portal", "127.0.0.1")
    assert (own.via, own.portal) == ("api", None)

    await submit(near, Confirm(home_id="a"))
    await settled(near, link, "a")
    confirmed, *_ = await history(there, "a")
    assert confirmed.said_at == (await history(near, "a"))[0].said_at
    assert await history(there, "silent") == []


async def test_what_is_taken_back_here_is_taken_back_there(near: Service, there: Service) -> None:
    for service in (near, there):
        await service.put_home("a")
    link = await connect(near, there.url, await there.key())
    await near.report("a", {"count": 1})
    await settled(near, link, "a")
    (first,) = await history(near, "a")
    await near.report("a", {"count": 9})
    await settled(near, link, "a")
    await submit(near, Undo(home_id="a", vacancies=first.vacancies, said_at=first.said_at))
    await settled(near, link, "a")
    told = await history(there, "a")
    assert [entry.vacancies[0].count for entry in told] == [1, 9, 1]
    assert told[0].said_at == told[1].said_at, "a correction of the same moment"

    await submit(near, Undo(home_id="a", vacancies=(), said_at=None))
    nothing = await copy_of(near, link, "a")
    assert (nothing.report, nothing.is_void) == (None, True)


async def test_two_that_report_to_each_other_make_no_loop(near: Service, there: Service) -> None:
    for service in (near, there):
        for home in ("a", "b", "last"):
            await service.put_home(home)
    forth = await connect(near, there.url, await there.key())
    back = await connect(there, near.url, await near.key())
    await near.report("a", {"count": 1})
    await settled(near, forth, "a")
    await there.report("b", {"count": 2})
    await settled(there, back, "b")
    await there.report("a", {"count": 3})
    await settled(there, back, "a")
    # All that would follow from these goes the same ways, in order, before what comes last.
    await near.report("last", {"count": 4})
    await settled(near, forth, "last")
    await there.report("last", {"count": 5})
    await settled(there, back, "last")
    ways = {
        (name, home): [(told.via, told.vacancies[0].count) for told in await history(service, home)]
        for name, service in (("near", near), ("there", there))
        for home in ("a", "b")
    }
    assert ways == {
        ("near", "a"): [("portal", 3), ("api", 1)],
        ("there", "a"): [("api", 3), ("portal", 1)],
        ("near", "b"): [("portal", 2)],
        ("there", "b"): [("api", 2)],
    }
    for service, link in ((near, forth), (there, back)):
        tries = await select_deliveries(service.state.deployment.pool, link)
        assert len(tries) == {forth: 2, back: 3}[link]


async def test_a_refused_home_stops_no_other_and_waits_for_its_next_report(
    near: Service, there: Service
) -> None:
    for home in ("a", "full", "mapped", "new", "theirs"):
        await near.put_home(home)
        await near.report(home, {"count": 3})
    await there.put_home("a")
    await there.put_home("full", capacity={"long_term": 2})
    await there.put_home("id-there")
    await there.put_home("theirs", provider="somebody")
    await there.report("a", {"count": 8})
    link = await connect(near, there.url, await there.key())
    await settled(near, link, "a", outcome="newer")
    await settled(near, link, "full", "new", "theirs", outcome="refused")
    refused = {
        home: (await copy_of(near, link, home)).verdict for home in ("full", "new", "theirs")
    }
    assert {
        home: verdict and (verdict.code, verdict.field) for home, verdict in refused.items()
    } == {
        "full": ("exceeds_capacity", "vacancies"),
        "new": ("unknown_home", None),
        "theirs": ("foreign_home", None),
    }
    assert (await history(there, "a"))[0].vacancies[0].count == 8
    async with near.state.deployment.pool.acquire() as connection, connection.transaction():
        await record_ids(connection, link, {"mapped": "id-there"})
    await settled(near, link, "mapped")
    assert (await history(there, "id-there"))[0].vacancies[0].count == 3

    # Mended there: nobody here is told, until the home reports or somebody asks for a try.
    await there.put_home("new")
    await there.put_home("full")
    await near.report("full", {"count": 4})
    await settled(near, link, "full")
    assert await is_settled(near, link, "new", "refused")
    await retry(near, link)
    await settled(near, link, "new")
    assert len(await history(there, "mapped")) == 0
    assert len(await history(there, "id-there")) == 1


async def test_the_newest_state_arrives_once_when_the_other_is_back(
    near: Service, there_settings: Settings
) -> None:
    async with served(there_settings) as there:
        port = int(there.url.rpartition(":")[2])
        for service in (near, there):
            await service.put_home("a")
            await service.put_home("b")
        link = await connect(near, there.url, await there.key())
        await near.report("a", {"count": 1})
        await settled(near, link, "a")
    await near.report("a", {"count": 2})

    async def is_away() -> bool:
        found = await select_link(near.state.deployment.pool, link)
        return found.trouble == "away" and found.webhook.failing_since is not None

    await until(is_away)
    await near.report("a", {"count": 3})
    await near.report("b", {"count": 4})
    async with served(there_settings, port=port) as there:
        await retry(near, link)
        await settled(near, link, "a", "b")
        assert [told.vacancies[0].count for told in await history(there, "a")] == [3, 1]
        assert [told.vacancies[0].count for told in await history(there, "b")] == [4]
    assert (await select_link(near.state.deployment.pool, link)).trouble == ""


async def test_many_homes_go_in_few_calls(near: Service, there: Service) -> None:
    line = (Vacancy(care_form=CareForm.DAY, count=1),)
    for service in (near, there):
        await asyncio.gather(*(service.put_home(home) for home in MANY))
    await near.state.deployment.writer.submit([Report(home_id=h, vacancies=line) for h in MANY])
    link = await connect(near, there.url, await there.key())
    await settled(near, link, *MANY)
    tries = await select_deliveries(near.state.deployment.pool, link)
    assert len(tries) == 2
    assert {entry.event for entry in tries} == {"reports"}


async def test_a_killed_process_leaves_no_report_twice(bench: Bench, there: Service) -> None:
    """It is killed after the other side has stored the reports, and before it knows."""
    await bench.home("a")
    await there.put_home("a", provider="Nord")
    held = asyncio.Event()
    names: list[str] = []

    async def pass_through(request: web.BaseRequest) -> web.StreamResponse:
        body, names_of = await request.read(), request.headers
        names.append(names_of["Idempotency-Key"])
        headers = {k: v for k, v in names_of.items() if k not in ("Host", "Content-Length")}
        async with there.client.post(there.url + request.path, data=body, headers=headers) as got:
            answer = web.Response(status=got.status, body=await got.read())
        if len(names) == 1:
            held.set()
            await asyncio.Event().wait()
        return answer

    owner = await ensure_provider(bench.deployment.pool, "Nord")
    seal = Seal(bench.deployment.settings.secret_key)
    async with receiver(pass_through) as (port, _), delivering(bench) as doomed:
        await bench.report("a", 5)
        async with bench.deployment.pool.acquire() as connection, connection.transaction():
            link = await insert_link(
                connection,
                seal,
                owner.id,
                f"http://127.0.0.1:{port}{PATH}",
                await there.key("Nord"),
                datetime.now(UTC),
            )
        async with asyncio.timeout(30):
            await held.wait()
        doomed.kill()
        await doomed.wait()
        async with delivering(bench):
            pool: Any = bench.deployment.pool

            async def is_noted() -> bool:
                return bool(await pool.fetchval("SELECT outcome = 'taken' FROM portal_home"))

            await until(is_noted)
    assert len(names) == 2
    assert len(set(names)) == 1
    (told,) = await history(there, "a")
    assert told.vacancies[0].count == 5
    assert len(await select_deliveries(pool, link)) == 1


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (200, b"<h1>Welcome</h1>", "strange"),
        (200, b'{"results":[],"test":false}', "strange"),
        (200, b'{"results":[{"status":200}],"test":true}', "strange"),
        (200, b'{"results":[{"status":200}]' + b" " * 2_000_000 + b"}", "strange"),
        (404, b"{}", "strange"),
        (301, b"", "strange"),
        (401, b"{}", "key"),
        (503, b"{}", "away"),
        (429, b"{}", "away"),
    ],
)
async def test_answers_of_others_are_not_believed(
    bench: Bench, status: int, body: bytes, trouble: str
) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers={"Location": "/x"})

    await bench.home("a")
    await bench.report("a", 5)
    owner = await ensure_provider(bench.deployment.pool, "Nord")
    async with receiver(answer) as (port, asked):
        url = f"http://127.0.0.1:{port}{PATH}"
        seal = Seal("another secret key" * 2)  # what was sealed with it opens no more
        async with bench.deployment.pool.acquire() as connection, connection.transaction():
            link = await insert_link(connection, seal, owner.id, url, "fp_" + "x" * 40, bench.now)
        await bench.deliver()
    assert len(asked) == 1
    assert "Authorization" not in asked[0].headers
    found = await select_link(bench.deployment.pool, link)
    assert (found.trouble, found.webhook.attempts) == (trouble, 1)
    assert await bench.deployment.pool.fetchval("SELECT count(*) FROM portal_home") == 0


async def test_what_the_other_side_says_is_shortened(bench: Bench) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        detail = "no\n\x00<b>" + "x" * 1000
        return web.json_response(
            {"results": [{"status": 422, "code": "c" * 999, "detail": detail}]}
        )

    await bench.home("a")
    await bench.report("a", 5)
    owner = await ensure_provider(bench.deployment.pool, "Nord")
    async with receiver(answer) as (port, _):
        url = f"http://127.0.0.1:{port}{PATH}"
        seal = Seal(bench.deployment.settings.secret_key)
        async with bench.deployment.pool.acquire() as connection, connection.transaction():
            await insert_link(connection, seal, owner.id, url, "fp_" + "x" * 40, bench.now)
        await bench.deliver()
    (row,) = await bench.deployment.pool.fetch("SELECT outcome, code, detail FROM portal_home")
    assert (row["outcome"], len(row["code"]), len(row["detail"])) == ("refused", 300, 300)
    assert row["detail"].startswith("no <b>xxx")


async def test_a_call_says_from_where_it_comes(service: Service) -> None:
    """For any sender: in the history, and refused where nobody could read it."""
    await service.put_home("a")
    row = {"home_id": "a", "vacancies": []}
    headers = {"Freiplatz-Portal": "Heimfinder NRW"}
    await service.call(
        "POST", PATH, {"reports": [row]}, provider="caritas-musterstadt", headers=headers
    )
    csv = aiohttp.BytesPayload(b"home_id,care_form,count\na,day,1\n")
    key = {"Authorization": f"Bearer {await service.key()}", "Content-Type": "text/csv"}
    async with service.client.post(service.url + PATH, data=csv, headers=headers | key) as got:
        assert got.status == 200
    confirm = "/api/v1/homes/a/vacancies/confirm"
    await service.call("POST", confirm, provider="caritas-musterstadt", headers=headers)
    told = await history(service, "a")
    assert [(t.kind, t.via, t.portal) for t in told] == [
        ("confirmation", "portal", "Heimfinder NRW"),
        ("report", "portal", "Heimfinder NRW"),
        ("report", "portal", "Heimfinder NRW"),
    ]
    for name in ("", "-x", "x" * 81, "<b>", "Gütersloh"):
        status, problem, _ = await service.call(
            "POST",
            PATH,
            {"reports": [row]},
            provider="caritas-musterstadt",
            headers={"Freiplatz-Portal": name},
        )
        assert (status, problem["field"]) == (400, "Freiplatz-Portal"), name
    assert len(await history(service, "a")) == 3
