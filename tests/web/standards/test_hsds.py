"""HSDS 3.1: every answer against a JSON Schema of our own (`hsds_schema.py` says why)."""

from __future__ import annotations

import copy
from typing import Any
from uuid import UUID

import jsonschema_rs

from tests.conftest import Service
from tests.web.standards.hsds_schema import PAGE, SERVICE
from tests.web.standards.region import BASE, LICENCE, OPEN, get

PAGES = jsonschema_rs.Draft202012Validator(PAGE, validate_formats=True)
SERVICES = jsonschema_rs.Draft202012Validator(SERVICE, validate_formats=True)


async def page(service: Service, query: str = "") -> dict[str, Any]:
    status, body, headers = await get(service, f"/hsds/services{query}")
    assert (status, headers["Content-Type"]) == (200, "application/json"), body
    PAGES.validate(body)
    return dict(body)


async def services(service: Service, query: str = "") -> dict[str, dict[str, Any]]:
    """By home and care form: `a-free/short_term`."""
    return {name_of(found): found for found in (await page(service, query))["contents"]}


def name_of(found: dict[str, Any]) -> str:
    home = found["service_at_locations"][0]["location"]["external_identifier"]
    terms = [a["taxonomy_term"] for a in found["attributes"] if "taxonomy_term" in a]
    forms = [term["code"] for term in terms if term["taxonomy"].endswith("/care-form")]
    return "/".join([home, *forms])


async def test_a_report_flows_into_the_capacity(service: Service) -> None:
    await service.put_home("1", capacity={"long_term": 40})
    assert "capacities" not in (await services(service))["1/long_term"]
    said = (await service.report("1", {"count": 3}))["properties"]
    found = (await services(service))["1/long_term"]
    (capacity,) = found["capacities"]
    assert (capacity["available"], capacity["maximum"]) == (3, 40)
    assert capacity["unit"]["name"] == "Platz"
    assert capacity["updated"] == said["observed_at"][:23] + "Z"
    status, one, headers = await get(service, f"/hsds/services/{found['id']}")
    assert (status, one) == (200, found)
    assert headers["ETag"].startswith('W/"')


async def test_every_state_is_said_honestly(region: Service) -> None:
    found = await services(region)
    places = {
        name: service["capacities"][0]["available"] if "capacities" in service else None
        for name, service in found.items()
    }
    assert places == {
        "a-free/long_term": 3,
        "a-free/short_term": 1,
        "b_full~1/day": 0,
        "c-silent": None,
        "d-stopped/long_term": 0,
        "e-stale/hospice": None,
        "f" * 64 + "/assisted_living": 4,
        "g.day/night": 1,
        "h-small/long_term": 1,
    }
    assert {name.partition("/")[0] for name in places} == set(OPEN)
    assert found["d-stopped/long_term"]["alert"].startswith("Aufnahmestopp: ")
    assert "Zi. 7" not in str(found["h-small/long_term"])


async def test_a_service_is_told_in_full(region: Service) -> None:
    found = (await services(region))["a-free/long_term"]
    location = found["service_at_locations"][0]["location"]
    assert (location["latitude"], location["longitude"]) == (51.9, 8.38)
    address = location["addresses"][0]
    assert (address["city"], address["state_province"]) == ("Gütersloh", "Nordrhein-Westfalen")
    assert found["phones"][0]["number"] == "05241 12345"
    assert found["organization"]["name"] == "caritas-musterstadt"
    assert [language["code"] for language in found["languages"]] == ["gsg", "tr"]
    assert sum(cost["amount"] for cost in found["cost_options"]) == 2980.5
    assert "cost_options" not in (await services(region))["a-free/short_term"]


async def test_licence_and_attribution_stand_everywhere(region: Service) -> None:
    body = await page(region)
    assert (body["license"], body["attribution"]) == (LICENCE, BASE)
    for found in body["contents"]:
        labels = {a["label"]: a["value"] for a in found["attributes"] if "label" in a}
        assert (labels["license"], labels["attribution"]) == (LICENCE, BASE)
    _, about, headers = await get(region, "/hsds/")
    assert (about["version"], about["license"]) == ("3.1", LICENCE)
    assert {"profile", "openapi_url", "attribution"} <= set(about)
    assert f'<{LICENCE}>; rel="license"' in headers.getall("Link")
    assert headers["Access-Control-Allow-Origin"] == "*"


