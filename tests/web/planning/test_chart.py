"""Charts lie within their drawing and are true to the numbers; times are whole months."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vacancies.errors import InvalidParameter
from vacancies.planning import Head
from web.planning import chart
from web.planning.period import periods, read_period

HEAD = Head(since=date(2024, 11, 7), until=date(2026, 1, 31), recorded_from=date(2026, 1, 1), due=0)
values = st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=100)


@given(values)
def test_lines_stay_within_the_drawing_and_keep_their_proportions(
    numbers: list[float | None],
) -> None:
    made = chart.lines([str(n) for n in range(len(numbers))], [("a", numbers)], str)
    (line,) = made.lines
    points = [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", line.path)]
    drawn = sorted([*points, *line.dots])
    assert len(drawn) == sum(value is not None for value in numbers)
    zero, full = made.y[0].at, made.y[-1].at
    highest = float(made.y[-1].label)
    for (x, y), value in zip(drawn, [v for v in numbers if v is not None], strict=True):
        assert chart.LEFT <= x <= chart.WIDTH - chart.RIGHT
        assert y == pytest.approx(zero + (full - zero) * value / highest, abs=0.06)
    assert 2 <= len(made.y) <= 7
    assert len(made.x) <= chart.MOST_TICKS


def test_what_is_not_known_is_a_gap() -> None:
    made = chart.lines(list("abcdef"), [("a", [1.0, 2.0, None, 4.0, None, 3.0])], str)
    assert made.lines[0].path.count("M") == 1
    assert len(made.lines[0].dots) == 2


def test_nothing_at_all_is_a_chart_too() -> None:
    made = chart.lines([], [("a", [])], str)
    assert made.lines[0].path == ""
    assert [bar.share for bar in chart.bars([("a", 0.0), ("b", 0.0)], str)] == [0, 0]


def test_there_is_every_quarter_and_year_of_the_history() -> None:
    codes = [period.code for period in periods(HEAD)]
    quarters = ["2026-Q1", "2025-Q4", "2025-Q3", "2025-Q2", "2025-Q1", "2024-Q4"]
    assert codes == [*quarters, "2026", "2025", "2024", "all"]


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("", date(2026, 1, 1), date(2026, 3, 31)),
        ("2025-Q4", date(2025, 10, 1), date(2025, 12, 31)),
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("all", date(2024, 11, 1), date(2026, 1, 31)),
    ],
)
def test_a_period_is_whole_months(code: str, first: date, last: date) -> None:
    period = read_period(code, HEAD)
    assert (period.first, period.last) == (first, last)


@pytest.mark.parametrize("code", ["2026-Q0", "0000", "0000-Q1", "2026-13", "x", "٢٠٢٦", "10000"])
def test_other_periods_are_refused(code: str) -> None:
    with pytest.raises(InvalidParameter):
        read_period(code, HEAD)
