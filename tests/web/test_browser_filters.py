"""The numbers beside the choices of the search form, while one chooses."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.conftest import Service
from tests.web.conftest import DESK, PHONE, SEARCH, a_home, live, opened

pytestmark = pytest.mark.browser


async def some_homes(service: Service) -> None:
    await a_home(service, "a", 1, needs=["mrsa"], languages=["tr"], ownership="public")
    await a_home(service, "b", 1, 0.05, needs=["mrsa", "dialysis"], languages=["pl"])
    await a_home(service, "c", 1, 0.1)
    await a_home(service, "away", 1, 3.0, needs=["mrsa"])


async def unfold(page: Page) -> None:
    await page.locator(".drop:nth-of-type(2) > summary").click()


def leaves(choice: str) -> str:
    return f'[data-count="{choice}"]'


async def test_each_choice_changes_what_the_others_leave(
    service: Service, browser: Browser
) -> None:
    await some_homes(service)
    async with opened(browser, service, SEARCH, PHONE) as page:
        await live(page)
        await unfold(page)
        show = page.locator(".panel.more [data-shown]")
        await expect(show).to_have_text("3 Einrichtungen zeigen")
        await expect(page.locator(leaves("need=dialysis"))).to_have_text("1 Einrichtung")
        await page.check("#f-need-dialysis")
        await expect(show).to_have_text("1 Einrichtung zeigen")
        await expect(page.locator(leaves("need=mrsa"))).to_have_text("1 Einrichtung")
        await expect(page.locator(leaves("language=tr"))).to_have_text("0 Einrichtungen")
        await page.uncheck("#f-need-dialysis")
        await page.check("#f-language-tr")
        await page.check("#f-language-pl")  # one of them is enough
        await expect(show).to_have_text("2 Einrichtungen zeigen")
        option = page.locator("#f-sex option").nth(1)
        await expect(option).to_have_text("für eine Frau (2)")

        await page.fill("#f-place", "Berlin")  # there nobody has counted
        await expect(show).to_have_text("Plätze anzeigen")
        await page.fill("#f-place", "33330")
        await expect(show).to_have_text("2 Einrichtungen zeigen")
        await show.click()
        await expect(page.locator("#cards [data-part=name]")).to_have_text(["Haus a", "Haus b"])
        await expect(page.locator(".chip").first).to_be_visible()


async def test_counts_follow_the_reports(service: Service, browser: Browser) -> None:
    """They are of the moment at which the panel is opened, not of the page."""
    await some_homes(service)
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        await service.report("b")
        await expect(page.locator("#answer")).to_contain_text("2 freie Plätze")
        await unfold(page)
        await expect(page.locator(leaves("need=dialysis"))).to_have_text("0 Einrichtungen")


async def test_an_unfinished_entry_is_no_error(service: Service, browser: Browser) -> None:
    await some_homes(service)
    async with opened(browser, service, SEARCH, PHONE, may_fail=True) as page:
        await live(page)
        await unfold(page)
        show = page.locator(".panel.more [data-shown]")
        await page.fill("#f-nights", "14")  # without a day yet: the API would refuse it
        await expect(show).to_have_text("Plätze anzeigen")
        await page.fill("#f-nights", "")
        await expect(show).to_have_text("3 Einrichtungen zeigen")


async def test_without_javascript_the_page_has_counted(service: Service, browser: Browser) -> None:
    await some_homes(service)
    async with opened(browser, service, SEARCH, PHONE, java_script_enabled=False) as page:
        await unfold(page)
        await expect(page.locator(leaves("need=mrsa"))).to_have_text("2 Einrichtungen")
        await page.check("#f-need-mrsa")
        await page.locator(".panel.more .show").click()
        await expect(page.locator("#cards [data-part=name]")).to_have_text(["Haus a", "Haus b"])
