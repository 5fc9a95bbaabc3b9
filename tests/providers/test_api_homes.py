"""Creating and describing homes over HTTP."""

from __future__ import annotations

import pytest
from yarl import URL

from tests.conftest import Service
from tests.providers.conftest import ONE, PROVIDER


async def test_putting_a_home(service: Service) -> None:
    status, home, _ = await service.call(
        "PUT",
        "/api/v1/homes/neu",
        {
            "name": " Haus  am\tWald ".replace("\t", " "),
            "address": {"postcode": "33330", "city": "Gütersloh"},
        },
        provider=PROVIDER,
    )
    assert status == 201
    assert home["properties"]["name"] == "Haus am Wald"
    assert home["properties"]["precision"] == "postcode"
    assert abs(home["geometry"]["coordinates"][1] - 51.9) < 0.1
    for body, field in (
        ({"name": "X"}, "coordinates"),
        ({"name": "X", "address": {"city": "Nirgendwo im Nichts"}}, "coordinates"),
        ({"name": "  ", "address": {"postcode": "33330"}}, "name"),
        ({"name": "X", "coordinates": {"latitude": 91, "longitude": 0}}, "coordinates.latitude"),
        ({"name": "X", "contact": {"website": "javascript:alert(1)"}}, "contact.website"),
    ):
        status, problem, _ = await service.call("PUT", "/api/v1/homes/x", body, provider=PROVIDER)
        assert (status, problem["field"]) == (422, field), problem
    # The same again changes nothing; the address alone keeps the exact point.
    await service.put_home(
        "neu", name="Haus am Wald", address={"postcode": "33330", "city": "Gütersloh"}
    )
    _, again, _ = await service.call("GET", "/api/v1/homes/neu")
    assert again["properties"]["revision"] == home["properties"]["revision"]


async def test_capacity_cannot_fall_below_what_is_free(ready: Service) -> None:
    status, problem, _ = await ready.call(
        "PUT",
        "/api/v1/homes/a",
        {
            "name": "A",
            "coordinates": {"latitude": 51, "longitude": 8},
            "capacity": {"long_term": 1},
        },
        provider=PROVIDER,
    )
    assert (status, problem["code"]) == (422, "exceeds_capacity")


async def test_if_match_and_if_none_match_on_a_home_that_is_not_there(service: Service) -> None:
    body = {"name": "X", "coordinates": {"latitude": 51, "longitude": 8}}
    for headers, expected in (
        ({"If-Match": "*"}, 412),
        ({"If-None-Match": "*"}, 201),
        ({"If-None-Match": "*"}, 412),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"' + "9" * 5_000 + '"'}, 412),
    ):
        status, _, _ = await service.call(
            "PUT", "/api/v1/homes/x", body, provider=PROVIDER, headers=headers
        )
        assert status == expected, headers


async def test_a_last_line_feed_is_no_way_past_a_pattern(service: Service) -> None:
    body = {"name": "X", "coordinates": {"latitude": 51, "longitude": 8}}
    for extra, field in (
        ({"municipality": "05754008\n"}, "municipality"),
        ({"address": {"country": "DE\n"}}, "address.country"),
        ({"contact": {"phone": "1\n"}}, "contact.phone"),
        ({"name": "X\n"}, "name"),
    ):
        status, problem, _ = await service.call(
            "PUT", "/api/v1/homes/x", {**body, **extra}, provider=PROVIDER
        )
        assert (status, problem["field"]) == (422, field)


@pytest.mark.parametrize("home", ["%00", "a%00b", "a%0A", "%FF", "x" * 65])
async def test_ids_that_cannot_be(ready: Service, home: str) -> None:
    url = URL(f"{ready.url}/api/v1/homes/{home}/vacancies", encoded=True)
    headers = {"Authorization": f"Bearer {await ready.key(PROVIDER)}"}
    for method, path in (("PUT", url), ("POST", url / "confirm")):
        async with ready.client.request(method, path, json=ONE, headers=headers) as answer:
            assert answer.status == 404
