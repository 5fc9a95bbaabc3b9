"""`freiplatz federation` as it is called."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Service, fresh_database, served
from tests.flow.liar import Write, lying
from tests.flow.neighbours import watching
from tests.waiting import until
from vacancies.config import Settings
from vacancies.servers import Servers
from web.__main__ import main


@pytest.fixture
def deployed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))


@pytest.fixture
async def neighbour(servers: Servers, template: str, settings: Settings) -> AsyncIterator[Service]:
    async with (
        fresh_database(servers, template) as url,
        served(replace(settings, database_url=url)) as service,
    ):
        yield service


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["federation", *arguments])


async def test_add_list_check_and_remove(
    deployed: None, service: Service, neighbour: Service
) -> None:
    await neighbour.put_home("anna")
    assert "Nobody is followed yet" in (await invoke("list")).stdout
    assert (await invoke("check")).exit_code == 0
    address = neighbour.url.replace("127.0.0.1", "localhost")
    done = await invoke("add", f"{address}/", "--name", "Kreis Herford")
    assert done.exit_code == 0, done.output
    assert f"kreis-herford is followed from now on: {neighbour.url}, 1 home." in done.stdout
    assert "https://www.govdata.de/dl-de/by-2-0" in done.stdout

    async with watching(service) as viewer:
        await viewer.until(lambda: "kreis-herford/anna" in viewer.table)

        async def is_heard() -> bool:
            return (await invoke("check")).exit_code == 0

        await until(is_heard)
        assert (await invoke("check")).stdout == "All are heard: 1.\n"
        (found,) = json.loads((await invoke("list", "--json")).stdout)
        assert (found["slug"], found["homes"], found["duplicates"]) == ("kreis-herford", 1, 0)
        assert (found["trouble"], found["is_silent"]) == ("", False)
        listed = (await invoke("list")).stdout
        assert "1 home shown, last heard 20" in listed

        twice = await invoke("add", neighbour.url, "--name", "Another")
        assert twice.exit_code == 1
        assert "is followed already" in twice.stderr
        gone = await invoke("remove", "kreis-herford", "--yes")
        assert gone.stdout == "1 home of kreis-herford are gone.\n"
        await viewer.until(lambda: "kreis-herford/anna" not in viewer.table)
    unknown = await invoke("remove", "kreis-herford", "--yes")
    assert unknown.exit_code == 1
    assert "There is no neighbour 'kreis-herford'" in unknown.stderr
    again = await invoke("add", neighbour.url, "--name", "Kreis Herford")
    assert again.exit_code == 0, again.output
    async with watching(service) as viewer:
        await viewer.until(lambda: "kreis-herford/anna" in viewer.table)


async def test_a_neighbour_that_was_never_heard_is_no_good_sign(
    deployed: None, neighbour: Service
) -> None:
    assert (await invoke("add", neighbour.url)).exit_code == 0
    found = await invoke("check")
    assert found.exit_code == 1
    assert "never heard" in found.stdout


async def test_this_deployment_is_no_neighbour(deployed: None, service: Service) -> None:
    found = await invoke("add", service.url)
    assert found.exit_code == 1
    assert "is this deployment itself" in found.stderr


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        ("200 OK", "<h1>Welcome</h1>", "is no Freiplatz (status 200)"),
        ("200 OK", '{"type":"FeatureCollection"}', "is no Freiplatz (status 200)"),
        ("200 OK", "[" * 100_000, "is no Freiplatz (status 200)"),
        ("200 OK", "x" * 2_000_000, "is no Freiplatz (status 200)"),
        ("404 No", "", "is no Freiplatz (status 404)"),
        ("301 There\r\nLocation: http://127.0.0.1:1/", "", "add that"),
        ("400 No", '{"code":"invalid_parameter"}', "older Freiplatz"),
    ],
)
async def test_what_is_no_freiplatz_is_refused(
    deployed: None, head: str, body: str, said: str
) -> None:
    async def answer(write: Write) -> None:
        length = f"Content-Length: {len(body)}\r\n\r\n"
        await write(f"HTTP/1.1 {head}\r\n{length}{body}".encode())

    async with lying(answer) as url:
        found = await invoke("add", url)
    assert found.exit_code == 1
    assert said in found.stderr
    assert json.loads((await invoke("list", "--json")).stdout) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://neighbour.example", "must begin with https://"),
        ("https://10.0.0.1", "not on the public internet"),
        ("https://user:secret@neighbour.example", "name and password"),
        ("https://neighbour.example:22", "port must be 443 or 8443"),
        ("ftp://neighbour.example", "must begin with https://"),
        ("", "must be a whole name"),
        ("https://[", "not an address"),
        ("http://127.0.0.1:1", "Nobody answers at http://127.0.0.1:1 (connection)"),
    ],
)
async def test_addresses_that_cannot_be_called(deployed: None, url: str, said: str) -> None:
    found = await invoke("add", url)
    assert found.exit_code == 1, found.output
    assert said in found.stderr
