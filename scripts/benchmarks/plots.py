"""Curves as SVG: the same bytes for the same points, for the eye in light and in dark, and
with words for who does not see them."""

from __future__ import annotations

import io
import re
from html import escape
from itertools import cycle
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from scripts.benchmarks.figures import Plot

# Colours that matplotlib is given and the style sheet replaces, by the scheme of the reader.
INK, GRID = "#010203", "#040506"
CURVES = ("#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04", "#0a0b05", "#0a0b06")
LIGHT = ("#222222", "#cccccc", "#0b5cad", "#c2410c", "#15803d", "#86198f", "#7c5e10", "#475569")
DARK = ("#e6e6e6", "#4a4a4a", "#6cb2ff", "#ff9d5c", "#5fd38a", "#e39af0", "#e0c060", "#b5c2d6")
# Told apart without colours too.
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":")

SETTINGS: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "freiplatz",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def svg(plot: Plot) -> str:
    with mpl.rc_context(SETTINGS):
        drawn = _draw(plot)
    names = {color: f"var(--c{n})" for n, color in enumerate((INK, GRID, *CURVES))}
    drawn = re.sub("|".join(names), lambda found: names[found[0]], drawn)
    head, _, rest = drawn[drawn.index("<svg") :].partition(">")
    ends = "; ".join(
        f"{label}: {points[0][1]:g} at {points[0][0]:g} to {points[-1][1]:g} at {points[-1][0]:g}"
        for label, points in plot.series.items()
        if points
    )
    words = (
        f"<title>{escape(plot.title)}</title>"
        f"<desc>{escape(f'{plot.y} over {plot.x}. {ends}.')}</desc>"
    )
    return f'{head} role="img">{words}<style>{_style()}</style>{rest}'


def _draw(plot: Plot) -> str:
    canvas = Canvas(figsize=(7.2, 4.0), layout="constrained")
    axes = canvas.add_subplot()
    looks = zip(cycle(CURVES), cycle(MARKERS), cycle(LINES), strict=False)
    for (label, points), (color, marker, line) in zip(plot.series.items(), looks, strict=False):
        xs, ys = [x for x, _ in points], [y for _, y in points]
        axes.plot(xs, ys, line, color=color, marker=marker, markersize=4, label=label)
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
    for axis, logarithmic, scale in (
        (axes.xaxis, plot.log_x, axes.set_xscale),
        (axes.yaxis, plot.log_y, axes.set_yscale),
    ):
        if logarithmic:
            scale("log")
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    if not plot.log_y:
        axes.set_ylim(bottom=0)
    axes.grid(visible=True)
    axes.legend()
    out = io.StringIO()
    canvas.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _style() -> str:
    light, dark = (
        "".join(f"--c{n}:{color};" for n, color in enumerate(colors)) for colors in (LIGHT, DARK)
    )
    return (
        f":root{{{light}font-family:sans-serif}}"
        f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
    )
