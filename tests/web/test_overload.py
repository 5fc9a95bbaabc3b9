"""Who is let in: limits by address and key, places for viewers, reports before searches."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from tests.conftest import Service, served
from tests.waiting import until
from vacancies.config import Bounds, Settings
from vacancies.errors import Overloaded
from vacancies.proxies import Proxies, read_proxies
from web import turnstile
from web.files import connections_of, viewers_of
from web.turnstile import Turnstile

SEARCH = "/api/v1/vacancies"
STREAM = "/api/v1/vacancies/stream"


@pytest.fixture(autouse=True)
def _waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long searches wait depends on the machine: here as long as it takes."""
    if "who_has_waited" not in request.node.name:
        monkeypatch.setattr(turnstile, "MOST_SECONDS", float("inf"))


def bounded(settings: Settings, **bounds: int) -> Settings:
    return replace(settings, bounds=Bounds(**bounds))


async def ask(
    service: Service, path: str, address: str | None = None, **headers: str
) -> tuple[int, Any, Any]:
    """A reader's request, from `address` through the proxy on this machine."""
    if address is not None:
        headers["X-Forwarded-For"] = address
    return await service.call("GET", path, headers=headers)


async def statuses(service: Service, count: int, path: str, *addresses: str) -> Counter[int]:
    """What so many requests at once are answered, the addresses in turn."""
    async with AsyncExitStack() as stack:
        wide = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )

        async def get(number: int) -> int:
            headers = {"X-Forwarded-For": addresses[number % len(addresses)]} if addresses else {}
            async with wide.get(service.url + path, headers=headers) as answer:
                await answer.read()
                return answer.status

        return Counter(await asyncio.gather(*map(get, range(count))))


async def test_an_address_may_ask_so_often_and_is_told_when_it_may_again(
    settings: Settings,
) -> None:
    async with served(bounded(settings, requests_per_address=20)) as service:
        assert await statuses(service, 200, SEARCH, "192.0.2.7") == {200: 20, 429: 180}
        status, problem, headers = await ask(service, SEARCH, "192.0.2.7")
        assert (status, problem["code"]) == (429, "too_many_requests")
        assert headers["Content-Type"] == "application/problem+json"
        assert headers["Retry-After"] == str(problem["retry_after_seconds"])
        assert 1 <= problem["retry_after_seconds"] <= 10
        assert (await ask(service, SEARCH, "192.0.2.8"))[0] == 200, "others are served"
        assert service.state.door.refused == 181


async def test_a_network_of_ipv6_counts_as_one(settings: Settings) -> None:
    async with served(bounded(settings, requests_per_address=20)) as service:
        mine = [f"2001:db8:0:1::{number:x}" for number in range(50)]
        assert await statuses(service, 50, SEARCH, *mine) == {200: 20, 429: 30}
        others = [f"2001:db8:0:{number:x}::1" for number in range(2, 22)]
        assert await statuses(service, 20, SEARCH, *others) == {200: 20}


async def test_who_searches_too_much_can_still_report(settings: Settings) -> None:
    async with served(bounded(settings, requests_per_address=20)) as service:
        await service.put_home("a")
        assert await statuses(service, 30, SEARCH, "192.0.2.7") == {200: 20, 429: 10}
        body = {"vacancies": [{"care_form": "day", "count": 1}]}
        from_there = {"X-Forwarded-For": "192.0.2.7"}
        for left in range(20, -1, -1):
            status, problem, headers = await service.call(
                "PUT",
                "/api/v1/homes/a/vacancies",
                body,
                provider="caritas-musterstadt",
                headers=from_there,
            )
            assert status == (200 if left else 429), problem
        assert problem["code"] == "too_many_requests"
        assert headers["Retry-After"] == str(problem["retry_after_seconds"])


async def test_a_page_and_a_standard_say_it_in_their_own_words(settings: Settings) -> None:
    async with served(bounded(settings, requests_per_address=1)) as service:
        for path in ("/", "/?lang=en", "/fhir/Location", "/hsds/services"):
            await service.client.get(service.url + path, headers={"X-Forwarded-For": path_ip(path)})
        async with get_from(service, "/") as answer:
            assert (answer.status, answer.content_type) == (429, "text/html")
            assert 1 <= int(answer.headers["Retry-After"]) <= 10
            assert "Bitte warten Sie etwas" in await answer.text()
        async with get_from(service, "/?lang=en") as answer:
            assert "Please wait a little" in await answer.text()
        async with get_from(service, "/fhir/Location") as answer:
            assert answer.status == 429
            assert (await answer.json(content_type=None))["issue"][0]["code"] == "throttled"
        async with get_from(service, "/hsds/services") as answer:
            assert (answer.status, answer.content_type) == (429, "application/problem+json")


