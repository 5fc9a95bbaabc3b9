"""The languages in a real Chromium: the menu in the header, and pages that hold long words."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.conftest import Service
from tests.web.conftest import DESK, PHONE, SEARCH, a_home, live, opened, violations

pytestmark = pytest.mark.browser

NARROW = {"width": 320, "height": 256}  # 1280 × 1024 at 400 %
OPEN_ALL = "for (const each of document.querySelectorAll('details:not([name])')) each.open = true"
READING = ("de", "de-simple", "en", "tr", "ru")


async def test_the_menu_works_by_keyboard_and_closes_on_escape(
    service: Service, browser: Browser
) -> None:
    async with opened(browser, service, "/", PHONE) as page:
        menu = page.locator("details.languages")
        summary = menu.locator("summary")
        await expect(summary).to_have_text("Sprache: Deutsch")
        await summary.focus()
        await page.keyboard.press("Enter")
        names = ["Deutsch", "Leichte Sprache", "English", "Türkçe", "Русский"]
        await expect(menu.get_by_role("link")).to_have_text(names)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Escape")
        await expect(menu).not_to_have_attribute("open", "")
        await expect(summary).to_be_focused()
        await page.keyboard.press("Enter")
        await menu.get_by_role("link", name="Русский").press("Enter")
        await page.wait_for_url("**/?lang=ru")
        await expect(summary).to_have_text("Язык: Русский")


async def test_the_menu_closes_when_one_goes_on(service: Service, browser: Browser) -> None:
    async with opened(browser, service, "/", DESK) as page:
        menu = page.locator("details.languages")
        await menu.locator("summary").click()
        await expect(menu).to_have_attribute("open", "")
        await page.locator("h1").first.click()
        await expect(menu).not_to_have_attribute("open", "")
        await menu.locator("summary").click()
        await page.locator("#f-place").focus()
        await expect(menu).not_to_have_attribute("open", "")


async def test_the_menu_needs_no_script(service: Service, browser: Browser) -> None:
    async with opened(browser, service, "/", PHONE, java_script_enabled=False) as page:
        await page.locator("details.languages summary").click()
        await page.get_by_role("link", name="Türkçe").click()
        await page.wait_for_url("**/?lang=tr")


@pytest.mark.parametrize("language", READING)
async def test_no_language_is_wider_than_the_window(
    service: Service, browser: Browser, language: str
) -> None:
    await a_home(
        service,
        "a",
        2,
        name="Seniorenzentrum St. Anna",
        costs={"care_eur": 1000, "training_eur": 80, "board_eur": 600, "investment_eur": 300},
        focuses=["dementia", "ventilation"],
        needs=["mrsa", "social_assistance"],
    )
    paths = (f"{SEARCH}&lang={language}", f"/homes/a?lang={language}", f"/nowhere?lang={language}")
    for viewport in (PHONE, NARROW):
        for path in paths:
            async with opened(
                browser, service, path, viewport, may_fail=True, bypass_csp=True
            ) as page:
                assert await page.evaluate("document.documentElement.lang") == language
                await page.evaluate(OPEN_ALL)
                width = await page.evaluate("document.documentElement.scrollWidth")
                assert width <= viewport["width"], path
                assert await violations(page) == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de-simple", "Bis 25 km entfernt von 33330: 22 freie Plätze für Kurz-Zeit-Pflege."),
        ("tr", "33330 çevresinde (25 km): kısa süreli bakım (Kurzzeitpflege) için 22 boş yer,"),
        ("ru", "22 свободных места: кратковременный уход (Kurzzeitpflege) – в радиусе 25\u00a0km"),
    ],
)
async def test_the_client_says_the_same_as_the_page(
    service: Service, browser: Browser, language: str, said: str
) -> None:
    await a_home(service, "a", 21)
    await a_home(service, "b", 1, north=0.01)
    async with opened(browser, service, f"{SEARCH}&lang={language}", DESK) as page:
        answer = page.locator(".answer")
        await live(page)
        await expect(answer).to_contain_text(said)
        await service.report("b", {"care_form": "short_term", "count": 2})
        await expect(answer).to_contain_text(said.replace("22", "23"))
