"""Reporting over HTTP: what is taken, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from yarl import URL

from providers.auth import revoke_key
from tests.conftest import Service

PROVIDER = "caritas-musterstadt"
PATH = "/api/v1/homes/a/vacancies"
ONE: dict[str, Any] = {"vacancies": [{"care_form": "long_term", "count": 1}]}


@pytest.fixture
async def ready(service: Service) -> Service:
    await service.put_home("a", capacity={"long_term": 40})
    await service.report("a", {"count": 2})
    return service


async def state_of(service: Service) -> tuple[Any, ...]:
    row = await service.state.deployment.pool.fetchrow(
        "SELECT (SELECT revision FROM revision_head), (SELECT count(*) FROM report),"
        " (SELECT array_agg(care_home ORDER BY id)::text FROM care_home)"
    )
    assert row is not None
    return tuple(row)


def ago(**age: float) -> str:
    return (datetime.now(UTC) - timedelta(**age)).isoformat()


LINE = {"care_form": "long_term", "count": 1}
BAD = [
    ({"vacancies": [{**LINE, "count": "1"}]}, 422, "invalid_field", "vacancies[0].count"),
    ({"vacancies": [{**LINE, "count": -1}]}, 422, "invalid_field", "vacancies[0].count"),
    ({"vacancies": [{**LINE, "count": 1.5}]}, 422, "invalid_field", "vacancies[0].count"),
    ({"vacancies": [{**LINE, "count": True}]}, 422, "invalid_field", "vacancies[0].count"),
    ({"vacancies": [{"count": 1}]}, 422, "invalid_field", "vacancies[0]"),
    ({"vacancies": [{**LINE, "care_form": "x"}]}, 422, "invalid_field", "vacancies[0].care_form"),
    (
        {"vacancies": [{**LINE, "care_grades": [6]}]},
        422,
        "invalid_field",
        "vacancies[0].care_grades[0]",
    ),
    ({"vacancies": [{**LINE, "note": "a\u0000b"}]}, 422, "invalid_field", "vacancies[0].note"),
    ({"vacancies": [{**LINE, "note": "x" * 501}]}, 422, "invalid_field", "vacancies[0].note"),
    ({"vacancies": [{**LINE, "colour": 1}]}, 422, "invalid_field", "vacancies[0]"),
    (
        {"vacancies": [{**LINE, "available_from": "morgen"}]},
        422,
        "invalid_field",
        "vacancies[0].available_from",
    ),
    (
        {"vacancies": [{**LINE, "available_from": "0001-01-01"}]},
        422,
        "invalid_field",
        "vacancies[0].available_from",
    ),
    (
        {"vacancies": [{**LINE, "available_until": "9999-12-31"}]},
        422,
        "invalid_field",
        "vacancies[0].available_until",
    ),
    (
        {"vacancies": [{**LINE, "available_from": "2026-12-02", "available_until": "2026-12-01"}]},
        422,
        "invalid_field",
        "vacancies[0].available_until",
    ),
    ({"vacancies": [{**LINE, "count": 41}]}, 422, "exceeds_capacity", "vacancies"),
    ({"vacancies": [LINE] * 101}, 422, "invalid_field", "vacancies"),
    ({**ONE, "observed_at": "2026-11-23T12:00:00"}, 422, "invalid_field", "observed_at"),
    ({**ONE, "observed_at": "0001-01-01T00:00:00+14:00"}, 422, "invalid_field", "observed_at"),
    ({**ONE, "observed_at": "9999-12-31T23:59:59-14:00"}, 422, "invalid_field", "observed_at"),
    ({**ONE, "observed_at": ago(hours=-1)}, 422, "observed_in_future", "observed_at"),
    ({**ONE, "observed_at": ago(days=1)}, 409, "outdated_report", "observed_at"),
    ({}, 422, "invalid_field", None),
    ([], 422, "invalid_field", None),
]


@pytest.mark.parametrize(("body", "status", "code", "field"), BAD)
async def test_a_bad_report_is_refused_and_changes_nothing(
    ready: Service, body: Any, status: int, code: str, field: str | None
) -> None:
    before = await state_of(ready)
    found, problem, headers = await ready.call("PUT", PATH, body, provider=PROVIDER)
    assert (found, problem["code"], problem.get("field")) == (status, code, field)
    assert headers["Content-Type"] == "application/problem+json"
    assert len(problem["detail"]) > 20
    assert await state_of(ready) == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"vacancies": [], }'])
async def test_what_is_no_json_is_a_400(ready: Service, body: bytes) -> None:
    status, problem, _ = await ready.call("PUT", PATH, provider=PROVIDER, data=body)
    assert (status, problem["code"]) == (400, "invalid_json")


async def test_what_is_nested_too_deeply_is_a_400(ready: Service) -> None:
    body = b'{"reports": ' + b"[" * 100_000
    status, problem, _ = await ready.call("POST", "/api/v1/reports", provider=PROVIDER, data=body)
    assert (status, problem["code"]) == (400, "invalid_json")


async def test_a_body_without_end_is_a_413(ready: Service) -> None:
    status, problem, _ = await ready.call(
        "PUT", PATH, provider=PROVIDER, data=io.BytesIO(b" " * 3_000_000)
    )
    assert (status, problem["code"]) == (413, "too_large")


async def test_only_the_provider_of_a_home_reports_for_it(ready: Service) -> None:
    before = await state_of(ready)
    for path, method in ((PATH, "PUT"), (f"{PATH}/confirm", "POST")):
        status, problem, _ = await ready.call(method, path, ONE, provider="somebody-else")
        assert (status, problem["code"]) == (403, "foreign_home")
    status, problem, _ = await ready.call(
        "PUT",
        "/api/v1/homes/a",
        {"name": "Meins", "coordinates": {"latitude": 1, "longitude": 1}},
        provider="somebody-else",
    )
    assert (status, problem["code"]) == (403, "foreign_home")
    assert await state_of(ready) == before


async def test_without_a_valid_key_nothing_goes(ready: Service) -> None:
    key = await ready.key(PROVIDER)
    pool = ready.state.deployment.pool
    answers = set()
    await revoke_key(pool, await pool.fetchval("SELECT id FROM api_key"))
    for header in (
        None,
        "",
        "Bearer",
        "Bearer fp_x",
        f"Basic {key}",
        f"Bearer {key}",
        "Bearer \xff",
    ):
        headers = {} if header is None else {"Authorization": header}
        status, problem, sent = await ready.call("PUT", PATH, ONE, headers=headers)
        answers.add((status, problem["code"], problem["detail"], sent["WWW-Authenticate"]))
    assert len(answers) == 1
    assert next(iter(answers))[:2] == (401, "unauthenticated")


async def test_unknown_homes_and_ids(ready: Service) -> None:
    status, problem, _ = await ready.call(
        "PUT", "/api/v1/homes/nobody/vacancies", ONE, provider=PROVIDER
    )
    assert (status, problem["code"]) == (404, "unknown_home")
    body = {"name": "X", "address": {"postcode": "33330"}}
    status, problem, _ = await ready.call("PUT", "/api/v1/homes/a%20b", body, provider=PROVIDER)
    assert (status, problem["code"]) == (400, "invalid_parameter")


async def test_if_match_guards_against_what_one_has_not_seen(ready: Service) -> None:
    _, _, headers = await ready.call("GET", "/api/v1/homes/a")
    seen = headers["ETag"]
    status, _, headers = await ready.call(
        "PUT", PATH, ONE, provider=PROVIDER, headers={"If-Match": seen}
    )
    assert status == 200
    assert headers["ETag"] != seen
    for tag, expected in (
        (seen, 412),
        (f"W/{headers['ETag']}", 412),
        ("*", 200),
        ("nonsense", 400),
    ):
        status, _, _ = await ready.call(
            "PUT", PATH, ONE, provider=PROVIDER, headers={"If-Match": tag}
        )
        assert status == expected, tag


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


@pytest.mark.parametrize("home", ["%00", "a%00b", "a%0A", "%FF", "x" * 65])
async def test_ids_that_cannot_be(ready: Service, home: str) -> None:
    url = URL(f"{ready.url}/api/v1/homes/{home}/vacancies", encoded=True)
    headers = {"Authorization": f"Bearer {await ready.key(PROVIDER)}"}
    for method, path in (("PUT", url), ("POST", url / "confirm")):
        async with ready.client.request(method, path, json=ONE, headers=headers) as answer:
            assert answer.status == 404


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


async def test_bad_bytes_in_one_row_do_not_sink_the_rest(ready: Service) -> None:
    body = b'{"reports": [{"home_id": "a", "vacancies": []}, {"home_id": "\xff", "vacancies": []}]}'
    status, answer, _ = await ready.call("POST", "/api/v1/reports", provider=PROVIDER, data=body)
    assert (status, [row["status"] for row in answer["results"]]) == (200, [200, 400])


async def test_an_old_report_is_not_made_young_by_what_was_said_before(ready: Service) -> None:
    await ready.put_home("b")
    await ready.report("b", {"count": 2}, observed_at=ago(hours=100))
    await ready.call("POST", "/api/v1/homes/b/vacancies/confirm", provider=PROVIDER)
    late = await ready.report("b", {"count": 3}, observed_at=ago(hours=90))
    assert (late["properties"]["freshness"], late["properties"]["free"]) == ("stale", {})


async def test_confirming_renews_and_keeps_the_lines(ready: Service) -> None:
    _, before, _ = await ready.call("GET", "/api/v1/homes/a")
    status, after, _ = await ready.call("POST", f"{PATH}/confirm", provider=PROVIDER)
    assert status == 200
    assert after["properties"]["vacancies"] == before["properties"]["vacancies"]
    assert after["properties"]["confirmed_at"] > before["properties"]["observed_at"]
    await ready.put_home("b")
    status, problem, _ = await ready.call(
        "POST", "/api/v1/homes/b/vacancies/confirm", provider=PROVIDER
    )
    assert (status, problem["code"]) == (409, "nothing_to_confirm")


async def test_a_little_ahead_is_taken_as_now(ready: Service) -> None:
    found = await ready.report("a", {"count": 1}, observed_at=ago(minutes=-4))
    assert datetime.fromisoformat(found["properties"]["observed_at"]) <= datetime.now(UTC)
    # And does not shut out the next report that carries no time, or a true one.
    await ready.report("a", {"count": 2})
    await ready.report("a", {"count": 3}, observed_at=datetime.now(UTC).isoformat())


async def test_many_reports_in_one_call(ready: Service) -> None:
    await ready.put_home("b")
    await ready.put_home("c", provider="somebody-else")
    rows: list[Any] = [
        {"home_id": "a", **ONE},
        {"home_id": "b", "vacancies": [{"care_form": "long_term", "count": "viele"}]},
        {"home_id": "c", **ONE},
        {"home_id": "nobody", **ONE},
        "not even a row",
        {"home_id": "b", **ONE},
        {"home_id": "b", "vacancies": []},
    ]
    status, body, _ = await ready.call(
        "POST", "/api/v1/reports", {"reports": rows}, provider=PROVIDER
    )
    assert status == 200
    results = body["results"]
    assert [row["status"] for row in results] == [200, 422, 403, 404, 422, 200, 200]
    assert [row["home_id"] for row in results] == ["a", "b", "c", "nobody", None, "b", "b"]
    assert results[1]["field"] == "reports[1].vacancies[0].count"
    assert results[6]["revision"] == results[5]["revision"] + 1
    _, home, _ = await ready.call("GET", "/api/v1/homes/b")
    assert home["properties"]["revision"] == results[6]["revision"]
    assert home["properties"]["free"] == {}
    kept = await ready.state.deployment.pool.fetch(
        "SELECT revision FROM report WHERE home_id = 'b'"
    )
    assert sorted(row["revision"] for row in kept) == [r["revision"] for r in results[5:]]


async def test_the_same_call_twice_has_one_effect(ready: Service) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await ready.call("PUT", PATH, ONE, provider=PROVIDER, headers=headers)
    await ready.report("a", {"count": 5})
    before = await state_of(ready)
    again = await ready.call("PUT", PATH, ONE, provider=PROVIDER, headers=headers)
    assert (again[0], again[1], again[2]["ETag"]) == (first[0], first[1], first[2]["ETag"])
    status, problem, _ = await ready.call(
        "PUT", PATH, {"vacancies": []}, provider=PROVIDER, headers=headers
    )
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert await state_of(ready) == before


async def test_a_failure_is_not_remembered(ready: Service) -> None:
    headers = {"Idempotency-Key": "k-2"}
    body = {**ONE, "observed_at": ago(days=1)}
    assert (await ready.call("PUT", PATH, body, provider=PROVIDER, headers=headers))[0] == 409
    assert (await ready.call("PUT", PATH, ONE, provider=PROVIDER, headers=headers))[0] == 200


async def test_calls_at_once_with_one_key_are_done_once(ready: Service) -> None:
    headers = {"Idempotency-Key": "k-3"}
    before = (await state_of(ready))[0]
    calls = [ready.call("PUT", PATH, ONE, provider=PROVIDER, headers=headers) for _ in range(20)]
    statuses = [status for status, _, _ in await asyncio.gather(*calls)]
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert (await state_of(ready))[0] == before + 1


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
