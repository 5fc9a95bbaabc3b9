"""The desk in a real browser: it says what has changed, a position is chosen on a map, and
everybody can use its pages."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from providers.staff import ensure_staff
from tests.web.conftest import DESK, PHONE, opened, violations
from tests.web.desk.test_duplicates import a_pair
from tests.web.desk.test_home import stored
from tests.web.desk.test_homes import a_full_table
from tests.web.desk.verbund import TOWN, Verbund
from tests.web.test_staff_browser import SMALL_TARGETS, ZOOMED, signed_in

pytestmark = pytest.mark.browser

HOMES = f"/desk/{TOWN}"
PAGES = (
    HOMES,
    f"{HOMES}/homes/home",
    f"{HOMES}/homes/home/report",
    f"{HOMES}/duplicates",
    f"{HOMES}/evacuation",
    f"{HOMES}/evacuation?places=9&place=33330",
)


async def test_the_table_says_what_has_changed(verbund: Verbund, browser: Browser) -> None:
    staff = await ensure_staff(verbund.pool, "open@town.example")
    options = await signed_in(verbund.service, staff)
    async with opened(browser, verbund.service, f"{HOMES}?lang=en", DESK, **options) as page:
        row = page.locator("[data-home=home]")
        await expect(row).to_contain_text("2 long-term care")
        for count in (3, 4):
            await verbund.service.report("home", {"count": count}, provider="caritas")
        # Of another municipality: nobody here is told.
        await verbund.service.report("other-home", {"count": 1}, provider="diakonie")
        await page.get_by_role("link", name="1 home has changed: show").click()
        await expect(row).to_contain_text("4 long-term care")
        await expect(page.locator("#changed a")).to_have_count(0)


async def test_a_position_is_chosen_on_the_map(verbund: Verbund, browser: Browser) -> None:
    staff = await ensure_staff(verbund.pool, "open@town.example")
    options = await signed_in(verbund.service, staff)
    before = (await stored(verbund)).profile.point
    path = f"{HOMES}/homes/home?lang=en"
    async with opened(browser, verbund.service, path, PHONE, **options) as page:
        await page.locator("#position summary").click()
        await page.locator("#map").click(position={"x": 40, "y": 40})
        await expect(page.locator("#f-latitude")).not_to_have_value(f"{before.latitude:.6f}")
        chosen = float(await page.locator("#f-latitude").input_value())
        await page.locator("#position button[type=submit]").click()
        await expect(page.get_by_role("status")).to_contain_text("Position corrected")
    after = (await stored(verbund)).profile.point
    assert after.latitude == chosen > before.latitude
    assert after.longitude < before.longitude


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_it(verbund: Verbund, browser: Browser, scheme: str) -> None:
    await a_full_table(verbund)
    await a_pair(verbund)
    staff = await ensure_staff(verbund.pool, "open@town.example")
    inside = await signed_in(verbund.service, staff)
    for viewport in (PHONE, DESK, ZOOMED):
        for path in PAGES:
            options = {"bypass_csp": True, "color_scheme": scheme, **inside}
            async with opened(browser, verbund.service, path, viewport, **options) as page:
                await page.wait_for_load_state("load")
                for summary in await page.locator("main summary").all():
                    await summary.click()
                width = await page.evaluate("document.documentElement.scrollWidth")
                assert width <= viewport["width"], path
                assert await violations(page) == [], path
                assert await page.evaluate(SMALL_TARGETS) == [], path
