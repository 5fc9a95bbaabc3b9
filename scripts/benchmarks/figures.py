"""What a benchmark has found: figures beside what they are measured against, and curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass
class Figure:
    """Medians of several runs in `unit`; `spread` is the lowest and highest run of ours,
    `their_spread` of theirs. `theirs` is None where there was nothing to compare with."""

    name: str
    ours: float
    theirs: float | None
    unit: str
    against: str
    spread: tuple[float, float]
    their_spread: tuple[float, float] | None = None
    goal: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


@dataclass
class Plot:
    """Curves over a common axis; `series` maps a label to its points (x, y)."""

    name: str
    title: str
    x: str
    y: str
    series: dict[str, list[tuple[float, float]]]
    log_x: bool = False
    log_y: bool = False


@dataclass
class Findings:
    """Everything that one benchmark prints; `versions` of what was compared, by name."""

    figures: list[Figure] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)


def figure(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    unit: str,
    against: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    goal: str = "",
    met: bool | None = None,
) -> Figure:
    """From the figures of several runs. `at_most` and `at_least` bound the ratio of the
    medians, and make the goal; without theirs it is neither met nor missed."""
    other = median(theirs) if theirs else None
    found = Figure(
        name,
        median(ours),
        other,
        unit,
        against,
        (min(ours), max(ours)),
        (min(theirs), max(theirs)) if theirs else None,
        goal,
        met,
    )
    if at_most is not None:
        found.goal = goal or f"at most {at_most:g} times"
        found.met = None if found.ratio is None else found.ratio <= at_most
    if at_least is not None:
        found.goal = goal or f"at least {at_least:g} times"
        found.met = None if found.ratio is None else found.ratio >= at_least
    return found


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: Sequence[Figure]) -> str:
    """For a terminal."""
    lines = [f"{'':<44}{'median':>11}{'lowest':>11}{'highest':>11}{'beside':>11}{'ratio':>8}"]
    for entry in figures:
        ratio = "" if entry.ratio is None else f"{entry.ratio:.2f}"
        theirs = "" if entry.theirs is None else f"{entry.theirs:.2f}"
        low, high = entry.spread
        words = [f"{entry.unit}, beside {entry.against}" if entry.against else entry.unit]
        if entry.goal:
            words.append(entry.goal + {True: ": met", False: ": MISSED", None: ""}[entry.met])
        lines.append(
            f"{entry.name:<44}{entry.ours:>11.2f}{low:>11.2f}{high:>11.2f}{theirs:>11}{ratio:>8}"
            f"  {'; '.join(words)}"
        )
    return "\n".join(lines)
