"""The place fields in a real Chromium: suggestions by keyboard and by touch, two places, and
the reader's own position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.conftest import Service
from tests.web.conftest import DESK, PHONE, SEARCH, a_home, live, opened, violations

pytestmark = pytest.mark.browser

OPTIONS = "#f-place-suggestions [role=option]"


@asynccontextmanager
async def a_finder(
    service: Service,
    browser: Browser,
    path: str = "/",
    viewport: dict[str, int] = DESK,
    **more: Any,
) -> AsyncIterator[Page]:
    await a_home(service, "a", 2)
    async with opened(browser, service, path, viewport, bypass_csp=True, **more) as page:
        await expect(page.locator("#f-place")).to_have_role("combobox")
        yield page


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


async def test_suggestions_by_keyboard(service: Service, browser: Browser) -> None:
    async with a_finder(service, browser) as page:
        field, options = page.locator("#f-place"), page.locator(OPTIONS)
        await field.press_sequentially("gütrsl")
        await expect(options).to_have_text(["Gütersloh Nordrhein-Westfalen"])
        await expect(page.locator(".place [role=status]").first).to_have_text(
            "1 Vorschlag. Wählen Sie mit den Pfeiltasten."
        )
        await expect(field).to_have_attribute("aria-expanded", "true")
        assert await violations(page) == []
        await field.press("ArrowDown")
        active = await field.get_attribute("aria-activedescendant")
        await expect(page.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
        await field.press("Enter")
        await expect(field).to_have_value("Gütersloh")
        await expect(field).to_be_focused()
        await expect(options).to_have_count(0)
        await expect(field).to_have_attribute("aria-expanded", "false")
        await field.press("Enter")
        await expect(page.locator("#answer")).to_contain_text("um Gütersloh")
        assert asked(page)["label"] == ["Gütersloh"]
        assert asked(page)["near"] == ["51.90693,8.37853"]


async def test_escape_closes_and_keeps_what_was_typed(service: Service, browser: Browser) -> None:
    async with a_finder(service, browser) as page:
        field, options = page.locator("#f-place"), page.locator(OPTIONS)
        await field.press_sequentially("Halle")
        await expect(options.first).to_be_visible()
        await field.press("ArrowUp")  # the last one
        await expect(options.last).to_have_attribute("aria-selected", "true")
        await field.press("ArrowDown")  # round to the field
        await expect(page.locator(f"{OPTIONS}[aria-selected=true]")).to_have_count(0)
        await field.press("Escape")
        await expect(options).to_have_count(0)
        await expect(field).to_have_value("Halle")
        await field.press("ArrowDown")
        await expect(options.first).to_be_visible()
        await field.press("Tab")
        await expect(options).to_have_count(0)


async def test_one_of_eleven_by_touch(service: Service, browser: Browser) -> None:
    async with a_finder(service, browser, viewport=PHONE, has_touch=True) as page:
        field = page.locator("#f-place")
        await field.tap()
        await field.press_sequentially("Neuenkirchen 10 km")
        option = page.locator(OPTIONS).filter(has_text="bei Rheine")
        await option.tap()
        await expect(field).to_have_value("48485 Neuenkirchen, Nordrhein-Westfalen 10 km")
        await page.get_by_role("button", name="Suchen").tap()
        await expect(page.locator("#answer")).to_contain_text(
            "im Umkreis von 10\u00a0km um 48485 Neuenkirchen, Nordrhein-Westfalen"
        )
        await expect(field).to_have_value("48485 Neuenkirchen, Nordrhein-Westfalen")
        await expect(page.locator("#f-radius")).to_have_value("10")


async def test_an_older_answer_never_replaces_a_newer_one(
    service: Service, browser: Browser
) -> None:
    async with a_finder(service, browser) as page:
        held, first_asked = asyncio.Event(), asyncio.Event()

        async def hold_the_first(route: Route) -> None:
            if "q=Bie" in route.request.url:
                first_asked.set()
                await held.wait()
            await route.continue_()

        await page.route("**/api/v1/places/suggest?*", hold_the_first)
        field, options = page.locator("#f-place"), page.locator(OPTIONS)
        await field.fill("Bie")
        await asyncio.wait_for(first_asked.wait(), 20)
        await field.fill("Güters")
        await expect(options.first).to_contain_text("Gütersloh")
        held.set()
        async with page.expect_response("**/suggest?q=G%C3%BCtersl"):
            await field.press("l")  # by its answer the first one is surely over
        await expect(options).to_have_text(
            [
                "Gütersloh Nordrhein-Westfalen",
                "Güntersleben Bayern",
                "Gatersleben Sachsen-Anhalt",
            ]
        )


async def test_streets_are_not_sent_for_suggestions(service: Service, browser: Browser) -> None:
    async with a_finder(service, browser) as page:
        questions: list[str] = []
        page.on(
            "request",
            lambda request: (
                questions.extend(parse_qs(urlsplit(request.url).query)["q"])
                if "/suggest" in request.url
                else None
            ),
        )
        field = page.locator("#f-place")
        await field.fill("Geheime Straße 12 ")
        await field.fill("Geheime Straße 12, Güters")
        await expect(page.locator(OPTIONS).first).to_contain_text("Gütersloh")
        await field.fill("Geheime Straße 12 33330")
        await field.fill("Essen, Ruhr 20 km")
        await expect(page.locator(OPTIONS).first).to_contain_text("Essen")
        assert questions[0] == "Güters"
        assert questions[-1] == "Essen, Ruhr"
        assert not any("12" in text for text in questions)


async def test_two_places(service: Service, browser: Browser) -> None:
    await service.put_home("b", coordinates={"latitude": 52.03, "longitude": 8.53})
    await service.report("b", {"care_form": "short_term", "count": 1})
    path = "/?place=G%C3%BCtersloh&radius_km=10"
    async with a_finder(service, browser, path, PHONE) as page:
        await page.get_by_text("Zweiter Ort").first.click()
        assert await violations(page) == []
        field = page.locator("#f-place2")
        await field.press_sequentially("Bielef")
        await expect(page.locator("#f-place2-suggestions [role=option]").first).to_be_visible()
        await field.press("Escape")  # the list only, not the panel around it
        await expect(field).to_be_visible()
        await field.press("ArrowDown")
        await expect(page.locator("#f-place2-suggestions [role=option]").first).to_be_visible()
        await field.press("ArrowDown")
        await field.press("Enter")
        await field.press("Enter")
        await expect(page.locator("#answer")).to_contain_text(
            "3 freie Plätze im Umkreis von 10\u00a0km um Gütersloh oder Bielefeld"
        )
        await live(page)
        distance = page.locator('[data-home="b"] [data-part=distance]')
        await expect(distance).to_have_text("0,4\u00a0km von Bielefeld")
        # Filled by the client it says the same.
        await service.report("b", {"care_form": "short_term", "count": 5})
        await expect(page.locator("#answer")).to_contain_text("7 freie Plätze")
        await expect(page.locator('[data-home="b"] .offer')).to_contain_text("5 frei")
        await expect(distance).to_have_text("0,4\u00a0km von Bielefeld")
        await expect(page.locator('[data-home="a"] [data-part=distance]')).to_contain_text(
            "von Gütersloh"
        )


async def test_two_places_without_javascript(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2)
    async with opened(
        browser, service, "/", PHONE, may_fail=True, java_script_enabled=False
    ) as page:
        await page.fill("#f-place", "Bielefeld 5 km")
        await page.click("summary:has-text('Zweiter Ort')")
        await page.fill("#f-place2", "Neuenkirchen")
        await page.press("#f-place2", "Enter")
        await expect(page.locator("h1")).to_have_text("„Neuenkirchen“ gibt es mehrmals")
        await page.click("text=bei Rheine")
        await expect(page.locator("#answer")).to_contain_text(
            "im Umkreis von 5\u00a0km um Bielefeld oder 48485 Neuenkirchen, Nordrhein-Westfalen"
        )
        await expect(page.locator("#f-radius")).to_have_value("5")


async def test_suggestions_on_the_page_of_a_place_that_is_not_known(
    service: Service, browser: Browser
) -> None:
    await a_home(service, "a", 2)
    path = "/?place=Xqzwtown&care_form=short_term"
    async with opened(browser, service, path, PHONE, may_fail=True, bypass_csp=True) as page:
        field = page.locator("#f-place")
        await field.fill("Güters")
        await page.locator(OPTIONS).filter(has_text="Gütersloh").click()
        await field.press("Enter")
        await expect(page.locator("#answer")).to_contain_text("2 freie Plätze in Kurzzeitpflege")


async def test_my_position(service: Service, browser: Browser) -> None:
    here = {"latitude": 51.9074321, "longitude": 8.3781234}
    async with a_finder(
        service, browser, SEARCH, PHONE, geolocation=here, permissions=["geolocation"]
    ) as page:
        await page.get_by_role("button", name="Meinen Standort verwenden").click()
        await expect(page.locator("#answer")).to_contain_text("um Mein Standort")
        assert asked(page)["near"] == ["51.907,8.378"]
        await expect(page.locator("#f-place")).to_have_value("Mein Standort")
        # Another place afterwards is that place.
        await page.fill("#f-place", "Bielefeld")
        await page.press("#f-place", "Enter")
        await expect(page.locator("#answer")).to_contain_text("um Bielefeld")


async def test_my_position_is_refused(service: Service, browser: Browser) -> None:
    async with a_finder(service, browser, SEARCH, PHONE) as page:
        await page.context.clear_permissions()
        await page.get_by_role("button", name="Meinen Standort verwenden").click()
        await expect(page.locator("#form-message")).to_contain_text("gibt Ihren Standort nicht")
        assert "near" not in asked(page)
