"""Files of other portals are fetched, and what they say is reported, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from providers.portals.files import State, claim_file, insert_file, select_files
from providers.portals.pulling import Puller
from tests.conftest import Service
from tests.receiver import receiver
from tests.waiting import until
from tests.web.portals.conftest import connect, history, settled
from tests.web.webhooks.conftest import Bench
from vacancies.config import Settings
from vacancies.outbound import Outbound
from vacancies.provider import ensure_provider
from vacancies.reports import Told, select_told
from web.__main__ import main

NAME = "heimfinder.example"
SECRET = "token=geheim"
HEAD = "home_id,care_form,count,observed_at\n"


@dataclass
class Portal:
    """One that offers a file. `asked` are the headers of each call."""

    url: str = ""
    body: str | bytes = HEAD
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(dict(request.headers))
        body = self.body.encode() if isinstance(self.body, str) else self.body
        return web.Response(status=self.status, body=body, headers=self.headers)


@pytest.fixture
async def portal() -> AsyncIterator[Portal]:
    found = Portal()
    async with receiver(found.handle) as (port, _):
        found.url = f"http://127.0.0.1:{port}/frei.csv?{SECRET}"
        yield found


@pytest.fixture
async def puller(bench: Bench) -> AsyncIterator[Puller]:
    async with Outbound(allow_loopback=True) as outbound:
        yield Puller(bench.deployment.pool, bench.deployment.writer, outbound)


async def offer(bench: Bench, portal: Portal) -> None:
    owner = await ensure_provider(bench.deployment.pool, "Nord")
    assert await insert_file(bench.deployment.pool, NAME, owner.id, portal.url, 15)


async def state_of(bench: Bench) -> State:
    (found,) = await select_files(bench.deployment.pool)
    return found


async def told(bench: Bench, home_id: str) -> list[Told]:
    return await select_told(bench.deployment.pool, home_id, 20)


async def test_what_the_file_says_anew_is_reported_once(
    bench: Bench, portal: Portal, puller: Puller
) -> None:
    for home in "ab":
        await bench.home(home)
    await offer(bench, portal)
    seen_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    portal.headers = {"ETag": '"1"', "Last-Modified": format_datetime(seen_at, usegmt=True)}
    portal.body = f"{HEAD}a,day,2,{(seen_at - timedelta(hours=1)).isoformat()}\nb,day,1,\n"
    assert await puller.pull() == NAME
    (first,) = await told(bench, "a")
    assert (first.via, first.portal, first.said_at) == (
        "portal",
        NAME,
        seen_at - timedelta(hours=1),
    )
    (second,) = await told(bench, "b")
    assert second.said_at == seen_at, "without a time: as of when the file was written"
    assert await puller.pull() is None, "it is not due"

    portal.status = 304
    assert await puller.pull(NAME) == NAME
    assert portal.asked[-1]["If-None-Match"] == '"1"'
    assert portal.asked[-1]["If-Modified-Since"] == portal.headers["Last-Modified"]
    portal.status = 200
    portal.headers = {"Last-Modified": format_datetime(datetime.now(UTC), usegmt=True)}
    portal.body += "\n"
    await puller.pull(NAME)
    # The same again makes nobody fresh.
    assert (len(await told(bench, "a")), len(await told(bench, "b"))) == (1, 1)
    found = await state_of(bench)
    assert (found.homes, found.refused, found.trouble) == (2, 0, "")
    assert found.pulled_at is not None
    assert found.next_at - found.pulled_at == timedelta(minutes=15)


async def test_json_is_taken_too_and_the_last_row_of_a_home_counts(
    bench: Bench, portal: Portal, puller: Puller
) -> None:
    await bench.home("a")
    await offer(bench, portal)
    rows = [
        {"home_id": "a", "vacancies": [{"care_form": "day", "count": count}]} for count in (1, 2)
    ]
    portal.body = json.dumps({"reports": rows})
    for _ in range(2):
        await puller.pull(NAME)
    (only,) = await told(bench, "a")
    assert only.vacancies[0].count == 2


async def test_a_refused_home_stops_no_other_and_is_tried_again(
    bench: Bench, portal: Portal, puller: Puller
) -> None:
    await bench.home("a")
    await bench.home("theirs", provider="Süd")
    await offer(bench, portal)
    portal.headers = {"ETag": '"1"'}
    portal.body = f"{HEAD}theirs,day,9,\nnew,day,1,\nbad,day,many,\na,day,2,\n"
    await puller.pull(NAME)
    assert len(await told(bench, "a")) == 1
    assert await told(bench, "theirs") == []
    found = await state_of(bench)
    assert (found.homes, found.refused) == (4, 3)
    assert found.refused_why.startswith("bad: ")
    await bench.home("new")
    await puller.pull(NAME)
    assert "If-None-Match" not in portal.asked[-1]
    assert len(await told(bench, "new")) == 1
    assert len(await told(bench, "a")) == 1
    assert (await state_of(bench)).refused == 2


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (404, "", "The portal answered 404, not 200."),
        (302, "", "The portal answered 302, not 200."),
        (304, "", "The portal answered 304, not 200."),
        (200, "x" * 2_000_001, "The file is packed, or larger than 2 MB."),
        (200, "<h1>Wartung</h1>", "There is a header"),
        (200, '{"reports": 1}', "Expected `array`, got `int`"),
        (200, "{", "The body is not valid JSON"),
    ],
)
async def test_what_cannot_be_read_is_said(
    bench: Bench, portal: Portal, puller: Puller, status: int, body: str, why: str
) -> None:
    await offer(bench, portal)
    portal.status, portal.body = status, body
    portal.headers = {"Location": portal.url} if status == 302 else {}
    await puller.pull()
    found = await state_of(bench)
    assert found.trouble.startswith(why), found.trouble
    assert found.pulled_at is None
    assert len(portal.asked) == 1
    assert await puller.pull() is None, "not before its next time"
    portal.status, portal.body, portal.headers = 200, HEAD + "a,day,1,\n", {}
    await puller.pull(NAME)
    assert (await state_of(bench)).trouble == ""


async def test_a_process_that_was_killed_is_followed_by_another(
    bench: Bench, portal: Portal, puller: Puller
) -> None:
    pool = bench.deployment.pool
    await bench.home("a")
    await offer(bench, portal)
    portal.body = f"{HEAD}a,day,2,\n"
    claimed = await asyncio.gather(*(claim_file(pool, timedelta(minutes=3)) for _ in range(3)))
    assert [each is not None for each in claimed].count(True) == 1
    assert await puller.pull() is None
    assert await puller.pull(NAME) is None
    await pool.execute("UPDATE portal_file SET claimed_until = now() - interval '1 second'")
    assert await puller.pull() == NAME
    assert len(await told(bench, "a")) == 1


async def test_inner_addresses_are_not_called(bench: Bench, portal: Portal) -> None:
    await offer(bench, portal)
    async with Outbound() as outbound:
        await Puller(bench.deployment.pool, bench.deployment.writer, outbound).pull()
    assert portal.asked == []
    found = await state_of(bench)
    assert found.trouble == "The address must begin with https://."


async def test_from_a_file_to_the_public_and_no_further(
    near: Service, there: Service, portal: Portal, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the running app, which passes on what homes say themselves, and this not."""
    for service in (near, there):
        await service.put_home("a")
        await service.put_home("b")
    link = await connect(near, there.url, await there.key())
    pool = near.state.deployment.pool
    owner = await ensure_provider(pool, "caritas-musterstadt")
    portal.body = f"{HEAD}a,day,2,\nunknown,day,1,\n"
    assert await insert_file(pool, NAME, owner.id, portal.url, 15)

    async def is_shown() -> bool:
        _, body, _ = await near.call("GET", "/api/v1/homes/a")
        return bool(body["properties"]["free"] == {"day": 2})

    await until(is_shown)
    await near.report("b", {"count": 1})
    await settled(near, link, "b")
    assert await history(there, "a") == []
    assert SECRET not in "".join(capfd.readouterr())


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["portal", *arguments])


