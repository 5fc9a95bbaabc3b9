"""What operators and load balancers ask: alive, ready, metrics."""

from __future__ import annotations

import asyncio

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from quart import Blueprint, Response

from vacancies.database import borrowed, is_connection_error
from vacancies.feed import STEADY_SECONDS
from vacancies.judging import select_sweep_lag
from web.backlog import Backlog, select_backlog
from web.metrics import Metrics
from web.state import State, state

operations = Blueprint("operations", __name__)

READY_SECONDS = 2.0
FIGURES_SECONDS = 1.0


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this process should get requests, and what ails it if not."""

    ready: bool
    board: bool
    follower: bool
    database: bool
    redis: bool  # for information: without Redis changes come a second later
    follower_lag_seconds: float
    sweeper_lag_seconds: float | None


@operations.get("/healthz")
async def healthz() -> Response:
    """The process lives."""
    return Response(b'{"status":"ok"}', content_type="application/json")


@operations.get("/readyz")
async def readyz() -> Response:
    """The board is loaded, the follower is alive, the database is reachable."""
    here = state()
    lag = here.follower.lag_seconds()
    sweeper_lag: float | None = None
    try:
        async with asyncio.timeout(READY_SECONDS), borrowed(here.deployment.pool) as connection:
            sweeper_lag = await select_sweep_lag(connection)
    except Exception as error:
        if not is_connection_error(error):
            raise
    found = Readiness(
        ready=sweeper_lag is not None and lag < STEADY_SECONDS and bool(here.board.epoch),
        board=bool(here.board.epoch),
        follower=lag < STEADY_SECONDS,
        database=sweeper_lag is not None,
        redis=here.follower.is_listening,
        follower_lag_seconds=round(min(lag, 1e9), 3),
        sweeper_lag_seconds=sweeper_lag,
    )
    return Response(
        msgspec.json.encode(found),
        status=200 if found.ready else 503,
        content_type="application/json",
    )


@operations.get("/metrics")
async def metrics() -> Response:
    """Prometheus metrics of all processes that share this one's port."""
    here = state()
    write_figures(here)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Metrics(here.figures, here.board, await _backlog(here)))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


async def _backlog(here: State) -> Backlog | None:
    """None while the database does not answer: then the other figures matter all the more."""
    try:
        async with asyncio.timeout(READY_SECONDS), borrowed(here.deployment.pool) as connection:
            return await select_backlog(connection)
    except Exception as error:
        if not is_connection_error(error):
            raise
        return None


def write_figures(here: State) -> None:
    """Let the other processes know of this one."""
    follower = here.follower
    here.figures.write(
        viewers=len(here.live.delivery),
        behind=here.live.delivery.behind,
        revision=here.board.revision,
        caught_up_at=follower.caught_up_at or 0.0,
        steady_since=follower.steady_since,
        clock_ahead_seconds=follower.clock_ahead_seconds,
        is_listening=follower.is_listening,
        repairs=follower.repairs,
        writes=here.live.delivery.writes,
        tasks=len(asyncio.all_tasks()),
        refused=here.door.refused + here.live.places.refused + here.connections.turned_away,
        dropped=here.connections.dropped + here.door.bodies.dropped + here.live.delivery.dropped,
    )


async def write_for_ever(here: State) -> None:
    while True:
        write_figures(here)
        await asyncio.sleep(FIGURES_SECONDS)