def path_ip(path: str) -> str:
    """Each path is asked from a network of its own."""
    return f"192.0.2.{sum(map(ord, path)) % 250}"


def get_from(service: Service, path: str) -> aiohttp.client._RequestContextManager:
    return service.client.get(service.url + path, headers={"X-Forwarded-For": path_ip(path)})


async def test_health_and_this_machine_itself_are_not_counted(settings: Settings) -> None:
    async with served(bounded(settings, requests_per_address=1)) as service:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert await statuses(service, 5, path, "192.0.2.7") == {200: 5}
        assert await statuses(service, 30, SEARCH) == {200: 30}
        assert await statuses(service, 30, SEARCH, "127.0.0.1") == {200: 30}


async def test_a_key_may_call_so_often_wherever_it_is(settings: Settings) -> None:
    async with served(bounded(settings, calls_per_key=10)) as service:
        await service.put_home("a")  # the first of them
        headers = {"Authorization": f"Bearer {await service.key()}"}
        body = {"vacancies": [{"care_form": "day", "count": 1}]}

        async def put(number: int) -> tuple[int, Any, Any]:
            return await service.call(
                "PUT",
                "/api/v1/homes/a/vacancies",
                body,
                headers={**headers, "X-Forwarded-For": f"192.0.2.{number}"},
            )

        answers = await asyncio.gather(*map(put, range(60)))
        assert Counter(status for status, _, _ in answers) == {200: 9, 429: 51}
        problem, sent = next((body, sent) for status, body, sent in answers if status == 429)
        assert problem["code"] == "too_many_requests"
        assert sent["Retry-After"] == str(problem["retry_after_seconds"])
        await service.put_home("b", provider="diakonie-musterstadt")


async def test_places_for_viewers_are_exact_and_come_back(settings: Settings) -> None:
    bounds = bounded(settings, viewers=12, viewers_per_address=5)
    async with served(bounds) as service:
        places = service.state.live.places
        async with AsyncExitStack() as stack:
            wide = await stack.enter_async_context(
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
            )

            async def watch(number: int, addresses: int) -> aiohttp.ClientResponse:
                headers = {"X-Forwarded-For": f"192.0.2.{number % addresses}"}
                return await stack.enter_async_context(
                    wide.get(service.url + STREAM, headers=headers)
                )

            first = await asyncio.gather(*(watch(number, 1) for number in range(40)))
            assert Counter(answer.status for answer in first) == {200: 5, 429: 35}
            full = next(answer for answer in first if answer.status == 429)
            problem = await full.json(content_type=None)
            assert problem["code"] == "too_many_viewers"
            assert full.headers["Retry-After"] == str(problem["retry_after_seconds"]) == "30"
            more = await asyncio.gather(*(watch(number, 40) for number in range(1, 40)))
            assert Counter(answer.status for answer in more) == {200: 7, 503: 32}
            problem = await more[-1].json(content_type=None)
            assert (problem["code"], more[-1].headers["Retry-After"]) == ("overloaded", "2")
            assert (places.taken, places.refused) == (12, 35 + 32)
            assert (await ask(service, SEARCH))[0] == 200, "searches are answered"
        await until(lambda: places.taken == 0)
        assert not places._by_network
        async with service.client.head(service.url + STREAM) as answer:
            assert answer.status == 200
        assert places.taken == 0


