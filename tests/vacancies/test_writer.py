"""The one door: order, batches, and what happens when things break in the middle."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.waiting import until
from vacancies import reports
from vacancies import writer as module
from vacancies.actors import Actor
from vacancies.command import Command
from vacancies.commands import Confirm, Describe, Report
from vacancies.database import Connection, Pool
from vacancies.errors import (
    ForeignHome,
    OutcomeUnknown,
    Overloaded,
    TooManyRequests,
    Unavailable,
    UnknownHome,
)
from vacancies.feed import Announcement
from vacancies.homes import select_homes
from vacancies.idempotency import Remembered
from vacancies.judging import Reevaluate
from vacancies.models import CareForm, CareHome, Freshness, Point, Profile, Vacancy
from vacancies.provider import ensure_provider
from vacancies.sweeper import sweep
from vacancies.writer import Writer


def lines(count: int) -> tuple[Vacancy, ...]:
    return (Vacancy(care_form=CareForm.LONG_TERM, count=count),)


async def describe(pool: Pool, writer: Writer, *ids: str) -> int:
    provider = await ensure_provider(pool, "Träger")
    commands = [
        Describe(
            home_id=home,
            provider_id=provider.id,
            provider=provider.slug,
            profile=Profile(name=home, point=Point(51, 8)),
        )
        for home in ids
    ]
    settled = await writer.submit(commands)
    assert all(outcome.created for outcome in settled.outcomes)
    return provider.id


async def head(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT revision FROM revision_head"))


async def test_revisions_are_gapless_and_in_order_across_writers(
    pool: Pool, writer: Writer, announced: list[Announcement]
) -> None:
    await describe(pool, writer, *"abcdefgh")
    others: list[Announcement] = []
    async with Writer(pool, others.append) as other:
        calls = [
            (writer, other)[n % 2].submit(
                [Report(home_id="abcdefgh"[n % 8], vacancies=lines(n % 5))]
            )
            for n in range(200)
        ]
        settled = await asyncio.gather(*calls)
    assert all(s.outcomes[0].changed for s in settled)
    ranges = sorted((news.first, news.last) for news in [*announced, *others])
    assert ranges[0][0] == 1
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(ranges))
    assert ranges[-1][1] == await head(pool) == 208
    rows = await pool.fetch("SELECT home_id, revision FROM report ORDER BY id")
    for home in "abcdefgh":
        own = [row["revision"] for row in rows if row["home_id"] == home]
        assert own == sorted(own)
        assert own[-1] == await pool.fetchval(
            "SELECT revision FROM home_state WHERE home_id = $1", home
        )


async def test_a_batch_lets_each_command_see_those_before_it(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "a")
    commands: list[Command] = [
        Report(home_id="a", vacancies=lines(1)),
        Report(home_id="a", vacancies=lines(2), if_match=frozenset({2})),
        Report(home_id="a", vacancies=lines(3), if_match=frozenset({1})),
        Confirm(home_id="a"),
    ]
    settled = await writer.submit(commands)
    codes = [outcome.error.code if outcome.error else "ok" for outcome in settled.outcomes]
    # The first has revision 2 only once the batch is through, and 1 is over: neither matches.
    assert codes == ["ok", "changed_since", "changed_since", "ok"]
    (stored,) = await select_homes(pool, ["a"])
    assert stored.vacancies == lines(1)
    assert stored.revision == 3


async def test_what_others_have_written_is_read_again(pool: Pool, writer: Writer) -> None:
    """A home that this writer knows may have been changed by another process since, or by
    hand; the locked row decides."""
    await describe(pool, writer, "a")
    await writer.submit([Report(home_id="a", vacancies=lines(1))])
    async with Writer(pool, lambda news: None) as other:
        settled = await other.submit([Report(home_id="a", vacancies=lines(2))])
    revision = settled.outcomes[0].home.revision if settled.outcomes[0].home else 0
    outdated = Report(home_id="a", vacancies=lines(3), if_match=frozenset({revision - 1}))
    (refused,) = (await writer.submit([outdated])).outcomes
    assert refused.error is not None
    assert refused.error.code == "changed_since"
    later = datetime.now(UTC) + timedelta(hours=1)
    await pool.execute("UPDATE home_state SET observed_at = $1 WHERE home_id = 'a'", later)
    (confirmed,) = (await writer.submit([Confirm(home_id="a")])).outcomes
    assert confirmed.home is not None
    assert (confirmed.home.observed_at, confirmed.home.vacancies) == (later, lines(2))


async def fail_afterwards(
    connection: Connection, rows: Sequence[reports.Row], **seen: Any
) -> reports.Written | None:
    await reports.write_changes(connection, rows, **seen)
    raise RuntimeError


async def test_a_rolled_back_batch_leaves_nothing_known(
    pool: Pool, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await describe(pool, writer, "a")
    async with Writer(pool, lambda news: None) as other:  # knows no home: it must lock
        monkeypatch.setattr("vacancies.batch.write_changes", fail_afterwards)
        with pytest.raises(Unavailable):
            await other.submit([Report(home_id="a", vacancies=lines(1))])
        monkeypatch.undo()
        (confirmed,) = (await other.submit([Confirm(home_id="a")])).outcomes
    assert confirmed.error is not None
    assert confirmed.error.code == "nothing_to_confirm"


async def test_what_fails_after_it_was_stored_is_not_said_to_be_undone(
    pool: Pool, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What rests on memory is one statement: it is committed when it has returned."""
    await describe(pool, writer, "a")

    def fail(home: CareHome) -> None:
        raise RuntimeError

    monkeypatch.setattr("vacancies.batch.public_listing", fail)
    with pytest.raises(OutcomeUnknown):
        await writer.submit([Report(home_id="a", vacancies=lines(1))])
    monkeypatch.undo()
    (stored,) = await select_homes(pool, ["a"])
    assert stored.vacancies == lines(1)
    (confirmed,) = (await writer.submit([Confirm(home_id="a")])).outcomes
    assert confirmed.home is not None
    assert (confirmed.home.vacancies, confirmed.home.revision) == (lines(1), stored.revision + 1)


