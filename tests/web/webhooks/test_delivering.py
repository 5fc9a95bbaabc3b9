"""What a webhook is told, in which order, and when it is told again."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook as Verifier

from providers.federation.neighbours import record_neighbour
from tests.flow.neighbours import adopt
from tests.waiting import until
from tests.web.webhooks.conftest import Bench, Inbox, open_bench, open_inbox, status, taken
from vacancies.board import Change
from vacancies.database import select_epoch
from vacancies.models import CareForm, Point
from vacancies.tasks import stop_tasks
from web.webhooks import deliverer
from web.webhooks.claims import Claim, claim_webhooks, record_success, release_claim
from web.webhooks.deliveries import MOST_KEPT, Delivery, delete_old_deliveries, select_deliveries
from web.webhooks.endpoints import (
    Webhook,
    delete_webhook,
    pause_webhook,
    resume_webhook,
    rotate_secret,
    select_webhook,
)
from web.webhooks.trouble import survive

CHANGED, GONE = "listing.changed", "listing.gone"


async def state_of(bench: Bench, webhook: Webhook) -> tuple[str, str | None]:
    found = await select_webhook(bench.deployment.pool, webhook.id)
    return found.state, found.reason


async def test_a_provider_hears_of_its_own_homes(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    await bench.home("b")
    await bench.home("x", provider="Süd")
    await bench.webhook(inbox.url, provider="Nord")
    await bench.deliver()
    assert inbox.take() == [(CHANGED, "a"), (CHANGED, "b")]
    await bench.report("b", 2)
    await bench.report("x", 1)
    await bench.deliver()
    feature = inbox.messages[0].data
    assert inbox.take() == [(CHANGED, "b")]
    # Just what the public sees.
    assert feature == json.loads(bench.board.feature_of("b"))
    assert feature["properties"]["free"] == {"long_term": 2}
    await bench.close("a")
    await bench.deliver()
    (message,) = inbox.messages
    assert message.type == GONE
    assert message.data == {
        "id": "a",
        "revision": bench.board.revision,
        "merged_into": None,
        "listing": None,
    }
    inbox.take()
    await bench.deliver()
    assert inbox.take() == []


async def test_a_search_hears_of_what_matches_and_what_does_so_no_more(
    bench: Bench, inbox: Inbox
) -> None:
    for home in "abc":
        await bench.home(home)
    await bench.home("far", point=Point(48.1, 11.6))
    await bench.report("a", 1, CareForm.SHORT_TERM)
    await bench.report("b", 1, CareForm.LONG_TERM)
    await bench.report("far", 1, CareForm.SHORT_TERM)
    await bench.webhook(inbox.url, search="near=51.9,8.4&care_form=short_term")
    await bench.deliver()
    properties = inbox.messages[0].data["properties"]
    assert 1.3 < properties["distance_km"] < 1.5
    assert inbox.take() == [(CHANGED, "a")]
    await bench.report("a", 0)
    await bench.report("b", 0)  # was never on the list: nothing to say
    await bench.report("c", 1, CareForm.SHORT_TERM)
    await bench.deliver()
    assert inbox.messages[0].data["listing"]["properties"]["free"] == {}
    assert inbox.take() == [(GONE, "a"), (CHANGED, "c")]
    await bench.report("a", 0)
    await bench.home("c", point=Point(48.1, 11.6))
    await bench.deliver()
    assert inbox.take() == [(GONE, "c")]


async def test_everything_public(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    await bench.home("b", provider="Süd", point=Point(48.1, 11.6))
    await bench.webhook(inbox.url, search="include_full=true")
    await bench.deliver()
    assert inbox.take() == [(CHANGED, "a"), (CHANGED, "b")]


async def test_homes_of_neighbours_are_for_neighbours_to_tell_of(
    bench: Bench, inbox: Inbox
) -> None:
    await bench.home("a")
    await record_neighbour(bench.deployment.pool, "herford", "Herford", "https://h.example", "", "")
    await adopt(bench.deployment, "herford", "anna")
    await bench.home("b")
    await bench.webhook(inbox.url, search="include_full=true")
    await bench.deliver()
    assert inbox.take() == [(CHANGED, "a"), (CHANGED, "b")]


async def test_a_stranger_can_verify_it(bench: Bench, inbox: Inbox) -> None:
    """With the library, and by hand as the docs show it. After a rotation both secrets do,
    after a day the new one only."""
    await bench.home("a")
    webhook = await bench.webhook(inbox.url, provider="Nord")
    await bench.deliver()
    async with bench.deployment.pool.acquire() as connection, connection.transaction():
        key = bench.deployment.settings.secret_key
        newer = await rotate_secret(connection, webhook.id, key, bench.now)
    await bench.report("a", 1)
    await bench.deliver()
    bench.pass_by(hours=25)
    await bench.report("a", 2)
    await bench.deliver()
    valid = []
    for message in inbox.messages:
        signatures = message.headers["webhook-signature"].split()
        signed = f"{message.id}.{message.headers['webhook-timestamp']}.".encode() + message.body
        by_hand = []
        for secret in (webhook.secret, newer):
            raw = base64.b64decode(secret.removeprefix("whsec_"))
            mac = base64.b64encode(hmac.digest(raw, signed, hashlib.sha256)).decode()
            by_hand.append(f"v1,{mac}" in signatures)
        valid.append(by_hand)
    assert valid == [[True, False], [True, True], [False, True]]
    first, second, _ = inbox.messages
    Verifier(webhook.secret).verify(first.body, first.headers)
    for secret in (webhook.secret, newer):
        assert Verifier(secret).verify(second.body, second.headers)["type"] == CHANGED
    stored = await bench.deployment.pool.fetch("SELECT salt FROM webhook_secret")
    assert all(base64.b64encode(row["salt"]).decode() not in webhook.secret for row in stored)


async def test_a_failing_receiver_is_tried_for_three_days_then_paused(
    bench: Bench, inbox: Inbox
) -> None:
    inbox.behave = status(500)
    await bench.home("a")
    webhook = await bench.webhook(inbox.url, provider="Nord", contact="owner@example.org")
    began = bench.now
    for _ in range(20):
        await bench.deliver()
        found = await select_webhook(bench.deployment.pool, webhook.id)
        if found.state != "active":
            break
        before = len(inbox.messages)
        bench.now = found.next_attempt_at - timedelta(milliseconds=1)
        await bench.deliver()
        assert len(inbox.messages) == before  # not a moment too early
        bench.now = found.next_attempt_at
    assert await state_of(bench, webhook) == ("paused", "failing")
    assert bench.now - began == timedelta(days=3)
    assert len({message.id for message in inbox.messages}) == 1
    log = await select_deliveries(bench.deployment.pool, webhook.id)
    assert [entry.attempt for entry in reversed(log)] == list(range(1, len(inbox.messages) + 1))
    assert {(entry.outcome, entry.status) for entry in log} == {("refused", 500)}
    bench.pass_by(minutes=10)
    await bench.deliver()
    (mail,) = (bench.deployment.settings.data_dir / "mail").glob("*.eml")
    text = mail.read_text()
    assert "To: owner@example.org" in text
    assert "/hook" not in text  # an address may hold a secret
    await bench.deliver()
    assert len(list(mail.parent.glob("*.eml"))) == 1
    inbox.behave = taken
    inbox.take()
    await bench.report("a", 3)
    await resume_webhook(bench.deployment.pool, webhook.id, bench.now)
    await bench.deliver()
    assert inbox.messages[0].data["properties"]["free"] == {"long_term": 3}
    assert inbox.take() == [(CHANGED, "a")]


async def test_the_newest_state_is_sent_when_a_receiver_comes_back(
    bench: Bench, inbox: Inbox
) -> None:
    """Fewer, newer events: what came in between is not made up for."""
    inbox.behave = status(503)
    await bench.home("a")
    await bench.home("b")
    await bench.webhook(inbox.url, provider="Nord")
    await bench.deliver()
    for count in (1, 2, 3):
        await bench.report("a", count)
    inbox.behave = taken
    inbox.take()
    bench.pass_by(seconds=5)
    await bench.deliver()
    newest = {message.data["id"]: message.data for message in inbox.messages}
    assert newest["a"]["properties"]["free"] == {"long_term": 3}
    assert inbox.take() == [(CHANGED, "b"), (CHANGED, "a")]


async def test_retry_after_is_honoured(bench: Bench, inbox: Inbox) -> None:
    inbox.behave = status(429, Retry_After="90")
    await bench.home("a")
    webhook = await bench.webhook(inbox.url, provider="Nord")
    await bench.deliver()
    found = await select_webhook(bench.deployment.pool, webhook.id)
    assert found.next_attempt_at - bench.now == timedelta(seconds=90)
    assert (found.state, found.attempts) == ("active", 1)
    inbox.behave = taken
    bench.pass_by(seconds=90)
    await bench.deliver()
    found = await select_webhook(bench.deployment.pool, webhook.id)
    assert (found.attempts, found.failing_since) == (0, None)


async def test_gone_means_never_again(bench: Bench, inbox: Inbox) -> None:
    inbox.behave = status(410)
    await bench.home("a")
    webhook = await bench.webhook(inbox.url, provider="Nord")
    await bench.deliver()
    assert await state_of(bench, webhook) == ("disabled", "gone")
    bench.pass_by(days=10)
    await bench.deliver()
    assert inbox.take() == [(CHANGED, "a")]


async def test_receivers_that_misbehave(bench: Bench, inbox: Inbox) -> None:
    async def hang(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async def drop(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def half(request: web.BaseRequest) -> web.StreamResponse:
        """200, and then nothing of the body that was promised."""
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        assert request.transport is not None
        request.transport.close()
        return response

    await bench.home("a")
    async with open_bench(bench.deployment, seconds=0.3) as impatient:
        webhook = await impatient.webhook(inbox.url, provider="Nord")
        for behaviour in (hang, drop, status(302, Location="/other"), half):
            inbox.behave = behaviour
            await impatient.deliver()
            impatient.pass_by(hours=20)
    log = await select_deliveries(bench.deployment.pool, webhook.id)
    assert [(entry.outcome, entry.status) for entry in reversed(log)] == [
        ("timeout", None),
        ("connection", None),
        ("refused", 302),
        ("delivered", 200),
    ]
    assert await state_of(bench, webhook) == ("active", None)


async def test_a_slow_receiver_holds_up_nobody_else(bench: Bench, inbox: Inbox) -> None:
    release = asyncio.Event()

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    async def quick(request: web.BaseRequest) -> web.StreamResponse:
        if len(other.messages) == 3:
            release.set()
        return web.Response()

    for home in "abc":
        await bench.home(home)
    inbox.behave = slow
    async with open_inbox() as other:
        other.behave = quick
        await bench.webhook(inbox.url, provider="Nord")
        await bench.webhook(other.url, provider="Nord")
        await bench.deliver()
        assert len(other.messages) == len(inbox.messages) == 3


async def test_another_deliverer_takes_over_when_the_lease_is_over(
    bench: Bench, inbox: Inbox
) -> None:
    """A turn that was cut off leaves its claim; what it had under way comes again, with the
    same id, and what it would still record is refused."""
    arrived = asyncio.Event()

    async def hold(request: web.BaseRequest) -> web.StreamResponse:
        arrived.set()
        await asyncio.Event().wait()
        raise AssertionError

    await bench.home("a")
    await bench.webhook(inbox.url, provider="Nord")
    inbox.behave = hold
    cut_off = asyncio.create_task(bench.deliver())
    await arrived.wait()
    cut_off.cancel()
    await asyncio.gather(cut_off, return_exceptions=True)
    inbox.behave = taken
    async with open_bench(bench.deployment) as other:
        other.now = bench.now
        await other.deliver()
        assert len(inbox.messages) == 1  # somebody may still be at it
        other.pass_by(seconds=61)
        await other.deliver()
    first, second = inbox.messages
    assert first.id == second.id
    assert first.data == second.data


async def test_a_claim_is_one_processs_and_a_lost_one_records_nothing(
    bench: Bench, inbox: Inbox
) -> None:
    await bench.home("a")
    webhook = await bench.webhook(inbox.url, provider="Nord")
    await bench.follower.catch_up()

    async def claim() -> int:
        async with bench.deployment.pool.acquire() as connection:
            found = await claim_webhooks(
                connection,
                epoch=bench.board.epoch,
                revision=bench.board.revision,
                now=bench.now,
                lease=timedelta(seconds=60),
                limit=5,
            )
            claims.extend(found)
            return len(found)

    claims: list[Claim] = []
    assert sorted(await asyncio.gather(claim(), claim(), claim())) == [0, 0, 1]
    await pause_webhook(bench.deployment.pool, webhook.id)
    delivery = Delivery(
        message_id="msg_1",
        event="listing.changed",
        home_id="a",
        attempt=1,
        sent_at=bench.now,
        duration_ms=1,
        outcome="delivered",
    )
    async with bench.deployment.pool.acquire() as connection, connection.transaction():
        assert not await record_success(connection, claims[0], delivery, bench.now)
    assert await select_deliveries(bench.deployment.pool, webhook.id) == []
    assert not await bench.deployment.pool.fetch("SELECT FROM webhook_home")
    assert await state_of(bench, webhook) == ("paused", "owner")


async def test_a_change_wakes_whom_it_may_concern(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    await bench.home("b", provider="Süd")
    nord = await bench.webhook(inbox.url, provider="Nord")
    await bench.webhook(inbox.url, provider="Süd")
    search = await bench.webhook(inbox.url, provider="Süd", search="care_form=day")
    async with bench.deployment.pool.acquire() as connection:
        claims = await claim_webhooks(
            connection,
            epoch="any",
            revision=2,
            now=bench.now,
            lease=timedelta(seconds=60),
            limit=5,
            providers=["nord"],
        )
    assert {claim.id for claim in claims} == {nord.id, search.id}


async def test_nothing_hangs_on_the_next_look(
    bench: Bench, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """News of one provider are told at once, and so are those that come just when a turn
    ends: its webhook is still claimed then, so nobody else can take them up."""
    monkeypatch.setattr(deliverer, "LOOK_SECONDS", 3600.0)
    news: list[int] = []

    async def release_late(*args: Any) -> None:
        while news:
            await bench.report("a", news.pop())
            await bench.follower.catch_up()
        await release_claim(*args)

    monkeypatch.setattr(deliverer, "release_claim", release_late)
    await bench.home("a")
    await bench.webhook(inbox.url, provider="Nord")
    await bench.follower.catch_up()
    running = asyncio.create_task(bench.deliverer.run_for_ever())
    try:
        await until(lambda: len(inbox.messages) == 1)
        news.append(2)
        before = bench.board.get("a")
        await bench.report("a", 1)
        await bench.follower.catch_up()
        after = bench.board.get("a")
        assert after is not None
        bench.deliverer.wake([Change(0, before, after)])
        await until(lambda: len(inbox.messages) == 3)
    finally:
        await stop_tasks([running])
    free = [message.data["properties"]["free"] for message in inbox.messages]
    assert free == [{}, {"long_term": 1}, {"long_term": 2}]


async def test_a_new_secret_signs_from_the_moment_that_its_owner_has_it(
    bench: Bench, inbox: Inbox
) -> None:
    """Also in a turn that began before. A webhook that is removed ends it."""
    for home in "abc":
        await bench.home(home)
    webhook = await bench.webhook(inbox.url, provider="Nord")
    pool = bench.deployment.pool

    async def rotate_then_remove(request: web.BaseRequest) -> web.StreamResponse:
        if len(inbox.messages) == 1:
            async with pool.acquire() as connection, connection.transaction():
                key = bench.deployment.settings.secret_key
                secrets.append(await rotate_secret(connection, webhook.id, key, bench.now))
        else:
            await delete_webhook(pool, webhook.id)
        return web.Response()

    secrets: list[str] = []
    inbox.behave = rotate_then_remove
    await bench.deliver()
    _, second = inbox.messages
    Verifier(secrets[0]).verify(second.body, second.headers)


async def test_the_log_says_nothing_of_rows(
    bench: Bench, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Postgres puts whole rows into its messages, and an address may hold a secret."""
    await bench.home("a")
    await bench.webhook(f"{inbox.url}?token=hush", provider="Nord")
    pool = bench.deployment.pool
    await pool.execute("ALTER TABLE webhook ADD CHECK (claimed_until IS NULL)")
    await bench.follower.catch_up()
    assert not await survive(bench.deliverer.deliver_due())
    said = capsys.readouterr().out
    assert "CheckViolationError" in said
    assert "hush" not in said


