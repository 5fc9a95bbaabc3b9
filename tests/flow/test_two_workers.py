"""Two workers on one database, over real sockets, with Redis killed and started again.

The same oracle as `test_oracle.py`, this time through Postgres, Redis and HTTP: whatever
happens in between, each viewer ends with what a fresh search on either worker shows.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Service, served
from tests.flow.viewer import Viewer, snapshot
from tests.waiting import until
from vacancies.config import Settings
from vacancies.servers import Servers, local_servers, revive

HOMES = ["a", "b", "c", "d", "e"]
SEARCHES: list[dict[str, Any]] = [
    {},
    {"near": "51.9,8.38", "radius_km": "5"},
    {"near": "51.9,8.38", "care_form": "short_term"},
    {"bbox": "8,51,9,53", "sex": "female", "include_full": "true"},
]
POINTS = [(51.9, 8.38), (51.91, 8.4), (52.5, 8.9), (48.1, 11.6)]

lines = st.fixed_dictionaries(
    {"care_form": st.sampled_from(["long_term", "short_term"]), "count": st.integers(0, 3)},
    optional={"sex": st.sampled_from(["female", "male"])},
)
steps = st.one_of(
    st.tuples(st.just("report"), st.sampled_from(HOMES), st.lists(lines, max_size=2)),
    st.tuples(st.just("report"), st.sampled_from(HOMES), st.lists(lines, max_size=2)),
    st.tuples(st.just("move"), st.sampled_from(HOMES), st.sampled_from(POINTS)),
    st.tuples(st.just("join"), st.sampled_from(SEARCHES), st.integers(0, 1)),
    st.tuples(st.just("leave"), st.integers(0, 3), st.none()),
    st.tuples(st.just("resume"), st.integers(0, 3), st.integers(0, 1)),
    st.tuples(st.just("redis"), st.sampled_from(["kill", "start"]), st.none()),
)


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A Valkey that this module may kill."""
    with local_servers(tmp_path_factory.mktemp("own"), lambda line: None) as found:
        yield found


@pytest.fixture
async def workers(
    database_url: str, own_redis: Servers, settings: Settings
) -> AsyncIterator[list[Service]]:
    own = Settings(
        database_url=database_url,
        redis_url=own_redis.redis_url,
        data_dir=settings.data_dir,
        secret_key=settings.secret_key,
    )
    await asyncio.to_thread(revive, own_redis)
    async with served(own) as one, served(own) as other:
        for number, home in enumerate(HOMES):
            latitude, longitude = POINTS[number % 3]
            await one.put_home(home, coordinates={"latitude": latitude, "longitude": longitude})
            await one.report(home, {"count": 1})
        yield [one, other]


@dataclass
class Watch:
    """A viewer, and the task that follows its stream while it is connected."""

    viewer: Viewer
    task: asyncio.Task[None] | None = None


@dataclass
class Story:
    workers: list[Service]
    servers: Servers
    watches: list[Watch] = field(default_factory=list)

    async def play(self, step: tuple[str, Any, Any]) -> None:
        kind, what, how = step
        if kind == "report":
            await self.workers[0].report(what, *how)
        elif kind == "move":
            coordinates = {"latitude": how[0], "longitude": how[1]}
            await self.workers[1].call(
                "PUT",
                f"/api/v1/homes/{what}",
                {"name": what, "coordinates": coordinates},
                headers={"Authorization": f"Bearer {await self.workers[0].key()}"},
            )
        elif kind == "join":
            watch = Watch(Viewer(self.workers[how].url, what))
            self.watches.append(watch)
            await self.connect(watch, how)
        elif kind == "leave":
            await self.disconnect(what)
        elif kind == "resume":
            if what < len(self.watches) and self.watches[what].task is None:
                await self.connect(self.watches[what], how)
        elif what == "kill":
            kill_redis(self.servers)
        else:
            await asyncio.to_thread(revive, self.servers)

    async def connect(self, watch: Watch, worker: int) -> None:
        service = self.workers[worker]
        watch.viewer.url = service.url
        watch.task = asyncio.create_task(watch.viewer.watch(service.client))

    async def disconnect(self, number: int) -> None:
        if number < len(self.watches) and (task := self.watches[number].task) is not None:
            self.watches[number].task = None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def check(self) -> None:
        """All come back; in the end each shows what a fresh search does, on both workers."""
        one = self.workers[0]
        row = await one.state.deployment.pool.fetchrow("SELECT revision FROM revision_head")
        assert row is not None
        for watch in self.watches:
            if watch.task is None:
                await self.connect(watch, 0)
        for worker in self.workers:
            async with asyncio.timeout(10):
                while worker.state.board.revision < row["revision"]:
                    await worker.state.follower.catch_up()
        for watch in self.watches:
            viewer = watch.viewer
            tables = [
                (await snapshot(worker.client, worker.url, viewer.parameters))[0]
                for worker in self.workers
            ]
            assert tables[0] == tables[1]
            await viewer.until(lambda v=viewer, t=tables[0]: v.table == t)


def free_in(viewer: Viewer, home: str) -> Any:
    return viewer.table[home]["properties"]["free"] if home in viewer.table else None


def kill_redis(servers: Servers) -> None:
    with suppress(redis.ConnectionError), redis.Redis.from_url(servers.redis_url) as client:
        os.kill(client.info("server")["process_id"], signal.SIGKILL)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=st.lists(steps, min_size=5, max_size=30))
async def test_viewers_end_with_what_is_true(
    workers: list[Service], own_redis: Servers, story: list[tuple[str, Any, Any]]
) -> None:
    told = Story(workers, own_redis)
    try:
        for step in story:
            await told.play(step)
        await told.check()
    finally:
        for number in range(len(told.watches)):
            await told.disconnect(number)


async def test_redis_killed_pushes_still_answer_and_viewers_still_see(
    workers: list[Service], own_redis: Servers
) -> None:
    one, other = workers
    viewer = Viewer(other.url, {})
    watching = asyncio.create_task(viewer.watch(other.client))
    await viewer.until(lambda: viewer.is_ready)
    kill_redis(own_redis)
    await one.report("a", {"count": 3})  # answers 200
    await viewer.until(lambda: free_in(viewer, "a") == {"long_term": 3})

    await asyncio.to_thread(revive, own_redis)
    await until(lambda: all(worker.state.follower.is_listening for worker in workers))
    repairs = other.state.follower.repairs
    for count in (1, 2):
        await one.report("a", {"count": count})
        await viewer.until(lambda n=count: free_in(viewer, "a") == {"long_term": n})
    # Redis brings the news again: at most the repair at its return came from Postgres.
    assert other.state.follower.repairs <= repairs + 1
    watching.cancel()
    with suppress(asyncio.CancelledError, aiohttp.ClientError):
        await watching
