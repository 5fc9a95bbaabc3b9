"""What `/metrics` says: of every promise, and also while the database is away."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Service
from tests.flow.viewer import Viewer
from vacancies.tasks import stop_tasks

Samples = dict[tuple[str, ...], float]


async def scrape(service: Service) -> Samples:
    """Each sample by its name (without `freiplatz_`) and the values of its labels."""
    async with service.client.get(service.url + "/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    return {
        (sample.name.removeprefix("freiplatz_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_push_is_timed_until_a_viewer_has_it(service: Service) -> None:
    await service.put_home("a")
    viewer = Viewer(service.url, {})
    watching = asyncio.create_task(viewer.watch(service.client))
    try:
        await viewer.until(lambda: viewer.is_ready)
        before = await scrape(service)
        await service.report("a", {"count": 2})
        await viewer.until(lambda: "a" in viewer.table)
        found = await scrape(service)
    finally:
        await stop_tasks([watching])
    assert found[("viewers",)] == 1
    for name, times in (("push_to_viewer_seconds", 1), ("report_seconds", 1)):
        assert found[(f"{name}_count",)] - before[(f"{name}_count",)] == times
        assert found[(f"{name}_bucket", "+Inf")] == found[(f"{name}_count",)]
        assert found[(f"{name}_sum",)] > before[(f"{name}_sum",)]
    assert ("newest_report_seconds",) in found
    assert ("newest_report_seconds",) not in before


async def test_errors_are_counted_by_code(service: Service) -> None:
    await service.call("GET", "/api/v1/homes/nowhere")
    await service.call("GET", "/api/v1/homes/nowhere")
    await service.call("GET", "/api/v1/vacancies?limit=0")
    await service.call("PUT", "/api/v1/homes/a/vacancies", {"vacancies": []})
    async with service.client.get(service.url + "/no-such-page") as answer:
        assert answer.status == 404
    found = await scrape(service)
    assert found[("errors_total", "unknown_home")] == 2
    assert found[("errors_total", "not_found")] == 1
    assert found[("errors_total", "unauthenticated")] == 1
    assert found[("answers_total", "4xx")] == 5
    assert found[("report_seconds_count",)] == 0, "what is refused is no report"


async def test_what_is_late_and_who_is_silent(service: Service) -> None:
    pool = service.state.deployment.pool
    await service.put_home("a")
    ago = "now() - interval '20 minutes'"
    await pool.execute(
        f"INSERT INTO reminder (home_id, since, due_at, failures) VALUES"
        f" ('a', {ago}, {ago}, 1), ('a', now(), now() + interval '1 hour', 0)"
    )
    await pool.execute(
        f"INSERT INTO neighbour (slug, name, url, added_at, heard_at) VALUES"
        f" ('herford', 'Herford', 'https://h.example', {ago}, {ago}),"
        f" ('lippe', 'Lippe', 'https://l.example', now(), NULL)"
    )
    await pool.execute("UPDATE home_state SET next_transition_at = NULL")
    await pool.execute(
        f"INSERT INTO webhook (id, search, address, state, reason, next_attempt_at, attempts,"
        f" claimed_until, claim) VALUES"
        f" ('wh_{1:016x}', '', 'https://x.example', 'paused', 'failing', now(), 9, NULL, NULL),"
        f" ('wh_{2:016x}', '', 'https://x.example', 'paused', 'owner', now(), 0, NULL, NULL),"
        f" ('wh_{3:016x}', '', 'https://x.example', 'active', NULL, {ago}, 2,"
        f" now() + interval '1 hour', $1)",
        uuid.uuid4(),
    )
    await pool.execute(
        "INSERT INTO webhook_delivery (webhook_id, message_id, event, attempt, sent_at,"
        " duration_ms, outcome) VALUES ($1, 'm', 'ping', 1, now(), 1, 'delivered'),"
        " ($1, 'm', 'ping', 1, now(), 1, 'timeout'), ($1, 'm', 'ping', 1,"
        " now() - interval '2 hours', 1, 'timeout')",
        f"wh_{3:016x}",
    )
    found = await scrape(service)
    expected: Any = {
        ("reminders", "planned"): 2,
        ("reminders", "late"): 1,
        ("reminders", "failing"): 1,
        ("webhooks", "webhook", "active"): 1,
        ("webhooks", "webhook", "stopped"): 1,
        ("webhooks", "webhook", "failing"): 1,
        ("webhooks", "webhook", "late"): 1,
        ("deliveries", "webhook", "delivered"): 1,
        ("deliveries", "webhook", "failed"): 1,
        ("database_up",): 1,
        ("sweeper_lag_seconds",): 0,
        ("portal_files", "late"): 0,
        ("invitations", "late"): 0,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert 1200 <= found[("neighbour_silent_seconds", "herford")] < 1800
    assert found[("neighbour_silent_seconds", "lippe")] < 600


async def test_without_the_database_the_rest_is_said(service: Service) -> None:
    await service.put_home("a")
    service.state.deployment.pool.terminate()
    found = await scrape(service)
    assert found[("database_up",)] == 0
    assert ("sweeper_lag_seconds",) not in found
    assert found[("homes", "unknown")] == 1
