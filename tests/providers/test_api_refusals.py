"""Bad input: a clear refusal that names the field, and nothing changes."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.conftest import Service
from tests.providers.conftest import ONE, PATH, PROVIDER, ago, state_of

LINE = {"care_form": "long_term", "count": 1}
BAD = [
    ({"vacancies": [{**LINE, "count": "1"}]}, 422, "invalid_field", "vacancies[0].count"),
    ({"vacancies": [{**LINE, "count": -1}]}, 422, "invalid_field", "vacancies[0].count"),
    ({"vacancies": [{**LINE, "count": 1.5}]}, 422, "invalid_field", "vacancies[0].count"),
    ({"vacancies": [{**LINE, "count": True}]}, 422, "invalid_field", "vacancies[0].count"),
    ({"vacancies": [{"count": 1}]}, 422, "invalid_field", "vacancies[0].care_form"),
    ({"vacancies": [{**LINE, "care_form": "x"}]}, 422, "invalid_field", "vacancies[0].care_form"),
    (
        {"vacancies": [{**LINE, "care_grades": [6]}]},
        422,
        "invalid_field",
        "vacancies[0].care_grades[0]",
    ),
    ({"vacancies": [{**LINE, "note": "a\u0000b"}]}, 422, "invalid_field", "vacancies[0].note"),
    ({"vacancies": [{**LINE, "note": "x" * 501}]}, 422, "invalid_field", "vacancies[0].note"),
    ({"vacancies": [{**LINE, "colour": 1}]}, 422, "invalid_field", "vacancies[0].colour"),
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
    ({}, 422, "invalid_field", "vacancies"),
    ([], 422, "invalid_field", "body"),
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
    assert "regex" not in problem["detail"]
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
