"""The mail as a phone shows it: large enough to tap, readable for everybody."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.web.conftest import CLIENT, PHONE
from tests.web.test_reminder_mail import HOME, NOW, WRITER, member

pytestmark = pytest.mark.browser

LEAST_TARGET_PX = 44


@pytest.mark.parametrize("width", [PHONE["width"], 320])
async def test_everybody_can_use_the_mail(browser: Browser, width: int) -> None:
    html = WRITER.for_member(HOME, member(), "staff", NOW).html
    assert html is not None
    page = await browser.new_page(viewport={"width": width, "height": PHONE["height"]})
    await page.set_content(html)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.evaluate((CLIENT / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = await page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    assert [rule["id"] for rule in found["violations"]] == []
    assert found["passes"]
    buttons = page.locator("a:has-text('Still so'), p > a[aria-label]")
    assert await buttons.count() == 9
    for button in await buttons.all():
        box = await button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= LEAST_TARGET_PX
