"""What processes count together."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator

import pytest

from web.figures import COUNTERS, Figures


@pytest.fixture
def shared() -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.truncate(Figures.size(3))
        yield file.fileno()


def enter(figures: Figures, **other: float) -> None:
    usual = {"viewers": 1, "revision": 5, "caught_up_at": time.monotonic(), "is_listening": 1}
    usual |= {
        "repairs": 0,
        "writes": 0,
        "tasks": 20,
        "behind": 0,
        "steady_since": 0.0,
        "clock_ahead_seconds": 0.0,
    }
    figures.write(**{**usual, **other})  # type: ignore[arg-type]


def test_sums_of_what_adds_up_and_the_worst_of_the_rest(shared: int) -> None:
    one, other = Figures(3, 0, shared), Figures(3, 1, shared)
    enter(one, viewers=3, revision=7, repairs=1, writes=10)
    enter(other, viewers=4, revision=6, writes=5, is_listening=0, caught_up_at=0.0)
    for figures in (one, other):
        found = figures.totals()
        assert (found.processes, found.viewers, found.revision) == (2, 7, 6)
        assert (found.repairs, found.writes, found.is_listening) == (1, 15, False)
        assert found.tasks == 40
        assert found.lag_seconds == pytest.approx(time.monotonic(), rel=0.01)


def test_a_process_that_died_counts_no_more_but_what_it_counted_does(shared: int) -> None:
    one, doomed = Figures(3, 0, shared), Figures(3, 1, shared)
    enter(one, viewers=1, writes=10)
    enter(doomed, viewers=4, revision=1, writes=5, is_listening=0)
    one.forget(1)
    found = one.totals()
    assert (found.processes, found.viewers, found.revision, found.is_listening) == (1, 1, 5, True)
    assert (found.writes, found.tasks) == (15, 20)

    enter(Figures(3, 1, shared), viewers=2, writes=1)
    found = one.totals()
    assert (found.processes, found.viewers, found.writes) == (2, 3, 16)


def test_what_is_counted_by_name_adds_up_and_outlives_its_process(shared: int) -> None:
    one, doomed = Figures(3, 0, shared), Figures(3, 1, shared)
    one.count("errors not_found")
    doomed.count("errors not_found", 2)
    doomed.count("errors forbidden")
    doomed.forget(1)
    again = Figures(3, 1, shared)
    again.count("errors forbidden")
    again.count("errors unknown_home")
    expected = {"not_found": 3, "forbidden": 2, "unknown_home": 1}
    assert one.counts()["errors"] == again.counts()["errors"] == expected


def test_a_name_too_many_is_counted_with_the_rest() -> None:
    figures = Figures()
    for number in range(COUNTERS + 7):
        figures.count(f"errors e{number}")
        figures.count(f"errors e{number}")
    found = figures.counts()["errors"]
    assert len(found) == COUNTERS
    assert found["other"] == 2 * 8
    assert sum(found.values()) == 2 * (COUNTERS + 7)


def test_a_histogram_of_all_processes(shared: int) -> None:
    one, other = Figures(3, 0, shared), Figures(3, 1, shared)
    one.observe("report_seconds", 0.2)
    one.observe("report_seconds", 0.25)  # a bound belongs to its bucket
    other.observe("report_seconds", 99.0, 3)
    buckets, total = one.buckets("report_seconds")
    assert dict(buckets)["0.1"] == 0
    assert dict(buckets)["0.25"] == dict(buckets)["30"] == 2
    assert buckets[-1] == ("+Inf", 5)
    assert total == pytest.approx(0.45 + 3 * 99)


def test_the_clock_that_is_furthest_off(shared: int) -> None:
    one, other = Figures(3, 0, shared), Figures(3, 1, shared)
    enter(one, clock_ahead_seconds=2.0)
    enter(other, clock_ahead_seconds=-9.0)
    assert one.totals().clock_ahead_seconds == -9.0
    assert one.totals().started_at <= time.time()
