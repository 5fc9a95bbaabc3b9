"""Arrivals and moments of publishing become rates, latencies and losses."""

import numpy as np

from scripts.benchmarks.crowd import delivery
from scripts.benchmarks.viewers import ARRIVAL

PUBLISHED = {7: 100.0, 8: 100.5}


def test_latencies_are_joined_by_revision() -> None:
    rows = [(3, 7, 100.01), (4, 7, 100.02), (3, 8, 100.53), (4, 8, 100.6)]
    found = delivery(np.array(rows, ARRIVAL), PUBLISHED, viewers=2)
    assert (found.arrived, found.missing) == (4, 0)
    assert sorted(found.latencies_ms.round(6).tolist()) == [10, 20, 30, 100]
    assert round(found.per_second, 6) == round(4 / 0.6, 6)


def test_the_first_of_repeated_arrivals_counts_and_others_are_missing() -> None:
    rows = [(3, 7, 100.01), (3, 7, 100.4), (3, 6, 100.0), (4, 8, 100.6)]
    found = delivery(np.array(rows, ARRIVAL), PUBLISHED, viewers=2)
    assert (found.arrived, found.missing) == (2, 2)
    assert sorted(found.latencies_ms.round(6).tolist()) == [10, 100]


def test_nothing_at_all_arrived() -> None:
    found = delivery(np.array([], ARRIVAL), PUBLISHED, viewers=2)
    assert (found.arrived, found.missing, found.per_second) == (0, 4, 0)
