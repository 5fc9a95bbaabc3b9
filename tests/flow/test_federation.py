"""Two deployments, each with its own database, follow each other over real sockets."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.auth import create_key
from providers.federation import following
from providers.federation.neighbours import record_removal
from tests.conftest import Service, fresh_database, served
from tests.flow.liar import slowed
from tests.flow.neighbours import (
    follow,
    has_trouble,
    origin,
    places,
    state_of,
    stays_right,
    watching,
)
from tests.flow.program import HOME, REPORT, process, put
from tests.waiting import until
from vacancies.assignment import AssignByHand
from vacancies.command import Command
from vacancies.commands import Amend, Confirm, Report
from vacancies.config import Settings
from vacancies.database import open_pool
from vacancies.errors import ForeignHome
from vacancies.provider import ensure_provider, select_providers
from vacancies.servers import Servers

pytestmark = pytest.mark.usefixtures("impatient")


async def test_what_is_reported_there_is_seen_here(service: Service, herford: Service) -> None:
    await herford.put_home("anna")
    await herford.report("anna", {"count": 2})
    async with watching(service) as viewer:
        await follow(service, herford)
        await viewer.until(lambda: places(viewer, "herford/anna") == {"long_term": 2})
        found = viewer.table["herford/anna"]["properties"]
        assert found["provider"] == "herford/caritas-musterstadt"
        url = f"{herford.url}/homes/anna"
        assert found["origin"] == {"name": "Herford", "url": url, "silent_since": None}

        await herford.report("anna", {"count": 1})
        await viewer.until(lambda: places(viewer, "herford/anna") == {"long_term": 1})
        await herford.put_home("anna", status="closed")
        await viewer.until(lambda: "herford/anna" not in viewer.table)
        await herford.put_home("anna", status="open")
        await viewer.until(lambda: "herford/anna" in viewer.table)

        await record_removal(service.state.deployment.pool, "herford")
        await viewer.until(lambda: "herford/anna" not in viewer.table)


async def test_a_neighbour_that_is_killed_comes_back(
    service: Service,
    servers: Servers,
    template: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "SILENT_SECONDS", 1.0)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_database(servers, template))
        pool = await stack.enter_async_context(await open_pool(url))
        key = await create_key(pool, (await ensure_provider(pool, "Träger")).id)
        given = {"database_url": url, "redis_url": servers.redis_url, "data_dir": str(tmp_path)}
        viewer = await stack.enter_async_context(watching(service))
        async with process(**given) as (address, running, _):
            port = address.rpartition(":")[2]
            assert await put(service.client, address, key, "anna", HOME) == 201
            assert await put(service.client, address, key, "anna/vacancies", REPORT) == 200
            await follow(service, address)
            await viewer.until(lambda: places(viewer, "herford/anna") == {"long_term": 2})
            running.kill()
            await running.wait()
        await viewer.until(lambda: origin(viewer, "herford/anna")["silent_since"] is not None)
        silent = viewer.table["herford/anna"]["properties"]
        assert (silent["freshness"], silent["free"]) == ("ageing", {"long_term": 2})
        await until(lambda: has_trouble(service, "It does not answer, or broke off."))
        await stays_right(service, viewer)

        async with process("--port", port, **given) as (address, _, _):
            await viewer.until(lambda: origin(viewer, "herford/anna")["silent_since"] is None)
            assert viewer.table["herford/anna"]["properties"]["freshness"] == "fresh"
            nothing: dict[str, Any] = {"vacancies": []}
            assert await put(service.client, address, key, "anna/vacancies", nothing) == 200
            await viewer.until(lambda: places(viewer, "herford/anna") == {})
            assert (await state_of(service)).trouble == ""


async def test_a_slow_line_brings_all_in_the_end(service: Service, herford: Service) -> None:
    for home in ("anna", "berta", "clara"):
        await herford.put_home(home)
        await herford.report(home, {"count": 2})
    async with (
        slowed(herford.url, piece=100, pause_seconds=0.01) as url,
        watching(service) as viewer,
    ):
        await follow(service, url)
        await stays_right(service, viewer)
        everything = {"own", "herford/anna", "herford/berta", "herford/clara"}
        await viewer.until(lambda: set(viewer.table) == everything)
        await herford.report("berta", {"count": 1})
        await viewer.until(lambda: places(viewer, "herford/berta") == {"long_term": 1})


async def test_homes_travel_one_border_and_no_further(
    service: Service, herford: Service, servers: Servers, template: str, settings: Settings
) -> None:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_database(servers, template))
        third = await stack.enter_async_context(served(replace(settings, database_url=url)))
        for each, home in ((service, "own"), (herford, "anna"), (third, "third")):
            latitude = 51.9 + 0.1 * len(home)
            await each.put_home(home, coordinates={"latitude": latitude, "longitude": 8.4})
            await each.report(home, {"count": 1})
        await follow(herford, service, "Guetersloh")
        await follow(service, herford, "Herford")
        await follow(third, herford, "Herford")
        here = await stack.enter_async_context(watching(service))
        there = await stack.enter_async_context(watching(herford))
        far = await stack.enter_async_context(watching(third))
        own = await stack.enter_async_context(watching(herford, origin="own"))
        await there.until(lambda: set(there.table) == {"anna", "guetersloh/own"})
        await here.until(lambda: set(here.table) == {"own", "herford/anna"})
        await far.until(lambda: set(far.table) == {"third", "herford/anna"})
        # What is told anew goes the same ways.
        await service.report("own", {"count": 3})
        await there.until(lambda: places(there, "guetersloh/own") == {"long_term": 3})
        await herford.report("anna", {"count": 4})
        for viewer in (here, far):
            await viewer.until(lambda v=viewer: places(v, "herford/anna") == {"long_term": 4})
        await own.until(lambda: places(own, "anna") == {"long_term": 4})
        assert set(own.table) == {"anna"}
        assert {event.data["id"] for event in own.events if "id" in event.data} == {"anna"}
        assert set(here.table) == {"own", "herford/anna"}
        assert set(far.table) == {"third", "herford/anna"}


@pytest.mark.parametrize(
    "path",
    [
        "/opendata/vacancies.geojson",
        "/opendata/vacancies.csv",
        "/opendata/live/homes.json",
        "/opendata/live/status.json",
        "/fhir/Location",
        "/fhir/HealthcareService",
        "/hsds/services",
        "/ngsi-ld/v1/entities?type=CareHome",
        "/api/v1/vacancies?include_full=true&origin=own",
        "/api/v1/vacancies?near=51.9,8.38&origin=own",
        "/api/v1/vacancies/points?origin=own",
    ],
)
async def test_homes_of_neighbours_are_in_no_export(
    service: Service, herford: Service, path: str
) -> None:
    await service.put_home("own", name="Haus Eigen")
    await service.report("own", {"count": 1})
    await herford.put_home("anna", name="Haus Fremd")
    await herford.report("anna", {"count": 1})
    async with watching(service) as viewer:
        await follow(service, herford)
        await viewer.until(lambda: "herford/anna" in viewer.table)
    async with service.client.get(service.url + path) as answer:
        text = await answer.text()
        assert answer.status == 200, text
    assert "Haus Eigen" in text or '"own"' in text
    assert "Fremd" not in text
    assert "anna" not in text


async def test_a_home_on_both_lists_is_shown_once(service: Service, herford: Service) -> None:
    place = {"street": "Hauptstr. 5", "postcode": "33330", "city": "Gütersloh"}
    near = {"latitude": 51.9, "longitude": 8.38}
    await herford.put_home("anna", name="St. Anna Haus", address=place, coordinates=near)
    await herford.report("anna", {"count": 5})
    await herford.put_home("berta", name="Haus Berta", coordinates=near)
    async with watching(service) as viewer:
        await follow(service, herford)
        await viewer.until(lambda: {"herford/anna", "herford/berta"} <= set(viewer.table))
        there = {**place, "street": "Hauptstraße 5"}
        await service.put_home("own", name="Haus St. Anna", address=there, coordinates=near)
        await viewer.until(lambda: "herford/anna" not in viewer.table)
        assert set(viewer.table) == {"own", "herford/berta"}
        state = await state_of(service)
        assert (state.homes, state.duplicates) == (1, 1)
        status, body, _ = await service.call("GET", "/api/v1/homes/herford/anna")
        assert (status, body["merged_into"]) == (410, "own")
        # It stays so when the neighbour tells of it again, until ours is no more.
        await herford.report("anna", {"count": 6})
        await herford.report("berta", {"count": 1})
        await viewer.until(lambda: places(viewer, "herford/berta") == {"long_term": 1})
        assert "herford/anna" not in viewer.table
        await service.put_home("own", name="Haus St. Anna", status="closed", coordinates=near)
        await viewer.until(lambda: places(viewer, "herford/anna") == {"long_term": 6})


async def test_one_process_follows_and_another_takes_over(
    settings: Settings, herford: Service
) -> None:
    await herford.put_home("anna")
    async with served(settings) as second:
        async with served(settings) as first:
            await follow(first, herford)
            async with watching(second) as viewer:
                await viewer.until(lambda: "herford/anna" in viewer.table)
            await until(lambda: len(herford.state.audience) == 1)
        async with watching(second) as viewer:
            await herford.report("anna", {"count": 2})
            await viewer.until(lambda: places(viewer, "herford/anna") == {"long_term": 2})
        await until(lambda: len(herford.state.audience) == 1)


async def test_nobody_here_reports_for_a_neighbour(service: Service, herford: Service) -> None:
    await herford.put_home("anna")
    await herford.report("anna", {"count": 2})
    async with watching(service) as viewer:
        await follow(service, herford)
        await viewer.until(lambda: places(viewer, "herford/anna") == {"long_term": 2})
        lines = {"vacancies": [{"care_form": "long_term", "count": 9}]}
        for path in ("herford/anna", "herford%2Fanna"):
            status, _, _ = await service.call(
                "PUT", f"/api/v1/homes/{path}/vacancies", lines, provider="herford/caritas"
            )
            assert status == 404
        rows = {"reports": [{"home_id": "herford/anna", **lines}]}
        _, body, _ = await service.call("POST", "/api/v1/reports", rows, provider="x")
        assert body["results"][0]["status"] == 422
        home_id, writer = "herford/anna", service.state.deployment.writer
        commands: list[Command] = [
            Report(home_id=home_id, vacancies=()),
            Confirm(home_id=home_id),
            Amend(home_id=home_id, changes={"name": "x"}),
            AssignByHand(home_id=home_id, municipality="05754008"),
        ]
        for outcome in (await writer.submit(commands)).outcomes:
            assert isinstance(outcome.error, ForeignHome)
        slugs = [each.slug for each in await select_providers(service.state.deployment.pool)]
        assert not [slug for slug in slugs if "/" in slug]
        assert places(viewer, "herford/anna") == {"long_term": 2}
