"""The report page of people who are signed in, with its client, in a real Chromium."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from providers.sessions import revoke_sessions, start_session
from providers.staff import Staff, update_staff
from tests.conftest import Service
from tests.waiting import until
from tests.web.carer import carer_of
from tests.web.reporting import main_button, reporting, waits
from tests.web.staff import BERT, a_person
from vacancies.reports import Told, select_told

pytestmark = pytest.mark.browser

PAGE = "/report/home/a?lang=en"
SIGN_IN = "/signin?next=%2Freport%2Fhome%2Fa&lang=en"


async def cookie_of(service: Service, staff: Staff) -> dict[str, Any]:
    """What a browser in which that person is signed in keeps."""
    value = await start_session(service.state.deployment.pool, staff.id, "Chrome, Android")
    return {"name": "freiplatz", "value": value, "url": service.url}


async def sign_in(service: Service, context: BrowserContext, staff: Staff) -> None:
    await context.add_cookies([await cookie_of(service, staff)])  # type: ignore[list-item]


async def with_session(service: Service, staff: Staff) -> dict[str, Any]:
    """Options of a browser in which that person is signed in."""
    cookie = await cookie_of(service, staff)
    kept = {"domain": "127.0.0.1", "path": "/", "expires": -1, "httpOnly": True}
    rest = {"secure": False, "sameSite": "Lax"}
    del cookie["url"]
    return {"storage_state": {"cookies": [cookie | kept | rest], "origins": []}}


async def all_told(service: Service) -> list[Told]:
    return await select_told(service.state.deployment.pool, "a", 20)


async def one_more(page: Page) -> None:
    await page.get_by_role("button", name="One place more: short-term care").tap()
    await main_button(page).tap()


@pytest.fixture
async def anna(service: Service) -> Staff:
    staff = await a_person(service, home="a")
    await service.put_home("a", name="Haus Anna", capacity={"long_term": 60, "short_term": 8})
    pool = service.state.deployment.pool
    await update_staff(pool, staff.id, name="Anna", language="en")
    return staff


async def test_report_and_undo(service: Service, browser: Browser, anna: Staff) -> None:
    options = await with_session(service, anna)
    async with reporting(browser, service, PAGE, **options) as (_, page):
        await one_more(page)
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        (report,) = await all_told(service)
        assert (report.via, report.staff_id) == ("page", anna.id)
        await page.locator("#outcome").get_by_role("button", name="Undo").tap()
        await expect(page.locator("#done")).to_contain_text("Taken back")
        assert [entry.kind for entry in await all_told(service)] == ["undo", "report"]


async def test_a_session_that_has_ended_loses_no_report(
    service: Service, browser: Browser, anna: Staff
) -> None:
    options = await with_session(service, anna)
    async with reporting(browser, service, PAGE, **options) as (context, page):
        await revoke_sessions(service.state.deployment.pool, anna.id)
        await one_more(page)
        outcome = page.locator("#outcome")
        await expect(outcome).to_contain_text("You are no longer signed in")
        await expect(outcome).to_contain_text("is kept on this device")
        assert await waits(page) == 1
        assert await all_told(service) == []
        await outcome.get_by_role("button", name="Sign in").tap()
        await expect(page).to_have_url(service.url + SIGN_IN)
        await sign_in(service, context, anna)
        # As after the link in the mail: to where one was.
        await page.goto(service.url + SIGN_IN)
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        assert await waits(page) == 0
        (report,) = await all_told(service)
        assert (report.via, report.staff_id, report.vacancies[0].count) == ("page", anna.id, 1)


async def test_a_new_session_elsewhere_in_the_browser_is_no_obstacle(
    service: Service, browser: Browser, anna: Staff
) -> None:
    options = await with_session(service, anna)
    async with reporting(browser, service, PAGE, **options) as (context, page):
        await sign_in(service, context, anna)
        await one_more(page)
        button = page.locator("#outcome").get_by_role("button", name="Sign in")
        await button.tap()
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        assert len(await all_told(service)) == 1


async def test_nobody_reports_in_the_name_of_somebody_else(
    service: Service, browser: Browser, anna: Staff
) -> None:
    """On a device of several people: what one has left there is not the other's report."""
    bert = await a_person(service, BERT, home="a")
    options = await with_session(service, anna)
    async with reporting(browser, service, PAGE, **options) as (context, page):
        await context.set_offline(True)
        await one_more(page)
        await expect(page.locator("#outcome")).to_contain_text("Not sent yet")
        await revoke_sessions(service.state.deployment.pool, anna.id)
        await sign_in(service, context, bert)
        await context.set_offline(False)
        await page.goto(service.url + PAGE)
        await expect(page.locator("#outcome")).to_contain_text("is kept on this device")
        assert await waits(page) == 1
        assert await all_told(service) == []
        await one_more(page)
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        (report,) = await all_told(service)
        assert report.staff_id == bert.id