async def test_a_clock_that_is_over_is_read_again(pool: Pool, writer: Writer) -> None:
    """The database's clock was set, or this process was stopped for a while."""
    await describe(pool, writer, "a")
    await writer.submit([Report(home_id="a", vacancies=lines(1))])
    clock = writer._known._clock
    assert clock is not None
    writer._known._clock = (clock[0] + timedelta(minutes=3), clock[1])
    (reported,) = (await writer.submit([Report(home_id="a", vacancies=lines(2))])).outcomes
    now = await pool.fetchval("SELECT now()")
    assert reported.home is not None
    assert reported.home.reported_at is not None
    assert abs(reported.home.reported_at - now) < timedelta(minutes=1)


async def test_two_lanes_of_two_writers_keep_all_in_order(
    pool: Pool, writer: Writer, announced: list[Announcement]
) -> None:
    ids = [f"home-{number:02}" for number in range(64)]
    await describe(pool, writer, *ids)
    others: list[Announcement] = []
    async with Writer(pool, others.append) as other:
        for turn in range(6):
            settled = await asyncio.gather(
                *(
                    (writer, other)[(number + turn) % 2].submit(
                        [Report(home_id=home_id, vacancies=lines(turn))]
                    )
                    for number, home_id in enumerate(ids)
                ),
                # Both write these, so what one remembers of them is over.
                *(
                    each.submit([Report(home_id=ids[0], vacancies=lines(turn))])
                    for each in (writer, other)
                ),
            )
            assert all(s.outcomes[0].changed for s in settled)
        for each in (writer, other):
            assert all(lane.session.connection is not None for lane in each._lanes)
    ranges = sorted((news.first, news.last) for news in [*announced, *others])
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(ranges))
    assert ranges[-1][1] == await head(pool) == 64 + 6 * 66
    assert {home.vacancies for home in await select_homes(pool, ids)} == {lines(5)}
    told = await pool.fetch("SELECT revision FROM report ORDER BY revision")
    assert [row["revision"] for row in told] == list(range(65, 65 + 6 * 66))


async def test_a_call_with_a_home_that_is_in_hand_waits_and_is_not_passed_over(
    pool: Pool, writer: Writer
) -> None:
    """Whoever comes later with the same homes stays behind it."""
    ids = [f"home-{number:02}" for number in range(40)]
    await describe(pool, writer, *ids)
    done: list[str] = []

    async def submit(name: str, *homes: str) -> None:
        await writer.submit([Report(home_id=home, vacancies=lines(1)) for home in homes])
        done.append(name)

    calls = [submit(home_id, home_id) for home_id in ids]
    calls += [submit("all", *ids), submit("late", ids[-1])]
    await asyncio.gather(*calls)
    assert done.index("late") > done.index("all") > max(done.index(home) for home in ids)


async def test_of_many_who_have_seen_the_same_state_one_wins(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "a")
    for _ in range(20):
        (seen,) = await select_homes(pool, ["a"])
        match = frozenset({seen.revision})
        calls = [
            writer.submit([Report(home_id="a", vacancies=lines(n), if_match=match)])
            for n in range(6)
        ]
        settled = await asyncio.gather(*calls)
        assert sum(s.outcomes[0].changed for s in settled) == 1


