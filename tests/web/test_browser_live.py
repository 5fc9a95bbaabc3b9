"""What changes while somebody reads: in its place, said once in a while, and after a cut too."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.conftest import Service
from tests.web.conftest import DESK, PHONE, SEARCH, a_home, live, opened
from tests.web.test_browser_list import some_homes

pytestmark = pytest.mark.browser


class Line:
    """What lies between a browser and the server: bytes go through until it is cut."""

    def __init__(self, host: str, port: int) -> None:
        self.there = (host, port)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None] | None] = set()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in self._ends:
            end.transport.abort()
        await asyncio.gather(*filter(None, self._serving))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self.there)
        ends, task = {writer, far_writer}, asyncio.current_task()
        self._ends |= ends
        self._serving.add(task)
        with suppress(ConnectionError):
            await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))
        self._ends -= ends
        self._serving.discard(task)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while some := await reader.read(65536):
            writer.write(some)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def over_a_line(service: Service) -> AsyncIterator[tuple[Service, Line]]:
    address = urlsplit(service.url)
    assert address.hostname is not None
    assert address.port is not None
    line = Line(address.hostname, address.port)
    await line.mend()
    yield replace(service, url=f"http://127.0.0.1:{line.port}"), line
    await line.cut()


async def test_a_cut_line_is_said_and_heals(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2)
    async with (
        over_a_line(service) as (far, line),
        opened(browser, far, SEARCH, PHONE, may_fail=True) as page,
    ):
        await live(page)
        told = page.locator("#live-text")
        await line.cut()
        await expect(told).to_have_text(
            re.compile(r"getrennt, Stand \d\d:\d\d, neuer Versuch …"), timeout=20_000
        )
        said = page.locator("#said")
        await expect(said).to_have_text(
            re.compile(
                r"Die Verbindung ist getrennt. Sie sehen den Stand von \d\d:\d\d. Ein neuer"
            ),
            timeout=20_000,
        )
        await service.report("a", {"care_form": "short_term", "count": 5})
        await expect(page.locator('[data-home="a"] .offer')).to_contain_text("2 frei")
        await line.mend()
        await expect(told).to_have_text(
            re.compile(r"wieder verbunden, live, Stand \d\d:\d\d"), timeout=30_000
        )
        await expect(page.locator('[data-home="a"] .offer')).to_contain_text("5 frei")
        await expect(page.locator("#answer")).to_contain_text("5 freie Plätze")
        await expect(said).to_have_text(
            re.compile("Wieder verbunden. 3 neue Plätze. 5 freie"), timeout=20_000
        )


async def test_a_map_that_is_moved_without_a_network_is_followed_later(
    service: Service, browser: Browser
) -> None:
    await a_home(service, "a", 2)
    await a_home(service, "b", 1, 0.2)
    async with (
        over_a_line(service) as (far, line),
        opened(browser, far, SEARCH, DESK, may_fail=True) as page,
    ):
        await live(page)
        names = page.locator("#cards [data-part=name]")
        await expect(page.locator("#map .mark")).to_have_count(2)
        await line.cut()
        for _ in range(3):
            await page.get_by_role("button", name="Vergrößern", exact=True).click()
        await expect(page.locator("#answer")).to_contain_text("in diesem Kartenausschnitt")
        await expect(names).to_have_text(["Haus a", "Haus b"])
        await line.mend()
        await expect(names).to_have_text(["Haus a"], timeout=30_000)


async def test_what_is_gone_stays_in_its_place_and_can_come_back(
    service: Service, browser: Browser
) -> None:
    for number, home in enumerate("abc"):
        await a_home(service, home, 1, number / 100)
    async with opened(browser, service, SEARCH, DESK, reduced_motion="reduce") as page:
        await live(page)
        card = page.locator('#cards [data-home="b"]')
        call = card.get_by_role("link", name="Anrufen")
        await call.focus()
        place = await call.bounding_box()
        assert place is not None
        await service.report("a")
        await service.report("b")
        await expect(card.locator("[data-part=gone]")).to_have_text(
            re.compile(r"^Seit \d\d:\d\d nicht mehr frei gemeldet$")
        )
        await expect(call).to_be_focused()
        await expect(page.locator("#cards > li")).to_have_count(3)
        await service.report("b", {"care_form": "short_term", "count": 2})
        await expect(card).not_to_have_class(re.compile("is-gone"))
        await expect(card.locator("[data-part=gone]")).to_be_hidden()
        await expect(call).to_be_focused()
        await expect(page.locator(".card.is-gone")).to_have_count(1)
        assert await page.evaluate("document.getAnimations().length") == 0


async def test_news_lie_over_no_card_that_is_read(service: Service, browser: Browser) -> None:
    await some_homes(service, 8, 8)
    for viewport in (DESK, PHONE):
        # With reduced motion the page does not glide: what has the focus is there at once.
        async with opened(
            browser, service, "/?place=33330", viewport, reduced_motion="reduce"
        ) as page:
            await live(page)
            first = page.locator('#cards [data-home="h00"]')
            before = await first.bounding_box()
            assert before is not None
            await service.report("h00", {"care_form": "short_term", "count": 1})
            await service.put_home("i", name=f"Haus a {viewport['width']}")
            await service.report("i", {"care_form": "day", "count": 1})
            news = page.locator("#news")
            await expect(news).to_be_visible()
            assert await first.bounding_box() == before
            bar = await news.bounding_box()
            assert bar is not None
            assert bar["y"] + bar["height"] > viewport["height"] - 40, "at the foot"
            assert bar["x"] + bar["width"] <= 420, "over the list only"
            # With the keyboard nothing stops behind it.
            await page.focus('[data-home="h00"] [data-part=name]')
            for _ in range(7):
                await page.keyboard.press("ArrowDown")
                at = await page.evaluate_handle("document.activeElement")
                box = await at.as_element().bounding_box()  # type: ignore[union-attr]
                assert box is not None
                assert box["y"] + box["height"] <= bar["y"]
            await service.report("i")


async def test_they_who_listen_hear_it_once_in_a_while(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 1)
    async with opened(browser, service, SEARCH, PHONE) as page:
        await page.clock.install()
        await page.reload()
        await live(page)
        # The fields of the form speak for themselves, and only while somebody types.
        regions = "main :is([role=status], [role=alert], [role=log], [aria-live])"
        regions += ":not([hidden]):not(#search *)"
        assert await page.locator(regions).evaluate_all("nodes => nodes.map(({id}) => id)") == [
            "said"
        ]
        await _changed(page, service, 3)
        await page.clock.run_for(1_500)
        await expect(page.locator("#said")).to_have_text(re.compile("^2 neue Plätze. 3 freie"))
        # However much comes in, nothing is said for a while, and then all of it.
        for count in (4, 6, 9):
            await _changed(page, service, count)
            await page.clock.run_for(4_000)
            assert (await page.inner_text("#said")).startswith("2 neue Plätze. 3 freie")
        await page.clock.run_for(4_000)
        await expect(page.locator("#said")).to_have_text(re.compile("^6 neue Plätze. 9 freie"))


async def _changed(page: Page, service: Service, count: int) -> None:
    await service.report("a", {"care_form": "short_term", "count": count})
    await expect(page.locator('[data-home="a"] .offer')).to_contain_text(f"{count} frei")
    await page.clock.run_for(500)
    await expect(page.locator("#answer")).to_contain_text(f"{count} freie Plätze")


async def test_small_towns_without_a_network_are_asked_for_again(
    service: Service, browser: Browser
) -> None:
    await a_home(service, "a", 2)
    await a_home(service, "b", 1, 3.0)  # so far away that the map begins with the large towns
    towns = re.compile("/assets/small-towns-")
    async with opened(browser, service, "/", DESK, may_fail=True) as page:
        await live(page)
        await expect(page.locator("#map .mark")).to_have_count(2)
        await page.route(towns, lambda route: route.abort("internetdisconnected"))
        async with page.expect_event("requestfailed", lambda asked: bool(towns.search(asked.url))):
            for _ in range(4):
                await page.get_by_role("button", name="Vergrößern", exact=True).click()
                await expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)
        await page.unroute(towns)
        async with page.expect_response(towns) as answer:
            await page.get_by_role("button", name="Vergrößern", exact=True).click()
        assert (await answer.value).ok
