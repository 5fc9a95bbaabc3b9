"""`Idempotency-Key`: the same call twice has one effect and one answer."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.conftest import Service
from tests.providers.conftest import ONE, PATH, PROVIDER, ago, state_of
from vacancies.idempotency import delete_old_answers


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


async def test_after_a_day_a_key_is_new(ready: Service) -> None:
    headers = {"Idempotency-Key": "k-4"}
    await ready.call("PUT", PATH, ONE, provider=PROVIDER, headers=headers)
    pool = ready.state.deployment.pool
    await pool.execute("UPDATE idempotency SET created_at = now() - interval '24 hours 1 second'")
    before = (await state_of(ready))[0]
    other: Any = {"vacancies": []}
    assert (await ready.call("PUT", PATH, other, provider=PROVIDER, headers=headers))[0] == 200
    assert (await state_of(ready))[0] == before + 1
    await pool.execute("UPDATE idempotency SET created_at = now() - interval '25 hours'")
    await delete_old_answers(pool)
    assert await pool.fetchval("SELECT count(*) FROM idempotency") == 0


async def test_a_key_is_bound_to_its_path(ready: Service) -> None:
    await ready.put_home("b")
    headers = {"Idempotency-Key": "k-5"}
    one = await ready.call("PUT", PATH, ONE, provider=PROVIDER, headers=headers)
    other = await ready.call(
        "PUT", PATH.replace("/a/", "/b/"), ONE, provider=PROVIDER, headers=headers
    )
    assert (one[1]["id"], other[1]["id"]) == ("a", "b")


async def test_many_reports_with_a_key_among_them_a_refused_one(ready: Service) -> None:
    rows = [{"home_id": "a", **ONE}, {"home_id": "nobody", **ONE}, {"home_id": "a"}]
    headers = {"Idempotency-Key": "k-6"}
    answers = [
        await ready.call(
            "POST", "/api/v1/reports", {"reports": rows}, provider=PROVIDER, headers=headers
        )
        for _ in range(2)
    ]
    assert [row["status"] for row in answers[0][1]["results"]] == [200, 404, 422]
    assert answers[0][:2] == answers[1][:2]
