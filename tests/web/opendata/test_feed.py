"""The split feed: what seldom changes keeps its tag while places come and go."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Service
from tests.web.opendata.conftest import BASE, fetch
from web.opendata import pages
from web.opendata.feed import HOMES, INDEX, STATUS


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOMES", "STATUS", "INDEX"):
        monkeypatch.setattr(pages, name, replace(getattr(pages, name), seconds=0))


async def read(service: Service, path: str) -> tuple[dict[str, Any], str]:
    """What the file says, and its tag."""
    status, body, headers = await fetch(service, path)
    assert status == 200
    return json.loads(body), headers["ETag"]


async def test_the_index_leads_to_both(region: Service) -> None:
    index, _ = await read(region, INDEX.path)
    feeds = {feed["name"]: feed["url"] for feed in index["data"]["feeds"]}
    assert feeds == {"homes": BASE + HOMES.path, "status": BASE + STATUS.path}


async def test_every_file_says_how_old_it_may_get(region: Service) -> None:
    for document in (INDEX, HOMES, STATUS):
        found, _ = await read(region, document.path)
        assert list(found)[:3] == ["last_updated", "ttl", "version"]
        assert (found["ttl"], found["version"]) == (document.seconds, "1.0")
        updated = datetime.fromisoformat(found["last_updated"])
        assert updated.tzinfo == UTC
        assert abs((datetime.now(UTC) - updated).total_seconds()) < 60
        assert found["licence"] == "https://www.govdata.de/dl-de/by-2-0"
        assert found["attribution"] == 'Kreis "Muster\\stadt"'


async def test_the_halves_make_a_whole(region: Service) -> None:
    homes = (await read(region, HOMES.path))[0]["data"]["homes"]
    status = (await read(region, STATUS.path))[0]["data"]["status"]
    assert [home["id"] for home in homes] == [home["id"] for home in status] == ["a", "b", "full"]
    assert set(homes[0]) & set(status[0]) == {"id"}
    _, feature, _ = await region.call("GET", "/api/v1/homes/b")
    whole = {**homes[1], **status[1]}
    for name, value in feature["properties"].items():
        if name not in ("status", "merged_into"):  # all are open
            assert whole[name] == value, name
    longitude, latitude = feature["geometry"]["coordinates"]
    assert (whole["latitude"], whole["longitude"]) == (latitude, longitude)


async def test_the_static_half_stays_while_places_change(region: Service) -> None:
    _, homes = await read(region, HOMES.path)
    _, status = await read(region, STATUS.path)
    await region.report("b", {"count": 1})
    await region.report("a", {"count": 4})
    later, homes_later = await read(region, HOMES.path)
    _, status_later = await read(region, STATUS.path)
    assert homes_later == homes
    assert status_later != status
    assert (await fetch(region, HOMES.path, **{"If-None-Match": homes}))[0] == 304
    await region.put_home("a", name="Haus Anna")
    renamed, homes_renamed = await read(region, HOMES.path)
    assert homes_renamed != homes
    assert renamed["data"]["homes"][0]["name"] == "Haus Anna"
    assert later["data"]["homes"][0]["name"] == "Haus a"
