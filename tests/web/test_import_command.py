"""`freiplatz import` as it is called: output, exit codes, no questions."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vacancies.config import Settings
from web.__main__ import main

LIST = "name;street;zip;city\nHaus A;Weg 1;33330;Gütersloh\n;Weg 2;33330;Gütersloh\n"


@pytest.fixture
def run(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    (tmp_path / "heime.csv").write_bytes(LIST.encode("cp1252"))
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "odd.csv").write_bytes(b"x;y\nHaus A;1\nHaus B;2\n")
    monkeypatch.chdir(tmp_path)
    return None


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["import", *arguments])


@pytest.mark.usefixtures("run")
async def test_report_as_json() -> None:
    for expected in ((1, 0), (0, 1)):
        result = await invoke("heime.csv", "--json", "--provider", "Kreis Nord")
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout)
        assert (report["rows"], report["changed"], report["left_out"]) == (2, 0, 0)
        assert (report["taken"], report["unchanged"]) == expected
        (refused,) = report["refused"]
        assert refused == {
            "row": 3,
            "field": "name",
            "reason": "The home has no name (Weg 2 Gütersloh).",
        }


@pytest.mark.usefixtures("run")
async def test_report_for_people() -> None:
    result = await invoke("heime.csv", "--dry-run")
    assert result.exit_code == 0
    assert "1 taken" in result.stdout
    assert "row 3, name" in result.stdout
    assert "'heime', after the file" in result.stdout
    assert "nothing was changed" in result.stdout


@pytest.mark.usefixtures("run")
async def test_what_cannot_be_read() -> None:
    result = await invoke("empty.csv", "--json")
    assert result.exit_code == 1
    assert "no rows" in result.output


@pytest.mark.usefixtures("run")
async def test_a_mapping_is_printed_where_it_is_needed(tmp_path: Path) -> None:
    result = await invoke("odd.csv")
    assert result.exit_code == 1
    assert "--mapping" in result.output
    proposal = result.stdout[: result.stdout.rindex("}") + 1]
    Path(tmp_path / "m.json").write_text(
        proposal.replace('"name": "COLUMN?"', '"name": "x"').replace(
            '"postcode": "COLUMN?"', '"city": "y"'
        ),
        "utf-8",
    )
    result = await invoke("odd.csv", "--mapping", "m.json", "--show-mapping")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["columns"] == {"name": "x", "city": "y"}
    result = await invoke("odd.csv", "--mapping", "name=x,city=y", "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["refused"]) == 2


@pytest.mark.usefixtures("run")
async def test_another_coordinate_system_and_vanished_homes(tmp_path: Path) -> None:
    rows = ["Name;Ostwert;Nordwert", "Haus A;457222;5750800", "Haus B;457300;5750900"]
    Path(tmp_path / "utm.csv").write_text("\n".join(rows), "utf-8")
    result = await invoke("utm.csv", "--json")
    assert result.exit_code == 1
    assert "--crs EPSG:25832" in result.output
    result = await invoke("utm.csv", "--json", "--crs", "EPSG:99999")
    assert result.exit_code == 1
    assert "no coordinate system 'EPSG:99999'" in result.output
    result = await invoke("utm.csv", "--json", "--crs", "EPSG:25832", "--provider", "Kreis Nord")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["taken"] == 2
    Path(tmp_path / "utm.csv").write_text("\n".join(rows[:2]), "utf-8")
    arguments = ("utm.csv", "--crs", "EPSG:25832", "--provider", "Kreis Nord")
    result = await invoke(*arguments, "--json")
    (vanished,) = json.loads(result.stdout)["vanished"]
    assert vanished["name"] == "Haus B"
    result = await invoke(*arguments)
    assert f"Not in this list any more: Haus B ({vanished['home_id']})" in result.stdout
