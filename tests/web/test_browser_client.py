"""The report page with its client in a real Chromium: one button, undo, from home to home, as an
app, and in the languages of carers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.conftest import Service
from tests.web.carer import Carer, carer_of
from tests.web.conftest import PHONE, violations
from tests.web.reporting import main_button, reporting, told

pytestmark = pytest.mark.browser

NARROW = {"width": 320, "height": 256}
OPEN_ALL = "for (const details of document.querySelectorAll('details')) details.open = true"


@pytest.fixture
async def carer(service: Service) -> Carer:
    """Somebody of home `a`, which has 2 places in short-term care and none in long-term care."""
    await service.put_home("a", name="Haus Anna", capacity={"long_term": 60, "short_term": 8})
    await service.report("a", {"care_form": "short_term", "count": 2, "care_grades": [2, 3]})
    return await carer_of(service, "a")


async def test_one_button_says_what_it_does(
    service: Service, browser: Browser, carer: Carer
) -> None:
    async with reporting(browser, service, carer.link()) as (_, page):
        button = main_button(page)
        await expect(button).to_have_text("Unchanged: report it so")
        await page.get_by_role("button", name="One place more: long-term care").tap()
        await expect(button).to_have_text("Report 1 + 2")
        await expect(page.locator("#summary")).to_have_text(
            "To be reported: 1 long-term care, 2 short-term care"
        )
        less = page.get_by_role("button", name="One place less: long-term care")
        await less.tap()
        await expect(button).to_have_text("Unchanged: report it so")
        await expect(less).to_have_attribute("aria-disabled", "true")
        await button.tap()
        await expect(page.locator("#outcome")).to_contain_text(re.compile(r"Reported at \d\d:\d\d"))
        (confirmation,) = await told(carer)
        assert confirmation.kind == "confirmation"


async def test_a_report_can_be_taken_back_for_a_minute(
    service: Service, browser: Browser, carer: Carer
) -> None:
    async with reporting(browser, service, carer.link()) as (_, page):
        before = await carer.home()
        await page.evaluate(OPEN_ALL)
        await page.fill("#count-short_term", "8")
        await page.select_option("#waiting-list", "open")
        await main_button(page).tap()
        undo = page.get_by_role("button", name="Undo")
        await expect(undo).to_contain_text(re.compile(r"Undo \((1:00|0:5\d)\)"))
        assert (await carer.home()).vacancies[0].count == 8
        await undo.tap()
        await expect(page.locator("#done")).to_contain_text("Taken back at")
        await expect(page.locator("#count-short_term")).to_have_value("2")
        after = await carer.home()
        assert (after.vacancies, after.last_said_at) == (before.vacancies, before.last_said_at)
        assert after.profile.waiting_list == "open", "only the report was taken back"


async def test_the_minute_ends(service: Service, browser: Browser, carer: Carer) -> None:
    async with reporting(browser, service, carer.link()) as (_, page):
        await page.clock.install()
        await page.reload()
        await main_button(page).tap()
        undo = page.locator("#outcome button")
        await expect(undo).to_contain_text("Undo")
        await page.clock.fast_forward(61_000)
        await expect(undo).to_be_hidden()
        await expect(page.locator("#outcome")).to_contain_text("Reported at")


async def test_a_keyboard_and_ears_are_enough(
    service: Service, browser: Browser, carer: Carer
) -> None:
    async with reporting(browser, service, carer.link()) as (_, page):
        walk = []
        for _ in range(40):
            await page.keyboard.press("Tab")
            walk.append(await page.evaluate("document.activeElement.ariaLabel ?? ''"))
            if walk[-1] == "One place more: short-term care":
                break
        assert "One place more: long-term care" in walk
        await page.keyboard.press("Space")
        assert await page.evaluate("document.querySelector('#summary').ariaLive") == "polite"
        await page.keyboard.press("Shift+Tab")
        await expect(page.locator("#count-short_term")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#said")).to_have_text(re.compile(r"^Reported at \d\d:\d\d\."))
        await expect(page.locator("#count-short_term")).to_be_focused()
        assert (await told(carer))[0].vacancies[0].count == 3
        await page.keyboard.press("Tab")
        while not await page.evaluate("document.activeElement.closest('#outcome') !== null"):
            assert not await page.evaluate("document.activeElement === document.body")
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#done")).to_contain_text("Taken back at")


async def test_a_swipe_goes_to_the_next_home(service: Service, browser: Browser) -> None:
    for home in ("a", "b", "c"):
        await service.put_home(home, name=f"Haus {home}")
    admin = await carer_of(service, None, "boss@anna.example")
    async with reporting(browser, service, admin.link("b")) as (_, page):
        await _swipe(page, 300, 60)
        await expect(page.locator("h1")).to_have_text("Haus c")
        await page.go_back()
        await _swipe(page, 60, 300)
        await expect(page.locator("h1")).to_have_text("Haus a")
        await _swipe(page, 60, 300)  # there is none before
        await page.get_by_role("link", name="Haus b").click()
        await expect(page.locator("h1")).to_have_text("Haus b")
    async with reporting(browser, service, admin.link("b") + "?lang=ar") as (_, page):
        await _swipe(page, 60, 300)
        await expect(page.locator("h1")).to_have_text("Haus c")


async def test_many_homes_do_not_push_the_numbers_away(service: Service, browser: Browser) -> None:
    for home in "abcdefgh":
        await service.put_home(home, name=f"Haus {home}", capacity={"short_term": 8})
    admin = await carer_of(service, None, "boss@anna.example")
    async with reporting(browser, service, admin.link("b")) as (_, page):
        await expect(page.locator("#count-short_term")).to_be_in_viewport()
        await page.get_by_text("Your homes (8)").tap()
        await page.get_by_role("link", name="Haus g").tap()
        await expect(page.locator("h1")).to_have_text("Haus g")
        await _swipe(page, 300, 60)
        await expect(page.locator("h1")).to_have_text("Haus h")


async def _swipe(page: Page, start: int, end: int) -> None:
    """A finger over the heading, by the browser's own input: sideways from `start` to `end`."""
    await expect(page.locator("main.can-swipe")).to_be_visible()
    await page.locator("h1").scroll_into_view_if_needed()
    box = await page.locator("h1").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    session = await page.context.new_cdp_session(page)
    steps = [start + (end - start) * step / 8 for step in range(9)]
    await _touch(session, "touchStart", [{"x": start, "y": y}])
    for x in steps[1:]:
        await _touch(session, "touchMove", [{"x": x, "y": y}])
    await _touch(session, "touchEnd", [])
    await session.detach()


