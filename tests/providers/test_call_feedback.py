"""What callers say: stored within limits, taken back, counted, and forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from providers import call_feedback
from providers.call_feedback import (
    MOST_FOR_HOME,
    MOST_OF_NETWORK,
    MOST_OF_NETWORK_FOR_HOME,
    Calls,
    Feedback,
    Kind,
    TooMuchFeedback,
    claim_questions,
    delete_feedback,
    delete_old_feedback,
    has_reported_since,
    record_feedback,
    select_calls,
    select_feedback,
)
from tests.providers.reminder_town import Town
from vacancies.database import Pool
from vacancies.homes import select_homes
from vacancies.models import CareForm
from vacancies.writer import Writer

LEASE = timedelta(minutes=10)


@pytest.fixture
async def town(pool: Pool, writer: Writer, tmp_path: Path) -> Town:
    found = Town(pool, writer, tmp_path / "box")
    await found.add_home("a", silent_hours=2)
    return found


async def say(
    pool: Pool, kind: Kind = "taken", home_id: str = "a", network: str = "192.0.2.1"
) -> Feedback:
    async with pool.acquire() as connection:
        return await record_feedback(
            connection, home_id, kind, care_form=CareForm.SHORT_TERM, revision=1, network=network
        )


async def let_pass(pool: Pool, time: timedelta) -> None:
    """As if all had been said so much earlier."""
    await pool.execute(
        "UPDATE call_feedback SET at = at - $1::interval, settled_at = settled_at - $1::interval,"
        " claimed_until = claimed_until - $1::interval",
        time,
    )


async def test_it_changes_no_listing(pool: Pool, town: Town) -> None:
    before = await select_homes(pool, ["a"])
    for kind in ("confirmed", "taken", "unsuitable"):
        said = await say(pool, kind)
        assert await select_feedback(pool, said.id) == said
    assert await select_homes(pool, ["a"]) == before
    assert await select_calls(pool, "a") == Calls(confirmed=1, taken=1, unsuitable=1)
    assert (await select_calls(pool, "a")).total == 3


async def test_it_is_taken_back_once_and_in_time(pool: Pool, town: Town) -> None:
    said = await say(pool)
    assert not await delete_feedback(pool, uuid4())
    assert await delete_feedback(pool, said.id)
    assert not await delete_feedback(pool, said.id)
    assert await select_feedback(pool, said.id) is None
    late = await say(pool)
    await let_pass(pool, call_feedback.SETTLES_AFTER)
    assert not await delete_feedback(pool, late.id)


async def test_nobody_is_asked_while_it_can_be_taken_back(pool: Pool, town: Town) -> None:
    said = await say(pool)
    async with pool.acquire() as connection:
        assert await claim_questions(connection, LEASE) == []
        await let_pass(pool, call_feedback.SETTLES_AFTER)
        assert await claim_questions(connection, LEASE) != []
    await pool.execute("UPDATE call_feedback SET at = now()")
    assert not await delete_feedback(pool, said.id), "somebody is writing the mail"


async def test_one_network_says_little_of_a_home(pool: Pool, town: Town) -> None:
    for _ in range(MOST_OF_NETWORK_FOR_HOME):
        await say(pool)
    with pytest.raises(TooMuchFeedback):
        await say(pool, "confirmed")
    await say(pool, network="192.0.2.2")
    assert (await select_calls(pool, "a")).total == MOST_OF_NETWORK_FOR_HOME + 1


async def test_what_is_said_at_once_is_counted_too(pool: Pool, town: Town) -> None:
    """Both limits, each with more calls at once than there is room for."""
    same = await asyncio.gather(*(say(pool) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(one, Feedback) for one in same) == MOST_OF_NETWORK_FOR_HOME
    others = [say(pool, network=f"198.51.100.{number}") for number in range(MOST_FOR_HOME + 10)]
    said = await asyncio.gather(*others, return_exceptions=True)
    assert (await select_calls(pool, "a")).total == MOST_FOR_HOME
    refused = [one for one in (*same, *said) if not isinstance(one, Feedback)]
    assert refused
    assert all(isinstance(one, TooMuchFeedback) for one in refused)


async def test_one_network_says_little_of_all_homes(pool: Pool, town: Town) -> None:
    homes = [f"h{number}" for number in range(MOST_OF_NETWORK // MOST_OF_NETWORK_FOR_HOME + 1)]
    for home_id in homes:
        await town.add_home(home_id, silent_hours=None)
    calls = [say(pool, home_id=home_id) for home_id in homes * MOST_OF_NETWORK_FOR_HOME]
    said = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, Feedback) for one in said) == MOST_OF_NETWORK
    assert {type(one) for one in said} == {Feedback, TooMuchFeedback}


async def test_networks_are_hashed_by_day_and_the_key_is_thrown_away(
    pool: Pool, town: Town
) -> None:
    await say(pool)
    await say(pool, "confirmed")
    hashes = {row["network"] for row in await pool.fetch("SELECT network FROM call_feedback")}
    (stored,) = hashes
    assert len(stored) == 16
    assert b"192.0.2.1" not in stored
    await pool.execute("UPDATE call_feedback_salt SET day = day - 1")
    await delete_old_feedback(pool)
    assert await pool.fetchval("SELECT count(*) FROM call_feedback_salt") == 0
    for _ in range(MOST_OF_NETWORK_FOR_HOME):
        await say(pool, network="192.0.2.1")  # another day, another hash
    assert await pool.fetchval("SELECT count(DISTINCT network) FROM call_feedback") == 2


async def test_it_is_forgotten_after_thirty_days(pool: Pool, town: Town) -> None:
    await say(pool)
    await let_pass(pool, timedelta(days=29, hours=23))
    await delete_old_feedback(pool)
    assert await pool.fetchval("SELECT count(*) FROM call_feedback") == 1
    assert (await select_calls(pool, "a")).total == 0, "of this week only"
    await let_pass(pool, timedelta(hours=2))
    await delete_old_feedback(pool)
    assert await pool.fetchval("SELECT count(*) FROM call_feedback") == 0


async def test_a_home_has_reported_since_or_not(pool: Pool, town: Town) -> None:
    (home,) = await select_homes(pool, ["a"])
    assert not await has_reported_since(pool, "a", home.revision)
    await town.report("a")
    assert await has_reported_since(pool, "a", home.revision)
    await town.add_home("new", silent_hours=None)
    assert not await has_reported_since(pool, "new", 0)
