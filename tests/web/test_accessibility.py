"""Everybody can use the pages: axe-core, narrow and large, light and dark; and the record of
`scripts/accessibility` has every page that there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from scripts.accessibility_record.checks import too_wide
from scripts.accessibility_record.pages import VIEWS
from scripts.accessibility_record.walk import walk
from tests.conftest import Service
from tests.web.conftest import DESK, PHONE, SEARCH, a_home, live, opened, violations
from tests.web.staff import Desk, a_desk, a_person, sign_in
from web.app import create_app

TEMPLATES = Path(__file__).parents[2] / "web" / "templates"
# Parts of pages, and mails.
NO_PAGES = {"card", "foot", "form", "form_token", "icons", "layout", "mail_reminder", "staff"}
NO_PAGES |= {"advice", "filters", "home_costs", "home_steps", "legal", "next_step", "second_place"}
NO_PAGES |= {"call_feedback", "remember", "shortlist_link"}
NO_PAGES |= {"framed", "framed_head"}
NO_PAGES |= {"desk_frame", "desk_list_counts", "planning_chart", "report_form"}
NO_PAGES |= {"alert_wishes", "home_lasting", "mail_alert"}


async def test_the_record_has_every_page_of_the_app(service: Service) -> None:
    """What answers as HTML, to somebody who is signed in, is in the list of the record."""
    await a_person(service, home="1")
    await a_person(service)
    rules = list(create_app(service.state.deployment).url_map.iter_rules())
    recorded = {view.rule for view in VIEWS if view.rule}
    assert recorded <= set(map(str, rules)), "the record names what is there no more"
    shown = {str(rule) for rule in rules if "GET" in (rule.methods or ())}
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        found = {rule for rule in shown if await is_page(desk, rule)}
    assert {"/", "/account", "/report/link/<token>"} <= found
    assert found - recorded == set(), "add them to scripts/accessibility_record/pages.py"


async def is_page(desk: Desk, rule: str) -> bool:
    answer = await desk.get(re.sub(r"<[^>]+>", "1", rule))
    return answer.headers["Content-Type"].startswith("text/html")


async def test_the_record_has_every_template() -> None:
    pages = {path.stem for path in TEMPLATES.glob("*.html")} - NO_PAGES
    assert {view.template.removesuffix(".html") for view in VIEWS} == pages


# ---- in a browser ----


@pytest.mark.browser
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


@pytest.mark.browser
async def test_it_flows_at_four_hundred_percent(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2, name="Seniorenpflegeheimverwaltungsgesellschaft " + "x" * 60)
    for path in (SEARCH, "/homes/a"):
        async with opened(browser, service, path, {"width": 320, "height": 256}) as page:
            assert await page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.browser
async def test_the_documentation_needs_no_other_server(service: Service, browser: Browser) -> None:
    async with opened(browser, service, "/api/v1/docs", DESK) as page:
        await expect(page.locator("#swagger .opblock").first).to_be_visible(timeout=15_000)


BAD = """
<p style="width: 900px">wide</p>
<p style="overflow: hidden"><span style="display: inline-block; margin-left: 400px">cut</span></p>
<a href="#a" style="outline: none">without a mark</a>
<a href="#b" style="position: absolute; left: 40px; top: 900px">below the bar</a>
<a href="#c"><img src="data:," alt=""></a>
<button id="trap">trap</button>
<button>never reached</button>
<div style="position: fixed; inset: 60px 0 0 0; background: white"></div>
<script>trap.onkeydown = (event) => event.key === "Tab" && event.preventDefault()</script>
"""


@pytest.mark.browser
async def test_the_record_finds_what_is_wrong(browser: Browser) -> None:
    """Else a record without faults would say nothing."""
    page: Page = await browser.new_page(viewport={"width": 320, "height": 256})
    await page.set_content(BAD)
    found = await walk(page)
    for fault in (
        'focus not visible: <a href="#a"',
        'focus hidden: <a href="#b"',
        'without a name: <a href="#c"',
        'no way on from <button id="trap"',
        "not reached: <button>",
    ):
        assert any(text.startswith(fault) for text in found.faults), (fault, found.faults)
    assert found.stops[0] == ("link", "without a mark")
    wide = await too_wide(page)
    assert any(text.startswith("page: 9") for text in wide)
    assert "span. is cut off" in wide
    await page.close()


@pytest.mark.browser
async def test_the_record_finds_nothing_where_all_is_well(browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": 320, "height": 256})
    await page.set_content(
        "<a href='#a'>First</a><p style='height: 900px'></p>"
        "<label>When? <input type=date></label><button disabled>no</button><button>Last</button>"
    )
    found = await walk(page)
    assert found.faults == []
    assert [role for role, _ in found.stops] == ["link", "date field", "button"]
    assert found.stops[-1] == ("button", "Last")
    assert await too_wide(page) == []
    await page.close()


@pytest.mark.browser
async def test_the_keyboard_shows_where_it_is_on_the_map(
    service: Service, browser: Browser
) -> None:
    """KERN's own rule for whatever has a tabindex takes the outline away."""
    await a_home(service, "a", 2)
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        await page.locator("#map .mark-anchor").first.wait_for()
        assert (await walk(page)).faults == []


@pytest.mark.browser
async def test_the_sheet_hides_nothing_that_has_the_focus(
    service: Service, browser: Browser
) -> None:
    await a_home(service, "a", 2)
    async with opened(browser, service, SEARCH, {"width": 320, "height": 256}) as page:
        await page.locator("#switch [data-view=map]").click()
        mark = page.locator("#map .mark-anchor")
        await mark.press("Enter")
        await expect(page.locator("#sheet")).to_be_focused()
        await page.keyboard.press("Shift+Tab")
        await expect(page.locator("#map *:focus")).to_have_count(1)
        await expect(page.locator("#sheet")).to_be_hidden()


@pytest.mark.browser
async def test_an_unfolded_panel_closes_behind_the_focus(
    service: Service, browser: Browser
) -> None:
    async with opened(browser, service, SEARCH, DESK) as page:
        panel = page.locator(".drop").first
        await panel.locator("summary").click()
        await panel.locator("button").focus()
        await page.keyboard.press("Tab")
        await expect(panel).not_to_have_attribute("open", "")
