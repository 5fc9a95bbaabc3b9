"""Redis rings, Postgres tells: gaps, oversized and unreadable messages, other epochs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from msgspec.structs import replace

from tests.vacancies.test_writer import describe, lines
from tests.waiting import until
from vacancies import feed
from vacancies.board import Board, Change
from vacancies.commands import Report
from vacancies.database import Connection, select_epoch
from vacancies.deployment import Deployment
from vacancies.feed import Announcement, Follower, channel_name, encode_announcement


class Followed:
    def __init__(self, deployment: Deployment) -> None:
        self.board = Board()
        self.applied: list[tuple[str, int]] = []
        self.ages: list[float | None] = []
        self.restarts = 0
        self.follower = Follower(
            deployment.pool,
            deployment.redis,
            self.board,
            on_changes=self._note,
            on_restart=self._restart,
        )

    def _note(self, changes: Sequence[Change], age_seconds: float | None) -> None:
        self.ages.append(age_seconds)
        self.applied += [(change.new.id, change.new.revision) for change in changes]

    def _restart(self) -> None:
        self.restarts += 1

    async def until(self, revision: int) -> None:
        await until(lambda: self.board.revision >= revision)


@pytest.fixture
async def followed(deployment: Deployment) -> AsyncIterator[Followed]:
    await describe(deployment.pool, deployment.writer, "a", "b", "c")
    found = Followed(deployment)
    async with found.follower:
        await until(lambda: found.follower.is_listening)
        yield found


def announcement(first: int, last: int) -> Announcement:
    return Announcement(first=first, last=last, listings=())


async def test_news_that_continues_the_board_is_applied(
    deployment: Deployment, followed: Followed
) -> None:
    assert (len(followed.board), followed.board.revision) == (3, 3)
    for count in range(5):
        await deployment.writer.submit([Report(home_id="a", vacancies=lines(count))])
    await followed.until(8)
    assert [entry for entry in followed.applied if entry[0] == "a"][-1] == ("a", 8)


async def test_a_gap_waits_for_postgres(deployment: Deployment, followed: Followed) -> None:
    """A message that was overtaken must not move the board past what it has not seen."""
    followed.follower.receive(announcement(6, 6))
    assert followed.board.revision == 3
    await deployment.writer.submit([Report(home_id="b", vacancies=lines(1))])
    await followed.until(4)
    followed.follower.receive(announcement(2, 3))  # old news
    assert followed.board.revision == 4


async def test_a_message_that_is_too_long_carries_its_range_alone(
    deployment: Deployment, followed: Followed
) -> None:
    listing = followed.board.get("a")
    assert listing is not None
    many = Announcement(first=4, last=2003, listings=(listing,) * 2_000)
    assert b"listings" not in encode_announcement(many)
    assert len(encode_announcement(Announcement(first=4, last=4, listings=(listing,)))) > 100
    await deployment.writer.submit([Report(home_id="c", vacancies=lines(2))])
    await followed.until(4)


async def test_a_message_of_another_version_is_survived(
    deployment: Deployment, followed: Followed
) -> None:
    channel = channel_name(followed.board.epoch)
    for nonsense in (b"", b"{", b'{"first": "x"}', b'{"first": 9, "last": 9, "listings": [1]}'):
        await deployment.redis.publish(channel, nonsense)
    await deployment.writer.submit([Report(home_id="a", vacancies=lines(1))])
    await followed.until(4)
    assert followed.follower.is_listening


async def test_another_epoch_reloads_and_resets(deployment: Deployment, followed: Followed) -> None:
    await deployment.pool.execute("UPDATE deployment SET epoch = 'restored'")
    await deployment.pool.execute("UPDATE home_state SET revision = 10 WHERE home_id = 'a'")
    await deployment.pool.execute("DELETE FROM care_home WHERE id = 'b'")
    before, followed.restarts = followed.board.epoch, 0
    await followed.follower.catch_up()
    assert followed.restarts == 1
    assert followed.board.epoch != before
    assert (followed.board.revision, len(followed.board)) == (3, 2)
    assert followed.board.get("b") is None


async def test_old_tombstones_are_left_out_and_raise_the_floor(
    deployment: Deployment, followed: Followed
) -> None:
    await deployment.pool.execute(
        "UPDATE care_home SET status = 'closed', closed_at = now() - interval '91 days'"
        " WHERE id = 'b'"
    )
    fresh = Followed(deployment)
    await fresh.follower.catch_up()
    assert fresh.board.get("b") is None
    assert fresh.board.floor == 2


async def test_news_that_overtakes_a_catch_up_is_no_restore(
    deployment: Deployment, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The board moves on between the snapshot and its reading; that must not look as if the
    database had gone back."""
    before = followed.restarts

    async def overtaken(connection: Connection) -> str:
        epoch = await select_epoch(connection)
        listing = followed.board.get("a")
        assert listing is not None
        newer = replace(listing, revision=followed.board.revision + 2)
        news = Announcement(first=newer.revision - 1, last=newer.revision, listings=(newer,))
        followed.follower.receive(news)  # another worker's, in truth not even committed yet
        return epoch

    monkeypatch.setattr(feed, "select_epoch", overtaken)
    await deployment.writer.submit([Report(home_id="b", vacancies=lines(1))])
    await followed.follower.catch_up()
    monkeypatch.undo()
    assert followed.restarts == before


async def test_viewers_who_could_not_be_told_begin_anew(
    deployment: Deployment, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(changes: Sequence[Change], age_seconds: float | None) -> None:
        raise RuntimeError

    before = followed.restarts
    monkeypatch.setattr(followed.follower, "_on_changes", fail)
    await deployment.writer.submit([Report(home_id="b", vacancies=lines(1))])
    await followed.until(4)
    assert followed.restarts == before + 1


async def test_it_is_known_how_old_news_are(deployment: Deployment, followed: Followed) -> None:
    """From Redis and from Postgres, by the database's clock, however far ours is from that."""
    assert abs(followed.follower.clock_ahead_seconds) < 1, "on one machine"
    await deployment.writer.submit([Report(home_id="a", vacancies=lines(1))])
    await followed.until(4)
    await deployment.redis.client_kill_filter(_type="pubsub")
    await deployment.writer.submit([Report(home_id="b", vacancies=lines(1))])
    await followed.until(5)
    first, second = followed.ages[-2:]
    assert first is not None
    assert second is not None
    row = await deployment.pool.fetchrow("SELECT clock_timestamp() AS now")
    assert row is not None
    followed.follower.clock_ahead_seconds += 3600
    assert followed.follower.age_seconds(row["now"]) >= 3600
    old = Announcement(first=6, last=6, listings=(replace(followed.board.listing(0), revision=6),))
    followed.follower.receive(old)
    assert followed.ages[-1] is None, "a version that does not say"


async def test_an_interruption_is_remembered(followed: Followed) -> None:
    """Only one that left the board out of date."""
    follower = followed.follower
    before = follower.steady_since
    await follower.catch_up()
    assert follower.steady_since == before
    assert follower.caught_up_at is not None
    follower.caught_up_at -= 60
    assert follower.lag_seconds() > feed.STEADY_SECONDS
    await until(lambda: follower.lag_seconds() < feed.STEADY_SECONDS)
    assert follower.steady_since > before
