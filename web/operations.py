"""What operators and load balancers ask: alive, ready, metrics."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from quart import Blueprint, Response

from vacancies.database import borrowed, is_connection_error
from vacancies.judging import select_sweep_lag
from web.alerts.overview import AlertCounts, select_counts
from web.state import State, state

operations = Blueprint("operations", __name__)

FOLLOWER_LIMIT_SECONDS = 10.0
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
        ready=sweeper_lag is not None and lag < FOLLOWER_LIMIT_SECONDS and bool(here.board.epoch),
        board=bool(here.board.epoch),
        follower=lag < FOLLOWER_LIMIT_SECONDS,
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
    write_figures(state())
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(await _alert_counts()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


async def _alert_counts() -> AlertCounts | None:
    """None while the database does not answer: then the other figures matter all the more."""
    pool = state().deployment.pool
    try:
        async with asyncio.timeout(READY_SECONDS), borrowed(pool) as connection:
            return await select_counts(connection, datetime.now(UTC))
    except Exception as error:
        if not is_connection_error(error):
            raise
        return None


def write_figures(here: State) -> None:
    """Let the other processes know of this one."""
    follower = here.follower
    here.figures.write(
        viewers=len(here.live.delivery),
        revision=here.board.revision,
        caught_up_at=follower.caught_up_at or 0.0,
        is_listening=follower.is_listening,
        repairs=follower.repairs,
        writes=here.live.delivery.writes,
    )


async def write_for_ever(here: State) -> None:
    while True:
        write_figures(here)
        await asyncio.sleep(FIGURES_SECONDS)


class _Gauges(Collector):
    """Read at the moment of asking: nothing is counted on hot paths for it."""

    def __init__(self, alerts: AlertCounts | None) -> None:
        self._alerts = alerts

    def collect(self) -> list[Metric]:
        here = state()
        all_of_us = here.figures.totals()
        homes = GaugeMetricFamily(
            "freiplatz_homes", "Open homes on the board by freshness.", labels=["freshness"]
        )
        for freshness, count in here.board.counts().items():
            homes.add_metric([freshness], count)
        return [
            homes,
            _gauge("freiplatz_workers", "Web processes on this port.", all_of_us.processes),
            _gauge("freiplatz_revision", "Lowest revision of a board.", all_of_us.revision),
            _gauge("freiplatz_viewers", "Open live streams.", all_of_us.viewers),
            _gauge(
                "freiplatz_follower_lag_seconds",
                "Since the board that is furthest behind last agreed.",
                all_of_us.lag_seconds,
            ),
            _gauge("freiplatz_follower_repairs", "Gaps filled from Postgres.", all_of_us.repairs),
            _gauge(
                "freiplatz_redis_listening", "1 while all are subscribed.", all_of_us.is_listening
            ),
            _gauge("freiplatz_writes", "Writes to viewers.", all_of_us.writes),
            *self._of_alerts(),
        ]

    def _of_alerts(self) -> list[Metric]:
        found = self._alerts
        if found is None:
            return []
        alerts = GaugeMetricFamily("freiplatz_alerts", "Alerts by state.", labels=["state"])
        alerts.add_metric(["pending"], found.pending)
        alerts.add_metric(["active"], found.active)
        return [
            alerts,
            _gauge("freiplatz_alerts_late", "Due for more than a minute.", found.late),
            _gauge("freiplatz_alerts_failing", "That could not be handed over.", found.failing),
        ]


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=float(value))
