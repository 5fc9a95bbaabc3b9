"""The main job: a home reports, and every matching viewer sees it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.conftest import Service
from tests.flow.viewer import Viewer, snapshot


async def test_a_push_reaches_the_viewers_whom_it_concerns(service: Service) -> None:
    await service.put_home("near", coordinates={"latitude": 51.9, "longitude": 8.38})
    await service.put_home("far", coordinates={"latitude": 48.1, "longitude": 11.6})
    viewer = Viewer(service.url, {"near": "51.95,8.4", "care_form": "short_term"})
    await viewer.load(service.client)
    assert viewer.table == {}
    watching = asyncio.create_task(viewer.watch(service.client))
    await viewer.until(lambda: viewer.is_ready)

    await service.report("far", {"care_form": "short_term", "count": 1})
    await service.report("near", {"care_form": "long_term", "count": 1})
    await service.report("near", {"care_form": "short_term", "count": 2})
    await viewer.until(lambda: "near" in viewer.table)
    assert viewer.table["near"]["properties"]["free"] == {"short_term": 2}
    fresh, _ = await snapshot(service.client, service.url, viewer.parameters)
    assert viewer.table == fresh

    await service.report("near")
    await viewer.until(lambda: "near" not in viewer.table)
    assert [event.name for event in viewer.events] == ["ready", "listing", "gone"]
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_a_viewer_that_was_away_gets_only_what_changed(service: Service) -> None:
    for home in ("a", "b", "c"):
        await service.put_home(home)
        await service.report(home, {"count": 1})
    viewer = Viewer(service.url, {"place": "33330 Gütersloh"})
    await viewer.watch(service.client, limit=4)
    assert [event.name for event in viewer.events] == ["listing"] * 3 + ["ready"]
    assert sorted(viewer.table) == ["a", "b", "c"]

    await service.report("b")
    await service.report("c", {"count": 3})
    viewer.events.clear()
    await viewer.watch(service.client, limit=3)
    assert [event.name for event in viewer.events] == ["gone", "listing", "ready"]
    assert viewer.table["c"]["properties"]["free"] == {"long_term": 3}
    assert sorted(viewer.table) == ["a", "c"]


async def test_a_home_that_moved_away_is_gone_for_who_resumes(service: Service) -> None:
    await service.put_home("a")
    await service.report("a", {"count": 1})
    viewer = Viewer(service.url, {"near": "51.9,8.38", "radius_km": "5"})
    await viewer.load(service.client)
    assert list(viewer.table) == ["a"]
    await service.put_home("a", coordinates={"latitude": 53.5, "longitude": 10.0})
    await viewer.watch(service.client, limit=2)
    assert [event.name for event in viewer.events] == ["gone", "ready"]
    assert viewer.table == {}


async def test_an_unknown_epoch_or_another_search_resets(service: Service) -> None:
    await service.put_home("a")
    await service.report("a", {"count": 1})
    viewer = Viewer(service.url, {"near": "51.9,8.38"})
    await viewer.load(service.client)
    assert viewer.cursor is not None
    fingerprint, epoch, revision = viewer.cursor.split("-")
    for cursor in (
        f"{fingerprint}-{'0' * 12}-{revision}",
        f"{'0' * 10}-{epoch}-{revision}",
        f"{fingerprint}-{epoch}-{int(revision) + 10}",
        "no cursor at all",
    ):
        viewer.cursor = cursor
        viewer.events.clear()
        await viewer.watch(service.client, limit=3)
        assert [event.name for event in viewer.events] == ["reset", "listing", "ready"]
        assert list(viewer.table) == ["a"]


async def test_a_closed_home_is_gone(service: Service) -> None:
    await service.put_home("a")
    await service.report("a", {"count": 1})
    viewer = Viewer(service.url, {})
    await viewer.load(service.client)
    await service.put_home("a", status="closed")
    await viewer.watch(service.client, limit=2)
    assert [event.name for event in viewer.events] == ["gone", "ready"]
    status, problem, _ = await service.call(
        "PUT", "/api/v1/homes/a/vacancies", {"vacancies": []}, provider="caritas-musterstadt"
    )
    assert (status, problem["code"]) == (409, "home_closed")