async def test_while_searches_wait_and_are_refused_reports_go_through(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turnstile, "MOST_WAITING", 30)
    async with served(settings) as service:
        await service.put_home("a")
        # A turn that does not end: as many searches are under way as may be.
        stile = service.state.door.turnstile
        await until(lambda: not stile._is_turning)
        stile._passed, stile._is_turning = turnstile.AT_A_TURN, True
        searching = asyncio.create_task(statuses(service, 50, SEARCH))
        await until(lambda: service.state.door.refused == 20)
        assert len(stile) == 30
        status, problem, headers = await ask(service, SEARCH)
        assert (status, problem["code"], headers["Retry-After"]) == (503, "overloaded", "2")
        async with service.client.get(service.url + "/") as page:
            assert (page.status, page.headers["Retry-After"]) == (503, "2")
            assert "Bitte gleich noch einmal versuchen" in await page.text()
        for count in range(1, 6):
            await service.report("a", {"count": count})
        async with service.client.get(service.url + "/signin") as page:
            assert page.status == 200, "the way to reporting is free too"
        assert (await ask(service, "/healthz"))[0] == 200
        assert len(stile) == 30
        stile._turn()
        assert await searching == {200: 30, 503: 20}
        assert (await ask(service, SEARCH))[0] == 200


async def test_the_turnstile_lets_in_a_few_each_turn_in_order() -> None:
    stile = Turnstile()
    entered: list[int] = []

    async def enter(number: int) -> None:
        await stile.enter()
        entered.append(number)

    tasks = [asyncio.create_task(enter(number)) for number in range(20)]
    most = 0
    while len(entered) < 20:
        before = len(entered)
        await asyncio.sleep(0)  # one turn of the loop
        most = max(most, len(entered) - before)
    assert entered == sorted(entered)
    assert most == turnstile.AT_A_TURN
    assert all(task.done() for task in tasks)
    assert len(stile) == 0


async def test_who_has_waited_for_long_or_left_takes_nobody_s_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stile = Turnstile()
    stile._passed, stile._is_turning = turnstile.AT_A_TURN, True
    tasks = [asyncio.create_task(stile.enter()) for _ in range(9)]
    await asyncio.sleep(0)  # one turn of the loop: all wait
    tasks[0].cancel()
    # The next four have waited too long, as if a second had passed.
    for number in range(1, 5):
        since, turn = stile._waiting[number]
        stile._waiting[number] = (since - turnstile.MOST_SECONDS - 1, turn)
    await asyncio.sleep(0)  # one more: the first has left
    stile._turn()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in found] == [
        asyncio.CancelledError,
        *[Overloaded] * 4,
        *[type(None)] * 4,
    ]


@pytest.mark.parametrize(
    ("setting", "peer", "forwarded", "client"),
    [
        ("", "192.0.2.1", ["198.51.100.9"], "192.0.2.1"),  # from outside: a lie
        ("", "127.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("", "127.0.0.1", ["203.0.113.1, 198.51.100.9"], "198.51.100.9"),  # its own lie before it
        ("", "127.0.0.1", ["203.0.113.1", "198.51.100.9"], "198.51.100.9"),  # in a line of its own
        ("", "127.0.0.1", ["198.51.100.9:4711"], "198.51.100.9"),
        ("", "::1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("", "::ffff:127.0.0.1", ["::ffff:198.51.100.9"], "198.51.100.9"),
        ("", "127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("", "127.0.0.1", [], "127.0.0.1"),
        ("", "10.0.0.2", ["198.51.100.9"], "10.0.0.2"),  # nobody has said that it is a proxy
        ("private", "10.0.0.2", ["198.51.100.9"], "198.51.100.9"),
        # A reader in the private network itself, who lies.
        ("private", "10.0.0.2", ["203.0.113.1, 10.0.0.77"], "10.0.0.77"),
        ("none", "127.0.0.1", ["198.51.100.9"], "127.0.0.1"),
        # Two proxies, both ours.
        ("10.0.0.0/8,192.0.2.0/24", "10.0.0.2", ["203.0.113.1, 198.51.100.9, 192.0.2.5"],
         "198.51.100.9"),
    ],
)  # fmt: skip
def test_only_proxies_are_believed(
    setting: str, peer: str, forwarded: list[str], client: str
) -> None:
    proxies = read_proxies(setting) if setting else Proxies()
    assert str(proxies.client(peer, forwarded)) == client


@pytest.mark.parametrize(
    ("files", "connections", "viewers"),
    [(1_000_000, 4_000, 995_800), (20_000, 4_000, 15_800), (1_024, 206, 618), (100, 1, 1)],
)
def test_connections_never_need_more_files_than_there_are(
    files: int, connections: int, viewers: int
) -> None:
    assert (connections_of(files), viewers_of(files)) == (connections, viewers)