async def test_what_changes_nothing_shows_what_the_batch_has_changed(
    pool: Pool, writer: Writer
) -> None:
    provider_id = await describe(pool, writer, "a")
    (stored,) = await select_homes(pool, ["a"])
    again = Describe(
        home_id="a", provider_id=provider_id, provider="traeger", profile=stored.profile
    )
    settled = await writer.submit([Report(home_id="a", vacancies=lines(1)), again])
    changed, unchanged = settled.outcomes
    assert (changed.changed, unchanged.changed) == (True, False)
    assert changed.home == unchanged.home


async def test_stopping_commits_what_waits(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "a")
    async with Writer(pool, lambda news: None) as stopping:
        calls = [
            asyncio.create_task(stopping.submit([Report(home_id="a", vacancies=lines(n))]))
            for n in range(5)
        ]
        await asyncio.sleep(0)  # they are in the queue now
    settled = await asyncio.gather(*calls)
    assert [s.outcomes[0].changed for s in settled] == [True] * 5
    with pytest.raises(Unavailable, match="stopping"):
        await stopping.submit([Confirm(home_id="a")])


async def test_a_bad_command_does_not_sink_its_neighbours(pool: Pool, writer: Writer) -> None:
    provider_id = await describe(pool, writer, "a")
    await pool.execute("ALTER TABLE report ADD CHECK (vacancies->0->>'count' <> '13')")
    calls = [
        writer.submit([Report(home_id="a", vacancies=lines(1))]),
        writer.submit([Report(home_id="nobody", vacancies=lines(1))]),
        writer.submit(
            [Report(home_id="a", vacancies=(), actor=Actor(provider_id=provider_id + 1))]
        ),
        # Postgres refuses it: the batch is split.
        writer.submit([Report(home_id="a", vacancies=lines(13))]),
        writer.submit([Report(home_id="a", vacancies=lines(2))]),
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[3], Unavailable)
    outcomes = [r.outcomes[0] for n, r in enumerate(results) if n != 3]  # type: ignore[union-attr]
    assert isinstance(outcomes[1].error, UnknownHome)
    assert isinstance(outcomes[2].error, ForeignHome)
    (stored,) = await select_homes(pool, ["a"])
    assert stored.vacancies == lines(2)
    assert await head(pool) == 3


async def test_two_who_create_the_same_home(pool: Pool, writer: Writer) -> None:
    provider = await ensure_provider(pool, "Träger")

    def create(name: str) -> Describe:
        return Describe(
            home_id="x",
            provider_id=provider.id,
            provider=provider.slug,
            profile=Profile(name=name, point=Point(51, 8)),
        )

    async with Writer(pool, lambda news: None) as other:
        one, two = await asyncio.gather(
            writer.submit([create("eins")]), other.submit([create("zwei")])
        )
    assert sorted([one.outcomes[0].created, two.outcomes[0].created]) == [False, True]
    assert await head(pool) == 2


async def test_a_caller_who_leaves_does_not_cancel_the_write(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "a")
    call = asyncio.create_task(writer.submit([Report(home_id="a", vacancies=lines(2))]))
    await asyncio.sleep(0)  # it is in the queue now
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await writer.submit([Confirm(home_id="a")])
    (stored,) = await select_homes(pool, ["a"])
    assert stored.vacancies == lines(2)


async def test_a_connection_that_died_between_batches_is_replaced(
    pool: Pool, writer: Writer
) -> None:
    await describe(pool, writer, "a")
    await _terminate_others(pool)
    # Whether what is sent before that is known has arrived, nobody could say.
    await until(lambda: all(lane.session.connection is None for lane in writer._lanes))
    settled = await writer.submit([Report(home_id="a", vacancies=lines(1))])
    assert settled.outcomes[0].changed


