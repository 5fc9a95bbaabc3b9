"""Two deployments, each with its own database, and what tests ask of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

from providers.federation.events import Event
from providers.federation.intake import Intake
from providers.federation.neighbours import (
    State,
    record_neighbour,
    select_neighbour,
    select_states,
)
from tests.conftest import Service
from tests.flow.liar import feature
from tests.flow.viewer import Viewer
from vacancies.deployment import Deployment

EVERYTHING = {"include_full": "true"}


async def follow(service: Service, other: Service | str, name: str = "Herford") -> None:
    url = other if isinstance(other, str) else other.url
    pool = service.state.deployment.pool
    assert await record_neighbour(pool, name.lower(), name, url, "", "")


async def state_of(service: Service) -> State:
    (found,) = await select_states(service.state.deployment.pool)
    return found


async def has_trouble(service: Service, text: str | tuple[str, ...]) -> bool:
    trouble = (await state_of(service)).trouble
    return trouble in ((text,) if isinstance(text, str) else text)


@asynccontextmanager
async def watching(service: Service, **parameters: Any) -> AsyncIterator[Viewer]:
    """A viewer of all homes."""
    viewer = Viewer(service.url, {**EVERYTHING, **parameters})
    task = asyncio.create_task(viewer.watch(service.client))
    await viewer.until(lambda: viewer.is_ready)
    yield viewer
    task.cancel()
    with suppress(asyncio.CancelledError, aiohttp.ClientError):
        await task


def places(viewer: Viewer, home_id: str) -> Any:
    return viewer.table[home_id]["properties"]["free"] if home_id in viewer.table else None


def origin(viewer: Viewer, home_id: str) -> Any:
    return viewer.table[home_id]["properties"]["origin"]


async def stays_right(service: Service, viewer: Viewer) -> None:
    """A home of ours reports, and whoever watches sees it."""
    await service.put_home("own")
    for count in (1, 2, 3):
        await service.report("own", {"count": count})
        await viewer.until(lambda n=count: places(viewer, "own") == {"long_term": n})


async def adopt(deployment: Deployment, slug: str, home_id: str, **changes: Any) -> None:
    """Take a home over as that neighbour, which was added, would tell it."""
    neighbour = await select_neighbour(deployment.pool, slug)
    assert neighbour is not None
    intake = Intake(neighbour, deployment.pool, deployment.writer, lambda: True)
    await intake.begin()
    told = Event("", "listing", json.dumps(feature(home_id, **changes)).encode())
    await intake.take([told])
    assert intake.take_refused() == (0, "")
