"""Reporting on a phone: two taps from the mail, with the keyboard, at 400 %, for everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.conftest import Service
from tests.web.carer import Carer, carer_of
from tests.web.conftest import DESK, PHONE, opened, violations

pytestmark = pytest.mark.browser
OPEN_ALL = "for (const details of document.querySelectorAll('details')) details.open = true"


@pytest.fixture
async def carer(service: Service) -> Carer:
    await service.put_home(
        "a", name="Seniorenzentrum St. Anna", capacity={"short_term": 8, "long_term": 60}
    )
    await service.put_home("b", name="Haus Berta")
    await service.report("a", {"count": 1}, {"care_form": "short_term", "count": 0})
    return await carer_of(service, None, language="de")


@pytest.mark.parametrize("scripts", [True, False])
async def test_two_taps_from_the_mail_to_reported(
    service: Service, browser: Browser, carer: Carer, scripts: bool
) -> None:
    """The first tap opens the link "2" of the mail, the second says it."""
    path = carer.link() + "?short_term=2"
    async with opened(browser, service, path, PHONE, java_script_enabled=scripts) as page:
        await expect(
            page.get_by_text("Gemeldet wird: 1 Dauerpflege, 2 Kurzzeitpflege")
        ).to_be_visible()
        await page.locator(".send-main").click()
        await expect(page.locator("#outcome" if scripts else "#done")).to_contain_text(
            "Gemeldet um"
        )
    counts = {line.care_form.value: line.count for line in (await carer.home()).vacancies}
    assert counts == {"long_term": 1, "short_term": 2}


async def test_a_keyboard_is_enough(service: Service, browser: Browser, carer: Carer) -> None:
    """Without the client; `test_browser_offline.py` walks with it."""
    async with opened(browser, service, carer.link(), DESK, java_script_enabled=False) as page:
        await _tab_to(page, "count-short_term")
        await page.keyboard.press("ArrowUp")
        # The first button of the form says "unchanged"; what was typed counts all the same.
        await page.keyboard.press("Enter")
        await expect(page.locator("#done")).to_contain_text("Gemeldet um")
        await expect(page.locator("#count-short_term")).to_have_value("1")
        await _tab_to(page, "undo")
        await page.keyboard.press("Enter")
        await expect(page.locator("#done")).to_contain_text("Zurückgenommen um")
        await expect(page.locator("#count-short_term")).to_have_value("0")


async def _tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the element with that id or value has the focus."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        found = await page.evaluate("[document.activeElement.id, document.activeElement.value]")
        if wanted in found:
            return
    raise AssertionError(f"{wanted} cannot be reached with Tab")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_it(
    service: Service, browser: Browser, carer: Carer, scheme: Any
) -> None:
    pool = service.state.deployment.pool
    await pool.execute("UPDATE membership SET links_from = now() - interval '10 days'")
    expired = carer.link(age=timedelta(days=3))
    for viewport in (PHONE, DESK):
        for path in (carer.link(), carer.link() + "?unchanged=1", expired, "/report/link/x"):
            async with opened(
                browser,
                service,
                path,
                viewport,
                bypass_csp=True,
                color_scheme=scheme,
                may_fail=path in (expired, "/report/link/x"),
            ) as page:
                await page.evaluate(OPEN_ALL)
                width = await page.evaluate("document.documentElement.scrollWidth")
                assert width <= viewport["width"], path
                assert await violations(page) == [], (path, viewport)


async def test_it_flows_at_four_hundred_percent_and_from_right_to_left(
    service: Service, browser: Browser, carer: Carer
) -> None:
    narrow = {"width": 320, "height": 256}
    async with opened(browser, service, carer.link(), narrow) as page:
        for direction in ("ltr", "rtl"):
            await page.evaluate(f"document.documentElement.dir = '{direction}'")
            await page.evaluate(OPEN_ALL)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 320
