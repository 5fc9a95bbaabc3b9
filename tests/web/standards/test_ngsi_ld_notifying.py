"""When a subscription is notified: clocks that the test moves, and processes that are killed."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web

from tests.waiting import until
from tests.web.standards.subscribing import newest
from tests.web.webhooks.conftest import Bench, Inbox, bench, inbox, open_bench, status, taken
from tests.web.webhooks.test_processes import delivering
from web.standards.ngsi_ld_notifications import AT_ONCE
from web.standards.ngsi_ld_stored import (
    Place,
    Stored,
    insert_subscription,
    select_subscription,
    select_subscriptions,
)
from web.standards.ngsi_ld_subscription import read_subscription
from web.standards.subscribers import delete_subscriber, insert_subscriber
from web.webhooks.endpoints import UnknownWebhook, select_webhook, select_webhooks

__all__ = ["bench", "inbox"]  # fixtures


async def subscribe(bench: Bench, url: str, **more: Any) -> str:
    """The id of a subscription that begins with what is on the board now."""
    await bench.follower.catch_up()
    document = {
        "type": "Subscription",
        "entities": [{"type": "CareHome"}],
        "notification": {"endpoint": {"uri": url}},
        **more,
    }
    wish = read_subscription(document, bench.now)
    await bench.deployment.pool.execute(
        "INSERT INTO subscriber (name, hash) VALUES ('x', '') ON CONFLICT DO NOTHING"
    )
    async with bench.deployment.pool.acquire() as connection, connection.transaction():
        number = await connection.fetchval("SELECT id FROM subscriber WHERE name = 'x'")
        place = Place(bench.board.epoch, bench.board.revision, {})
        body = msgspec.json.encode(document)
        return await insert_subscription(connection, number, wish, body, url, place, bench.now)


async def stored(bench: Bench, name: str) -> Stored:
    number = await bench.deployment.pool.fetchval("SELECT id FROM subscriber")
    found = await select_subscription(bench.deployment.pool, name, number)
    assert found is not None
    return found


def homes(inbox: Inbox) -> list[list[str]]:
    """Of each notification that came since the last time."""
    came, inbox.messages = inbox.messages, []
    return [[e["homeId"]["value"] for e in json.loads(m.body)["data"]] for m in came]


async def test_what_was_before_is_not_sent_and_many_homes_go_together(
    bench: Bench, inbox: Inbox
) -> None:
    await bench.home("old")
    await subscribe(bench, inbox.url)
    await bench.deliver()
    assert homes(inbox) == []
    many = [f"h{number}" for number in range(AT_ONCE + 1)]
    for home in many:
        await bench.home(home)
    await bench.deliver()
    assert homes(inbox) == [many[:AT_ONCE], many[AT_ONCE:]]
    await bench.report("h1", 1)
    await bench.report("h1", 2)
    await bench.report("old", 3)
    await bench.deliver()
    assert homes(inbox) == [["h1", "old"]]


async def test_throttling_waits_and_sends_the_newest(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    await subscribe(bench, inbox.url, throttling=60)
    await bench.report("a", 3)
    await bench.deliver()
    assert homes(inbox) == [["a"]]
    await bench.report("a", 2)
    bench.pass_by(seconds=59)
    await bench.deliver()
    assert homes(inbox) == []
    await bench.report("a", 1)
    bench.pass_by(seconds=1)
    await bench.deliver()
    assert newest(inbox)["a"]["freePlaces"]["value"] == 1
    assert homes(inbox) == [["a"]]


async def test_throttling_holds_for_tries_too(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    await subscribe(bench, inbox.url, throttling=60)
    inbox.behave = status(500)
    await bench.report("a", 3)
    for seconds, tries in ((0, 1), (59, 1), (1, 2)):
        bench.pass_by(seconds=seconds)
        await bench.deliver()
        assert len(inbox.messages) == tries


async def test_after_its_end_nothing_comes(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    end = bench.now + timedelta(hours=1)
    await subscribe(bench, inbox.url, expiresAt=end.isoformat())
    bench.pass_by(minutes=59)
    await bench.report("a", 3)
    await bench.deliver()
    assert homes(inbox) == [["a"]]
    bench.pass_by(minutes=1)
    await bench.report("a", 2)
    await bench.deliver()
    assert homes(inbox) == []


async def test_who_is_down_too_long_is_given_up(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    name = await subscribe(bench, inbox.url)
    await bench.report("a", 3)
    inbox.behave = status(503)
    await bench.deliver()
    tries = 1
    while (found := await stored(bench, name)).state == "active":
        assert found.times_failed == tries
        bench.pass_by(hours=25)
        await bench.deliver()
        tries += 1
    assert (found.state, found.reason) == ("paused", "failing")
    assert (found.times_sent, found.times_failed, found.last_success) == (tries, tries, None)
    assert found.failing_since is not None
    assert len({json.loads(message.body)["id"] for message in inbox.messages}) == 1
    inbox.behave = taken
    bench.pass_by(days=1)
    await bench.deliver()
    assert len(inbox.messages) == tries


async def test_who_says_that_it_is_gone_is_left_alone(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    name = await subscribe(bench, inbox.url)
    await bench.report("a", 3)
    inbox.behave = status(410)
    await bench.deliver()
    found = await stored(bench, name)
    assert (found.state, found.reason) == ("disabled", "gone")


async def test_after_a_restore_everything_comes_once_more(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    await subscribe(bench, inbox.url)
    await bench.deployment.pool.execute("UPDATE deployment SET epoch = 'another'")
    await bench.deliver()
    assert homes(inbox) == [["a"]]


async def test_webhooks_and_subscriptions_do_not_mix(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    await subscribe(bench, inbox.url)
    made = await bench.webhook(f"{inbox.url}/own", provider="Nord")
    await bench.report("a", 3)
    await bench.deliver()
    kinds = [json.loads(message.body)["type"] for message in inbox.messages]
    assert sorted(kinds) == ["Notification", "listing.changed"]

    pool = bench.deployment.pool
    assert [each.id for each in await select_webhooks(pool)] == [made.id]
    hidden = await pool.fetchval("SELECT id FROM webhook WHERE speaks = 'ngsi_ld'")
    with pytest.raises(UnknownWebhook):
        await select_webhook(pool, hidden)


async def test_a_subscriber_goes_with_all_that_is_his(bench: Bench, inbox: Inbox) -> None:
    await subscribe(bench, inbox.url)
    pool = bench.deployment.pool
    await insert_subscriber(pool, "other")
    number = await pool.fetchval("SELECT id FROM subscriber WHERE name = 'x'")
    assert len(await select_subscriptions(pool, number)) == 1
    async with pool.acquire() as connection, connection.transaction():
        assert await delete_subscriber(connection, "x")
        assert not await delete_subscriber(connection, "nobody")
    assert await pool.fetchval("SELECT count(*) FROM webhook") == 0
    assert await pool.fetchval("SELECT name FROM subscriber") == "other"


async def test_one_of_two_is_killed_and_every_newest_state_arrives(
    bench: Bench, inbox: Inbox
) -> None:
    names = [f"h{number}" for number in range(12)]
    for home in names:
        await bench.home(home)
    held = asyncio.Event()

    async def hold_the_first(request: web.BaseRequest) -> web.StreamResponse:
        if len(inbox.messages) == 1:
            held.set()
            await asyncio.Event().wait()
        return web.Response()

    inbox.behave = hold_the_first
    name = await subscribe(bench, inbox.url, watchedAttributes=["freePlaces"])
    for home in names:
        await bench.report(home, 3)
    async with delivering(bench) as doomed:
        async with asyncio.timeout(30):
            await held.wait()
        doomed.kill()  # it has the claim, and a call that nobody will ever answer
    async with delivering(bench):
        for home in names[::3]:
            await bench.report(home, 7)
        wanted = {home: 7 if number % 3 == 0 else 3 for number, home in enumerate(names)}

        def have_all_come() -> bool:
            told = newest(inbox)
            return {home: told[home]["freePlaces"]["value"] for home in told} == wanted

        await until(have_all_come)

        async def is_counted() -> bool:
            return (await stored(bench, name)).times_sent == len(inbox.messages) - 1

        await until(is_counted)
    assert (await stored(bench, name)).times_failed == 0


async def test_two_deliverers_send_each_state_once(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    await subscribe(bench, inbox.url)
    async with open_bench(bench.deployment) as second:
        for count in range(1, 4):
            await bench.report("a", count)
            await asyncio.gather(bench.follower.catch_up(), second.follower.catch_up())
            second.now = bench.now
            await asyncio.gather(bench.deliverer.deliver_due(), second.deliverer.deliver_due())
    assert homes(inbox) == [["a"]] * 3
