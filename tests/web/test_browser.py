"""The finder in a real Chromium: live, on the map, without JavaScript, and for everybody."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.conftest import Service, served
from vacancies.config import Settings

pytestmark = pytest.mark.browser

CLIENT = Path(__file__).parents[2] / "web" / "client"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
SEARCH = "/?place=33330&care_form=short_term"
HOSTILE = (
    "<img src=x onerror=window.pwned=1>",
    "</script><script>window.pwned=1</script>",
    '"><svg onload=window.pwned=1>',
    "<iframe srcdoc='<script>parent.pwned=1</script>'>",
)


@dataclass
class Watched:
    """What a page must not do."""

    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    assert (CLIENT / "dist" / "manifest.json").exists(), "build the client first: npm run build"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser, service: Service, path: str, viewport: dict[str, int], **options: Any
) -> AsyncIterator[Page]:
    """The page at `path`; fails if it asks another origin, or has an error of its own."""
    context = await browser.new_context(viewport=viewport, **options)  # type: ignore[arg-type]
    page, watched = await context.new_page(), Watched()
    page.on(
        "request",
        lambda request: (
            watched.foreign.append(request.url)
            if not request.url.startswith((service.url, "data:"))
            else None
        ),
    )
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on(
        "console",
        lambda message: watched.errors.append(message.text) if message.type == "error" else None,
    )
    await page.goto(service.url + path)
    try:
        yield page
    finally:
        await context.close()
    assert watched == Watched()


async def a_home(service: Service, home: str, count: int, north: float = 0.0, **more: Any) -> None:
    await service.put_home(
        home,
        coordinates={"latitude": 51.9 + north, "longitude": 8.38},
        contact={"phone": "05241 12345"},
        **more,
    )
    await service.report(home, {"care_form": "short_term", "count": count})


async def live(page: Page) -> None:
    await expect(page.locator("#live")).to_have_attribute("data-state", "live")


async def test_a_push_shows_in_the_list_without_moving_it(
    service: Service, browser: Browser
) -> None:
    await a_home(service, "a", 1)
    await a_home(service, "b", 1, 0.05)
    async with opened(browser, service, SEARCH, PHONE) as page:
        await live(page)
        assert re.match(r"● ?|live, Stand \d\d:\d\d", await page.inner_text("#live-text"))
        names = page.locator("#cards [data-part=name]")
        await expect(names).to_have_text(["Haus a", "Haus b"])

        await service.report("a", {"care_form": "short_term", "count": 3})
        await expect(page.locator('[data-home="a"] .offer')).to_contain_text("3 frei")
        await expect(page.locator("#answer")).to_contain_text("4 freie Plätze in Kurzzeitpflege")

        await service.report("a")
        gone = page.locator('[data-home="a"] [data-part=gone]')
        await expect(gone).to_have_text(re.compile(r"Seit \d\d:\d\d nicht mehr frei"))
        await expect(page.locator("#answer")).to_contain_text("1 freier Platz")

        await a_home(service, "c", 2, 0.01)
        news = page.locator("#news")
        await expect(news).to_have_text("2 neue Plätze anzeigen")
        await expect(names).to_have_text(["Haus a", "Haus b"])
        await expect(page.locator("#said")).to_contain_text("neue Plätze.", timeout=20_000)
        await news.click()
        await expect(names).to_have_text(["Haus c", "Haus b"])
        await expect(page.locator('[data-home="c"] [data-part=name]')).to_be_focused()
        await expect(news).to_be_hidden()


async def test_the_server_and_the_client_say_the_same(service: Service, browser: Browser) -> None:
    await a_home(
        service,
        "a",
        1,
        focuses=["dementia"],
        costs={"care_eur": 900, "training_eur": 80, "board_eur": 600, "investment_eur": 400},
        waiting_list="open",
        capacity={"short_term": 50},
        address={"street": "Am Park 1", "postcode": "33330", "city": "Gütersloh"},
    )
    next_year = datetime.now(UTC).year + 1
    lines = [
        {"care_form": "day", "count": 1, "available_from": f"{next_year}-03-01"},
        {"care_form": "short_term", "count": 1, "room": "single", "sex": "female"},
        {"care_form": "short_term", "count": 1, "available_from": f"{next_year}-01-02"},
    ]
    await service.report("a", *lines)
    await a_home(service, "stopped", 1, 0.1, admission_stop={"reason": "infection"})
    for path in (SEARCH + "&include_full=true", SEARCH + "&lang=en", "/?place=33330&sex=female"):
        async with opened(browser, service, path, DESK, java_script_enabled=False) as page:
            wanted = await page.locator("#cards").all_inner_texts()
            answer = await page.inner_text("#answer")
        async with opened(browser, service, path, DESK) as page:
            await live(page)
            # Filled again from the stream, every part of the card is the client's.
            await service.report("a", *lines)
            revision = service.state.board.get("a").revision  # type: ignore[union-attr]
            card = page.locator(f'#cards [data-home="a"][data-revision="{revision}"]')
            await expect(card).to_be_visible()
            assert await page.locator("#cards").all_inner_texts() == wanted
            await expect(page.locator("#answer")).to_have_text(answer)


async def test_list_and_map_are_one(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2)
    await a_home(service, "b", 3, 0.15)
    async with opened(browser, service, SEARCH, DESK) as page:
        marks = page.locator("#map .mark-anchor")
        await expect(marks).to_have_count(2)
        await expect(page.locator("#map .mark-fresh")).to_have_text(["2", "3"], use_inner_text=True)
        await page.hover('#cards [data-home="b"]')
        await expect(page.locator("#map .ring")).to_be_visible()
        mark = page.get_by_role("button", name="Haus a: 2 frei")
        await mark.focus()
        await expect(page.locator('#cards [data-home="a"].is-pointed')).to_be_visible()
        await mark.press("Enter")
        sheet = page.locator("#sheet")
        await expect(sheet.get_by_role("link", name="Haus a", exact=True)).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(sheet).to_be_hidden()
        await page.keyboard.press("/")
        await expect(page.locator("#f-place")).to_be_focused()
        await page.focus('[data-home="a"] [data-part=name]')
        await page.keyboard.press("ArrowDown")
        await expect(page.locator('#cards [data-home="b"] [data-part=name]')).to_be_focused()
        await service.report("b", {"care_form": "short_term", "count": 7})
        await expect(page.get_by_role("button", name="Haus b: 7 frei")).to_be_visible()


async def test_on_a_phone_list_and_map_change_places(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2)
    async with opened(browser, service, SEARCH, PHONE, has_touch=True) as page:
        await page.get_by_role("button", name="Karte").tap()
        await page.get_by_role("button", name="Haus a: 2 frei").tap()
        call = page.locator("#sheet").get_by_role("link", name="Haus a anrufen: 05241 12345")
        assert await call.get_attribute("href") == "tel:0524112345"
        size = await call.bounding_box()
        assert size is not None
        assert size["height"] >= 44
        await page.get_by_role("button", name="Liste").tap()
        await expect(page.locator('#cards [data-home="a"]')).to_be_visible()


async def test_without_javascript(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2)
    async with opened(browser, service, "/", PHONE, java_script_enabled=False) as page:
        await page.fill("#f-place", "33330")
        await page.click("summary >> nth=0")
        await page.check('[value="short_term"]')
        await page.click("text=Plätze anzeigen")
        await expect(page.locator("#answer")).to_contain_text("2 freie Plätze in Kurzzeitpflege")
        await expect(page.locator("#switch")).to_be_hidden()
        await page.click('[data-home="a"] [data-part=name]')
        await expect(page.locator("h1")).to_have_text("Haus a")


async def test_what_a_provider_writes_is_never_run(service: Service, browser: Browser) -> None:
    for number, hostile in enumerate(HOSTILE):
        await a_home(service, f"h{number}", 1, name=hostile, capacity={"short_term": 90})
    note = {"care_form": "short_term", "count": 1, "note": HOSTILE[0]}
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        for number, hostile in enumerate(HOSTILE):
            await service.report(f"h{number}", note, note)
            card = page.locator(f'#cards [data-home="h{number}"]')
            await expect(card.locator("[data-part=name]")).to_have_text(hostile)
            await expect(card.locator(".offer")).to_contain_text("2 frei")
        await page.locator("#map .mark-anchor").first.click()
        await page.goto(service.url + "/homes/h0")
        await expect(page.locator(".line-more").last).to_have_text(HOSTILE[0])
        assert await page.evaluate("window.pwned") is None
        assert await page.locator("#main :is(img[src=x], iframe, svg[onload])").count() == 0


async def test_a_lost_connection_is_said(settings: Settings, browser: Browser) -> None:
    async with served(settings) as service:
        await a_home(service, "a", 2)
        context = await browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(service.url + SEARCH)
        await live(page)
    await expect(page.locator("#live-text")).to_have_text(
        re.compile(r"getrennt, Stand \d\d:\d\d, neuer Versuch …")
    )
    await expect(page.locator('#cards [data-home="a"]')).to_be_visible()
    await context.close()


async def test_a_reset_leaves_the_list_in_its_place(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2)
    await a_home(service, "b", 1, 0.05)
    async with opened(browser, service, SEARCH, PHONE) as page:
        await live(page)
        await page.evaluate("document.querySelector('#cards').dataset.mine = 'yes'")
        async with service.state.deployment.pool.acquire() as connection:
            await connection.execute("UPDATE deployment SET epoch = $1", secrets.token_hex(16))
        await service.report("a", {"care_form": "short_term", "count": 5})
        await expect(page.locator("#answer")).to_contain_text("6 freie Plätze")
        names = page.locator("#cards[data-mine=yes] [data-part=name]")
        await expect(names).to_have_text(["Haus a", "Haus b"])
        await expect(page.locator("#news")).to_be_hidden()
        await expect(page.locator(".card.is-gone")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_it(service: Service, browser: Browser, scheme: Any) -> None:
    await a_home(service, "a", 2, focuses=["dementia"], waiting_list="open")
    await a_home(service, "b", 1, 0.1, admission_stop={"reason": "staff"})
    await service.put_home("c")
    axe = (CLIENT / "node_modules" / "axe-core" / "axe.min.js").read_text()
    paths = ("/", SEARCH + "&include_full=true", "/homes/a", "/?care_form=hospice&place=33330")
    for viewport in (PHONE, DESK):
        for path in paths:
            async with opened(
                browser, service, path, viewport, bypass_csp=True, color_scheme=scheme
            ) as page:
                await page.wait_for_load_state("load")
                if path.startswith("/?place"):
                    await live(page)
                    await page.click("summary >> nth=1")
                width = await page.evaluate("document.documentElement.scrollWidth")
                assert width <= viewport["width"], path
                await page.evaluate(axe)
                found = await page.evaluate("axe.run()")
                bad = [
                    (rule["id"], [node["html"][:150] for node in rule["nodes"]])
                    for rule in found["violations"]
                    if rule["impact"] in ("serious", "critical")
                ]
                assert bad == [], (path, viewport)


async def test_it_flows_at_four_hundred_percent(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2, name="Seniorenpflegeheimverwaltungsgesellschaft " + "x" * 60)
    for path in (SEARCH, "/homes/a"):
        async with opened(browser, service, path, {"width": 320, "height": 256}) as page:
            assert await page.evaluate("document.documentElement.scrollWidth") <= 320


async def test_the_documentation_needs_no_other_server(service: Service, browser: Browser) -> None:
    async with opened(browser, service, "/api/v1/docs", DESK) as page:
        await expect(page.locator("#swagger .opblock").first).to_be_visible(timeout=15_000)
