"""My own share of what a home asks, by care grade and time of stay."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vacancies.costs import (
    SUPPLEMENTED,
    Amount,
    Figure,
    about_eur,
    amount_on,
    figures,
    own_share,
    shares_by_year,
    supplement_percent,
)
from vacancies.models import Costs

TODAY = date(2026, 11, 26)
COSTS = Costs(care_eur=1500.0, training_eur=100.0, board_eur=900.0, investment_eur=500.0)
EUROS = st.none() | st.integers(0, 500_000).map(lambda cents: cents / 100)


@pytest.mark.parametrize(
    ("months", "percent"),
    [(1, 15), (11, 15), (12, 15), (13, 30), (24, 30), (25, 50), (36, 50), (37, 75), (400, 75)],
)
def test_the_supplement_grows_after_twelve_twenty_four_and_thirty_six_months(
    months: int, percent: int
) -> None:
    for grade in (2, 3, 4, 5):
        assert supplement_percent(grade, months, TODAY) == percent
    assert supplement_percent(1, months, TODAY) == 0, "grade 1 has none"


@pytest.mark.parametrize("grade", [-1, 0, 1, 6])
def test_there_is_no_share_without_a_grade_from_two_to_five(grade: int) -> None:
    assert own_share(COSTS, grade, 1, TODAY) is None
    assert shares_by_year(COSTS, grade, TODAY) == {}


def test_nobody_has_been_there_for_no_month() -> None:
    assert supplement_percent(3, 0, TODAY) == 0


@pytest.mark.parametrize(
    ("day", "percents"),
    [
        (date(2021, 12, 31), [0, 0, 0, 0]),
        (date(2022, 1, 1), [5, 25, 45, 70]),
        (date(2023, 12, 31), [5, 25, 45, 70]),
        (date(2024, 1, 1), [15, 30, 50, 75]),
    ],
)
def test_each_day_has_the_law_of_that_day(day: date, percents: list[int]) -> None:
    assert [supplement_percent(2, months, day) for months in (1, 13, 25, 37)] == percents


def test_care_and_training_are_supplemented_board_and_investment_are_not() -> None:
    by_year = shares_by_year(COSTS, 3, TODAY)
    assert [share.asked_eur for share in by_year.values()] == [3000.0] * 4
    assert [share.supplement_eur for share in by_year.values()] == [240.0, 480.0, 800.0, 1200.0]
    assert [share.own_eur for share in by_year.values()] == [2760.0, 2520.0, 2200.0, 1800.0]


@pytest.mark.parametrize(
    ("costs", "supplement", "own", "missing"),
    [
        (Costs(care_eur=1000.0), 150.0, 850.0, ("training_eur", "board_eur", "investment_eur")),
        (
            Costs(care_eur=1000.0, board_eur=600.0, investment_eur=300.0),
            150.0,
            1750.0,
            ("training_eur",),
        ),
        (
            Costs(care_eur=0.0, training_eur=0.0, board_eur=600.0, investment_eur=0.0),
            0.0,
            600.0,
            (),
        ),
        # 15 percent of 1,234.57 are 185.1855: half a cent goes up.
        (
            Costs(care_eur=1234.57, training_eur=0.0, board_eur=0.0, investment_eur=0.0),
            185.19,
            1049.38,
            (),
        ),
    ],
)
def test_missing_parts_are_named_and_cents_are_right(
    costs: Costs, supplement: float, own: float, missing: tuple[str, ...]
) -> None:
    share = own_share(costs, 2, 1, TODAY)
    assert share is not None
    assert (share.supplement_eur, share.own_eur, share.missing) == (supplement, own, missing)


def test_without_the_price_of_care_nothing_is_said() -> None:
    assert own_share(Costs(training_eur=80.0, board_eur=600.0), 3, 1, TODAY) is None
    assert own_share(Costs(), 3, 1, TODAY) is None


@given(EUROS, EUROS, EUROS, EUROS, st.integers(2, 5), st.integers(1, 60))
def test_what_is_asked_is_the_supplement_and_the_own_share(
    care: float | None,
    training: float | None,
    board: float | None,
    investment: float | None,
    grade: int,
    months: int,
) -> None:
    costs = Costs(care_eur=care, training_eur=training, board_eur=board, investment_eur=investment)
    share = own_share(costs, grade, months, TODAY)
    if share is None:
        assert care is None
        return
    assert round(share.supplement_eur + share.own_eur, 2) == share.asked_eur
    supplemented = sum(getattr(costs, name) or 0 for name in SUPPLEMENTED)
    assert 0 <= share.supplement_eur <= supplemented
    total = costs.total_eur()
    assert (total is None) == bool(share.missing)
    if total is not None:
        assert share.asked_eur == pytest.approx(total)
    later = own_share(costs, grade, months + 12, TODAY)
    assert later is not None
    assert later.own_eur <= share.own_eur


@pytest.mark.parametrize(
    ("eur", "about"), [(0, 0), (0.01, 10), (10, 10), (2400.1, 2410), (2409.99, 2410), (2410, 2410)]
)
def test_about_never_says_too_little(eur: float, about: int) -> None:
    assert about_eur(eur) == about


def test_amounts_by_day() -> None:
    def eur(name: str, day: date) -> int | None:
        found = amount_on(name, day)
        return found.eur if found else None

    assert eur("stay_year", date(2025, 6, 30)) is None
    assert eur("stay_year", date(2025, 7, 1)) == 3539
    assert eur("grade_1_month", date(2024, 12, 31)) == 125
    assert eur("grade_1_month", date(2025, 1, 1)) == 131
    assert eur("relief_month", TODAY) == 131
    assert eur("no such", TODAY) is None


def test_every_figure_names_its_law_and_none_overlap() -> None:
    known: list[Figure] = [*figures().supplement, *figures().amount]
    for figure in known:
        assert "§" in figure.law
        assert figure.published
        assert figure.source.startswith("https://")
        assert figure.verified or figure.open, "what is not sure says what is missing"
    names = {each.name for each in figures().amount}
    rows: list[list[Figure]] = [list(figures().supplement)]
    rows += [[a for a in figures().amount if a.name == name] for name in sorted(names)]
    for row in rows:
        for before, after in pairwise(row):
            assert before.valid_until is not None
            assert after.valid_from == before.valid_until + timedelta(days=1)
        assert row[-1].valid_until is None, "what holds now has no known end"
    assert all(isinstance(each, Amount) for each in figures().amount)


def test_steps_ascend() -> None:
    for supplement in figures().supplement:
        for lower, higher in pairwise(supplement.steps):
            assert lower.more_than_months < higher.more_than_months
            assert lower.percent < higher.percent
