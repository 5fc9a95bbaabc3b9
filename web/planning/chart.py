"""Charts as geometry: what `planning_chart.html` draws as SVG. No script, no colour by itself:
lines differ in their dashes too, and every chart has its numbers in a table."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

import msgspec

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 88, 24, 16, 36
MOST_TICKS = 6
_STEPS = (1, 2, 2.5, 5, 10)


class Line(msgspec.Struct, frozen=True):
    """`path` in SVG's words; where nothing is known the line has a gap. `dots` are points that
    have no neighbour to be joined with."""

    label: str
    path: str
    dots: list[tuple[float, float]]


class Tick(msgspec.Struct, frozen=True):
    at: float
    label: str


class Lines(msgspec.Struct, frozen=True):
    """Over time; `x` and `y` are the ticks of the axes."""

    lines: list[Line]
    x: list[Tick]
    y: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


class Bar(msgspec.Struct, frozen=True):
    """`share` of the longest one, 0 to 100."""

    label: str
    value: str
    share: float


def lines(
    ticks: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    written: Callable[[float], str],
    top: float | None = None,
) -> Lines:
    """Series with a value or None for each of `ticks`, from 0 to `top` or a round number above
    all. `written` is a number as the axis shows it."""
    known = [value for _, values in series for value in values if value is not None]
    step = _round_step(top or max(known, default=0.0))
    highest = top or max(step, math.ceil(max(known, default=0.0) / step) * step)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(number: int) -> float:
        return round(LEFT + wide * (number / (len(ticks) - 1) if len(ticks) > 1 else 0.5), 1)

    def y(value: float) -> float:
        return round(TOP + high * (1 - value / highest), 1)

    every = max(1, math.ceil(len(ticks) / MOST_TICKS))
    marks = [step * n for n in range(round(highest / step) + 1)]
    return Lines(
        lines=[
            _line(label, [None if v is None else (x(n), y(v)) for n, v in enumerate(values)])
            for label, values in series
        ],
        x=[Tick(x(n), ticks[n]) for n in range(0, len(ticks), every)],
        y=[Tick(y(mark), written(mark)) for mark in marks],
    )


def _line(label: str, points: Sequence[tuple[float, float] | None]) -> Line:
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    path = " ".join("M" + " L".join(f"{x:g} {y:g}" for x, y in run) for run in runs if len(run) > 1)
    return Line(label, path, [run[0] for run in runs if len(run) == 1])


def _round_step(highest: float) -> float:
    """Between the marks of an axis, so that there are at most five and no odd numbers."""
    rough = highest / 5
    if rough <= sys.float_info.min:  # what is less has no logarithm
        return 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    return float(next(size * step for step in _STEPS if size * step >= rough * 0.999))


def bars(values: Sequence[tuple[str, float]], written: Callable[[float], str]) -> list[Bar]:
    """In their order."""
    longest = max((value for _, value in values), default=0.0) or 1.0
    return [Bar(label, written(value), round(value / longest * 100, 1)) for label, value in values]
