"""What `/metrics` says, for Prometheus: `deploy/prometheus/` has the rules that watch it."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from vacancies.board import Board
from web.backlog import Backlog
from web.figures import Figures

# What `Figures` counts under these names is exported with `freiplatz_` before them.
ANSWERS, ERRORS = "answers", "errors"
REPORT, PUSH_TO_VIEWER = "report_seconds", "push_to_viewer_seconds"


class Metrics(Collector):
    """Put together at the moment of asking. `backlog` is None while the database is away."""

    def __init__(self, figures: Figures, board: Board, backlog: Backlog | None) -> None:
        self._figures = figures
        self._board = board
        self._backlog = backlog

    def collect(self) -> list[Metric]:
        return [
            *self._of_processes(),
            *self._counted(),
            _gauge("database_up", "1 while the database answers.", self._backlog is not None),
            *([] if self._backlog is None else _of_database(self._backlog)),
        ]

    def _of_processes(self) -> list[Metric]:
        every = self._figures.totals()
        return [
            _gauges("homes", "Open homes on the board.", "freshness", self._board.counts()),
            _gauge("workers", "Web processes on this port.", every.processes),
            _gauge("started_seconds", "Start of the oldest (unix time).", every.started_at),
            _gauge("last_start_seconds", "Start of the newest (unix time).", every.last_started_at),
            _gauge("revision", "Lowest revision of a board.", every.revision),
            _gauge("viewers", "Open live streams.", every.viewers),
            _gauge("viewers_behind", "Viewers that are not up to date just now.", every.behind),
            _gauge(
                "follower_lag_seconds",
                "Since the board that is furthest behind last agreed.",
                every.lag_seconds,
            ),
            _gauge("follower_repairs", "Gaps filled from Postgres.", every.repairs),
            _gauge("redis_listening", "1 while all are subscribed.", every.is_listening),
            _gauge(
                "clock_ahead_seconds",
                "By how much the clock of the database is ahead of ours, where that is most.",
                every.clock_ahead_seconds,
            ),
            _gauge("writes", "Writes to viewers.", every.writes),
            _gauge("tasks", "Asyncio tasks: growth is a leak.", every.tasks),
            _gauge("refused", "Requests refused, since there were too many.", every.refused),
            _gauge("dropped", "Who kept us waiting for longest, and gave way.", every.dropped),
        ]

    def _counted(self) -> list[Metric]:
        counts = self._figures.counts()
        return [
            _counters("answers", "Answers by class of status.", "status", counts[ANSWERS]),
            _counters("errors", "Answers that refuse or fail, by code.", "code", counts[ERRORS]),
            self._histogram(REPORT, "From the request of a report to its answer, if taken."),
            self._histogram(
                PUSH_TO_VIEWER,
                "From the decision about a change to its writing to a viewer who keeps up.",
            ),
        ]

    def _histogram(self, name: str, text: str) -> Metric:
        buckets, total = self._figures.buckets(name)
        family = HistogramMetricFamily(f"freiplatz_{name}", text)
        family.add_metric([], buckets, total)
        return family


def _of_database(found: Backlog) -> list[Metric]:
    alerts = found.alerts
    webhooks = GaugeMetricFamily(
        "freiplatz_webhooks", "Webhooks and links to portals.", labels=["kind", "state"]
    )
    for labels, count in found.webhooks.items():
        webhooks.add_metric(labels, count)
    deliveries = GaugeMetricFamily(
        "freiplatz_deliveries", "Tries in the last hour.", labels=["kind", "outcome"]
    )
    for labels, count in found.deliveries.items():
        deliveries.add_metric(labels, count)
    metrics: list[Metric] = [
        _gauge("sweeper_lag_seconds", "Of the oldest due change.", found.sweeper_lag_seconds),
        _gauges("reminders", "Open reminders.", "state", found.reminders),
        webhooks,
        deliveries,
        _gauges("portal_files", "Files of portals.", "state", found.portal_files),
        _gauges("invitations", "Invitations that are not sent.", "state", found.invitations),
        _gauges("neighbour_silent_seconds", "Not heard for.", "neighbour", found.silent_seconds),
        _gauges(
            *("alerts", "Alerts by state.", "state"),
            {"pending": alerts.pending, "active": alerts.active},
        ),
        _gauge("alerts_late", "Due for more than a minute.", alerts.late),
        _gauge("alerts_failing", "That could not be handed over.", alerts.failing),
    ]
    if found.newest_report_seconds is not None:
        age = found.newest_report_seconds
        metrics.append(_gauge("newest_report_seconds", "Age of the newest report.", age))
    return metrics


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"freiplatz_{name}", text, value=float(value))


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"freiplatz_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _counters(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"freiplatz_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
