"""The list as it goes on living from its own page, while the points come for all others."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Route, expect

from tests.conftest import Service
from tests.web.conftest import DESK, SEARCH, a_home, live, opened

pytestmark = pytest.mark.browser


async def some_homes(service: Service, count: int, free: int) -> None:
    """`count` homes in one place, the first `free` of them with one place each."""
    for number in range(count):
        await service.put_home(f"h{number:02}", contact={"phone": "05241 12345"})
    lines = [{"care_form": "short_term", "count": 1}]
    reports = [{"home_id": f"h{number:02}", "vacancies": lines} for number in range(free)]
    await service.call(
        "POST", "/api/v1/reports", {"reports": reports}, provider="caritas-musterstadt"
    )


async def test_what_changes_while_the_page_loads_is_shown(
    service: Service, browser: Browser
) -> None:
    for home in ("a", "b", "c"):
        await a_home(service, home, 1)
    await service.report("c")

    async def late(route: Route) -> None:
        await service.report("a", {"care_form": "short_term", "count": 3})
        await service.report("b")
        await service.report("c", {"care_form": "short_term", "count": 2})
        await route.continue_()

    context = await browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.route("**/api/v1/vacancies/points*", late, times=1)
    await page.goto(service.url + SEARCH)
    await live(page)
    await expect(page.locator('[data-home="a"] .offer')).to_contain_text("3 frei")
    await expect(page.locator('[data-home="b"]')).to_have_class(re.compile("is-gone"))
    await expect(page.locator("#news")).to_have_text("2 neue Plätze anzeigen")
    await expect(page.locator("#answer")).to_contain_text("5 freie Plätze")
    await context.close()


async def test_more_cards_come_from_the_next_page(service: Service, browser: Browser) -> None:
    await some_homes(service, 55, 54)
    async with opened(browser, service, "/", DESK) as page:
        await live(page)
        names = page.locator("#cards [data-part=name]")
        await expect(page.locator("#shown")).to_have_text("50 von 54 Einrichtungen")
        # Behind the cards that are shown: no news for this list, but for answer and map.
        await service.report("h54", {"care_form": "short_term", "count": 6})
        await expect(page.locator("#answer")).to_contain_text("60 freie Plätze")
        await expect(page.locator("#news")).to_be_hidden()
        await page.click("#more a")
        await expect(names).to_have_text([f"Haus h{number:02}" for number in range(55)])
        await expect(names.nth(50)).to_be_focused()
        await expect(page.locator("#more")).to_be_hidden()
        await service.report("h53", {"care_form": "short_term", "count": 4})
        await expect(page.locator('#cards [data-home="h53"] .offer')).to_contain_text("4 frei")
        await service.report("h54")
        await expect(page.locator('[data-home="h54"]')).to_have_class(re.compile("is-gone"))
        # The list is complete now: whatever comes belongs to it.
        await service.put_home("z")
        await service.report("z", {"care_form": "day", "count": 1})
        await expect(page.locator("#news")).to_have_text("1 neuen Platz anzeigen")


async def test_a_mark_without_a_card_in_the_list_shows_its_home(
    service: Service, browser: Browser
) -> None:
    await some_homes(service, 51, 51)
    await service.put_home(
        "far", name="Weit weg", coordinates={"latitude": 52.05, "longitude": 8.4}
    )
    await service.report("far", {"care_form": "day", "count": 7})
    async with opened(browser, service, "/?place=33330", DESK) as page:
        await live(page)
        await expect(page.locator('#cards [data-home="far"]')).to_have_count(0)
        await page.get_by_role("button", name="Weit weg: 7 frei").click()
        card = page.locator('#sheet [data-home="far"]')
        await expect(card.locator(".offer")).to_contain_text("7 frei")
        await expect(card.locator("[data-part=distance]")).to_have_text(re.compile(r"1\d\skm"))
        await service.report("far", {"care_form": "day", "count": 8})
        await expect(card.locator(".offer")).to_contain_text("8 frei")


async def test_more_cards_can_come_before_the_points(service: Service, browser: Browser) -> None:
    await some_homes(service, 52, 52)
    context = await browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = await context.new_page()
    names = page.locator("#cards [data-part=name]")

    async def late(route: Route) -> None:
        await page.click("#more a")
        await expect(names).to_have_count(52)
        await service.report("h51")
        await route.continue_()

    await page.route("**/api/v1/vacancies/points*", late, times=1)
    await page.goto(service.url + "/", wait_until="commit")
    await live(page)
    await expect(page.locator('[data-home="h51"]')).to_have_class(re.compile("is-gone"))
    await expect(page.locator(".card.is-gone")).to_have_count(1)
    await context.close()


async def test_without_a_network_the_list_stays(service: Service, browser: Browser) -> None:
    await some_homes(service, 51, 51)
    context = await browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(service.url + "/")
    await live(page)
    await context.set_offline(True)
    async with page.expect_event("requestfailed", lambda failed: "after=" in failed.url):
        await page.click("#more a")
    await context.set_offline(False)
    await page.click("#more a")
    await expect(page.locator("#cards [data-part=name]")).to_have_count(51)
    assert page.url == service.url + "/"
    await context.close()


async def test_where_nothing_is_found_the_map_shows_where_it_was_sought(
    service: Service, browser: Browser
) -> None:
    async with opened(browser, service, "/?place=33330&care_form=hospice", DESK) as page:
        await live(page)
        circle = await page.locator("#map .radius-line").bounding_box()
        assert circle is not None
        assert circle["width"] > 300
        await expect(page.locator("#nothing")).to_be_visible()
