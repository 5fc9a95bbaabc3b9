"""A backup is restored under a service that goes on: whoever watches gets everything anew."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from pyrage import x25519

from tests.conftest import Service
from tests.flow.viewer import Viewer, snapshot
from tests.vacancies.backups.conftest import Make, key, make, restore  # noqa: F401


async def test_viewers_are_reset_and_see_what_the_backup_has(
    service: Service,
    database_url: str,
    make: Make,  # noqa: F811
    key: x25519.Identity,  # noqa: F811
) -> None:
    for home in ("kept", "changed"):
        await service.put_home(home)
        await service.report(home, {"count": 1})
    made = await make(database_url)
    await service.report("changed", {"count": 3})
    await service.put_home("lost")
    await service.report("lost", {"count": 1})

    viewer = Viewer(service.url, {"place": "33330"})
    await viewer.load(service.client)
    watching = asyncio.create_task(viewer.watch(service.client))
    await viewer.until(lambda: viewer.is_ready)
    assert sorted(viewer.table) == ["changed", "kept", "lost"]
    before, viewer.is_ready = viewer.cursor, False

    await restore(made.path, key, database_url, replace=True)
    await viewer.until(lambda: viewer.is_ready)
    assert next(event.name for event in viewer.events if event.name != "heartbeat") == "ready"
    assert [event.name for event in viewer.events].count("reset") == 1
    assert sorted(viewer.table) == ["changed", "kept"]
    assert viewer.table["changed"]["properties"]["free"] == {"long_term": 1}
    fresh, _ = await snapshot(service.client, service.url, viewer.parameters)
    assert viewer.table == fresh

    # Revisions are given out a second time: the cursor of before must not hide that.
    await service.report("kept", {"count": 5})
    await viewer.until(lambda: viewer.table["kept"]["properties"]["free"] == {"long_term": 5})
    late = Viewer(service.url, viewer.parameters, cursor=before)
    await late.watch(service.client, limit=4)
    assert [event.name for event in late.events] == ["reset", "listing", "listing", "ready"]
    assert late.table == viewer.table
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
