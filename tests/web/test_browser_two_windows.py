"""In one window somebody reports; in another one list, map, count and announcement change."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.conftest import Service
from tests.web.carer import carer_of
from tests.web.conftest import DESK, PHONE, SEARCH, a_home, live, opened
from tests.web.reporting import main_button, reporting, told

pytestmark = pytest.mark.browser


async def test_one_reports_and_the_other_one_sees_it(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 0, name="Haus Anna", capacity={"short_term": 8})
    await a_home(service, "b", 1, 0.1, name="Haus Berta")
    carer = await carer_of(service, "a", language="de")
    async with (
        opened(browser, service, SEARCH, DESK) as seeker,
        reporting(browser, service, carer.link(), viewport=PHONE) as (_, reporter),
    ):
        await live(seeker)
        names = seeker.locator("#cards [data-part=name]")
        await expect(names).to_have_text(["Haus Berta"])
        await expect(seeker.locator("#map .mark-anchor")).to_have_count(1)
        berta = seeker.locator('[data-home="b"] [data-part=name]')
        await berta.focus()
        place = await berta.bounding_box()

        await reporter.fill("#count-short_term", "2")
        await main_button(reporter).tap()
        await expect(reporter.locator("#outcome")).to_contain_text("Gemeldet um")
        assert (await told(carer))[0].vacancies[0].count == 2

        # The count, the map, and the list, in which nothing moves until it is asked to.
        await expect(seeker.locator("#answer")).to_contain_text(
            "3 freie Plätze in Kurzzeitpflege im Umkreis von 25 km um 33330"
        )
        await expect(seeker.get_by_role("button", name="Haus Anna: 2 frei")).to_be_visible()
        news = seeker.get_by_role("button", name="2 neue Plätze anzeigen")
        await expect(news).to_be_visible()
        await expect(berta).to_be_focused()
        assert await berta.bounding_box() == place
        # The announcement: one for all.
        await expect(seeker.locator("#said")).to_have_text(
            "2 neue Plätze. 3 freie Plätze in Kurzzeitpflege im Umkreis von 25 km um 33330,"
            " der nächste in 0,4 km.",
            timeout=20_000,
        )
        await news.click()
        await expect(names).to_have_text(["Haus Anna", "Haus Berta"])
        await expect(seeker.locator('[data-home="a"] .offer')).to_contain_text("2 frei")

        # And back: it was a mistake.
        await reporter.locator("#outcome button").tap()
        await expect(reporter.locator("#done")).to_contain_text("Zurückgenommen")
        gone = seeker.locator('[data-home="a"]')
        await expect(gone).to_contain_text("nicht mehr frei gemeldet")
        await expect(seeker.locator("#answer")).to_contain_text("1 freier Platz")
        await expect(seeker.locator("#map .mark-anchor")).to_have_count(1)
        await expect(names).to_have_text(["Haus Anna", "Haus Berta"])
