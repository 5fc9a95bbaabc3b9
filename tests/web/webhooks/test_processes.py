"""Two processes deliver, and one is killed in the middle of it."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.waiting import until
from tests.web.webhooks.conftest import Bench, Inbox, open_inbox

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def delivering(bench: Bench) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = bench.deployment.settings
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.web.webhooks.deliverer",
        str(settings.database_url),
        str(settings.redis_url),
        str(settings.data_dir),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert running.stdout is not None
    try:
        while await running.stdout.readline() != b"ready\n":
            assert not running.stdout.at_eof(), "it did not start"
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def test_one_of_two_is_killed_and_every_newest_state_arrives(
    bench: Bench, inbox: Inbox
) -> None:
    homes = [f"h{number}" for number in range(12)]
    for home in homes:
        await bench.home(home)
    held = asyncio.Event()

    async def hold_the_fourth(request: web.BaseRequest) -> web.StreamResponse:
        if len(inbox.messages) == 4:
            held.set()
            await asyncio.Event().wait()
        return web.Response()

    inbox.behave = hold_the_fourth
    async with open_inbox() as other, delivering(bench) as doomed:
        await bench.webhook(inbox.url, provider="Nord")
        await bench.webhook(other.url, search="include_full=true")
        async with asyncio.timeout(30):
            await held.wait()
        # The killed process has the claim, and a call that nobody will ever answer.
        async with delivering(bench):
            doomed.kill()
            cut_off = inbox.messages[3]
            for home in [home for home in homes if home != cut_off.data["id"]][::3]:
                await bench.report(home, 7)
            revisions = {
                row["home_id"]: row["revision"]
                for row in await bench.deployment.pool.fetch(
                    "SELECT home_id, revision FROM home_state"
                )
            }
            for receiver in (inbox, other):
                await until(lambda r=receiver: newest(r) == revisions)  # type: ignore[misc]
    for receiver in (inbox, other):
        states = defaultdict(set)
        for message in receiver.messages:
            revision = message.data["properties"]["revision"]
            states[message.data["id"], revision].add(message.id)
        assert all(len(ids) == 1 for ids in states.values())
        assert len(set().union(*states.values())) == len(states)
    assert [message.id for message in inbox.messages].count(cut_off.id) == 2


def newest(inbox: Inbox) -> dict[str, int]:
    """The revision that a receiver knows of each home; it takes the highest, as the docs say."""
    known: dict[str, int] = {}
    for message in inbox.messages:
        home, revision = message.data["id"], message.data["properties"]["revision"]
        known[home] = max(revision, known.get(home, 0))
    return known
