"""From counted pairs of reports to a number, or to none."""

from __future__ import annotations

import itertools
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vacancies.lasting import (
    EDGES_HOURS,
    MIN_HOMES,
    MIN_PAIRS,
    Cell,
    Curves,
    Part,
    Step,
    Timing,
    falling,
    fit,
    size_of,
    wilson,
)

BINS = len(EDGES_HOURS) - 1
DAY = EDGES_HOURS.index(20)  # the bin around one day
shares = st.floats(0, 1, allow_subnormal=False)


def cell(
    share: float,
    pairs: int = 1_000,
    *,
    number: int = DAY,
    part: Part = "older",
    timing: Timing = "due",
    form: str = "long_term",
    homes: int = 50,
    places: int = 1,
) -> Cell:
    return Cell(
        form, "medium", places, part, timing, number, pairs, round(share * pairs), min(homes, pairs)
    )


def history(share: float, newer: float | None = None, pairs: int = 1_000) -> list[Cell]:
    """A group with the same share in all parts, unless `newer` is another."""
    newer = share if newer is None else newer
    return [
        cell(share, pairs),
        cell(newer, pairs, part="newer"),
        cell(newer, max(1, pairs // 5), part="newest"),
    ]


@given(st.lists(st.tuples(shares, st.floats(0.1, 1_000)), min_size=1, max_size=20))
def test_a_falling_curve_is_the_nearest_one(points: list[tuple[float, float]]) -> None:
    values, weights = [v for v, _ in points], [w for _, w in points]
    found = falling(values, weights)
    assert all(a >= b for a, b in itertools.pairwise(found))
    assert min(values) - 1e-9 <= min(found)
    assert max(found) <= max(values) + 1e-9
    total = sum(v * w for v, w in points)
    assert sum(v * w for v, w in zip(found, weights, strict=True)) == pytest.approx(total)
    # The conditions of the nearest one (Kuhn and Tucker): no beginning is better lower.
    ahead = 0.0
    for value, mean, weight in zip(values, found, weights, strict=True):
        ahead += weight * (value - mean)
        assert ahead <= 1e-6 * sum(weights)


cells = st.builds(
    Cell,
    st.sampled_from(["long_term", "day"]),
    st.sampled_from(["small", "large"]),
    st.integers(1, 3),
    st.sampled_from(["older", "between", "newer", "newest"]),
    st.sampled_from(["early", "due", "late"]),
    st.integers(0, BINS + 1),
    st.integers(1, 5_000),
    st.just(0),
    st.integers(1, 40),
).flatmap(lambda each: st.integers(0, each.pairs).map(lambda k: each._replace(still_free=k)))


@given(st.lists(cells, max_size=40))
def test_every_curve_falls_and_is_a_share(counted: list[Cell]) -> None:
    by_group: dict[tuple[str, ...], list[Step]] = {}
    for step in fit(counted):
        assert 0 <= step.share <= 1
        assert 0 <= step.still_free <= step.checked
        by_group.setdefault(tuple(map(str, step[:3])), []).append(step)
    for steps in by_group.values():
        assert [s.from_hours for s in steps] == sorted({s.from_hours for s in steps})
        assert all(a.share >= b.share for a, b in itertools.pairwise(steps))


@given(st.lists(cells, max_size=40), st.floats(0, 400), st.integers(1, 9))
def test_what_is_told_was_not_refused(counted: list[Cell], age_hours: float, places: int) -> None:
    steps = fit(counted)
    chance = Curves(steps).chance("long_term", "large", places, age_hours)
    if chance is not None:
        group = ("long_term", "large", min(places, 3))
        source = next(
            step
            for step in steps
            if step[:3] == group and step.refusal is None and step.until_hours > age_hours
        )
        assert chance.share == source.share
        assert chance.at_least == (age_hours < source.from_hours)
        assert age_hours < chance.until_hours <= source.until_hours


@given(shares, shares, st.integers(0, 300))
def test_little_data_lies_between_its_own_and_its_parents_share(
    own: float, others: float, pairs: int
) -> None:
    few = cell(own, pairs, places=1)
    many = [cell(others, 5_000, places=1)._replace(size="large")]
    found = [step for step in fit([few, *many]) if step.size == "medium"]
    if pairs == 0:
        assert found == []
        return
    (step,) = found
    mine = few.still_free / pairs
    low, high = sorted((mine, (round(others * 5_000) + few.still_free) / (5_000 + pairs)))
    # Drawn towards all sizes together, which have it among them.
    assert low - 1e-9 <= step.share <= high + 1e-9


def test_a_known_curve_is_found_again() -> None:
    def true(hours: float) -> float:
        return 0.3 + 0.7 * exp(-hours / 60)

    counted = []
    for number in range(BINS):
        middle = (EDGES_HOURS[number] + EDGES_HOURS[number + 1]) / 2
        share = true(middle)
        counted += [
            cell(share, 2_000, number=number),
            cell(share, 2_000, number=number, part="newer"),
            cell(share, 2_000, number=number, part="newest"),
        ]
    curves = Curves(fit(counted))
    for number in range(BINS):
        middle = (EDGES_HOURS[number] + EDGES_HOURS[number + 1]) / 2
        chance = curves.chance("long_term", "medium", 1, middle)
        assert chance is not None
        assert not chance.at_least
        assert chance.share == pytest.approx(true(middle), abs=0.005)


def test_a_younger_report_is_told_at_least_the_share_of_the_next_age() -> None:
    curves = Curves(fit(history(0.8)))
    young = curves.chance("long_term", "medium", 1, 2.0)
    assert young is not None
    assert (young.at_least, young.until_hours) == (True, 20)
    assert young.share == pytest.approx(0.8, abs=0.01)
    due = curves.chance("long_term", "medium", 1, 20.0)
    assert due is not None
    assert (due.at_least, due.until_hours) == (False, 28)
    assert curves.chance("long_term", "medium", 1, 28.0) is None
    assert curves.chance("long_term", "large", 1, 2.0) is None
    assert curves.chance("day", "medium", 1, 2.0) is None


@pytest.mark.parametrize(
    ("counted", "why"),
    [
        (history(0.8, pairs=MIN_PAIRS // 4), "few_pairs"),
        ([cell(0.8, 5_000)], "few_pairs"),  # nothing checks it
        ([each._replace(homes=MIN_HOMES - 1) for each in history(0.8)], "few_homes"),
        (history(0.9, newer=0.7), "uncalibrated"),
        (history(0.7, newer=0.9), "uncalibrated"),
        # The newer part agrees as a whole, its last days do not.
        (
            [cell(0.8), cell(0.8, 2_000, part="newer"), cell(0.5, 150, part="newest")],
            "uncalibrated",
        ),
        # Too often nothing came when it was due, if only where one place was free.
        ([*history(0.8), cell(1, 300, timing="late")], "silent"),
        ([*history(0.8), cell(0, 300, timing="lapsed", places=3)], "silent"),
    ],
)
def test_a_number_is_refused(counted: list[Cell], why: str) -> None:
    steps = [step for step in fit(counted) if step.free_places == 1]
    assert [step.refusal for step in steps] == [why]
    assert Curves(steps).chance("long_term", "medium", 1, 24.0) is None


def test_reports_before_their_time_count_for_nothing() -> None:
    early = cell(0.1, 100_000, timing="early")
    assert fit([*history(0.8), early]) == fit(history(0.8))


def test_a_market_that_turned_is_refused_in_all_its_groups() -> None:
    turned = [*history(0.8)[:2], cell(0.6, 5_000, part="newest")]
    other = [each._replace(size="large") for each in history(0.8)]
    elsewhere = [each._replace(care_form="day") for each in history(0.8)]
    refusals = {step[:2]: step.refusal for step in fit([*turned, *other, *elsewhere])}
    assert refusals["long_term", "large"] == "uncalibrated"
    assert refusals["day", "medium"] is None


def test_wrong_at_one_age_is_no_bound_for_the_ages_before() -> None:
    wrong = history(0.9, newer=0.7)
    later = [
        each._replace(bin=DAY + 1, still_free=round(each.pairs * 0.6)) for each in history(0.6)
    ]
    curves = Curves(fit([*wrong, *later]))
    assert curves.chance("long_term", "medium", 1, 2.0) is None


def test_the_interval_is_that_of_wilson() -> None:
    # Newcombe 1998, Statist. Med. 17:857, table I: 81 of 263, 15 of 148, 0 of 20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_homes_by_size() -> None:
    assert [size_of(n) for n in (0, 1, 29, 30, 79, 80)] == [
        "unknown",
        "small",
        "small",
        "medium",
        "medium",
        "large",
    ]
