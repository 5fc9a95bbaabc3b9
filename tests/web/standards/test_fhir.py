"""FHIR: every resource is read by `fhir.resources` (R4B), a library that is not ours.

R4B differs from R4 in no element of the resources that are used here.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.healthcareservice import HealthcareService
from fhir.resources.R4B.location import Location
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.structuredefinition import StructureDefinition
from pydantic import ValidationError

from tests.conftest import Service
from tests.web.standards.region import BASE, LICENCE, OPEN, get
from vacancies.assignment import AssignByHand

FHIR_JSON = "application/fhir+json"
CLASSES: dict[str, Any] = {"Location": Location, "HealthcareService": HealthcareService}


async def bundle(service: Service, path: str) -> dict[str, Any]:
    """A search that the library takes, with every resource in it."""
    status, body, headers = await get(service, path)
    assert (status, headers["Content-Type"]) == (200, FHIR_JSON), body
    Bundle.model_validate(body)
    for entry in body.get("entry", []):
        CLASSES[entry["resource"]["resourceType"]].model_validate(entry["resource"])
    return dict(body)


async def resources(service: Service, path: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in (await bundle(service, path)).get("entry", [])]


async def names(service: Service, path: str) -> list[str]:
    """Our own ids, from Locations; from HealthcareServices the reference and the care form."""
    found = []
    for resource in await resources(service, path):
        if resource["resourceType"] == "Location":
            found.append(resource["identifier"][0]["value"])
        else:
            form = resource["type"][0]["coding"][0]["code"]
            found.append(f"{resource['location'][0]['display']}/{form}")
    return found


def availability(resource: dict[str, Any]) -> dict[str, Any]:
    """The parts of our extension by name; of lines the last."""
    (found,) = [e for e in resource["extension"] if e["url"].endswith("/availability")]
    parts: dict[str, Any] = {}
    for part in found["extension"]:
        (kind,) = set(part) - {"url"}
        parts[part["url"]] = part[kind]
    return parts


# ---- what is said ----


async def test_a_report_flows_into_the_resources(service: Service) -> None:
    await service.put_home("1", capacity={"long_term": 40})
    before = (await resources(service, "/fhir/HealthcareService"))[0]
    assert availability(before) == {"licensed": 40, "freshness": "unknown"}
    report = await service.report("1", {"count": 3})
    (after,) = await resources(service, "/fhir/HealthcareService")
    found, said = availability(after), report["properties"]
    assert (found["free"], found["freshness"]) == (3, "fresh")
    assert found["observedAt"] == said["observed_at"]
    assert after["meta"]["versionId"] == str(said["revision"])
    assert after["meta"]["lastUpdated"] == said["observed_at"]
    (location,) = await resources(service, "/fhir/Location")
    assert availability(location)["free"] == 3
    _, one, headers = await get(service, f"/fhir/HealthcareService/{after['id']}")
    assert one == after
    assert headers["ETag"] == f'W/"{said["revision"]}"'


async def test_every_state_is_said_honestly(region: Service) -> None:
    found = {
        r["identifier"][0]["value"]: availability(r)
        for r in await resources(region, "/fhir/Location")
    }
    assert tuple(found) == OPEN
    assert found["a-free"]["free"] == 4
    assert found["b_full~1"]["free"] == 0
    assert found["c-silent"] == {"freshness": "unknown"}
    assert (found["d-stopped"]["free"], found["d-stopped"]["admissionStop"]) == (0, "infection")
    assert "free" not in found["e-stale"]
    assert found["e-stale"]["observedAt"] == "2026-01-01T12:00:00Z"


async def test_a_location_has_what_the_public_sees(region: Service) -> None:
    (home,) = await resources(region, "/fhir/Location?_id=a-free")
    assert home["name"] == 'Haus "Ährenfeld" <b>am Park</b>'
    assert home["position"] == {"latitude": 51.9, "longitude": 8.38}
    assert home["address"]["line"] == ["Parkstr. 1"]
    municipality = home["address"]["_city"]["extension"][0]["valueCoding"]
    assert municipality == {"system": "http://fhir.de/sid/destatis/ags", "code": "05754008"}
    assert [point["system"] for point in home["telecom"]] == ["phone", "email", "url"]
    assert home["managingOrganization"] == {"display": "caritas-musterstadt"}


async def test_a_service_for_each_care_form_that_a_home_has(region: Service) -> None:
    found = await resources(region, "/fhir/HealthcareService?location=Location/a-free")
    assert [r["type"][0]["coding"][0]["code"] for r in found] == ["long_term", "short_term"]
    assert [availability(r)["free"] for r in found] == [3, 1]
    assert found[0]["type"][0]["text"] == "Dauerpflege"
    line = {part["url"]: part for part in availability(found[0])["line"]}
    assert line["sex"]["valueCode"] == "female"
    assert [c["coding"][0]["code"] for c in found[0]["characteristic"]] == [
        "dementia",
        "couples",
        "mrsa",
    ]
    assert await names(region, "/fhir/HealthcareService?location=c-silent") == []


async def test_a_small_home_is_coarse_here_too(region: Service) -> None:
    (found,) = await resources(region, "/fhir/HealthcareService?location=h-small")
    line = {part["url"]: part for part in availability(found)["line"]}
    assert (line["sex"]["valueCode"], line["room"]["valueCode"]) == ("any", "any")
    assert "Zi. 7" not in str(found)


async def test_licence_and_attribution_stand_everywhere(region: Service) -> None:
    body = await bundle(region, "/fhir/Location")
    for tags in (body["meta"]["tag"], *(e["resource"]["meta"]["tag"] for e in body["entry"])):
        assert (tags[0]["code"], tags[0]["display"]) == ("dl-de/by-2-0", LICENCE)
        assert tags[1]["display"] == BASE
    _, _, headers = await get(region, "/fhir/Location")
    assert headers.getall("Link") == [f'<{LICENCE}>; rel="license"']
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert re.fullmatch(r"public, max-age=\d", headers["Cache-Control"])


async def test_the_library_refuses_what_is_wrong(region: Service) -> None:
    """Else that it takes ours would say nothing."""
    (home,) = await resources(region, "/fhir/Location?_id=a-free")
    for wrong in ({"id": "a_b"}, {"position": {"latitude": "north"}}, {"places": 3}, {"name": ""}):
        with pytest.raises(ValidationError):
            Location.model_validate({**home, **wrong})
    with pytest.raises(ValidationError):
        Bundle.model_validate({"resourceType": "Bundle", "total": 1})


# ---- searching ----


LOCATIONS = [
    ("name=haus", [OPEN[0], OPEN[2], OPEN[3], OPEN[4], OPEN[5], OPEN[6], OPEN[7]]),
    ("name=haus ohne,tages", [OPEN[1], OPEN[2]]),
    ("name:contains=ohne", [OPEN[2]]),
    ("name:exact=tagespflege süd", []),
    ("name:exact=Tagespflege Süd", [OPEN[1]]),
    ("_id=a-free,d-stopped,nobody", [OPEN[0], OPEN[3]]),
    ("near=48.1|11.5|5|km", [OPEN[6]]),
    ("near=48.1|11.5|5000|m", [OPEN[6]]),
    ("near=48.1|11.5", [OPEN[6]]),
    ("near=48.1|11.5|20000", list(OPEN)),
    ("name=&_sort=x&unknown=1", list(OPEN)),
    ("name=tages&_count=0", []),
]


async def test_locations_are_found(region: Service) -> None:
    for query, wanted in LOCATIONS:
        assert await names(region, f"/fhir/Location?{query}") == wanted, query


SERVICES = [
    ("service-type=night", ["Haus g.day/night"]),
    ("service-type={system}|night,hospice", ["Haus e-stale/hospice", "Haus g.day/night"]),
    ("service-type=http://other|night", []),
    ("location={url}/fhir/Location/g.day", ["Haus g.day/night"]),
    ("_id=g.day.night,g.day.day,g.day", ["Haus g.day/night"]),
    ("location=h-small&service-type=long_term", ["Haus h-small/long_term"]),
]


async def test_services_are_found(region: Service) -> None:
    for query, wanted in SERVICES:
        asked = query.format(url=BASE, system=f"{BASE}/fhir/CodeSystem/care-form")
        assert await names(region, f"/fhir/HealthcareService?{asked}") == wanted, query


@pytest.mark.parametrize("resource", ["Location", "HealthcareService"])
async def test_pages_lose_and_repeat_nothing(region: Service, resource: str) -> None:
    """Although a home comes and another closes on the way."""
    whole = await names(region, f"/fhir/{resource}")
    address, seen, round_ = f"/fhir/{resource}?_count=2", list[str](), 0
    while address:
        body = await bundle(region, address)
        assert len(body["entry"]) <= 2
        assert "_count=2" in body["link"][0]["url"]
        for entry in body["entry"]:
            _, one, _ = await get(region, entry["fullUrl"])
            assert one == entry["resource"]
        seen += await names(region, address)
        if round_ == 0:
            await region.put_home("A-new", capacity={"day": 3})  # before the cursor
            await region.put_home("a-free", status="closed", name="Ende")
        round_ += 1
        address = next((link["url"] for link in body["link"] if link["relation"] == "next"), "")
    assert seen == whole


async def test_ids_that_fhir_does_not_allow_have_another(region: Service) -> None:
    (home,) = await resources(region, "/fhir/Location?name=tages")
    assert re.fullmatch(r"[0-9a-f-]{36}", home["id"])
    (service,) = await resources(region, f"/fhir/HealthcareService?location={home['id']}")
    assert service["location"][0]["reference"] == f"Location/{home['id']}"
    (long,) = await resources(region, "/fhir/HealthcareService?service-type=assisted_living")
    assert len(long["id"]) == 36
    for path in (f"Location/{home['id']}", f"HealthcareService/{long['id']}"):
        assert (await get(region, f"/fhir/{path}"))[0] == 200
    assert (await get(region, "/fhir/Location/b_full~1"))[0] == 404


async def test_what_is_known_is_not_sent_again(region: Service) -> None:
    for path in ("/fhir/Location?_count=3", "/fhir/Location/a-free"):
        _, _, headers = await get(region, path)
        status, body, again = await get(region, path, **{"If-None-Match": headers["ETag"]})
        assert (status, body, again["ETag"]) == (304, None, headers["ETag"])
        await region.report("a-free", {"count": 9})
        status, _, _ = await get(region, path, **{"If-None-Match": headers["ETag"]})
        assert status == 200


async def test_the_server_describes_itself(region: Service) -> None:
    status, body, headers = await get(region, "/fhir/metadata")
    assert (status, headers["Content-Type"]) == (200, FHIR_JSON)
    CapabilityStatement.model_validate(body)
    assert LICENCE in body["copyright"]
    (home,) = await resources(region, "/fhir/Location?_id=a-free")
    _, definition, _ = await get(region, home["extension"][0]["url"])
    StructureDefinition.model_validate(definition)
    assert definition["url"] == home["extension"][0]["url"]
    described = {e["sliceName"] for e in definition["differential"]["element"] if "sliceName" in e}
    used = {
        part
        for path in ("Location", "HealthcareService")
        for resource in await resources(region, f"/fhir/{path}")
        for part in availability(resource)
    }
    assert used <= described
    for name in ("care-form", "focus", "need"):
        _, system, _ = await get(region, f"/fhir/CodeSystem/{name}")
        CodeSystem.model_validate(system)


# ---- errors ----


ERRORS = [
    ("/fhir/Location/nobody", 404),
    ("/fhir/Location/z-closed", 410),
    ("/fhir/HealthcareService/a-free.day", 404),
    ("/fhir/HealthcareService/z-closed.day", 410),
    ("/fhir/HealthcareService/nonsense", 404),
    ("/fhir/Patient", 404),
    ("/fhir/CodeSystem/none", 404),
    ("/fhir", 404),
    ("/fhir/Location?_count=x", 400),
    ("/fhir/Location?_count=-1", 400),
    ("/fhir/Location?_cursor=abc", 400),
    ("/fhir/Location?near=999|1|1|km", 400),
    ("/fhir/Location?near=51.9|8.4|1|miles", 400),
    ("/fhir/Location?near=51.9|8.4&near=51.9|8.4", 400),
    ("/fhir/Location?name:missing=true", 400),
    ("/fhir/Location?_format=xml", 406),
]


async def test_errors_are_operation_outcomes(region: Service) -> None:
    for path, status in ERRORS:
        found, body, headers = await get(region, path)
        assert (found, headers["Content-Type"]) == (status, FHIR_JSON), body
        OperationOutcome.model_validate(body)
        assert headers["Access-Control-Allow-Origin"] == "*"


async def test_unknown_parameters_are_refused_where_the_caller_is_strict(region: Service) -> None:
    path = "/fhir/Location?colour=blue"
    assert (await get(region, path))[0] == 200
    status, body, _ = await get(region, path, Prefer="handling=strict")
    assert (status, body["resourceType"]) == (400, "OperationOutcome")


ACCEPTED = [
    ("*/*", 200),
    ("application/json", 200),
    ("application/fhir+json; fhirVersion=4.0", 200),
    ("text/html,application/xml;q=0.9,*/*;q=0.8", 200),
    ("application/fhir+xml", 406),
    ("application/json;q=0", 200),  # nothing is wanted, so anything will do
]


async def test_json_is_all_there_is(region: Service) -> None:
    for accept, status in ACCEPTED:
        assert (await get(region, "/fhir/Location", Accept=accept))[0] == status
        path = "/fhir/Location?_format=application/fhir%2Bjson"
        assert (await get(region, path, Accept=accept))[0] == 200


async def test_nothing_can_be_written(region: Service) -> None:
    status, body, headers = await region.call(
        "POST", "/fhir/Location", {"resourceType": "Location"}
    )
    assert (status, headers["Content-Type"]) == (405, FHIR_JSON)
    assert "GET" in headers["Allow"]
    OperationOutcome.model_validate(body)


async def test_a_district_is_no_municipality_key(region: Service) -> None:
    """The German profile has room for whole keys only."""
    by_hand = AssignByHand(home_id="a-free", municipality="05754")
    await region.state.deployment.writer.submit([by_hand])
    _, home, _ = await get(region, "/fhir/Location/a-free")
    assert home["address"]["city"] == "Gütersloh"
    assert "_city" not in home["address"]


async def test_too_many_values_are_refused(region: Service) -> None:
    """Each home is held against each of them, on the loop that serves everybody."""
    for query in ("name:contains=" + ",".join("q" * 51), "&".join(["name=q"] * 51)):
        status, body, _ = await get(region, f"/fhir/HealthcareService?{query}")
        assert (status, body["resourceType"]) == (400, "OperationOutcome")
