"""A measured figure beside what it is measured against."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass
class Figure:
    """Medians of several runs in `unit`; `spread` is the lowest and highest run of ours."""

    name: str
    ours: float
    theirs: float | None
    unit: str
    against: str
    spread: tuple[float, float]
    goal: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


def figure(
    name: str, ours: list[float], theirs: list[float], unit: str, against: str, **more: Any
) -> Figure:
    """From the figures of several runs."""
    other = median(theirs) if theirs else None
    return Figure(name, median(ours), other, unit, against, (min(ours), max(ours)), **more)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: list[Figure]) -> str:
    lines = [f"{'':<34}{'median':>10}{'lowest':>10}{'highest':>10}{'beside':>10}{'ratio':>8}"]
    for entry in figures:
        ratio = "" if entry.ratio is None else f"{entry.ratio:.2f}"
        theirs = "" if entry.theirs is None else f"{entry.theirs:.2f}"
        low, high = entry.spread
        lines.append(
            f"{entry.name:<34}{entry.ours:>10.2f}{low:>10.2f}{high:>10.2f}{theirs:>10}{ratio:>8}"
            f"  {entry.unit}" + (f", beside {entry.against}" if entry.against else "")
        )
    return "\n".join(lines)
