"""Inviting homes, and letters, in a real Chromium: for everybody, and on paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from providers.staff import ensure_staff
from tests.web.conftest import DESK, PHONE, opened
from tests.web.desk.qr import read_qr
from tests.web.desk.test_invitations import CLERK, PAGE, homes, settled
from tests.web.desk.verbund import Verbund
from tests.web.test_desk_browser import is_for_everybody
from tests.web.test_staff_browser import signed_in

pytestmark = pytest.mark.browser
PICTURES = Path("/nowhere")  # where to look at what the tests have seen
SHEET_MM = (210, 297)
PX_PER_MM = 96 / 25.4


async def look(page: Page, name: str) -> None:
    if PICTURES.is_dir():
        for viewport in (PHONE, DESK):
            await page.set_viewport_size(viewport)  # type: ignore[arg-type]
            await page.screenshot(path=PICTURES / f"{name}-{viewport['width']}.png", full_page=True)


async def print_all(page: Page) -> None:
    for box in await page.locator("input[name=home]").all():
        await box.check()
    async with page.expect_navigation():
        await page.locator("button[value=chosen][formaction]").click()


async def test_everybody_can_invite(verbund: Verbund, browser: Browser) -> None:
    await homes(
        verbund,
        "a",
        "b",
        address={"street": "Am Teich 1", "postcode": "33330", "city": "Gütersloh"},
    )
    await homes(verbund, "mute", email="")
    await homes(verbund, "wrong")
    await verbund.pool.execute("UPDATE care_home SET email = 'nobody' WHERE id = 'wrong'")
    staff = await ensure_staff(verbund.pool, CLERK)
    options = await signed_in(verbund.service, staff)
    async with opened(
        browser, verbund.service, PAGE, PHONE, bypass_csp=True, java_script_enabled=True, **options
    ) as page:
        await is_for_everybody(page)
        await page.locator("button[value=all]").click()
        await expect(page.locator(".notice")).to_contain_text("3")
        await settled(verbund.pool)
        await page.goto(verbund.service.url + PAGE)
        await is_for_everybody(page)
        await look(page, "asked")
        await print_all(page)
        await is_for_everybody(page)
        await look(page, "letters")
        address = await page.locator(".way-in .typed").first.inner_text()
        await page.goto(address)
        await is_for_everybody(page)
        await look(page, "letter")
        await page.locator("#f-email").fill("carer@home.example")
        await page.locator("form.entry button").click()
        await expect(page.locator(".more-help")).to_be_visible()
        await is_for_everybody(page)
        await look(page, "sent")
        await page.goto(verbund.service.url + "/letter")
        await is_for_everybody(page)
        await look(page, "code")
        await page.goto(verbund.service.url + PAGE)
        await look(page, "after")


async def test_a_letter_is_one_sheet_with_a_window(verbund: Verbund, browser: Browser) -> None:
    address = {
        "street": "An der langen Straße zum Teich 123 a",
        "postcode": "33330",
        "city": "Gütersloh",
    }
    await homes(verbund, "a", "b", "c", address=address)
    long = "Seniorenpflegeheimverwaltungsgesellschaft Rheda-Wiedenbrück gGmbH, Haus am See"
    await verbund.pool.execute("UPDATE care_home SET name = $1 WHERE id = 'a'", long)
    staff = await ensure_staff(verbund.pool, CLERK)
    options = await signed_in(verbund.service, staff)
    async with opened(browser, verbund.service, PAGE, DESK, **options) as page:
        await page.locator("details summary", has_text=re.compile("Briefen")).click()
        await page.locator("#f-contact").fill("Frau Amt, 05241 82-0")
        await print_all(page)
        pdf = await page.pdf(prefer_css_page_size=True, print_background=True)
        pages = re.findall(rb"/Type\s*/Page\b[^s]", pdf)
        assert len(pages) == 3, "a sheet each"
        for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", pdf):
            width, height = (round(float(each) / 72 * 25.4) for each in box.split()[2:])
            assert (width, height) == SHEET_MM
        await page.emulate_media(media="print")
        await page.set_viewport_size({"width": 794, "height": 1123})
        for at in range(3):
            sheet = page.locator(".letter-sheet").nth(at)
            whole = await sheet.bounding_box()
            window = await sheet.locator(".recipient").bounding_box()
            text = await sheet.locator(".letter-text").bounding_box()
            assert whole
            assert window
            assert text
            left, top = window["x"] - whole["x"], window["y"] - whole["y"]
            assert left >= 20 * PX_PER_MM
            assert left + window["width"] <= 105 * PX_PER_MM
            assert top >= 45 * PX_PER_MM
            assert top + window["height"] <= 90 * PX_PER_MM
            below = text["y"] + text["height"] - whole["y"]
            assert below <= (297 - 10) * PX_PER_MM, "all of it fits"
            says = await sheet.locator(".way-in .typed").inner_text()
            assert read_qr(await sheet.locator(".qr").screenshot())[0] == says
        if PICTURES.is_dir():
            await page.screenshot(path=PICTURES / "print.png", full_page=True)
            (PICTURES / "letters.pdf").write_bytes(pdf)
