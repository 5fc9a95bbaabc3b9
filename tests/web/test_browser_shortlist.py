"""The shortlist in a real Chromium: remembered, shared, printed, and live."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.conftest import Service
from tests.web.conftest import DESK, PHONE, SEARCH, a_home, live, opened, violations

pytestmark = pytest.mark.browser

LIST = "/shortlist?home=a&home=b&home=c"


@pytest.fixture(autouse=True)
async def homes(service: Service) -> None:
    for number, home in enumerate("abc"):
        await a_home(service, home, 2, number / 50)


async def stored(page: Page) -> list[str]:
    found: list[str] = json.loads(
        await page.evaluate("localStorage.getItem('freiplatz.shortlist') ?? '[]'")
    )
    return found


def toggle(page: Page, home: str) -> Any:
    return page.locator(f'#cards [data-home="{home}"] [data-remember]')


async def test_one_tap_remembers_and_another_forgets(service: Service, browser: Browser) -> None:
    async with opened(browser, service, SEARCH, PHONE) as page:
        await live(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        button = page.get_by_role("button", name="Merken Haus a")
        await expect(button).to_have_attribute("aria-pressed", "false")
        await button.click()
        pressed = page.get_by_role("button", name="Gemerkt Haus a")
        await expect(pressed).to_have_attribute("aria-pressed", "true")
        header = page.locator("#shortlist-link")
        await expect(header).to_have_text("Merkliste (1)")
        await toggle(page, "b").focus()
        await page.keyboard.press("Space")
        await expect(header).to_have_text("Merkliste (2)")
        await page.keyboard.press("Enter")
        await expect(header).to_have_text("Merkliste (1)")
        assert [url for url in asked if "shortlist" in url] == [], "nothing of it is sent"
        # What comes live is filled into the same card.
        await service.report("a", {"care_form": "short_term", "count": 5})
        await expect(page.locator('#cards [data-home="a"] .offer')).to_contain_text("5 frei")
        await expect(toggle(page, "a")).to_have_attribute("aria-pressed", "true")
        await page.reload()
        await expect(toggle(page, "a")).to_have_attribute("aria-pressed", "true")
        await header.click()
        await expect(page.locator(".listed h2")).to_have_text(["Haus a"])
        assert page.url == service.url + "/shortlist?home=a"


async def test_new_cards_and_the_card_on_the_map_know_it_too(
    service: Service, browser: Browser
) -> None:
    # Away from the others, so that they are not one mark.
    await a_home(service, "e", 1, 0.15)
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        await toggle(page, "e").click()
        await page.get_by_role("button", name=re.compile("^Haus e: 1 frei")).click()
        over_map = page.locator('#sheet-cards [data-remember="e"]')
        await expect(over_map).to_have_attribute("aria-pressed", "true")
        await over_map.click()
        await expect(toggle(page, "e")).to_have_attribute("aria-pressed", "false")
        await a_home(service, "d", 1, 0.01)
        await page.locator("#news").click()
        await expect(toggle(page, "d")).to_have_attribute("aria-pressed", "false")
        await toggle(page, "d").click()
        await page.goto(service.url + "/homes/d")
        on_page = page.locator("[data-remember]")
        await expect(on_page).to_have_attribute("aria-pressed", "true")
        await on_page.click()
        assert await stored(page) == []


async def test_two_tabs_agree(service: Service, browser: Browser) -> None:
    async with opened(browser, service, SEARCH, PHONE) as page:
        await live(page)
        await toggle(page, "a").click()
        await toggle(page, "b").click()
        other = await page.context.new_page()
        await other.goto(service.url + "/shortlist")
        await expect(other.locator(".listed h2")).to_have_text(["Haus a", "Haus b"])
        await expect(other.locator("#foreign")).to_be_hidden()
        await toggle(page, "c").click()
        await expect(other.locator(".listed h2")).to_have_text(["Haus a", "Haus b", "Haus c"])
        await expect(other.locator("#shortlist-link")).to_have_text("Merkliste (3)")
        assert other.url.endswith("/shortlist?home=a&home=b&home=c")
        await other.locator('[data-home="a"] [data-remove]').click()
        await expect(toggle(page, "a")).to_have_attribute("aria-pressed", "false")
        await expect(page.locator("#shortlist-link")).to_have_text("Merkliste (2)")


async def test_removing_can_be_undone_where_it_stood(service: Service, browser: Browser) -> None:
    async with opened(browser, service, LIST, PHONE) as page:
        await page.click("#take")
        note = page.locator('[data-home="b"] textarea')
        await note.fill("ruft zurück")
        await page.locator('[data-home="b"] [data-remove]').click()
        await expect(page.locator("#said")).to_have_text("Haus b steht nicht mehr auf Ihrer Liste.")
        undo = page.get_by_role("button", name="Rückgängig")
        await expect(undo).to_be_focused()
        assert await stored(page) == ["a", "c"]
        assert page.url.endswith("/shortlist?home=a&home=c")
        await undo.click()
        assert await stored(page) == ["a", "b", "c"]
        await expect(note).to_have_value("ruft zurück")
        await page.locator('[data-home="b"] [data-remove]').click()
        await page.reload()
        await expect(page.locator(".listed h2")).to_have_text(["Haus a", "Haus c"])
        assert "ruft" not in await page.evaluate("localStorage.getItem('freiplatz.notes')")


async def test_notes_stay_in_the_browser(service: Service, browser: Browser) -> None:
    async with opened(browser, service, LIST, DESK) as page:
        await expect(page.locator("[data-part=own]").first).to_be_hidden()
        await page.click("#take")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
        row = page.locator('[data-home="a"]')
        await row.locator("[data-note=status]").select_option("callback")
        await row.locator("[data-note=day]").fill("2026-12-01")
        await row.locator("[data-note=text]").fill("<b>Frau Sommer</b>")
        await row.locator("[data-note=text]").blur()
        assert asked == []
        await page.reload()
        await expect(row.locator("[data-note=status]")).to_have_value("callback")
        await expect(row.locator("[data-note=text]")).to_have_value("<b>Frau Sommer</b>")
        await expect(page.locator("#f-address")).to_have_value(service.url + LIST)
        await page.emulate_media(media="print")
        printed = row.locator("[data-part=note-text]")
        await expect(printed).to_have_text(re.compile(r"Notiz: Rückruf · 1\. Dezember · <b>Frau"))
        await expect(printed).to_be_visible()


async def test_the_list_of_another_does_not_touch_ones_own(
    service: Service, browser: Browser
) -> None:
    async with opened(browser, service, "/homes/c", PHONE) as page:
        await page.locator("[data-remember]").click()
        await page.goto(service.url + "/shortlist?home=a&home=c&home=b")
        foreign = page.locator("#foreign")
        await expect(foreign).to_contain_text("Das ist nicht Ihre eigene Liste.")
        await expect(page.locator("#take")).to_have_text("In meine Merkliste übernehmen (2)")
        await page.locator('[data-home="c"] [data-remove]').click()
        assert await stored(page) == ["c"]
        await expect(page.locator("#mine")).to_have_text("Zu meiner Merkliste (1)")
        await page.click("#take")
        assert await stored(page) == ["c", "a", "b"]
        await expect(page.locator("#said")).to_have_text(
            "Die Einrichtungen stehen auf Ihrer Liste."
        )
        await page.click("#mine")
        await expect(page.locator(".listed h2")).to_have_text(["Haus c", "Haus a", "Haus b"])
        await expect(foreign).to_be_hidden()
        await page.goto(service.url + "/shortlist?home=a")
        await expect(foreign).to_contain_text("stehen auch auf Ihrer Liste")
        await expect(page.locator("#take")).to_be_hidden()


async def test_a_full_list_says_so(service: Service, browser: Browser) -> None:
    async with opened(browser, service, SEARCH, PHONE) as page:
        await page.evaluate(
            "localStorage.setItem('freiplatz.shortlist',"
            " JSON.stringify(Array.from({length: 50}, (_, n) => `x${n}`)))"
        )
        await page.reload()
        await live(page)
        await toggle(page, "a").click()
        await expect(page.get_by_role("alert")).to_contain_text("Ihre Merkliste ist voll.")
        await expect(toggle(page, "a")).to_have_attribute("aria-pressed", "false")
        assert len(await stored(page)) == 50


async def test_what_is_stored_may_be_nonsense(service: Service, browser: Browser) -> None:
    async with opened(browser, service, SEARCH, PHONE) as page:
        for nonsense in ("{", "7", '[1, null, "a", "a", ""]', '{"a": 1}'):
            await page.evaluate(
                "value => ['shortlist', 'notes'].forEach("
                "key => localStorage.setItem(`freiplatz.${key}`, value))",
                nonsense,
            )
            await page.reload()
            await live(page)
            await toggle(page, "b").click()
            assert (await stored(page))[-1] == "b"


async def test_the_link_is_copied(service: Service, browser: Browser) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    async with opened(
        browser, service, LIST + "&place=33330", PHONE, permissions=permissions
    ) as page:
        await page.click("#copy")
        await expect(page.locator("#said")).to_have_text("Der Link ist kopiert.")
        assert await page.evaluate("navigator.clipboard.readText()") == service.url + LIST
        await page.evaluate(
            "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
        )
        await page.click("#copy")
        await expect(page.locator("#said")).to_have_text(
            "Bitte kopieren Sie die markierte Adresse."
        )
        assert await page.evaluate("getSelection().toString()") == service.url + LIST


async def test_it_is_passed_on_as_telephones_do(service: Service, browser: Browser) -> None:
    context = await browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    await context.add_init_script(
        "navigator.share = (what) => { window.shared = what; return Promise.resolve(); }"
    )
    page = await context.new_page()
    await page.goto(service.url + LIST)
    await page.get_by_role("button", name="Teilen").click()
    assert (await page.evaluate("window.shared"))["url"] == service.url + LIST
    await context.close()


async def test_it_follows_what_homes_report(service: Service, browser: Browser) -> None:
    async with opened(browser, service, LIST, PHONE) as page:
        await page.clock.install()
        await page.reload()
        note = page.locator('[data-home="a"] [data-part=facts]')
        await expect(note).to_contain_text("2 frei")
        await service.report("a", {"care_form": "short_term", "count": 1})
        await service.put_home("b", name="Haus b")
        await service.put_home("b", name="Haus b", status="closed")
        await page.clock.fast_forward(31_000)
        await expect(note).to_contain_text("1 frei")
        await expect(page.locator("#said")).to_contain_text("hat neue Angaben.")
        await expect(page.locator('[data-home="b"]')).to_contain_text("geschlossen")
        # Nothing changes under the finger.
        await page.locator('[data-home="a"] .call').focus()
        await service.report("a")
        await service.report("c")
        await page.clock.fast_forward(31_000)
        await expect(page.locator('[data-home="c"]')).to_contain_text("Zurzeit kein freier Platz")
        await expect(note).to_contain_text("1 frei")
        await page.locator("#copy").focus()
        await page.clock.fast_forward(31_000)
        await expect(note).to_contain_text("Zurzeit kein freier Platz")


async def test_paper_has_numbers_and_room_to_write(service: Service, browser: Browser) -> None:
    for script in (True, False):
        async with opened(browser, service, LIST, DESK, java_script_enabled=script) as page:
            await page.emulate_media(media="print")
            await expect(page.locator("h1")).to_have_text(re.compile("Telefonliste"))
            row = page.locator('[data-home="a"]')
            number = row.locator(".number")
            await expect(number).to_be_visible()
            size = await page.evaluate(
                "parseFloat(getComputedStyle(document.querySelector('.listed .number')).fontSize)"
            )
            assert size > 20
            await expect(row.locator(".boxes li")).to_have_count(4)
            lines = await row.locator(".lines").bounding_box()
            assert lines is not None
            assert lines["height"] > 50
            await expect(page.locator("#printed")).to_contain_text(re.compile(r"\d\d:\d\d"))
            for hidden in (".call-feedback", ".share", "[data-remove]", ".top", "#shortlist-link"):
                await expect(page.locator(hidden).first).to_be_hidden()


async def test_feedback_is_answered_on_the_spot(service: Service, browser: Browser) -> None:
    async with opened(browser, service, LIST, PHONE) as page:
        row = page.locator('[data-home="a"]')
        await row.get_by_role("button", name="Stimmt, ist frei").click()
        said = row.locator(".feedback-said")
        await expect(said).to_contain_text("Der Platz ist frei.")
        await expect(said).to_be_focused()
        assert page.url == service.url + LIST
        pool = service.state.deployment.pool
        assert await pool.fetchval("SELECT kind FROM call_feedback") == "confirmed"
        await said.get_by_role("button", name="Zurücknehmen").click()
        await expect(said).to_contain_text("Zurückgenommen")
        assert await pool.fetchval("SELECT count(*) FROM call_feedback") == 0


async def test_without_a_network_the_browser_says_so(service: Service, browser: Browser) -> None:
    context = await browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(service.url + LIST)
    await context.set_offline(True)
    button = page.locator('[data-home="b"]').get_by_role("button", name="Schon vergeben")
    async with page.expect_event("requestfailed", lambda failed: failed.is_navigation_request()):
        await button.click()
    await context.close()


async def test_feedback_needs_no_script(service: Service, browser: Browser) -> None:
    async with opened(browser, service, LIST, PHONE, java_script_enabled=False) as page:
        row = page.locator('[data-home="b"]')
        await row.get_by_role("button", name="Passt nicht").click()
        await expect(page.locator("h1")).to_have_text("Danke für Ihre Rückmeldung")
        await page.get_by_role("link", name="Zurück").click()
        assert page.url == service.url + LIST


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_it(service: Service, browser: Browser, scheme: Any) -> None:
    await service.put_home("long", name="Seniorenpflegeheimverwaltungsgesellschaft " + "x" * 60)
    path = LIST + "&home=long&home=nowhere&place=Xyzzyhausen"
    for viewport in (PHONE, DESK, {"width": 320, "height": 256}):
        async with opened(
            browser, service, path, viewport, bypass_csp=True, color_scheme=scheme
        ) as page:
            await expect(page.locator("#foreign")).to_be_visible()
            assert await violations(page) == [], viewport
            await page.click("#take")
            await page.locator("[data-remove]").nth(3).click()
            await page.locator(".call-feedback button").first.click()
            await expect(page.locator(".feedback-said")).to_be_visible()
            assert await violations(page) == [], viewport
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"]
            await page.goto(service.url + "/shortlist?lang=en")
            await page.evaluate("localStorage.clear()")
            await page.goto(service.url + "/shortlist?lang=en")
            assert await violations(page) == []
