"""Reporting with a file, and looking after webhooks, in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from tests.conftest import Service, served
from tests.providers.spreadsheets import workbook
from tests.waiting import until
from tests.web.conftest import DESK, PHONE, opened, violations
from tests.web.staff import a_person
from tests.web.test_staff_browser import (
    FOCUSED,
    REACHABLE,
    SMALL_TARGETS,
    ZOOMED,
    signed_in,
)
from tests.web.webhooks.conftest import Inbox, open_inbox
from vacancies.config import Settings
from vacancies.homes import select_homes
from vacancies.outbound import Outbound
from web.webhooks.endpoints import select_webhooks

pytestmark = pytest.mark.browser

LONG = "Seniorenpflegeheimverwaltungsgesellschaft " + "x" * 50


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    async with open_inbox() as found:
        yield found


@pytest.fixture
async def near(settings: Settings) -> AsyncIterator[Service]:
    """A service that may call this machine."""
    async with served(settings, outbound=Outbound(allow_loopback=True)) as service:
        yield service


def file(content: bytes, name: str = "frei.csv") -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


async def is_for_everybody(page: Page) -> None:
    """Nothing to scroll sideways, nothing that axe-core finds, nothing too small to tap, all of
    it in reach of the keyboard; on a phone, at a desk, and at 400 %."""
    for viewport in (PHONE, DESK, ZOOMED):
        await page.set_viewport_size(viewport)  # type: ignore[arg-type]
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], page.url
        assert await violations(page) == [], page.url
        assert await page.evaluate(SMALL_TARGETS) == [], page.url
    await page.evaluate("document.body.tabIndex = -1; document.body.focus()")  # from the top
    await page.evaluate("document.body.removeAttribute('tabindex')")
    wanted, walked = await page.evaluate(REACHABLE), []
    for _ in range(wanted):
        await page.keyboard.press("Tab")
        walked.append(await page.evaluate(FOCUSED))
    assert [number for number, _ in walked] == list(range(wanted)), page.url
    assert all(is_shown for _, is_shown in walked), page.url


async def counts(service: Service, home: str) -> dict[str, int]:
    (found,) = await select_homes(service.state.deployment.pool, [home])
    return {line.care_form.value: line.count for line in found.vacancies}


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_spreadsheet_is_reported(
    service: Service, browser: Browser, javascript: bool
) -> None:
    staff = await a_person(service)
    for home in ("a", "b"):
        await service.put_home(home)
    await service.report("a", {"care_form": "short_term", "count": 2})
    content = workbook(
        ["Einrichtungs-ID", "Pflegeform", "Frei"], ["a", "Kurzzeitpflege", 3], ["b", "", 0]
    )
    options = {**await signed_in(service, staff), "java_script_enabled": javascript}
    async with opened(browser, service, "/account?lang=en", PHONE, **options) as page:
        await page.get_by_role("link", name="Report with a file").first.click()
        await page.get_by_label("CSV or Excel file").set_input_files(file(content, "frei.xlsx"))
        await page.get_by_role("button", name="Show what changes").click()
        await expect(page.get_by_role("row", name="short-term care 2 3")).to_be_visible()
        assert await counts(service, "a") == {"short_term": 2}
        await page.get_by_role("button", name="Report 2 homes like this").click()
        await expect(page.locator("h1")).to_have_text("2 homes are reported")
    assert await counts(service, "a") == {"short_term": 3}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_report_with_a_file(
    service: Service, browser: Browser, scheme: Any
) -> None:
    staff = await a_person(service)
    await service.put_home("a", name=LONG, capacity={"long_term": 60})
    for home in ("b", "c", "d"):
        await service.put_home(home)
    await service.report("a", {"count": 2, "note": "x" * 100})
    content = (
        b"home_id,care_form,count,room,note\na,long_term,22,single,y\na,day,1,,\nb,respite,2,,\n"
        b"c,,0,,\n" + b"n" * 60 + b",day,1,,\nd,day,many,,\n"
    )
    options = {"bypass_csp": True, "color_scheme": scheme, **await signed_in(service, staff)}
    async with opened(browser, service, "/upload?lang=en", PHONE, may_fail=True, **options) as page:
        await page.get_by_label("CSV or Excel file").set_input_files(file(b"name\nx\n"))
        await page.get_by_role("button", name="Show what changes").click()
        await expect(page.get_by_text("This file cannot be read.")).to_be_visible()
        await page.get_by_text("More about the file").click()
        await is_for_everybody(page)
        await page.get_by_label("CSV or Excel file").set_input_files(file(content))
        await page.get_by_role("button", name="Show what changes").click()
        await expect(page.get_by_text("Was a digit typed twice")).to_be_visible()
        await is_for_everybody(page)
        await service.report("b", {"count": 1})
        await page.get_by_role("button", name="Report 3 homes like this").click()
        await expect(page.get_by_text("1 home was not taken")).to_be_visible()
        await is_for_everybody(page)


async def test_a_file_that_is_too_large_is_answered_in_words(
    service: Service, browser: Browser
) -> None:
    """Also of a size that the browser still sends while it is refused."""
    staff = await a_person(service, home="a")
    options = await signed_in(service, staff)
    async with opened(browser, service, "/upload?lang=en", PHONE, may_fail=True, **options) as page:
        for size in (3_000_000, 30_000_000):
            await page.get_by_label("CSV or Excel file").set_input_files(file(b"x" * size))
            await page.get_by_role("button", name="Show what changes").click()
            await expect(page.get_by_text("This file is too large.")).to_be_visible()


async def test_everybody_can_look_after_webhooks(
    near: Service, inbox: Inbox, browser: Browser
) -> None:
    staff = await a_person(near)
    await near.put_home("a", name=LONG)
    options = {"bypass_csp": True, **await signed_in(near, staff)}
    async with opened(browser, near, "/webhooks?lang=en", PHONE, may_fail=True, **options) as page:
        await page.get_by_label("Address of the program").fill("https://10.0.0.1/")
        await page.get_by_role("button", name="Add the address").click()
        await expect(page.get_by_text("This address cannot be called.")).to_be_visible()
        await is_for_everybody(page)
        await page.get_by_label("Address of the program").fill(inbox.url)
        await page.get_by_role("button", name="Add the address").click()
        await expect(page.get_by_text("It is shown only this once.")).to_be_visible()
        await is_for_everybody(page)
        await until(lambda: len(inbox.messages) == 1)
        await page.get_by_role("link", name="I have copied it").click()
        await page.get_by_role("button", name="Send a test").click()
        await expect(page.get_by_role("status")).to_contain_text("Delivered · answer 204")
        await is_for_everybody(page)
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_text("Paused")).to_be_visible()
        await page.get_by_role("link", name="Remove").click()
        await is_for_everybody(page)
        await page.get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("None yet.")).to_be_visible()
    assert await select_webhooks(near.state.deployment.pool) == []
