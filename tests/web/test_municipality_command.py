"""`freiplatz municipality` as it is called, and what readers see of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Service
from tests.vacancies.test_assignment import IN_WEST, OUTSIDE, describe
from tests.web.test_pages import get, text
from vacancies.assignment import AssignByHand
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.homes import select_homes
from vacancies.writer import Writer
from web.__main__ import main

BOX = [[[8.0, 51.0], [8.5, 51.0], [8.5, 52.0], [8.0, 52.0], [8.0, 51.0]]]


@pytest.fixture
def deployed(settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))


@pytest.fixture
def boundary(tmp_path: Path) -> str:
    path = tmp_path / "boundary.geojson"
    feature = {
        "type": "Feature",
        "properties": {"AGS": "05754004", "GEN": "Halle"},
        "geometry": {"type": "Polygon", "coordinates": BOX},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return str(path)


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["municipality", *arguments])


async def listed() -> dict[str, dict[str, object]]:
    return {each["key"]: each for each in json.loads((await invoke("list", "--json")).stdout)}


async def test_join_and_leave(deployed: None, pool: Pool, writer: Writer, boundary: str) -> None:
    await describe(pool, writer, "a", IN_WEST)
    await describe(pool, writer, "b", OUTSIDE)
    assert "Nobody takes part yet" in (await invoke("list")).stdout
    done = await invoke("add", "05754004", "--from", boundary, "--source", "© Kreis, dl-de/by-2-0")
    assert done.exit_code == 0, done.output
    assert "05754004  Halle, Nordrhein-Westfalen: 1 home\n" in done.stdout
    assert "Assigned anew: 1 home." in done.stdout
    assert "Belonging to nobody: 1 home." in done.stdout
    assert "b  b (48.00000, 11.00000)" in (await invoke("unassigned")).stdout
    assert (await invoke("assign", "b", "05754004")).stdout == "b belongs to 05754004.\n"
    assert (await listed())["05754004"]["homes"] == 2
    assert "All homes belong" in (await invoke("unassigned")).stdout
    assert (await invoke("assign", "b", "--by-position")).stdout == "b belongs to nobody.\n"
    refused = await invoke("remove", "05754004")
    assert refused.exit_code != 0
    assert "Halle (1 home) is to leave?" in refused.output
    assert set(await listed()) == {"05754004"}
    assert (await invoke("remove", "05754004", "--yes")).exit_code == 0
    assert await listed() == {}
    (home,) = await select_homes(pool, ["a"])
    assert home.profile.municipality is None


async def test_a_name_can_be_changed_and_the_boundary_stays(deployed: None, boundary: str) -> None:
    await invoke("add", "05754004", "--from", boundary, "--source", "© Kreis")
    done = json.loads(
        (await invoke("add", "05754004", "--name", "Halle (Westf.)", "--json")).stdout
    )
    assert done["is_new"] is False
    assert done["municipality"]["name"] == "Halle (Westf.)"
    assert done["municipality"]["has_boundary"] is True
    assert done["municipality"]["boundary_source"] == "© Kreis"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "5754x"], "is no key"),
        (["add", "05754004"], "needs a name"),
        (["add", "05758012", "--from", "BOUNDARY"], "no area with the key 05758012"),
        (["add", "05754004", "--from", "nowhere.geojson"], "does not exist"),
        (["remove", "05754004", "--yes"], "takes part"),
        (["assign", "a", "05754004"], "takes part"),
        (["assign", "a"], "Name a KEY, or --by-position"),
        (["assign", "a", "--by-position"], "no home a"),
    ],
)
async def test_what_is_wrong_is_said_and_changes_nothing(
    deployed: None, boundary: str, arguments: list[str], said: str
) -> None:
    done = await invoke(*(boundary if part == "BOUNDARY" else part for part in arguments))
    assert done.exit_code != 0
    assert said in done.output
    assert await listed() == {}


async def test_readers_see_the_names(service: Service, deployed: None) -> None:
    """In the filter, also where of a home only the district is known."""
    await invoke("add", "05754", "--name", "Kreis Gütersloh")
    await invoke("add", "05758012", "--name", "Herford")
    await service.put_home("a")
    by_hand = AssignByHand(home_id="a", municipality="05754")
    await service.state.deployment.writer.submit([by_hand])
    await service.put_home("b", municipality="05758012")
    _, page = await get(service, "/?include_full=true")
    assert "Kreis Gütersloh (1)" in page
    assert "Herford (1)" in page
    _, page = await get(service, "/?municipality=05754&include_full=true")
    assert "Kreis Gütersloh (1)" in text(page, r"<form.*?</form>")
