"""The page of results: measured parts are replaced, what is written by hand stays."""

from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from scripts.benchmarks import page, results
from scripts.benchmarks.figures import Findings, Plot, figure
from scripts.benchmarks.plots import svg
from scripts.benchmarks.results import Result

SENTENCES = {"fan-out": "Many viewers.", "idle": "Nothing happens."}
PLOT = Plot("time", "How long <it> takes", "viewers", "ms", {"ours": [(1_000, 2.0), (9_000, 3.0)]})


@pytest.fixture
def found() -> Result:
    figures = [
        figure("p99", [2.0, 4.0, 3.0], [6.0], "ms", "Nchan", at_most=1),
        figure("memory", [3_000.0], [1_000.0], "kB", "Nchan", at_most=1.3),
        figure("lost", [0.0], [], "events", "", goal="0", met=True),
    ]
    findings = Findings(figures, [PLOT], ["A note."], {"Nchan": "1.3"})
    return Result(date(2026, 1, 2), "scripts/bench fan-out", "2 cores", {"Nchan": "1"}, findings)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "performance.md"
    path.write_text(f"By hand\n{page.BEGIN}\nold\n{page.END}\n\nBy hand too\n")
    return path


def test_a_page_keeps_what_is_written_by_hand(path: Path, found: Result) -> None:
    folder = path.parent / "performance"
    for _ in range(2):  # writing it again changes nothing
        page.write(path, folder, SENTENCES, {"fan-out": found})
        text = path.read_text()
        assert text.startswith("By hand\n" + page.BEGIN)
        assert text.endswith(page.END + "\n\nBy hand too\n")
        assert "old" not in text
        assert "| p99 | 3 ms | 2 to 4 | 6 (Nchan) | 6 to 6 | 0.50 | at most 1 times | met |" in text
        assert "| memory | 3,000 kB |" in text
        assert "**missed**" in text
        assert "| lost | 0 events | 0 to 0 |  |  |  | 0 | met |" in text
        assert "- A note." in text
        assert "Not measured yet: `scripts/bench idle`" in text
        assert "](performance/fan-out-time.svg)" in text
        assert [file.name for file in folder.iterdir()] == ["fan-out-time.svg"]


def test_plots_of_the_past_go(path: Path, found: Result) -> None:
    folder = path.parent / "performance"
    page.write(path, folder, SENTENCES, {"fan-out": found})
    page.write(path, folder, SENTENCES, {})
    assert list(folder.iterdir()) == []


def test_a_failed_attempt_is_said_beside_the_older_figures(path: Path, found: Result) -> None:
    found.failed = "RuntimeError: the viewers gave up"
    page.write(path, path.parent / "performance", SENTENCES, {"fan-out": found})
    assert "The last attempt failed: RuntimeError: the viewers gave up" in path.read_text()
    assert "| p99 | 3 ms |" in path.read_text()


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text("By hand\n")
    with pytest.raises(SystemExit, match="must hold the lines"):
        page.write(path, tmp_path / "performance", SENTENCES, {})
    assert path.read_text() == "By hand\n"


def test_results_survive_the_file_with_the_numbers_of_numpy(tmp_path: Path, found: Result) -> None:
    found.findings.figures[0].ours = np.float64(3.0)
    path = tmp_path / "new" / "results.json"
    results.save(path, {"fan-out": found})
    assert results.load(path) == {"fan-out": found}
    assert results.load(tmp_path / "none.json") == {}


def test_a_plot_is_the_same_each_time_and_says_what_it_shows() -> None:
    drawn = svg(PLOT)
    assert drawn == svg(PLOT)
    root = ET.fromstring(drawn)
    space = "{http://www.w3.org/2000/svg}"
    assert [root.findtext(space + tag) for tag in ("title", "desc")] == [
        "How long <it> takes",
        "ms over viewers. ours: 2 at 1000 to 3 at 9000.",
    ]
    assert root.get("role") == "img"
    assert "prefers-color-scheme:dark" in drawn
    assert "var(--c2)" in drawn


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.1234, "0.12"), (12.345, "12.3"), (97_692.9, "97,693"), (20.0, "20")],
)
def test_numbers_have_about_three_digits(value: float, text: str) -> None:
    assert page.number(value) == text
