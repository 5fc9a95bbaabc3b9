"""Everybody can use the pages: axe-core, narrow and large, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.conftest import Service
from tests.web.conftest import DESK, PHONE, SEARCH, a_home, live, opened, violations

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_it(service: Service, browser: Browser, scheme: Any) -> None:
    await a_home(service, "a", 2, focuses=["dementia"], waiting_list="open")
    await a_home(service, "b", 1, 0.1, admission_stop={"reason": "staff"})
    await service.put_home("c")
    paths = ("/", SEARCH + "&include_full=true", "/homes/a", "/?care_form=hospice&place=33330")
    for viewport in (PHONE, DESK):
        for path in paths:
            async with opened(
                browser, service, path, viewport, bypass_csp=True, color_scheme=scheme
            ) as page:
                await page.wait_for_load_state("load")
                if path.startswith("/?place"):
                    await live(page)
                    await page.click("summary >> nth=1")
                width = await page.evaluate("document.documentElement.scrollWidth")
                assert width <= viewport["width"], path
                found = await violations(page)
                bad = [broken for broken in found if broken["impact"] in ("serious", "critical")]
                assert bad == [], (path, viewport)


async def test_it_flows_at_four_hundred_percent(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2, name="Seniorenpflegeheimverwaltungsgesellschaft " + "x" * 60)
    for path in (SEARCH, "/homes/a"):
        async with opened(browser, service, path, {"width": 320, "height": 256}) as page:
            assert await page.evaluate("document.documentElement.scrollWidth") <= 320


async def test_the_documentation_needs_no_other_server(service: Service, browser: Browser) -> None:
    async with opened(browser, service, "/api/v1/docs", DESK) as page:
        await expect(page.locator("#swagger .opblock").first).to_be_visible(timeout=15_000)
