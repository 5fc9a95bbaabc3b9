"""Webhooks over HTTP, in an app that delivers by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from providers.auth import create_key
from tests.conftest import Service, served
from tests.waiting import until
from tests.web.webhooks.conftest import Inbox, status
from vacancies.config import Settings
from vacancies.outbound import Outbound
from vacancies.provider import ensure_provider
from web.webhooks.endpoints import MOST_WEBHOOKS

PROVIDER, OTHER = "caritas-musterstadt", "diakonie-musterstadt"
PATH = "/api/v1/webhooks"


@pytest.fixture
async def near(settings: Settings) -> AsyncIterator[Service]:
    """A service that may call this machine."""
    async with served(settings, outbound=Outbound(allow_loopback=True)) as service:
        yield service


async def make(service: Service, url: str, **more: Any) -> dict[str, Any]:
    status_code, body, _ = await service.call(
        "POST", PATH, {"address": url, **more}, provider=PROVIDER
    )
    assert status_code == 201, body
    return dict(body)


async def test_from_a_report_to_a_receiver(near: Service, inbox: Inbox) -> None:
    await near.put_home("a")
    made = await make(near, inbox.url)
    assert made["secret"].startswith("whsec_")
    await until(lambda: len(inbox.messages) == 1)
    await near.report("a", {"count": 2})
    await until(lambda: len(inbox.messages) == 2)
    event = Verifier(made["secret"]).verify(inbox.messages[1].body, inbox.messages[1].headers)
    assert event["type"] == "listing.changed"
    assert event["data"]["properties"]["free"] == {"long_term": 2}
    _, body, _ = await near.call("GET", PATH, provider=PROVIDER)
    (listed,) = body["webhooks"]
    assert "secret" not in listed
    assert listed["state"] == "active"


async def test_the_life_of_a_webhook(near: Service, inbox: Inbox) -> None:
    made = await make(near, inbox.url, contact="it@example.org")
    one = f"{PATH}/{made['id']}"
    code, tested, _ = await near.call("POST", f"{one}/test", provider=PROVIDER)
    assert (code, tested["outcome"], tested["status"]) == (200, "delivered", 204)
    (ping,) = inbox.messages
    assert Verifier(made["secret"]).verify(ping.body, ping.headers)["data"] == {
        "webhook": made["id"]
    }
    code, problem, headers = await near.call("POST", f"{one}/test", provider=PROVIDER)
    assert (code, problem["code"], headers["Retry-After"]) == (429, "tested_just_now", "2")
    code, rotated, _ = await near.call("POST", f"{one}/rotate", provider=PROVIDER)
    assert code == 200
    assert rotated["secret"] != made["secret"]
    code, paused, _ = await near.call("POST", f"{one}/pause", provider=PROVIDER)
    assert (code, paused["state"], paused["reason"]) == (200, "paused", "owner")
    await near.put_home("a")
    code, resumed, _ = await near.call("POST", f"{one}/resume", provider=PROVIDER)
    assert (code, resumed["state"], resumed["reason"]) == (200, "active", None)
    await until(lambda: len(inbox.messages) == 2)

    async def is_logged() -> bool:
        _, log, _ = await near.call("GET", f"{one}/deliveries", provider=PROVIDER)
        return [entry["event"] for entry in log["deliveries"]] == ["listing.changed", "ping"]

    await until(is_logged)
    code, body, _ = await near.call("DELETE", one, provider=PROVIDER)
    assert (code, body) == (204, None)
    code, problem, _ = await near.call("GET", f"{one}/deliveries", provider=PROVIDER)
    assert (code, problem["code"]) == (404, "unknown_webhook")


async def test_a_test_that_fails_is_an_answer(near: Service, inbox: Inbox) -> None:
    inbox.behave = status(401)
    made = await make(near, inbox.url)
    code, tested, _ = await near.call("POST", f"{PATH}/{made['id']}/test", provider=PROVIDER)
    assert (code, tested["outcome"], tested["status"]) == (200, "refused", 401)


async def test_webhooks_of_others_are_not_there(service: Service) -> None:
    made = await make(service, "https://hooks.example.org/")
    one = f"{PATH}/{made['id']}"
    _, body, _ = await service.call("GET", PATH, provider=OTHER)
    assert body == {"webhooks": []}
    for method, path in (
        ("DELETE", one),
        ("GET", f"{one}/deliveries"),
        *(("POST", f"{one}/{verb}") for verb in ("test", "rotate", "pause", "resume")),
    ):
        code, problem, _ = await service.call(method, path, provider=OTHER)
        assert (code, problem["code"]) == (404, "unknown_webhook"), path
        code, problem, _ = await service.call(method, path)
        assert (code, problem["code"]) == (401, "unauthenticated"), path
    _, body, _ = await service.call("GET", PATH, provider=PROVIDER)
    assert len(body["webhooks"]) == 1


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid_field", "address"),
        ({"address": 1}, "invalid_field", "address"),
        ({"address": "http://hooks.example.org/"}, "address_refused", "address"),
        ({"address": "https://127.0.0.1/"}, "address_refused", "address"),
        ({"address": "https://hooks.example.org:22/"}, "address_refused", "address"),
        ({"address": "https://a.b/", "search": "care_form=castle"}, "invalid_field", "search"),
        ({"address": "https://a.b/", "search": "limit=5"}, "invalid_field", "search"),
        ({"address": "https://a.b/", "search": "&" * 200}, "invalid_field", "search"),
        ({"address": "https://a.b/", "search": "place=Neustadt"}, "ambiguous_place", "place"),
        ({"address": "https://a.b/", "contact": "nobody"}, "invalid_field", "contact"),
        ({"address": "https://a.b/", "x": 1}, "invalid_field", "x"),
    ],
)
async def test_what_is_refused_changes_nothing(
    service: Service, body: dict[str, Any], code: str, field: str
) -> None:
    status_code, problem, _ = await service.call("POST", PATH, body, provider=PROVIDER)
    assert (status_code, problem["code"], problem["field"]) == (422, code, field)
    assert not await service.state.deployment.pool.fetchval("SELECT count(*) FROM webhook")


async def test_a_search_is_stored_with_the_place_that_was_meant(service: Service) -> None:
    made = await make(service, "https://a.b/", search="?place=33330&care_form=day&sex=")
    assert made["search"] == "near=51.897406,8.376912&care_form=day"


async def test_there_is_a_limit(service: Service) -> None:
    for _ in range(MOST_WEBHOOKS):
        await make(service, "https://a.b/")
    status_code, problem, _ = await service.call(
        "POST", PATH, {"address": "https://a.b/"}, provider=PROVIDER
    )
    assert (status_code, problem["code"]) == (409, "too_many_webhooks")


@pytest.mark.parametrize(("home_id", "is_test"), [("a", False), (None, True)])
async def test_a_key_for_one_home_or_for_trying_out_is_refused(
    service: Service, home_id: str | None, is_test: bool
) -> None:
    await service.put_home("a")
    pool = service.state.deployment.pool
    provider = await ensure_provider(pool, PROVIDER)
    narrow = await create_key(pool, provider.id, home_id=home_id, is_test=is_test)
    made = await make(service, "https://a.b/")
    for method, path, body in (
        ("GET", PATH, None),
        ("POST", PATH, {"address": "https://a.b/"}),
        ("DELETE", f"{PATH}/{made['id']}", None),
        ("POST", f"{PATH}/{made['id']}/rotate", None),
    ):
        status_code, problem, _ = await service.call(method, path, body, key=narrow)
        assert (status_code, problem["code"]) == (403, "key_too_narrow")
    _, body, _ = await service.call("GET", PATH, provider=PROVIDER)
    assert [webhook["id"] for webhook in body["webhooks"]] == [made["id"]]