async def test_a_connection_lost_during_commit_is_said_so(
    pool: Pool, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backend is killed by a trigger that runs at COMMIT: the worst moment."""
    await describe(pool, writer, "a")
    await pool.execute(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON report DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION die()"
    )
    with pytest.raises(OutcomeUnknown):
        await writer.submit([Report(home_id="a", vacancies=lines(1))])
    await pool.execute("DROP TRIGGER die ON report")
    assert (await writer.submit([Report(home_id="a", vacancies=lines(1))])).outcomes[0].changed


@pytest.mark.parametrize("is_known", [False, True])
async def test_a_connection_lost_before_commit_changes_nothing(
    pool: Pool, writer: Writer, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    await describe(pool, writer, "a")
    before = await head(pool)

    async def die(
        connection: Connection, rows: Sequence[reports.Row], **seen: Any
    ) -> reports.Written | None:
        await _terminate_others(pool)
        return await reports.write_changes(connection, rows, **seen)

    if not is_known:
        writer._known.forget()
    monkeypatch.setattr("vacancies.batch.write_changes", die)
    with pytest.raises(Unavailable):
        await writer.submit([Report(home_id="a", vacancies=lines(1))])
    monkeypatch.undo()
    assert await head(pool) == before
    assert (await writer.submit([Report(home_id="a", vacancies=lines(1))])).outcomes[0].changed


async def _terminate_others(pool: Pool) -> None:
    """And wait until they are gone: one that dies only while it writes leaves its outcome open."""
    async with pool.acquire() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_an_idempotency_key_in_flight_elsewhere(pool: Pool, writer: Writer) -> None:
    """Another process holds the lock of the key for the length of its transaction."""
    await describe(pool, writer, "a")
    call = Remembered("key:1", "PUT /a", "k", b"hash", lambda outcomes: b"answer")
    report = [Report(home_id="a", vacancies=lines(1))]
    async with pool.acquire() as other, other.transaction():
        await other.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "key:1\x1fPUT /a\x1fk"
        )
        with pytest.raises(Exception, match="still running"):
            await writer.submit(report, remembered=call)
    assert (await writer.submit(report, remembered=call)).replay is None
    assert (await writer.submit(report, remembered=call)).replay == b"answer"


async def test_the_sweeper_ages_what_is_due(
    pool: Pool, writer: Writer, announced: list[Announcement]
) -> None:
    await describe(pool, writer, "a", "b")
    old = datetime.now(UTC) - timedelta(hours=30)
    await writer.submit([Report(home_id="a", vacancies=lines(1), observed_at=old)])
    await writer.submit([Report(home_id="b", vacancies=lines(1))])
    assert await sweep(pool, writer) == 0
    # As if 50 hours had passed since: what time changes is due.
    await pool.execute(
        "UPDATE home_state SET observed_at = observed_at - interval '50 hours',"
        " next_transition_at = next_transition_at - interval '50 hours'"
    )
    announced.clear()
    assert await sweep(pool, writer) == 2
    states = {entry.id: entry.freshness for news in announced for entry in news.listings or ()}
    assert states == {"a": Freshness.STALE, "b": Freshness.AGEING}
    assert await sweep(pool, writer) == 0


async def test_one_sweeps_at_a_time(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "a")
    await writer.submit([Report(home_id="a", vacancies=lines(1))])
    await pool.execute("UPDATE home_state SET next_transition_at = now() - interval '1 s'")
    done = await asyncio.gather(*(sweep(pool, writer) for _ in range(4)))
    assert sum(done) == 1


async def test_what_is_not_due_is_left_alone(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "a")
    before = await head(pool)
    await writer.submit([Reevaluate(home_id="a")])
    assert await head(pool) == before


async def test_the_queue_is_bounded_and_one_key_never_fills_it(
    pool: Pool, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_COMMANDS", 25)
    monkeypatch.setattr(module, "WAITING_OF_KEY", 10)
    await describe(pool, writer, "a")
    mine, others = Actor(api_key_id=1), Actor(api_key_id=2)
    async with pool.acquire() as connection, connection.transaction():
        # The first one is in hand, and the home is ours: all others wait.
        await connection.execute("SELECT FROM home_state WHERE home_id = 'a' FOR UPDATE")
        first = asyncio.create_task(writer.submit([Report(home_id="a", vacancies=lines(1))]))
        await until(lambda: writer._waiting_commands == 0 and bool(writer._busy))
        waiting = [
            asyncio.create_task(writer.submit([Confirm(home_id="a", actor=mine)] * 2))
            for _ in range(8)
        ]
        waiting += [
            asyncio.create_task(writer.submit([Confirm(home_id="a", actor=others)] * 5))
            for _ in range(3)
        ]
        waiting += [asyncio.create_task(writer.submit([Confirm(home_id="a")] * 5)) for _ in (1, 2)]
        await until(lambda: sum(task.done() for task in waiting) == 5)
        refused = [type(task.exception()) for task in waiting if task.done()]
        # Ten of the first key and ten of the second; then the queue has room for five more.
        assert refused == [TooManyRequests] * 4 + [Overloaded]
        assert writer._waiting_commands == 25
    await asyncio.gather(first, *waiting, return_exceptions=True)
    assert (writer._waiting_commands, writer._waiting_by_key) == (0, {})