async def test_ids_are_uuids_and_stay(region: Service) -> None:
    first = await services(region)
    ids = [UUID(found["id"]) for found in first.values()]
    assert len(set(ids)) == len(ids)
    assert {each.version for each in ids} == {5}
    await region.report("a-free", {"count": 7})
    _, elsewhere, _ = await get(region, "/hsds/services", Host="evil.test")
    assert [found["id"] for found in elsewhere["contents"]] == list(map(str, ids))
    assert {n: s["id"] for n, s in (await services(region)).items()} == {
        n: s["id"] for n, s in first.items()
    }


async def test_pages_lose_and_repeat_nothing(region: Service) -> None:
    whole = [found["id"] for found in (await page(region))["contents"]]
    seen = []
    for number in range(1, 6):
        body = await page(region, f"?page={number}&per_page=2")
        assert (body["total_items"], body["total_pages"], body["page_number"]) == (9, 5, number)
        assert (body["first_page"], body["last_page"]) == (number == 1, number == 5)
        assert (body["size"], body["empty"]) == (len(body["contents"]), False)
        seen += [found["id"] for found in body["contents"]]
    assert seen == whole
    behind = await page(region, "?page=6&per_page=2")
    assert (behind["contents"], behind["empty"], behind["last_page"]) == ([], True, True)


async def test_what_is_known_is_not_sent_again(region: Service) -> None:
    _, _, headers = await get(region, "/hsds/services")
    known = {"If-None-Match": headers["ETag"]}
    assert (await get(region, "/hsds/services", **known))[0] == 304
    assert (await get(region, "/hsds/services?page=2", **known))[0] == 200
    await region.report("a-free", {"count": 9})
    assert (await get(region, "/hsds/services", **known))[0] == 200


async def test_an_empty_board_is_an_empty_page(service: Service) -> None:
    body = await page(service)
    assert (body["total_items"], body["empty"], body["contents"]) == (0, True, [])


ERRORS = [
    ("/hsds/services?page=0", 400),
    ("/hsds/services?page=x", 400),
    ("/hsds/services?page=1&page=2", 400),
    ("/hsds/services?per_page=0", 400),
    ("/hsds/services?search=haus", 400),
    ("/hsds/services?full=perhaps", 400),
    ("/hsds/services?format=ndjson", 400),
    ("/hsds/services/nonsense", 404),
    ("/hsds/services/00000000-0000-5000-8000-000000000000", 404),
    ("/hsds/organizations", 404),
]


async def test_errors_are_problems(region: Service) -> None:
    home = (await services(region))["c-silent"]["id"]
    other_forms = [(f"/hsds/services/{home[:-2]}{last}", 404) for last in ("01", "08", "ff")]
    other_forms.append((f"/hsds/services/{home[:14]}4{home[15:]}", 404))  # another version
    for path, wanted in [*ERRORS, *other_forms]:
        status, body, headers = await get(region, path)
        assert (status, body["status"]) == (wanted, wanted), path
        assert headers["Content-Type"] == "application/problem+json"
        assert body["code"]
        assert headers["Access-Control-Allow-Origin"] == "*"
    await region.put_home("c-silent", status="closed")
    assert (await get(region, f"/hsds/services/{home}"))[0] == 410
    assert (await get(region, "/hsds/services", Accept="text/csv"))[0] == 406


async def test_the_schema_refuses_what_is_wrong(region: Service) -> None:
    """Else that it takes ours would say nothing."""
    right = (await services(region))["a-free/long_term"]
    assert SERVICES.is_valid(right)
    for path, wrong in (
        ("id", "1"),
        ("status", "open"),
        ("capacities.0.available", None),
        ("capacities.0.updated", "2026-11-27"),
        ("capacities.0.unit", "Platz"),
        ("service_at_locations.0.location.location_type", "care home"),
        ("service_at_locations.0.location.addresses.0.country", "Deutschland"),
        ("capacity", 3),
    ):
        changed = copy.deepcopy(right)
        at: Any = changed
        *way, last = path.split(".")
        for step in way:
            at = at[int(step) if step.isdigit() else step]
        at[last] = wrong
        assert not SERVICES.is_valid(changed), path
