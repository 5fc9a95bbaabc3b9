"""The pages of planning in a real Chromium: for everybody, on every screen, and on paper."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser

from providers.staff import ensure_staff
from tests.web.conftest import DESK, opened
from tests.web.desk.verbund import DISTRICT, Verbund
from tests.web.test_desk_browser import is_for_everybody
from tests.web.test_staff_browser import signed_in

pytestmark = pytest.mark.browser

PAGE = f"/desk/{DISTRICT}/planning"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_plan(verbund: Verbund, browser: Browser, scheme: Any) -> None:
    person = await ensure_staff(verbund.pool, f"{DISTRICT}@example.org")
    options = {
        **await signed_in(verbund.service, person),
        "bypass_csp": True,
        "color_scheme": scheme,
    }
    for path in (f"{PAGE}?period=2026-Q3", f"{PAGE}?period=all", f"{PAGE}/2026-Q3"):
        async with opened(browser, verbund.service, path, DESK, **options) as page:
            for summary in await page.locator("details:not(.languages) > summary").all():
                await summary.click()
            await is_for_everybody(page)


async def test_lines_differ_without_colours(verbund: Verbund, browser: Browser) -> None:
    person = await ensure_staff(verbund.pool, f"{DISTRICT}@example.org")
    options = await signed_in(verbund.service, person)
    path = f"{PAGE}?period=2026-Q3"
    async with opened(browser, verbund.service, path, DESK, **options) as page:
        dashes = await page.evaluate(
            "[...document.querySelectorAll('#places .chart .line')]"
            ".map(line => getComputedStyle(line).strokeDasharray)"
        )
    assert len(dashes) == len(set(dashes)) == 2


async def test_on_paper_there_is_nothing_to_press(verbund: Verbund, browser: Browser) -> None:
    person = await ensure_staff(verbund.pool, f"{DISTRICT}@example.org")
    options = await signed_in(verbund.service, person)
    async with opened(browser, verbund.service, f"{PAGE}/2026-Q3", DESK, **options) as page:
        await page.emulate_media(media="print")
        seen = await page.evaluate(
            "[...document.querySelectorAll('a, button, select, summary')]"
            ".filter(it => it.checkVisibility()).map(it => it.outerHTML)"
        )
        assert seen == []
        assert await page.locator(".chart").first.is_visible()
        assert await page.locator(".numbers").first.is_visible()