async def test_after_a_restore_all_is_told_anew(bench: Bench, inbox: Inbox) -> None:
    for home in "ab":
        await bench.home(home)
    await bench.webhook(inbox.url, provider="Nord")
    await bench.deliver()
    before = {message.data["id"]: message.id for message in inbox.messages}
    inbox.take()
    # As a restore from before "b" was entered.
    pool = bench.deployment.pool
    await pool.execute("DELETE FROM home_state WHERE home_id = 'b'")
    await pool.execute("DELETE FROM care_home WHERE id = 'b'")
    await pool.execute("UPDATE revision_head SET revision = 1")
    await pool.execute("UPDATE deployment SET epoch = 'another'")
    await bench.webhook(inbox.url, provider="Süd")
    await bench.deliverer.deliver_due()  # our board is of the old history: nothing to do
    assert inbox.messages == []
    inbox.behave = status(500)
    await bench.deliver()
    inbox.behave = taken
    assert inbox.take() == [(GONE, "b")]
    bench.pass_by(seconds=5)
    await bench.deliver()
    assert bench.board.epoch == await select_epoch(pool)
    assert inbox.messages[1].id != before["a"]
    assert inbox.take() == [(GONE, "b"), (CHANGED, "a")]
    await bench.deliver()
    assert inbox.take() == []


