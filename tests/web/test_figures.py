"""What processes count together."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator

import pytest

from web.figures import Figures


@pytest.fixture
def shared() -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.truncate(Figures.size(3))
        yield file.fileno()


def enter(figures: Figures, **other: float) -> None:
    usual = {"viewers": 1, "revision": 5, "caught_up_at": time.monotonic(), "is_listening": 1}
    figures.write(**{**usual, "repairs": 0, "writes": 0, **other})  # type: ignore[arg-type]


def test_sums_of_what_adds_up_and_the_worst_of_the_rest(shared: int) -> None:
    one, other = Figures(3, 0, shared), Figures(3, 1, shared)
    enter(one, viewers=3, revision=7, repairs=1, writes=10)
    enter(other, viewers=4, revision=6, writes=5, is_listening=0, caught_up_at=0.0)
    for figures in (one, other):
        found = figures.totals()
        assert (found.processes, found.viewers, found.revision) == (2, 7, 6)
        assert (found.repairs, found.writes, found.is_listening) == (1, 15, False)
        assert found.lag_seconds == pytest.approx(time.monotonic(), rel=0.01)


def test_a_process_that_died_counts_no_more_but_what_it_counted_does(shared: int) -> None:
    one, doomed = Figures(3, 0, shared), Figures(3, 1, shared)
    enter(one, viewers=1, writes=10)
    enter(doomed, viewers=4, revision=1, writes=5, is_listening=0)
    one.forget(1)
    found = one.totals()
    assert (found.processes, found.viewers, found.revision, found.is_listening) == (1, 1, 5, True)
    assert found.writes == 15

    enter(Figures(3, 1, shared), viewers=2, writes=1)
    found = one.totals()
    assert (found.processes, found.viewers, found.writes) == (2, 3, 16)
