"""Reading over HTTP: search, places, one home, health, the OpenAPI document."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Service, served
from vacancies.config import Basemap, Settings

PROVIDER = "caritas-musterstadt"


@pytest.fixture
async def region(service: Service) -> Service:
    """Ten homes on a line to the north of Gütersloh, 5 km apart, with 0 to 2 free places."""
    for n in range(10):
        await service.put_home(
            f"h{n}",
            coordinates={"latitude": 51.9 + n * 0.045, "longitude": 8.38},
            municipality="05754008" if n < 5 else "05711000",
        )
        if n < 9:  # the last never reports
            await service.report(f"h{n}", {"count": n % 3})
    return service


async def ids(service: Service, query: str) -> list[str]:
    status, body, _ = await service.call("GET", f"/api/v1/vacancies?{query}")
    assert status == 200, body
    return [feature["id"] for feature in body["features"]]


async def test_nearest_first_with_distance(region: Service) -> None:
    status, body, headers = await region.call(
        "GET", "/api/v1/vacancies?near=51.9,8.38&radius_km=22"
    )
    assert status == 200
    assert headers["Content-Type"] == "application/geo+json"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert [feature["id"] for feature in body["features"]] == ["h1", "h2", "h4"]
    assert body["features"][0]["geometry"]["coordinates"] == [8.38, 51.945]
    assert body["features"][0]["properties"]["distance_km"] == pytest.approx(5.007, abs=0.01)
    assert (body["total"], body["next"], body["free_total"]) == (3, None, {"long_term": 4})


async def test_areas(region: Service) -> None:
    assert await ids(region, "near=51.9,8.38&near=52.3,8.38&radius_km=10") == ["h8", "h1", "h7"]
    assert await ids(region, "bbox=8,52,9,53") == ["h4", "h5", "h7", "h8"]
    assert await ids(region, "bbox=8,52,9,53&near=52.3,8.38") == ["h8", "h7", "h5", "h4"]
    assert len(await ids(region, "")) == 6
    assert await ids(region, "place=33330%20G%C3%BCtersloh&radius_km=6") == ["h1"]
    assert await ids(region, "municipality=05711") == ["h5", "h7", "h8"]


async def test_full_and_unknown_homes_appear_only_when_asked_for(region: Service) -> None:
    _status, body, _ = await region.call("GET", "/api/v1/vacancies?include_full=true")
    states = {
        f["id"]: (f["properties"]["freshness"], f["properties"]["free"]) for f in body["features"]
    }
    assert len(states) == 10
    assert states["h0"] == ("fresh", {})
    assert states["h9"] == ("unknown", {})


async def test_pages_hold_everything_once(region: Service) -> None:
    for query in ("include_full=1", "include_full=1&near=52,8.4&radius_km=200"):
        seen: list[str] = []
        cursor = ""
        while True:
            status, body, headers = await region.call(
                "GET", f"/api/v1/vacancies?{query}&limit=3&cursor={cursor}"
            )
            assert status == 200
            seen += [feature["id"] for feature in body["features"]]
            cursor = body["next"]
            assert ("Link" in headers) == (cursor is not None)
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 10
    status, problem, _ = await region.call("GET", "/api/v1/vacancies?limit=3&cursor=bm90IG1pbmU")
    assert (status, problem["code"], problem["field"]) == (400, "invalid_parameter", "cursor")


async def test_pages_miss_nothing_when_a_home_is_renamed_or_goes_in_between(
    service: Service,
) -> None:
    """All at one point, so that only the names decide the order."""
    for name in "ABCDEF":
        await service.put_home(name.lower(), name=name)
        await service.report(name.lower(), {"count": 1})
    for near in ("", "near=51.9,8.38&"):
        for change in ({"name": "E2"}, {"name": "B", "status": "closed"}):
            await service.put_home("b", name="B", status="open")
            _, first, _ = await service.call("GET", f"/api/v1/vacancies?{near}limit=2")
            await service.put_home("b", **change)
            _, rest, _ = await service.call(
                "GET", f"/api/v1/vacancies?{near}limit=500&cursor={first['next']}"
            )
            assert [f["id"] for f in first["features"]] == ["a", "b"]
            assert {f["id"] for f in rest["features"]} >= set("cdef")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("near=51.9", "near"),
        ("near=98.38,51.9", "near"),
        ("near=nan,1", "near"),
        ("near=٥١,8", "near"),
        ("near=" + "&near=".join(["51,8"] * 6), "near"),
        ("radius_km=0", "radius_km"),
        ("radius_km=201", "radius_km"),
        ("radius_km=1e2", "radius_km"),
        ("bbox=1,2,3", "bbox"),
        ("bbox=1,3,2,2", "bbox"),
        ("care_form=hotel", "care_form"),
        ("sex=x", "sex"),
        ("care_grade=6", "care_grade"),
        ("available_by=2026-02-30", "available_by"),
        ("available_by=20260203", "available_by"),
        ("available_until=2026-02-30&available_by=2026-02-01", "available_until"),
        ("available_until=2026-02-01", "available_until"),
        ("available_until=2026-02-01&available_by=2026-02-02", "available_until"),
        ("nights=3", "nights"),
        ("nights=3&available_by=2026-02-01&available_until=2026-02-03", "nights"),
        ("nights=0&available_by=2026-02-01&available_until=2026-02-03", "nights"),
        ("language=klingon", "language"),
        ("ownership=church", "ownership"),
        ("municipality=5", "municipality"),
        ("max_cost_eur=-1", "max_cost_eur"),
        ("include_full=vielleicht", "include_full"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=1&limit=2", "limit"),
        ("carform=day", "carform"),
    ],
)
async def test_bad_parameters_are_named(service: Service, query: str, field: str) -> None:
    status, problem, headers = await service.call("GET", f"/api/v1/vacancies?{query}")
    assert (status, problem["code"], problem["field"]) == (400, "invalid_parameter", field)
    assert headers["Content-Type"] == "application/problem+json"
    if not query.startswith("limit"):
        status, problem, headers = await service.call("GET", f"/api/v1/vacancies/stream?{query}")
        assert (status, problem["field"]) == (400, field)
        assert headers["Access-Control-Allow-Origin"] == "*"


async def test_a_stream_wants_a_cursor_of_ours(service: Service) -> None:
    status, problem, _ = await service.call("GET", "/api/v1/vacancies/stream?since=yesterday")
    assert (status, problem["field"]) == (400, "since")
    status, problem, _ = await service.call("POST", "/api/v1/vacancies/stream")
    assert (status, problem["code"]) == (405, "method_not_allowed")


async def test_suggestions(service: Service) -> None:
    path = "/api/v1/places/suggest"
    status, found, headers = await service.call("GET", path, params={"q": "gütrsl"})
    assert status == 200
    assert found[0]["label"] == "Gütersloh"
    assert (found[0]["precision"], found[0]["land"]) == ("town", "Nordrhein-Westfalen")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cache-Control"] == "public, max-age=86400"
    _, found, _ = await service.call("GET", path, params={"q": "Neuenkirchen", "limit": "2"})
    assert [place["near_town"] for place in found] == ["Rheine", "Walsrode"]
    assert (await service.call("GET", path, params={"q": "Xqzwtown"}))[1] == []
    for query in ("", "?q=%20", "?q=a&limit=0", "?q=a&limit=21", "?q=a&x=1", "?q=" + 201 * "a"):
        status, problem, _ = await service.call("GET", path + query)
        assert (status, problem["code"]) == (400, "invalid_parameter"), query


async def test_an_unknown_place_names_what_is_nearly_so(service: Service) -> None:
    query = {"place": "Güterslo"}
    status, problem, _ = await service.call("GET", "/api/v1/vacancies", params=query)
    assert (status, problem["code"]) == (404, "unknown_place")
    assert problem["candidates"][0]["label"] == "Gütersloh"
    query = {"place": "Xqzwtown"}
    _, problem, _ = await service.call("GET", "/api/v1/vacancies", params=query)
    assert "candidates" not in problem


async def test_places(service: Service) -> None:
    status, found, _ = await service.call("GET", "/api/v1/places?q=33330")
    assert status == 200
    assert found[0]["precision"] == "postcode"
    assert abs(found[0]["latitude"] - 51.9) < 0.1
    assert (await service.call("GET", "/api/v1/places?q=Xqzwtown"))[1] == []
    for query in ("", "?q=", "?q=" + "x" * 201):
        status, problem, _ = await service.call("GET", f"/api/v1/places{query}")
        assert (status, problem["field"]) == (400, "q")
    status, problem, _ = await service.call("GET", "/api/v1/vacancies?place=Xqzwtown")
    assert (status, problem["code"]) == (404, "unknown_place")
    status, problem, _ = await service.call("GET", "/api/v1/vacancies?place=Neuenkirchen")
    assert (status, problem["code"]) == (422, "ambiguous_place")
    labels = [candidate["label"] for candidate in problem["candidates"]]
    assert len(labels) == len(set(labels)) > 5
    for label in labels:
        status, _, _ = await service.call("GET", "/api/v1/vacancies", params={"place": label})
        assert status == 200, label


async def test_one_home(region: Service) -> None:
    status, home, headers = await region.call("GET", "/api/v1/homes/h1")
    assert (status, home["id"]) == (200, "h1")
    answer = await region.client.get(
        f"{region.url}/api/v1/homes/h1", headers={"If-None-Match": headers["ETag"]}
    )
    assert (answer.status, await answer.read()) == (304, b"")
    assert (await region.call("GET", "/api/v1/homes/nobody"))[1]["code"] == "unknown_home"
    await region.put_home("h1", status="closed")
    status, problem, _ = await region.call("GET", "/api/v1/homes/h1")
    assert (status, problem["code"]) == (410, "home_closed")


async def test_health_and_metrics(region: Service) -> None:
    assert (await region.call("GET", "/healthz"))[0] == 200
    status, ready, _ = await region.call("GET", "/readyz")
    assert status == 200
    assert ready["ready"]
    text = await (await region.client.get(f"{region.url}/metrics")).text()
    assert 'freiplatz_homes{freshness="fresh"} 9.0' in text


async def test_errors_of_the_framework_are_problems_too(service: Service) -> None:
    for method, path, status, code in (
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("DELETE", "/api/v1/vacancies", 405, "method_not_allowed"),
    ):
        found, problem, headers = await service.call(method, path)
        assert (found, problem["code"]) == (status, code)
        assert headers["Content-Type"] == "application/problem+json"


async def test_line_filters(service: Service) -> None:
    await service.put_home(
        "a",
        needs=["mrsa"],
        languages=["tr", "gsg"],
        ownership="nonprofit",
        costs={"care_eur": 900, "training_eur": 0, "board_eur": 800, "investment_eur": 500},
    )
    line: dict[str, Any] = {
        "count": 1,
        "sex": "female",
        "room": "double",
        "care_grades": [3, 4],
        "focuses": ["dementia"],
        "available_from": "2026-12-24",
    }
    # Two lines: no filter may be met by one half of each.
    await service.report(
        "a",
        {**line, "available_from": "2099-12-24"},
        {
            "count": 1,
            "care_form": "day",
            "sex": "male",
            "room": "single",
            "care_grades": [1],
            "focuses": ["young"],
            "available_from": "2099-01-01",
        },
    )
    for query, found in (
        ("sex=female", True),
        ("sex=female&room=double&care_grade=4&focus=dementia&care_form=long_term", True),
        ("sex=any&room=any", True),
        ("sex=male&room=double", False),
        ("care_form=day&care_grade=4", False),
        ("focus=dementia&focus=young", False),
        ("available_by=2099-12-23&care_form=long_term", False),
        ("available_by=2099-12-24&care_form=long_term", True),
        ("care_form=day&care_form=night", True),
        ("language=tr", True),
        ("language=pl&language=gsg", True),
        ("language=pl", False),
        ("ownership=nonprofit&ownership=public", True),
        ("ownership=private", False),
        ("need=mrsa", True),
        ("need=mrsa&need=dialysis", False),
        ("max_cost_eur=2200", True),
        ("max_cost_eur=2199.99", False),
    ):
        assert await ids(service, query) == (["a"] if found else []), query


async def test_a_stay_in_a_window(service: Service) -> None:
    """Fourteen nights in August: a place from the 5th to the 25th has them, whole weeks not."""
    await service.put_home("a", capacity={"short_term": 40})
    window = {"available_from": "2099-08-05", "available_until": "2099-08-25"}
    await service.report("a", {"care_form": "short_term", "count": 1, **window})
    august = "available_by=2099-08-01&available_until=2099-08-31"
    for query, found in (
        (f"{august}&nights=14", True),
        (f"{august}&nights=20", True),  # from the 5th to the 25th
        (f"{august}&nights=21", False),
        (august, False),  # all of August
        ("available_by=2099-08-05&available_until=2099-08-25", True),
        ("available_by=2099-08-04&available_until=2099-08-25", False),
        ("available_by=2099-08-25", True),
        ("available_by=2099-08-20&available_until=2099-09-20&nights=6", False),
        ("available_by=2099-08-20&available_until=2099-09-20&nights=5", True),
    ):
        assert await ids(service, query) == (["a"] if found else []), query


TILES = "https://tiles.example.org/{z}/{x}/{y}.png"


async def test_only_a_configured_tile_server_may_be_asked(settings: Settings) -> None:
    own = replace(settings, basemap=Basemap(address=TILES, attribution="© Somebody"))
    for chosen, allowed in ((settings, "'self' data:;"), (own, "data: https://tiles.example.org;")):
        async with served(chosen) as service:
            async with service.client.get(service.url + "/") as answer:
                policy = answer.headers["Content-Security-Policy"]
                page = await answer.text()
            assert f"{allowed} style-src" in policy
            assert ("\\u00a9 Somebody" in page) == (chosen is own)