async def test_a_home_whose_tombstone_is_gone_is_told_of_too(bench: Bench, inbox: Inbox) -> None:
    """The webhook was paused for longer than boards remember homes that closed."""
    pool = bench.deployment.pool
    for home in "ab":
        await bench.home(home)
    webhook = await bench.webhook(inbox.url, provider="Nord")
    await bench.deliver()
    inbox.take()
    await pause_webhook(pool, webhook.id)
    await bench.close("a")
    await pool.execute("UPDATE care_home SET closed_at = now() - interval '91 days' WHERE id = 'a'")
    await resume_webhook(pool, webhook.id, bench.now)
    async with open_bench(bench.deployment) as later:  # a process that was started since
        await later.deliver()
        await later.deliver()
    assert inbox.take() == [(GONE, "a")]


async def test_the_log_is_bounded(bench: Bench, inbox: Inbox) -> None:
    webhook = await bench.webhook(inbox.url, provider="Nord")
    pool = bench.deployment.pool
    await pool.execute(
        "INSERT INTO webhook_delivery (webhook_id, message_id, event, attempt, sent_at,"
        " duration_ms, outcome) SELECT $1, 'msg_' || n, 'ping', 1,"
        " $2::timestamptz - make_interval(days => 40 - n / 40), 1, 'delivered'"
        " FROM generate_series(1, 1600) n",
        webhook.id,
        bench.now,
    )
    await delete_old_deliveries(pool, bench.now)
    kept = await select_deliveries(pool, webhook.id, 5000)
    assert len(kept) == MOST_KEPT
    assert kept[0].message_id == "msg_1600"
    await delete_old_deliveries(pool, bench.now + timedelta(days=20))
    kept = await select_deliveries(pool, webhook.id, 5000)
    assert 0 < len(kept) < MOST_KEPT
    assert min(entry.sent_at for entry in kept) >= bench.now - timedelta(days=10)


async def test_a_webhook_that_is_removed_is_not_called_unsigned(bench: Bench, inbox: Inbox) -> None:
    await bench.home("a")
    webhook = await bench.webhook(inbox.url, provider="Nord")
    await bench.follower.catch_up()
    (claim,) = await bench.deliverer._claim(1)
    await delete_webhook(bench.deployment.pool, webhook.id)
    await bench.deliverer._turn(claim)
    assert inbox.messages == []