async def test_the_command(
    bench: Bench, portal: Portal, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))
    await bench.home("a")
    refused = await invoke("add", NAME, portal.url, "--provider", "Nord")
    assert (refused.exit_code, "https://" in refused.output) == (1, True)
    monkeypatch.setenv("FREIPLATZ_OUTBOUND_LOOPBACK", "true")
    for arguments in (
        ("add", "<b>", portal.url, "--provider", "Nord"),
        ("add", NAME, portal.url, "--provider", "nobody"),
        ("add", NAME, portal.url, "--provider", "Nord", "--every", "25h"),
        ("pull", NAME),
        ("remove", NAME),
    ):
        assert (await invoke(*arguments)).exit_code in (1, 2), arguments
    assert json.loads((await invoke("list", "--json")).stdout) == []
    added = await invoke("add", NAME, portal.url, "--provider", "Nord", "--every", "2h")
    assert added.exit_code == 0, added.output
    assert (await invoke("add", NAME, portal.url, "--provider", "Nord")).exit_code == 1
    portal.body = f"{HEAD}a,day,2,\n"
    pulled = await invoke("pull", NAME)
    assert (pulled.exit_code, "homes: 1" in pulled.stdout) == (0, True), pulled.output
    assert len(await told(bench, "a")) == 1
    portal.status = 500
    failed = await invoke("pull", NAME)
    assert (failed.exit_code, "answered 500" in failed.stdout) == (1, True)
    listed = await invoke("list", "--json")
    (found,) = json.loads(listed.stdout)
    assert found["trouble"] == "The portal answered 500, not 200."
    assert (found["name"], found["every_minutes"], found["homes"]) == (NAME, 120, 1)
    for result in (added, pulled, failed, listed, await invoke("list")):
        assert SECRET not in result.output
    assert (await invoke("remove", NAME)).exit_code == 0
    assert len(await told(bench, "a")) == 1
