"""Reports without a network in a real Chromium: kept, sent once, overtaken, refused."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.conftest import Service
from tests.waiting import until
from tests.web.carer import Carer, carer_of
from tests.web.conftest import violations
from tests.web.reporting import main_button, reload_offline, reporting, told, waits

pytestmark = pytest.mark.browser


@pytest.fixture
async def carer(service: Service) -> Carer:
    """Somebody of home `a`, which has 2 places in short-term care and none in long-term care."""
    await service.put_home("a", name="Haus Anna", capacity={"long_term": 60, "short_term": 8})
    await service.report("a", {"care_form": "short_term", "count": 2, "care_grades": [2, 3]})
    return await carer_of(service, "a")


async def test_a_report_without_network_is_sent_once(
    service: Service, browser: Browser, carer: Carer
) -> None:
    async with reporting(browser, service, carer.link()) as (context, page):
        await context.set_offline(True)
        await expect(page.locator("#network")).to_contain_text("No network")
        await reload_offline(context, page)
        await expect(page.locator("h1")).to_have_text("Haus Anna")
        await page.get_by_role("button", name="One place more: short-term care").tap()
        await main_button(page).tap()
        outcome = page.locator("#outcome")
        await expect(outcome).to_contain_text("Not sent yet. Kept since")
        # A slip, corrected: the newest is enough.
        await page.get_by_role("button", name="One place more: short-term care").tap()
        await main_button(page).tap()
        await until(lambda: _has_waiting(page, '"count":4'))
        assert await waits(page) == 1
        await reload_offline(context, page)
        await expect(outcome).to_contain_text("Not sent yet. Kept since")
        await expect(page.locator("#count-short_term")).to_have_value("4")
        assert await told(carer) == []

        await context.set_offline(False)
        await expect(outcome).to_contain_text(re.compile(r"Reported at \d\d:\d\d"))
        (report,) = await told(carer)
        (line,) = report.vacancies
        assert (line.count, line.care_grades, report.via) == (4, (2, 3), "link")
        assert await waits(page) == 0
        # Nothing is left that could be sent again.
        await page.reload()
        await expect(main_button(page)).to_have_text("Unchanged: report it so")
        await expect(page.locator("#count-short_term")).to_have_value("4")
        assert len(await told(carer)) == 1


async def _has_waiting(page: Page, text: str) -> bool:
    found: bool = await page.evaluate(
        """(text) => new Promise((resolve) => {
      const request = indexedDB.open('freiplatz-reports', 1);
      request.onsuccess = () => {
        const all = request.result.transaction('waiting').objectStore('waiting').getAll();
        all.onsuccess = () => {
          request.result.close();
          resolve(all.result.some(({ body }) => body.includes(text)));
        };
      };
    })""",
        text,
    )
    return found


async def test_an_answer_that_is_lost_makes_no_second_report(
    service: Service, browser: Browser, carer: Carer
) -> None:
    async with reporting(browser, service, carer.link()) as (context, page):
        lost: list[int] = []

        async def lose_the_answer(route: Any) -> None:
            if route.request.method == "POST" and not lost:
                lost.append((await route.fetch()).status)
                await route.abort("connectionreset")
            else:
                await route.continue_()

        await context.route("**/report/link/**", lose_the_answer)
        await page.get_by_role("button", name="One place more: short-term care").tap()
        await main_button(page).tap()
        # The phone cannot know that it has arrived. Its service worker sends it again.
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        assert lost == [200]
        assert len(await told(carer)) == 1


@pytest.mark.parametrize("mine", [True, False])
async def test_who_was_overtaken_sees_both_and_decides(
    service: Service, browser: Browser, carer: Carer, mine: bool
) -> None:
    scheme = "light" if mine else "dark"
    async with reporting(browser, service, carer.link(), bypass_csp=True, color_scheme=scheme) as (
        context,
        page,
    ):
        await context.set_offline(True)
        await page.get_by_role("button", name="One place more: short-term care").tap()
        await main_button(page).tap()
        await expect(page.locator("#outcome")).to_contain_text("Not sent yet")
        assert await violations(page) == []
        await service.report("a", {"care_form": "short_term", "count": 7})
        await context.set_offline(False)
        outcome = page.locator("#outcome")
        await expect(outcome).to_contain_text("Somebody else has reported in between")
        states = page.locator(".state")
        await expect(states.nth(0)).to_contain_text("Yours")
        await expect(states.nth(0)).to_contain_text("3 short-term care")
        await expect(states.nth(1)).to_contain_text("Stored now")
        await expect(states.nth(1)).to_contain_text("7 short-term care")
        assert await told(carer) == []
        assert await violations(page) == []
        # A question that is not answered stays one.
        await page.reload()
        await expect(outcome).to_contain_text("Somebody else has reported in between")
        if mine:
            await page.get_by_role("button", name="Report mine all the same").tap()
            await expect(outcome).to_contain_text("Reported at")
        else:
            await page.get_by_role("button", name="Keep what is stored").tap()
            await expect(page.locator("#count-short_term")).to_have_value("7")
        await expect(outcome.locator(".states")).to_have_count(0)
        assert await waits(page) == 0
        (line,) = (await carer.home()).vacancies
        assert line.count == (3 if mine else 7)


async def test_unchanged_means_what_the_page_showed_then(
    service: Service, browser: Browser, carer: Carer
) -> None:
    async with reporting(browser, service, carer.link()) as (context, page):
        await page.get_by_role("button", name="One place more: short-term care").tap()
        await main_button(page).tap()
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        await context.set_offline(True)
        await main_button(page).tap()
        await expect(page.locator("#outcome")).to_contain_text("Not sent yet")
        await service.report("a", {"care_form": "short_term", "count": 7})
        await context.set_offline(False)
        await expect(page.locator(".state").nth(0)).to_contain_text("3 short-term care")
        await page.get_by_role("button", name="Report mine all the same").tap()
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        (line,) = (await carer.home()).vacancies
        assert line.count == 3


async def test_a_likely_slip_is_asked_about_before_it_is_stored(
    service: Service, browser: Browser, carer: Carer
) -> None:
    async with reporting(browser, service, carer.link(), bypass_csp=True) as (_, page):
        await page.get_by_role("button", name="One place more: short-term care").tap()
        await page.fill("#count-long_term", "40")
        await main_button(page).tap()
        outcome = page.locator("#outcome")
        await expect(outcome).to_contain_text("long-term care: 40 places. Are so many really free?")
        assert await told(carer) == []
        assert await violations(page) == []
        await page.get_by_role("button", name="Change the numbers").tap()
        await expect(outcome).to_be_hidden()
        await expect(page.locator("#count-long_term")).to_have_value("40")
        await page.fill("#count-long_term", "4")
        await main_button(page).tap()
        await expect(outcome).to_contain_text("Reported at")
        await page.fill("#count-long_term", "44")
        await main_button(page).tap()
        await expect(outcome).to_contain_text("44 places. Is that number right?")
        await page.get_by_role("button", name="Yes, report it so").tap()
        await expect(outcome).to_contain_text("Reported at")
        assert [entry.vacancies[0].count for entry in await told(carer)] == [44, 4]
        assert await waits(page) == 0


async def test_what_was_typed_without_the_client_is_sent_with_it(
    service: Service, browser: Browser, carer: Carer
) -> None:
    """The form went before the script was there, and was asked about."""
    async with reporting(browser, service, carer.link()) as (_, page):
        await page.evaluate(
            """() => {
          const form = document.getElementById("report");
          form.elements["count.long_term"].value = "40";
          form.elements["contact.person"].value = "Frau Muster";
          form.insertAdjacentHTML("beforeend", "<input type=hidden name=do value=report>");
          form.submit();
        }"""
        )
        await expect(page.locator(".problem")).to_contain_text("Are so many really free?")
        await page.get_by_role("button", name="Yes, report it so").tap()
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        await expect(page.locator(".problem")).to_have_count(0)
        home = await carer.home()
        counts = {line.care_form.value: line.count for line in home.vacancies}
        assert counts == {"long_term": 40, "short_term": 2}
        assert home.profile.contact.person == "Frau Muster"


async def test_a_correction_pressed_while_the_first_is_on_its_way_is_not_lost(
    service: Service, browser: Browser, carer: Carer
) -> None:
    async with reporting(browser, service, carer.link()) as (context, page):
        held, may_go = asyncio.Event(), asyncio.Event()

        async def hold(route: Any) -> None:
            if route.request.method == "POST" and not held.is_set():
                held.set()
                await may_go.wait()
            await route.continue_()

        await context.route("**/report/link/**", hold)
        more = page.get_by_role("button", name="One place more: short-term care")
        await more.tap()
        await main_button(page).tap()
        await held.wait()
        # The same again asks for nothing new, other numbers do.
        await main_button(page).tap()
        await more.tap()
        await main_button(page).tap()
        await until(lambda: _has_waiting(page, '"count":4'))
        assert await waits(page) == 2
        may_go.set()
        await until(lambda: _are_told(carer, [4, 3]))
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        await expect(page.locator("#count-short_term")).to_have_value("4")


async def _are_told(carer: Carer, counts: list[int]) -> bool:
    return [entry.vacancies[0].count for entry in await told(carer)] == counts


async def test_a_link_that_ends_meanwhile_loses_nothing(
    service: Service, browser: Browser, carer: Carer
) -> None:
    async with reporting(browser, service, carer.link()) as (context, page):
        await context.set_offline(True)
        await page.get_by_role("button", name="One place more: short-term care").tap()
        await main_button(page).tap()
        await expect(page.locator("#outcome")).to_contain_text("Not sent yet")
        await service.state.deployment.pool.execute(
            "UPDATE membership SET links_from = now() + interval '1 hour'"
        )
        await context.set_offline(False)
        await expect(page.locator("#outcome")).to_contain_text("This link is over")
        assert await told(carer) == []
        await service.state.deployment.pool.execute(
            "UPDATE membership SET links_from = now() - interval '1 hour'"
        )
        newer = await carer_of(service, "a")
        newer_link = newer.link() + "?lang=en"
        await page.goto(service.url + newer_link)
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        (report,) = await told(carer)
        assert report.vacancies[0].count == 3


async def test_where_nothing_can_be_kept_the_form_goes_by_itself(
    service: Service, browser: Browser, carer: Carer
) -> None:
    context = await browser.new_context()
    await context.add_init_script("Object.defineProperty(window, 'indexedDB', { get() {} })")
    page = await context.new_page()
    await page.goto(service.url + carer.link())
    await page.get_by_role("button", name="One place more: short-term care").click()
    await main_button(page).click()
    await expect(page.locator("#done")).to_contain_text("Reported at")
    (report,) = await told(carer)
    assert report.vacancies[0].count == 3
    await context.close()


async def test_bad_numbers_are_refused_and_stay(
    service: Service, browser: Browser, carer: Carer
) -> None:
    async with reporting(browser, service, carer.link()) as (_, page):
        await service.put_home("a", name="Haus Anna", capacity={"long_term": 60, "short_term": 3})
        await page.reload()
        # A page that is kept for long knows an older number.
        await page.evaluate("document.querySelector('#count-short_term').removeAttribute('max')")
        await page.fill("#count-short_term", "5")
        await main_button(page).tap()
        outcome = page.locator("#outcome")
        await expect(outcome).to_contain_text("This was not stored.")
        await expect(outcome).to_contain_text("That is more than the home has places.")
        await expect(page.locator("#count-short_term")).to_have_value("5")
        await page.fill("#count-short_term", "3")
        await main_button(page).tap()
        await expect(outcome).to_contain_text("Reported at")
        (report,) = await told(carer)
        assert report.vacancies[0].count == 3
