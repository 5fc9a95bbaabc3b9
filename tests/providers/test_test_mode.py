"""A test key gets the answers that a real one would, and changes nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from providers.auth import create_key
from tests.conftest import Service
from tests.providers.conftest import ONE, PATH, PROVIDER, ago, state_of
from vacancies.provider import ensure_provider

PROFILE: dict[str, Any] = {
    "name": "Haus Neu",
    "coordinates": {"latitude": 51.9, "longitude": 8.4},
    "capacity": {"long_term": 40},
}
MANY: dict[str, Any] = {
    "reports": [{"home_id": "a", **ONE}, {"home_id": "nobody", **ONE}, "no row"]
}
# What a real key is answered, whatever the moment.
CALLS: list[tuple[str, str, Any, dict[str, str], int]] = [
    ("PUT", PATH, ONE, {}, 200),
    ("PUT", PATH, {"vacancies": [{"care_form": "long_term", "count": 20}]}, {}, 200),  # 2 → 20
    ("PUT", PATH, {"vacancies": [{"care_form": "long_term", "count": 41}]}, {}, 422),
    ("PUT", PATH, {"vacancies": "wrong"}, {}, 422),
    ("PUT", PATH, {**ONE, "observed_at": ago(days=1)}, {}, 409),
    ("PUT", PATH, ONE, {"If-Match": '"1"'}, 412),
    ("PUT", PATH, ONE, {"If-Match": "*"}, 200),
    ("PUT", "/api/v1/homes/nobody/vacancies", ONE, {}, 404),
    ("PUT", "/api/v1/homes/foreign/vacancies", ONE, {}, 403),
    ("POST", f"{PATH}/confirm", None, {}, 200),
    ("PUT", "/api/v1/homes/a", PROFILE, {}, 200),
    ("PUT", "/api/v1/homes/new", PROFILE, {}, 201),
    ("POST", "/api/v1/reports", MANY, {}, 200),
]


@pytest.fixture
async def trying(ready: Service) -> str:
    await ready.put_home("foreign", provider="somebody-else")
    pool = ready.state.deployment.pool
    return await create_key(pool, (await ensure_provider(pool, PROVIDER)).id, is_test=True)


def _timeless(body: dict[str, Any]) -> dict[str, Any]:
    """Without the moments of the two calls, and without what says that it was a test."""
    properties = {
        name: value
        for name, value in body.get("properties", {}).items()
        if name not in ("observed_at", "confirmed_at")
    }
    return {**body, "properties": properties, "test": None}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]} {call[1]} {call[4]}")
async def test_it_answers_as_it_would_and_changes_nothing(
    ready: Service, trying: str, call: tuple[str, str, Any, dict[str, str], int]
) -> None:
    method, path, body, headers, expected = call
    before = await state_of(ready)
    board = ready.state.board.revision
    tried = await ready.call(method, path, body, key=trying, headers=headers)
    assert await state_of(ready) == before
    assert ready.state.board.revision == board
    done = await ready.call(method, path, body, provider=PROVIDER, headers=headers)
    assert (tried[0], done[0]) == (expected, expected)
    assert _timeless(tried[1]) == _timeless(done[1])
    assert (tried[1]["test"], tried[2]["Freiplatz-Test"]) == (True, "true")
    assert ("test" in done[1], "Freiplatz-Test" in done[2]) == (False, False)
    assert tried[2].get("ETag") == done[2].get("ETag")
    assert tried[2]["Content-Type"] == done[2]["Content-Type"]


async def test_a_file_is_tried_too(ready: Service, trying: str) -> None:
    before = await state_of(ready)
    status, body, _ = await ready.call(
        "POST",
        "/api/v1/reports",
        key=trying,
        data=b"home_id;care_form;count\na;long_term;3\n",
        headers={"Content-Type": "text/csv"},
    )
    assert (status, body["test"], body["results"][0]["status"]) == (200, True, 200)
    assert await state_of(ready) == before


async def test_what_if_match_names_is_the_stored_state(ready: Service, trying: str) -> None:
    _, _, headers = await ready.call("GET", "/api/v1/homes/a")
    seen = {"If-Match": headers["ETag"]}
    for _ in range(2):  # the first one has changed nothing
        assert (await ready.call("PUT", PATH, ONE, key=trying, headers=seen))[0] == 200


async def test_rows_for_one_home_follow_each_other(ready: Service, trying: str) -> None:
    rows = {"reports": [{"home_id": "a", **ONE}, {"home_id": "a", "vacancies": []}]}
    _, body, _ = await ready.call("POST", "/api/v1/reports", rows, key=trying)
    first, second = (row["revision"] for row in body["results"])
    assert second == first + 1


async def test_an_idempotency_key_gets_the_first_answer_again(ready: Service, trying: str) -> None:
    headers = {"Idempotency-Key": "k-1"}
    before = await state_of(ready)
    first = await ready.call("PUT", PATH, ONE, key=trying, headers=headers)
    await ready.report("a", {"count": 5})
    again = await ready.call("PUT", PATH, ONE, key=trying, headers=headers)
    assert first[:2] == again[:2]
    assert (again[1]["test"], again[2]["Freiplatz-Test"]) == (True, "true")
    status, problem, _ = await ready.call(
        "PUT", PATH, {"vacancies": []}, key=trying, headers=headers
    )
    assert (status, problem["code"], problem["test"]) == (422, "idempotency_key_reused", True)
    assert (await state_of(ready))[0] == before[0] + 1
    # A real key with the same word is another caller: it reports.
    done = await ready.call("PUT", PATH, ONE, provider=PROVIDER, headers=headers)
    assert done[1]["properties"]["revision"] == before[0] + 2


async def test_trying_out_at_once_does_not_hold_up_reports(ready: Service, trying: str) -> None:
    tried = [ready.call("PUT", PATH, ONE, key=trying) for _ in range(20)]
    done = [ready.call("PUT", PATH, ONE, provider=PROVIDER) for _ in range(5)]
    before = (await state_of(ready))[0]
    found = await asyncio.gather(*tried, *done)
    assert {status for status, _, _ in found} == {200}
    assert (await state_of(ready))[0] == before + 5
