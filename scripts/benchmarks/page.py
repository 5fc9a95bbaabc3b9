"""`docs/performance.md`: what was measured, between two marks; the rest is written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.benchmarks.figures import Figure
from scripts.benchmarks.plots import svg
from scripts.benchmarks.results import Result, Results

BEGIN = "<!-- measured: `scripts/bench all` writes from here -->"
END = "<!-- measured: to here -->"


def write(page: Path, folder: Path, sentences: Mapping[str, str], results: Results) -> None:
    """Render `results` into the marked part of `page`, and their plots into `folder`, in the
    order of `sentences` (what each benchmark does, by name)."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = set()
    for name in sentences:
        if name in results:
            for plot in results[name].findings.plots:
                path = folder / f"{name}-{plot.name}.svg"
                path.write_text(svg(plot))
                drawn.add(path)
    for path in set(folder.glob("*.svg")) - drawn:
        path.unlink()
    before, _, rest = page.read_text().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{page} must hold the lines {BEGIN} and {END}.")
    text = "\n".join(_parts(sentences, results, folder.relative_to(page.parent)))
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def _parts(sentences: Mapping[str, str], results: Results, folder: Path) -> Iterator[str]:
    for name, sentence in sentences.items():
        yield f"## {name}\n\n{sentence}\n"
        if name in results:
            yield from _part(name, results[name], folder)
        else:
            yield f"Not measured yet: `scripts/bench {name}`.\n"


def _part(name: str, result: Result, folder: Path) -> Iterator[str]:
    yield f"`{result.command}` on {result.day}, {result.machine}\n"
    if result.failed:
        yield f"**The last attempt failed: {result.failed}** What follows, if anything, is older.\n"
    if not result.findings.figures:
        return
    yield "| | ours | lowest to highest | beside | lowest to highest | ratio | goal | |"
    yield "|---|--:|--:|--:|--:|--:|---|---|"
    for entry in result.findings.figures:
        yield _row(entry)
    yield ""
    for note in result.findings.notes:
        yield f"- {note}"
    yield "- " + ", ".join(f"{what} {version}" for what, version in result.versions.items())
    yield ""
    for plot in result.findings.plots:
        yield f"![{plot.title}: {plot.y} over {plot.x}]({folder}/{name}-{plot.name}.svg)\n"


def _row(entry: Figure) -> str:
    theirs = f"{number(entry.theirs)} ({entry.against})" if entry.theirs is not None else ""
    cells = (
        entry.name,
        f"{number(entry.ours)} {entry.unit}".strip(),
        _spread(entry.spread),
        theirs,
        _spread(entry.their_spread),
        "" if entry.ratio is None else f"{entry.ratio:.2f}",
        entry.goal,
        {True: "met", False: "**missed**", None: ""}[entry.met],
    )
    return "| " + " | ".join(cells) + " |"


def _spread(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"{number(bounds[0])} to {number(bounds[1])}"


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
