"""A home's page in a browser: with and without scripts, live, and on paper."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.conftest import Service
from tests.web.conftest import DESK, PHONE, live, opened, violations
from tests.web.test_home import HOME

pytestmark = pytest.mark.browser

FREE = {"care_form": "short_term", "count": 2}


async def a_full_home(service: Service) -> None:
    """With everything that a page can show."""
    await service.put_home(
        "a",
        **HOME
        | {
            "address": {"street": "Marktstraße 5", "postcode": "33330", "city": "Gütersloh"},
            "contact": {
                "phone": "05241 12345",
                "email": "aufnahme@example.org",
                "website": "https://example.org",
                "person": "Frau Sommer",
                "hours": "Mo–Fr 8–16 Uhr",
            },
            "focuses": ["dementia", "palliative", "young"],
            "needs": ["mrsa", "dialysis", "tracheostomy", "couples", "weekend_admission"],
            "waiting_list": "open",
        },
    )
    lines: list[dict[str, Any]] = [
        {"count": 1, "care_grades": [3, 4], "note": "mit Balkon"},
        {"count": 2},
    ]
    await service.report("a", {**FREE, "room": "single"}, *lines)


async def test_the_form_works_without_scripts(service: Service, browser: Browser) -> None:
    await a_full_home(service)
    async with opened(browser, service, "/homes/a", PHONE, java_script_enabled=False) as page:
        await page.select_option("#f-grade", "3")
        await page.select_option("#f-since", "3")
        await page.get_by_role("button", name="Meinen Anteil berechnen").click()
        await expect(page).to_have_url(re.compile(r"/homes/a\?grade=3&since=3#costs$"))
        await expect(page.locator("#share")).to_contain_text("Sie zahlen etwa 2.200 € im Monat.")
        await expect(page.locator("#f-since")).to_have_value("3")
        await expect(page.locator("tr[aria-current]")).to_contain_text("Drittes Jahr")
        await expect(page.get_by_role("button", name="Diese Seite drucken")).to_be_hidden()
        await expect(page.locator("#live-text")).to_contain_text("Stand:")
        await page.get_by_role("link", name="Das stimmt nicht?").click()
        await page.get_by_label("Der Platz ist schon vergeben").check()
        await page.get_by_role("button", name="Korrektur senden").click()
        await expect(page.locator("h1")).to_have_text("Vielen Dank")
        assert await page.context.cookies() == []


async def test_the_share_changes_at_once_and_stays_in_the_browser(
    service: Service, browser: Browser
) -> None:
    await a_full_home(service)
    async with opened(browser, service, "/homes/a", PHONE) as page:
        await live(page)
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url))
        share = page.locator("#share")
        await expect(share).to_contain_text("Sie zahlen etwa 2.760 €")
        await page.select_option("#f-since", "4")
        await expect(share).to_have_text("Sie zahlen etwa 1.800\u00a0€ im Monat.")
        await expect(page.locator("tr[aria-current]")).to_contain_text("Ab dem vierten Jahr")
        await page.select_option("#f-grade", "1")
        await expect(share).to_contain_text("Mit Pflegegrad 1 zahlt die Pflegekasse 131")
        await expect(page.locator("#share-table")).to_be_hidden()
        await page.select_option("#f-grade", "5")
        await expect(page.locator("#share-table")).to_be_visible()
        await expect(share).to_contain_text("1.800")
        await expect(page.get_by_role("button", name="Meinen Anteil")).to_be_hidden()
        assert sent == [], "a care grade goes to nobody"


async def test_the_page_lives(service: Service, browser: Browser) -> None:
    await a_full_home(service)
    # At the same place: none of its news is about this home.
    await service.put_home("b", coordinates=HOME["coordinates"])
    async with opened(browser, service, "/homes/a", PHONE, may_fail=True) as page:
        await live(page)
        await page.evaluate("window.stays = true")
        await page.select_option("#f-since", "2")
        news, counts = page.locator("#news"), page.locator(".line-count")
        await expect(news).to_be_empty()
        await service.report("b", {"count": 9})
        await service.report("a", {**FREE, "count": 1})
        await expect(news).to_have_text(
            re.compile(r"Neue Meldung um \d\d:\d\d Uhr: Kurzzeitpflege: 1 frei\.")
        )
        await expect(counts).to_have_text(["1"])
        await service.report("a", {**FREE, "count": 1})
        await expect(news).to_contain_text("Es ist alles wie zuvor.")
        await service.report("a")
        await expect(news).to_contain_text("Zurzeit kein freier Platz")
        await expect(counts).to_have_count(0)
        await expect(page.locator("#f-since")).to_have_value("2")
        await expect(page.locator("#share")).to_contain_text("2.520")
        await service.put_home("a", **HOME | {"status": "closed"})
        await expect(news).to_have_text("Diese Einrichtung ist geschlossen")
        assert await page.evaluate("window.stays"), "the page was never loaded anew"


async def test_a_button_with_the_focus_stays(service: Service, browser: Browser) -> None:
    await a_full_home(service)
    async with opened(browser, service, "/homes/a", PHONE) as page:
        await live(page)
        await page.locator(".home-head .call").focus()
        await page.evaluate("document.querySelector('.home-head .call').dataset.mine = 'yes'")
        await service.report("a", {**FREE, "count": 1})
        await expect(page.locator("#news")).to_contain_text("Neue Meldung")
        await expect(page.locator(".home-head .call:focus")).to_have_attribute("data-mine", "yes")


async def test_a_home_that_moves_is_still_followed(service: Service, browser: Browser) -> None:
    await a_full_home(service)
    async with opened(browser, service, "/homes/a", PHONE) as page:
        await live(page)
        moved = {"address": {"street": "Neue Straße 1", "postcode": "33330", "city": "Gütersloh"}}
        await service.put_home(
            "a", **HOME | moved | {"coordinates": {"latitude": 52.0, "longitude": 8.5}}
        )
        # The page loads anew: on a busy machine that takes its time.
        await expect(page.locator(".home-head .card-town")).to_contain_text(
            "Neue Straße 1", timeout=30_000
        )
        await live(page)
        await service.report("a", {**FREE, "count": 7})
        await expect(page.locator(".line-count")).to_have_text(["7"])


async def test_all_for_a_call_is_on_one_sheet(
    service: Service, browser: Browser, tmp_path: Path
) -> None:
    await a_full_home(service)
    async with opened(browser, service, "/homes/a", DESK) as page:
        await live(page)
        sheets = await page.pdf(format="A4", path=tmp_path / "home.pdf")
        assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == 1
        await page.emulate_media(media="print")
        for seen in (".number", "#share", "#places .line", "#contact address", ".notes"):
            await expect(page.locator(seen).first).to_be_visible()
        for unseen in (".todo", ".share-form", "#map", "#print", ".page-ends", "#back"):
            await expect(page.locator(unseen)).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_it(service: Service, browser: Browser, scheme: Any) -> None:
    await a_full_home(service)
    await service.put_home("b", contact={"email": "a@b.example"})
    paths = ("/homes/a?grade=3", "/homes/a?grade=1", "/homes/b", "/homes/a/wrong?lang=en")
    for viewport in (PHONE, DESK):
        for path in paths:
            async with opened(
                browser, service, path, viewport, bypass_csp=True, color_scheme=scheme
            ) as page:
                await unfold(page)
                width = await page.evaluate("document.documentElement.scrollWidth")
                assert width <= viewport["width"], path
                assert await violations(page) == [], (path, viewport)


async def unfold(page: Page) -> None:
    for summary in await page.locator("summary").all():
        await summary.click()
