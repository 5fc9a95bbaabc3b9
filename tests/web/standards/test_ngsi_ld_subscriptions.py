"""Subscriptions of NGSI-LD, with a real service and a real receiver."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from rdflib import RDF, Literal, Namespace, URIRef

from tests.conftest import Service, served
from tests.waiting import until
from tests.web.standards.region import BASE, get
from tests.web.standards.subscribing import JSON_LD, PATH, Platform, platform
from tests.web.standards.test_ngsi_ld import ENTITIES, NGSI, expanded
from tests.web.webhooks.conftest import Inbox, open_inbox, status
from vacancies.config import Settings
from vacancies.outbound import Outbound
from web.standards.ngsi_ld_entities import CORE_CONTEXT
from web.standards.ngsi_ld_stored import MOST_SUBSCRIPTIONS
from web.standards.ngsi_ld_subscription import read_pattern

# rdflib's parser uses a class of its own that it calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")

CONTEXT = f"{BASE}/ngsi-ld/v1/context.jsonld"


@pytest.fixture
async def near(settings: Settings) -> AsyncIterator[Service]:
    """A service that may call this machine, with two homes."""
    async with served(
        replace(settings, public_url=BASE), outbound=Outbound(allow_loopback=True)
    ) as service:
        await service.put_home("a", capacity={"long_term": 40})
        await service.put_home("b", coordinates={"latitude": 48.1, "longitude": 11.5})
        yield service


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    async with open_inbox() as found:
        yield found


@pytest.fixture
async def city(near: Service, inbox: Inbox) -> Platform:
    return await platform(near, inbox)


async def test_a_report_is_notified_as_the_entity_that_one_can_get(city: Platform) -> None:
    path = await city.subscribe()
    await city.service.report("a", {"count": 3})
    await until(lambda: "a" in city.told())
    (message,) = city.inbox.messages
    found = json.loads(message.body)
    assert found["type"] == "Notification"
    assert found["id"].startswith("urn:ngsi-ld:Notification:")
    assert found["subscriptionId"] == path.removeprefix(f"{PATH}/")
    _, entity, _ = await get(city.service, f"{ENTITIES}/urn:ngsi-ld:CareHome:a")
    assert found["data"] == [entity]
    assert entity["freePlaces"]["observedAt"] <= found["notifiedAt"]
    assert message.headers["content-type"] == "application/json"
    assert f"<{CONTEXT}>" in message.headers["link"]
    assert "@context" not in found

    async def is_counted() -> bool:
        return "lastSuccess" in (await city.state(path))["notification"]

    await until(is_counted)
    state = await city.state(path)
    assert (state["status"], state["isActive"]) == ("active", True)
    how = state["notification"]
    assert (how["status"], how["timesSent"], how["timesFailed"]) == ("ok", 1, 0)
    assert how["lastNotification"] == how["lastSuccess"]
    assert "lastFailure" not in how


async def test_a_json_ld_library_reads_a_notification(city: Platform) -> None:
    await city.subscribe(endpoint={"accept": JSON_LD})
    await city.service.report("a", {"count": 3})
    await until(lambda: "a" in city.told())
    (message,) = city.inbox.messages
    assert message.headers["content-type"] == JSON_LD
    assert "link" not in message.headers
    found = json.loads(message.body)
    assert found["@context"] == [CONTEXT, CORE_CONTEXT]
    graph = await expanded(city.service, [found])
    (note,) = graph.subjects(RDF.type, NGSI.Notification)
    home = URIRef("urn:ngsi-ld:CareHome:a")
    assert graph.value(note, NGSI.notificationData) == home
    assert graph.value(note, NGSI.subscriptionId) is not None
    own = Namespace(f"{CONTEXT}#")
    free = graph.value(home, own.freeLongTerm)
    assert graph.value(free, NGSI.hasValue) == Literal(3)
    observed = found["data"][0]["freeLongTerm"]["observedAt"]
    assert graph.value(free, NGSI.observedAt) == Literal(observed, datatype=NGSI.DateTime)
    unknown = {str(p) for p in graph.predicates() if "default-context" in str(p)}
    assert unknown == set(), "words that no context explains"


async def heard(city: Platform, other: Platform, home: str) -> set[str]:
    """What the platform knows once the other one, which hears of everything, knows `home`."""
    revision = city.service.state.board.revision
    await until(lambda: home in other.told())
    pool = city.service.state.deployment.pool

    async def all_have_come_so_far() -> bool:
        behind = "SELECT count(*) FROM webhook WHERE cursor < $1 OR claim IS NOT NULL"
        return not await pool.fetchval(behind, revision)

    await until(all_have_come_so_far)
    return set(city.told())


SELECTIONS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"a", "b"}),
    ({"entities": [{"type": "Person"}]}, set()),
    ({"entities": [{"type": "*"}]}, {"a", "b"}),
    ({"entities": [{"type": f"{CONTEXT}#CareHome"}]}, {"a", "b"}),
    ({"entities": [{"type": "CareHome", "id": "urn:ngsi-ld:CareHome:b"}]}, {"b"}),
    ({"entities": [{"type": "CareHome", "id": ["urn:x:y", "urn:ngsi-ld:CareHome:a"]}]}, {"a"}),
    ({"entities": [{"type": "CareHome", "idPattern": "^urn:.*CareHome:a$"}]}, {"a"}),
    ({"entities": [{"type": "CareHome", "idPattern": ".*:b.*"}]}, {"b"}),
    (
        {
            "geoQ": {
                "georel": "near;maxDistance==2000",
                "geometry": "Point",
                "coordinates": [11.5, 48.1],
            }
        },
        {"b"},
    ),
    (
        {
            "geoQ": {
                "georel": "near;minDistance==2000",
                "geometry": "Point",
                "coordinates": "[11.5,48.1]",
            }
        },
        {"a"},
    ),
    ({"watchedAttributes": ["freePlaces"]}, {"a", "b"}),
    ({"watchedAttributes": [f"{CONTEXT}#freeLongTerm"], "entities": None}, {"a", "b"}),
    ({"watchedAttributes": ["name"]}, set()),
    ({"notificationTrigger": ["entityDeleted"]}, set()),
]


@pytest.mark.parametrize(("wish", "wanted"), SELECTIONS)
async def test_what_is_not_asked_for_is_not_sent(
    city: Platform, wish: dict[str, Any], wanted: set[str]
) -> None:
    async with open_inbox() as everything:
        other = await platform(city.service, everything, "Andere")
        await other.subscribe()
        whole = {name: value for name, value in city.wish(**wish).items() if value is not None}
        status_code, _, _ = await city.call("POST", body=whole)
        assert status_code == 201
        await city.service.report("a", {"count": 3})
        await city.service.report("b", {"count": 2})
        assert await heard(city, other, "b") == wanted


async def test_only_what_is_watched_counts(city: Platform) -> None:
    """Also for homes that have never been notified."""
    await city.service.report("a", {"count": 3})
    async with open_inbox() as everything:
        other = await platform(city.service, everything, "Andere")
        await other.subscribe()
        await city.subscribe(watchedAttributes=["freePlaces"])
        await city.service.put_home("a", name="Haus Anna", capacity={"long_term": 40})
        assert await heard(city, other, "a") == set()
        await city.service.report("a", {"count": 2})
        await until(lambda: "a" in city.told())
        everything.messages.clear()
        await city.service.put_home("a", name="Haus Berta", capacity={"long_term": 40})
        await heard(city, other, "a")
    assert len(city.inbox.messages) == 1
    assert city.told()["a"]["name"]["value"] == "Haus Anna"


async def test_members_and_form_are_those_asked_for(city: Platform) -> None:
    notification = {"attributes": ["name", f"{CONTEXT}#freePlaces"], "format": "keyValues"}
    await city.subscribe(notification=notification)
    await city.service.report("a", {"count": 3})
    await until(lambda: "a" in city.told())
    assert city.told()["a"] == {
        "id": "urn:ngsi-ld:CareHome:a",
        "type": "CareHome",
        "name": "Haus a",
        "freePlaces": 3,
    }


async def test_who_wants_to_hears_of_the_end_of_a_home(city: Platform) -> None:
    trigger = ["entityCreated", "entityUpdated", "entityDeleted"]
    await city.subscribe(notificationTrigger=trigger)
    await city.service.put_home("a", status="closed")
    await until(lambda: "a" in city.told())
    found = city.told()["a"]
    assert (set(found), found["type"]) == ({"id", "type", "deletedAt"}, "CareHome")


async def test_the_receiver_is_told_what_it_asked_to_be_told(city: Platform) -> None:
    info = [{"key": "Authorization", "value": "Bearer secret"}, {"key": "X-City", "value": "x"}]
    path = await city.subscribe(endpoint={"receiverInfo": info})
    await city.service.report("a", {"count": 3})
    await until(lambda: "a" in city.told())
    headers = city.inbox.messages[0].headers
    assert (headers["authorization"], headers["x-city"]) == ("Bearer secret", "x")
    assert (await city.state(path))["notification"]["endpoint"]["receiverInfo"] == info


async def test_it_can_be_changed_and_deleted(city: Platform) -> None:
    path = await city.subscribe(subscriptionName="Dashboard", description="x")
    async with open_inbox() as second:
        patch = {"notification": {"endpoint": {"uri": second.url}}, "description": None}
        assert (await city.call("PATCH", path, patch, "application/merge-patch+json"))[0] == 204
        state = await city.state(path)
        assert state["notification"]["endpoint"]["uri"] == second.url
        assert (state["subscriptionName"], "description" in state) == ("Dashboard", False)
        await city.service.report("a", {"count": 3})
        await until(lambda: len(second.messages) == 1)
        assert (await city.call("PATCH", path, {"isActive": False}))[0] == 204
        state = await city.state(path)
        assert (state["status"], state["isActive"]) == ("paused", False)
        assert state["notification"]["status"] == "ok"
        await city.service.report("a", {"count": 2})
        await city.service.report("a", {"count": 1})
        assert (await city.call("PATCH", path, {"isActive": True}))[0] == 204
        await until(lambda: len(second.messages) == 2)
        (entity,) = json.loads(second.messages[1].body)["data"]
        assert entity["freePlaces"]["value"] == 1, "the newest state alone"
    assert city.inbox.messages == []
    assert (await city.call("DELETE", path))[0] == 204
    assert (await city.call("GET", path))[0] == 404
    assert (await city.call("DELETE", path))[0] == 404


async def test_another_selection_begins_now(city: Platform) -> None:
    path = await city.subscribe(isActive=False)
    await city.service.report("a", {"count": 3})
    patch = {"watchedAttributes": ["freePlaces"], "isActive": True}
    assert (await city.call("PATCH", path, patch))[0] == 204
    await city.service.report("b", {"count": 2})
    await until(lambda: "b" in city.told())
    assert set(city.told()) == {"b"}


async def test_the_list_has_ones_own(city: Platform) -> None:
    first = await city.subscribe(id="urn:x:first")
    second = await city.subscribe()
    assert first == f"{PATH}/urn:x:first"
    code, body, headers = await city.call("GET", f"{PATH}?count=true&limit=1")
    assert (code, headers["NGSILD-Results-Count"]) == (200, "2")
    assert [each["id"] for each in body] == ["urn:x:first"]
    _, body, _ = await city.call("GET", f"{PATH}?offset=1")
    assert [each["id"] for each in body] == [second.removeprefix(f"{PATH}/")]
    other = await platform(city.service, city.inbox, "Andere")
    assert (await other.call("GET"))[1] == []
    for method, body in (("GET", None), ("PATCH", {"description": "x"}), ("DELETE", None)):
        code, problem, _ = await other.call(method, first, body)
        assert (code, problem["type"].rpartition("/")[2]) == (404, "ResourceNotFound")
    code, problem, _ = await other.call("POST", body=city.wish(id="urn:x:first"))
    assert (code, problem["type"].rpartition("/")[2]) == (409, "AlreadyExists")
    city.headers = {"Accept": JSON_LD}
    _, body, headers = await city.call("GET", first)
    assert (headers["Content-Type"], body["@context"]) == (JSON_LD, [CONTEXT, CORE_CONTEXT])


async def test_subscribing_needs_a_token(city: Platform) -> None:
    path = await city.subscribe()
    key = await city.service.key()
    for token in ("", "fps_" + "x" * 43, key, "fps_\udcff", "x" * 5000):
        stranger = Platform(city.service, city.inbox, token)
        for method, at in (("POST", ""), ("GET", ""), ("GET", path), ("DELETE", path)):
            code, problem, headers = await stranger.call(method, at, b"{}")
            assert (code, problem["status"]) == (401, 401), (token[:10], method)
            assert headers["WWW-Authenticate"] == "Bearer"
    assert (await city.call("GET", path))[0] == 200


async def test_a_token_opens_nothing_else(city: Platform) -> None:
    for method, path in (("GET", "/api/v1/webhooks"), ("PUT", "/api/v1/homes/a/vacancies")):
        assert (await city.call(method, path, {"vacancies": []}))[0] == 401


async def test_there_is_room_for_so_many(city: Platform) -> None:
    for _ in range(MOST_SUBSCRIPTIONS):
        await city.subscribe(isActive=False)
    code, problem, _ = await city.call("POST", body=city.wish())
    assert (code, str(MOST_SUBSCRIPTIONS) in problem["detail"]) == (403, True)


def endpoint(**more: Any) -> dict[str, Any]:
    return {"notification": {"endpoint": {"uri": "https://x.example/", **more}}}


def header(key: str, value: str = "x") -> dict[str, Any]:
    return endpoint(receiverInfo=[{"key": key, "value": value}])


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"type": "Nonsense"}, 400, "BadRequestData"),
    ({"colour": "blue"}, 400, "BadRequestData"),
    ({"entities": []}, 400, "BadRequestData"),
    ({"entities": None}, 400, "BadRequestData"),
    ({"entities": [{"id": "urn:x:y"}]}, 400, "BadRequestData"),
    ({"entities": [{"type": "CareHome", "id": "nonsense"}]}, 400, "BadRequestData"),
    ({"id": "nonsense"}, 400, "BadRequestData"),
    ({"status": "active"}, 400, "BadRequestData"),
    ({"throttling": 0}, 400, "BadRequestData"),
    ({"throttling": "5"}, 400, "BadRequestData"),
    ({"expiresAt": "2020-01-01T00:00:00Z"}, 400, "BadRequestData"),
    ({"expiresAt": "2100-01-01T00:00:00"}, 400, "BadRequestData"),
    ({"watchedAttributes": []}, 400, "BadRequestData"),
    ({"notification": {}}, 400, "BadRequestData"),
    ({"notification": None}, 400, "BadRequestData"),
    (endpoint(accept="text/turtle"), 400, "BadRequestData"),
    (endpoint(uri="http://x.example/"), 400, "BadRequestData"),
    (endpoint(uri="mqtt://x.example/"), 400, "BadRequestData"),
    (endpoint(uri="https://10.0.0.1/"), 400, "BadRequestData"),
    (endpoint(uri="https://user:x@x.example/"), 400, "BadRequestData"),
    (header("Host"), 400, "BadRequestData"),
    (header("content-LENGTH", "5"), 400, "BadRequestData"),
    (header("Transfer-Encoding", "chunked"), 400, "BadRequestData"),
    (header("X", "a\r\nHost: b"), 400, "BadRequestData"),
    (header("X\n"), 400, "BadRequestData"),
    (header("X", "ü"), 400, "BadRequestData"),
    ({"q": "freePlaces>1"}, 422, "OperationNotSupported"),
    ({"timeInterval": 60}, 422, "OperationNotSupported"),
    ({"notificationTrigger": ["entityCreated"]}, 422, "OperationNotSupported"),
    (endpoint(cooldown=5), 422, "OperationNotSupported"),
    ({"geoQ": {"georel": "within", "geometry": "Polygon", "coordinates": []}}, 422, ""),
    ({"geoQ": {"georel": "near;maxDistance==1", "geometry": "Point", "coordinates": 1}}, 400, ""),
    ({"geoQ": {"georel": "near;maxDistance==1", "coordinates": [1, 2]}}, 400, ""),
    ({"entities": [{"type": "CareHome", "idPattern": "(a+)+$"}]}, 422, "OperationNotSupported"),
    ({"entities": [{"type": "CareHome", "idPattern": "a.*b.*c"}]}, 422, "OperationNotSupported"),
]


async def test_what_cannot_be_done_is_refused(service: Service, inbox: Inbox) -> None:
    """By a service that may not call this machine, as every real one."""
    city = await platform(service, inbox)
    inbox.url = "https://x.example/"
    for wrong, wanted, kind in REFUSED:
        code, problem, headers = await city.call("POST", body={**city.wish(), **wrong})
        assert (code, problem.get("status")) == (wanted, wanted), (wrong, problem)
        assert problem["type"].endswith(kind), wrong
        assert headers["Content-Type"] == "application/problem+json"
    for body, kind in ((b"{", "InvalidRequest"), (b"\xff", "InvalidRequest"), (b"[]", "")):
        code, problem, _ = await city.call("POST", body=body)
        assert (code, problem["type"].endswith(kind)) == (400, True)
    code, _, _ = await city.call("POST", body=city.wish(), kind="text/plain")
    assert code == 415
    assert (await city.call("GET", f"{PATH}?colour=blue"))[0] == 400
    assert (await city.call("PUT", body={}))[0] == 405
    path = await city.subscribe(isActive=False)
    before = await city.state(path)
    for wrong, wanted, _ in REFUSED:
        if "entities" not in wrong and wrong != {"notification": {}}:  # which says nothing
            assert (await city.call("PATCH", path, wrong))[0] == wanted, wrong
    assert await city.state(path) == before
    assert await service.state.deployment.pool.fetchval("SELECT count(*) FROM webhook") == 1


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
async def test_nothing_inside_is_called_whatever_a_name_says(
    settings: Settings, inbox: Inbox, inside: str
) -> None:
    async def lookup(host: str) -> list[str]:
        return [inside]

    port = int(inbox.url.split(":")[2].split("/")[0])
    trap = Outbound(ports=(port,), lookup=lookup)
    async with served(settings, outbound=trap) as service:
        await service.put_home("a")
        city = await platform(service, inbox)
        path = await city.subscribe(endpoint={"uri": f"https://hooks.example.org:{port}/"})
        await service.report("a", {"count": 3})

        async def has_failed() -> bool:
            return bool((await city.state(path))["notification"]["status"] == "failed")

        await until(has_failed)
        how = (await city.state(path))["notification"]
    assert (how["timesFailed"], "lastSuccess" in how) == (1, False)
    assert inbox.messages == []


async def test_a_failure_is_said_and_the_newest_state_comes_later(city: Platform) -> None:
    path = await city.subscribe()
    city.inbox.behave = status(500)
    await city.service.report("a", {"count": 3})

    async def has_failed() -> bool:
        return bool((await city.state(path))["notification"]["status"] == "failed")

    await until(has_failed)
    state = await city.state(path)
    assert (state["status"], state["notification"]["timesFailed"] >= 1) == ("active", True)
    assert "lastFailure" in state["notification"]
    await city.service.report("a", {"count": 1})
    city.inbox.messages.clear()
    city.inbox.behave = status(200)
    assert (await city.call("PATCH", path, {"isActive": True}))[0] == 204, "now, not in a while"
    await until(lambda: city.told().get("a", {}).get("freePlaces", {}).get("value") == 1)


def test_patterns_match_as_regular_expressions_do() -> None:
    name = "urn:ngsi-ld:CareHome:a.b"
    for pattern, is_found in (
        ("", True),
        (".*", True),
        ("^.*$", True),
        ("CareHome:a", True),
        ("^CareHome", False),
        (r"a\.b$", True),
        ("a$", False),
        ("^urn.*b$", True),
        (".*x.*", False),
        (r"a\.c", False),
    ):
        assert bool(read_pattern(pattern).search(name)) == is_found, pattern
