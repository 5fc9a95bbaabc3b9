"""The finder in a real Chromium: live, on the map, without JavaScript, and never run by others."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, expect

from tests.conftest import Service, served
from tests.web.conftest import DESK, PHONE, SEARCH, a_home, live, opened
from vacancies.config import Settings

pytestmark = pytest.mark.browser

HOSTILE = (
    "<img src=x onerror=window.pwned=1>",
    "</script><script>window.pwned=1</script>",
    '"><svg onload=window.pwned=1>',
    "<iframe srcdoc='<script>parent.pwned=1</script>'>",
)


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
        await expect(mark).to_be_focused()
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
        call = page.locator("#sheet").get_by_role("link", name="Anrufen 05241 12345 Haus a")
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
        await page.click(".drop:nth-of-type(1) > summary")
        await page.check('[value="short_term"]')
        await page.click(".drop[open] >> text=Plätze anzeigen")
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
        re.compile(r"getrennt, Stand \d\d:\d\d, neuer Versuch …"), timeout=20_000
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