async def test_without_network_and_back(service: Service, browser: Browser, anna: Staff) -> None:
    options = await with_session(service, anna)
    async with reporting(browser, service, PAGE, **options) as (context, page):
        await context.set_offline(True)
        await page.reload()
        await expect(page.locator("h1")).to_have_text("Haus Anna")
        await one_more(page)
        await expect(page.locator("#outcome")).to_contain_text("Not sent yet")
        await context.set_offline(False)
        await expect(page.locator("#outcome")).to_contain_text("Reported at")
        (report,) = await all_told(service)
        assert report.via == "page"


async def test_who_signs_out_leaves_no_page_on_the_device(
    service: Service, browser: Browser, anna: Staff
) -> None:
    options = await with_session(service, anna)
    async with reporting(browser, service, PAGE, **options) as (_, page):
        await page.goto(service.url + "/account?lang=en")
        await page.get_by_role("button", name="Sign out", exact=True).tap()
        await expect(page.locator("h1")).to_have_text("Sign in to report")
        await page.goto(service.url + PAGE)
        await expect(page.locator("h1")).to_have_text("Sign in to report")
        kept = "async () => (await (await caches.open('report-pages')).keys()).map(({url}) => url)"

        async def is_gone() -> bool:
            return not [url for url in await page.evaluate(kept) if "/report/home/" in url]

        await until(is_gone)


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_from_home_to_home_by_swipe_and_by_list(
    service: Service, browser: Browser, language: str
) -> None:
    staff = await a_person(service)
    for home in ("a", "b", "c"):
        await service.put_home(home)
    options = await with_session(service, staff)
    path = f"/report/home/b?lang={language}"
    async with reporting(browser, service, path, **options) as (_, page):
        forward = -1 if language == "en" else 1
        await swipe(page, forward)
        await expect(page).to_have_url(f"{service.url}/report/home/c?lang={language}")
        await swipe(page, -forward)
        await expect(page).to_have_url(f"{service.url}/report/home/b?lang={language}")
        await page.get_by_role("link", name="Haus a").tap()
        await expect(page.locator("h1")).to_have_text("Haus a")


async def swipe(page: Page, direction: int) -> None:
    await expect(page.locator("#main")).to_have_class("can-swipe")
    await page.evaluate(
        """(direction) => {
      const main = document.getElementById('main');
      const send = (type, x) => main.dispatchEvent(new PointerEvent(type, {
        bubbles: true, pointerId: 1, pointerType: 'touch', isPrimary: true,
        clientX: x, clientY: 300,
      }));
      send('pointerdown', 180);
      for (const far of [20, 60, 110]) send('pointermove', 180 + far * direction);
      send('pointerup', 180 + 110 * direction);
    }""",
        direction,
    )


@pytest.mark.parametrize("origin", ["link", "page"])
async def test_the_forms_work_without_javascript(
    service: Service, browser: Browser, anna: Staff, origin: str
) -> None:
    """A real browser sends what it sends: `Origin: null` from the page of a link."""
    carer = await carer_of(service, "a")
    path = carer.link() if origin == "link" else PAGE
    options = await with_session(service, anna)
    context = await browser.new_context(java_script_enabled=False, **options)
    page = await context.new_page()
    await page.goto(service.url + path)
    await page.locator("#count-short_term").fill("2")
    await page.get_by_role("button", name="Report these numbers").click()
    await expect(page.locator("#done")).to_contain_text("Reported at")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#done")).to_contain_text("Taken back")
    assert {entry.via for entry in await all_told(service)} == {origin}
    await context.close()
