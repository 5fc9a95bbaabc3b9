"""Reporting over HTTP: what is taken, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from providers.auth import revoke_key
from tests.conftest import Service
from tests.providers.conftest import ONE, PATH, PROVIDER, ago, state_of


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