async def _touch(session: Any, kind: str, points: list[dict[str, float]]) -> None:
    await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.mark.parametrize("language", ["pl", "ar"])
async def test_carers_languages_say_that_nobody_has_checked_them(
    service: Service, browser: Browser, language: str
) -> None:
    await service.put_home("a", name="Haus Anna", capacity={"long_term": 60, "short_term": 8})
    await service.put_home("b", name="Haus Berta")
    await service.report("a", {"care_form": "short_term", "count": 2})
    carer = await carer_of(service, None, language=language)
    note = {"pl": "Tego tłumaczenia nie sprawdziła", "ar": "لم يراجع هذه الترجمة"}[language]
    sent = {"pl": "Zgłoszono o", "ar": "تم الإبلاغ الساعة"}[language]
    for viewport in (PHONE, NARROW):
        async with reporting(
            browser, service, carer.link(), viewport=viewport, bypass_csp=True
        ) as (_, page):
            await expect(page.get_by_text(note)).to_be_visible()
            direction = "rtl" if language == "ar" else "ltr"
            assert await page.evaluate("document.documentElement.dir") == direction
            await page.evaluate(OPEN_ALL)
            await page.fill("#count-short_term", "3")
            await main_button(page).tap()
            await expect(page.locator("#outcome")).to_contain_text(sent)
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"]
            assert await violations(page) == []
            steps = await page.locator(".step:visible").all()
            sizes = [await step.bounding_box() for step in steps]
            assert min(min(size["width"], size["height"]) for size in sizes if size) >= 44
            # Where the page is not in that language, it is German.
            await page.goto(f"{service.url}/?lang={language}")
            assert await page.evaluate("document.documentElement.lang") == "de"


async def test_the_app_can_be_installed(service: Service, browser: Browser, carer: Carer) -> None:
    async with reporting(browser, service, carer.link() + "?lang=ar") as (context, page):
        session = await context.new_cdp_session(page)
        manifest = await session.send("Page.getAppManifest")
        assert manifest["errors"] == []
        found = await session.send("Page.getInstallabilityErrors")
        # A window without memory is never installed.
        ids = {error["errorId"] for error in found["installabilityErrors"]}
        assert ids <= {"in-incognito"}
        assert '"dir":"rtl"' in manifest["data"]
        await context.set_offline(True)
        await page.goto(service.url + "/report/start")
        await expect(page.locator("h1")).to_have_text("Haus Anna")
        await page.goto(service.url + "/report/link/never-opened")
        await expect(page.locator("h1")).to_have_text("لا توجد شبكة")


async def test_without_javascript(service: Service, browser: Browser, carer: Carer) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(service.url + carer.link() + "?lang=pl")
    await page.fill("#count-short_term", "6")
    await expect(page.locator(".step").first).to_be_hidden()
    await page.get_by_role("button", name="Zgłosić te liczby").click()
    await expect(page.locator("#done")).to_contain_text("Zgłoszono o")
    (report,) = await told(carer)
    assert report.vacancies[0].count == 6
    await context.close()
