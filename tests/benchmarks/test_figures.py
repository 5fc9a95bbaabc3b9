"""Medians, ratios and goals of a benchmark."""

import pytest

from scripts.benchmarks.figures import figure, table


def test_a_figure_is_the_median_beside_the_median() -> None:
    found = figure("p99", [5, 1, 3], [2, 4], "ms", "Nchan")
    assert (found.ours, found.theirs, found.ratio) == (3, 3, 1)
    assert (found.spread, found.their_spread) == ((1, 5), (2, 4))
    assert (found.goal, found.met) == ("", None)


@pytest.mark.parametrize(
    ("bound", "ours", "goal", "met"),
    [
        ({"at_most": 1.3}, 1.2, "at most 1.3 times", True),
        ({"at_most": 1.3}, 1.4, "at most 1.3 times", False),
        ({"at_least": 2.0}, 2.5, "at least 2 times", True),
        ({"at_least": 2.0, "goal": "double"}, 1.9, "double", False),
    ],
)
def test_a_goal_bounds_the_ratio(
    bound: dict[str, float], ours: float, goal: str, met: bool
) -> None:
    found = figure("x", [ours], [1.0], "", "", **bound)  # type: ignore[arg-type]
    assert (found.goal, found.met) == (goal, met)


def test_without_a_comparator_a_goal_is_neither_met_nor_missed() -> None:
    found = figure("x", [1.0], [], "ms", "Nchan", at_most=1.0)
    assert (found.theirs, found.ratio, found.met) == (None, None, None)
    assert "ratio" in found.as_dict()
    assert "met" not in table([found]).lower()
