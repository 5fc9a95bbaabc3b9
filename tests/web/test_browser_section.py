"""The map is moved, and list, answer, count and address follow; chosen on one, marked on both."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.conftest import Service
from tests.web.conftest import DESK, PHONE, SEARCH, a_home, live, opened
from tests.web.test_browser_list import some_homes
from vacancies.municipalities import record_municipality

pytestmark = pytest.mark.browser

OUTSIDE = 0.6  # degrees to the north: 67 km, far out of the circle that is searched
TO_A_HIDDEN_MARK = """(() => {
  const map = document.querySelector("#map").getBoundingClientRect();
  const hidden = [...document.querySelectorAll("#map .mark-anchor")].find((mark) => {
    const { top, bottom } = mark.getBoundingClientRect();
    return bottom < map.top || top > map.bottom;
  });
  hidden?.focus();
  return hidden !== undefined;
})()"""
NAMES = "#cards [data-part=name]"


async def drag(page: Page, right: int, down: int) -> None:
    """Take the map in its middle and pull it."""
    box = await page.locator("#map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2 + 60
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + right / 2, y + down / 2, steps=4)
    await page.mouse.move(x + right, y + down, steps=4)
    await page.mouse.up()


def entered(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


async def test_the_list_follows_the_map_and_comes_back(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2)
    await a_home(service, "far", 3, OUTSIDE)
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        await page.evaluate("window.isTheSamePage = true")
        names, answer = page.locator(NAMES), page.locator("#answer")
        await expect(names).to_have_text(["Haus a"])
        before = page.url
        while await names.all_inner_texts() != ["Haus far"]:
            address = page.url
            await drag(page, 0, 260)
            await expect(page).not_to_have_url(address)  # the map has come to rest
            await expect(answer).to_contain_text("in diesem Kartenausschnitt")
            await expect(page.locator("#cards:not([aria-busy])")).to_be_attached()
        await expect(answer).to_have_text(
            re.compile("3 freie Plätze in Kurzzeitpflege in diesem Kartenausschnitt, .* 67")
        )
        await expect(page.locator("#cards [data-part=distance]")).to_have_text(re.compile("67"))
        await expect(page.locator("#said")).to_contain_text("Kartenausschnitt", timeout=20_000)
        assert set(entered(page)) == {"place", "label", "care_form", "bbox"}
        await expect(page.locator("#f-radius")).to_have_value("")

        await service.report("far", {"care_form": "short_term", "count": 5})
        await expect(answer).to_contain_text("5 freie Plätze")
        await a_home(service, "near", 4, OUTSIDE + 0.01)
        await expect(page.locator("#news")).to_have_text("4 neue Plätze anzeigen")
        await service.report("a", {"care_form": "short_term", "count": 9})
        await expect(answer).to_contain_text("9 freie Plätze in Kurzzeitpflege in diesem")
        await expect(names).to_have_text(["Haus far"])

        await page.get_by_role("link", name="Zurück zu 25 km um 33330").click()
        await expect(names).to_have_text(["Haus a"])
        await expect(answer).to_contain_text("9 freie Plätze in Kurzzeitpflege im Umkreis")
        assert page.url == before
        await expect(page.get_by_role("button", name="Haus a: 9 frei")).to_be_visible()
        assert await page.evaluate("window.isTheSamePage")


async def test_a_town_is_named_by_page_and_client_alike(service: Service, browser: Browser) -> None:
    async with service.state.deployment.pool.acquire() as connection:
        await record_municipality(connection, "05754008", "Gütersloh")
    await service.put_home("a", name="Haus a", municipality="05754008")
    await service.report("a", {"count": 2})
    async with opened(browser, service, "/?municipality=05754008", DESK) as page:
        await live(page)
        answer = page.locator("#answer")
        await expect(answer).to_have_text("2 freie Plätze im Gebiet von Gütersloh.")
        await service.report("a", {"count": 5})
        await expect(answer).to_have_text("5 freie Plätze im Gebiet von Gütersloh.")


async def test_the_address_of_a_part_of_the_map_can_be_shared(
    service: Service, browser: Browser
) -> None:
    await a_home(service, "a", 2)
    await a_home(service, "b", 1, 0.03)
    await a_home(service, "c", 1, 0.2)
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        await expect(page.locator(NAMES)).to_have_text(["Haus a", "Haus b", "Haus c"])
        for _ in range(2):
            before = page.url
            await page.get_by_role("button", name="Vergrößern", exact=True).click()
            await expect(page).not_to_have_url(before)
        await expect(page.locator(NAMES)).to_have_text(["Haus a", "Haus b"])
        shared, shown = page.url, await page.locator("#cards").all_inner_texts()
        answer = await page.inner_text("#answer")
        await page.reload()
        await live(page)
        assert await page.locator("#cards").all_inner_texts() == shown
        await expect(page.locator("#answer")).to_have_text(answer)
        assert page.url == shared, "placing the map is no move of the reader"
    path = shared.removeprefix(service.url)
    async with opened(browser, service, path, PHONE, java_script_enabled=False) as page:
        names, sentence = page.locator(NAMES), page.locator("#answer")
        await expect(names).to_have_text(["Haus a", "Haus b"])
        await expect(sentence).to_have_text(answer)
        await page.select_option("#f-radius", "25")
        await page.get_by_role("button", name="Suchen").click()
        await expect(names).to_have_text(["Haus a", "Haus b", "Haus c"])
        await expect(sentence).to_contain_text("im Umkreis von 25 km um 33330")
        await page.goto(shared)
        await page.fill("#f-place", "33602")
        await page.get_by_role("button", name="Suchen").click()
        await expect(sentence).to_contain_text("im Umkreis von 25 km um 33602")
        await page.goto(shared)
        await page.get_by_role("link", name="Zurück zu 25 km um 33330").click()
        await expect(names).to_have_text(["Haus a", "Haus b", "Haus c"])


async def test_a_window_that_changes_its_size_is_no_move(
    service: Service, browser: Browser
) -> None:
    await a_home(service, "a", 2)
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        await expect(page.locator("#map .mark")).to_have_text("2")
        await page.set_viewport_size({"width": 1000, "height": 600})
        await service.report("a", {"care_form": "short_term", "count": 3})
        await expect(page.locator("#map .mark")).to_have_text("3")
        await expect(page.locator("#answer")).to_contain_text("im Umkreis von 25 km")
        await expect(page.locator("#back")).to_be_hidden()


async def test_on_a_phone_the_list_follows_when_it_is_asked_to(
    service: Service, browser: Browser
) -> None:
    await a_home(service, "a", 2)
    await a_home(service, "b", 1, 0.2)
    # Without motion, so that the map rests after each step.
    async with opened(browser, service, SEARCH, PHONE, reduced_motion="reduce") as page:
        await live(page)
        await page.get_by_role("button", name="Karte", exact=True).click()
        here = page.get_by_role("button", name="Hier suchen")
        await expect(here).to_be_hidden()
        for _ in range(3):
            await page.get_by_role("button", name="Vergrößern", exact=True).click()
            await expect(here).to_be_visible()
        await expect(page.locator("#answer")).to_contain_text("im Umkreis")
        await here.click()
        await expect(here).to_be_hidden()
        await expect(page.locator("#map")).to_be_focused()
        await expect(page.locator("#answer")).to_contain_text("in diesem Kartenausschnitt")
        await expect(page.locator("#shown")).to_have_text(re.compile("^[01] von [01] "))
        await page.get_by_role("button", name="Liste").click()
        await page.locator("#back a").click()
        await expect(page.locator(NAMES)).to_have_text(["Haus a", "Haus b"])


async def test_a_home_of_a_later_page_is_chosen_in_the_list_too(
    service: Service, browser: Browser
) -> None:
    await some_homes(service, 60, 60)
    await service.put_home(
        "h99", name="Weit weg", coordinates={"latitude": 52.05, "longitude": 8.4}
    )
    await service.report("h99", {"care_form": "day", "count": 7})
    async with opened(browser, service, "/?place=33330", DESK) as page:
        await live(page)
        await page.get_by_role("button", name="Weit weg: 7 frei").click()
        card = page.locator('#cards [data-home="h99"]')
        await expect(card).to_have_attribute("aria-current", "true")
        await expect(card).to_be_in_viewport()
        # It is no end of the list: what comes before it comes with the next page.
        await service.report("h55", {"care_form": "short_term", "count": 2})
        await expect(page.locator("#answer")).to_contain_text("68 freie Plätze")
        await expect(page.locator("#news")).to_be_hidden()
        await page.click("#more a")
        await expect(page.locator(NAMES)).to_have_text(
            [*(f"Haus h{number:02}" for number in range(60)), "Weit weg"]
        )


async def test_homes_in_a_cluster_are_marked_both_ways(service: Service, browser: Browser) -> None:
    await a_home(service, "a", 2)
    await a_home(service, "b", 3, 0.002)
    await a_home(service, "c", 1, 0.15)
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        cluster = page.get_by_role("button", name="5 freie Plätze hier")
        await cluster.focus()
        pointed = page.locator("#cards .is-pointed [data-part=name]")
        await expect(pointed).to_have_text(["Haus a", "Haus b"])
        await page.hover('#cards [data-home="b"]')
        ring, mark = page.locator("#map .ring"), page.locator("#map .mark-cluster")
        await expect(ring).to_be_visible()
        around, inside = await ring.bounding_box(), await mark.bounding_box()
        assert around is not None
        assert inside is not None
        assert abs(around["x"] + around["width"] / 2 - inside["x"] - inside["width"] / 2) < 3
        assert abs(around["y"] + around["height"] / 2 - inside["y"] - inside["height"] / 2) < 3
        # With the keyboard: zoomed in, the focus is still on the map.
        await cluster.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Haus b: 3 frei")).to_be_visible()
        assert await page.evaluate("document.activeElement.closest('#map') !== null")


async def test_a_card_that_has_the_focus_shows_where_it_is(
    service: Service, browser: Browser
) -> None:
    await a_home(service, "a", 2)
    await a_home(service, "b", 3, 0.2)
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        await page.focus('[data-home="a"] [data-part=name]')
        await page.keyboard.press("ArrowDown")
        ring = page.locator("#map .ring")
        await expect(ring).to_be_visible()
        await page.get_by_role("button", name="Vergrößern", exact=True).click()
        await page.wait_for_url(re.compile("bbox="))
        await page.get_by_role("button", name="Vergrößern", exact=True).click()
        await expect(page.locator(NAMES)).to_have_text(["Haus a"])
        await page.locator('[data-home="a"]').click(position={"x": 5, "y": 5})
        await expect(page.locator('[data-home="a"][aria-current=true]')).to_be_visible()
        await expect(page.locator("#map .is-chosen")).to_have_count(1)
        await page.keyboard.press("/")
        await expect(page.locator("#f-place")).to_be_focused()
        await page.focus('[data-home="a"] [data-part=name]')
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Haus a")


async def test_a_mark_by_which_the_map_is_dragged_is_not_pressed(
    service: Service, browser: Browser
) -> None:
    await a_home(service, "a", 2)
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        mark = page.get_by_role("button", name="Haus a: 2 frei")
        sheet = page.locator("#sheet .card")
        before = await centre_of(mark)
        await page.mouse.move(*before)
        await page.mouse.down()
        await page.mouse.move(before[0] + 40, before[1] + 60, steps=4)
        await page.mouse.up()
        await page.wait_for_url(re.compile("bbox="))
        after = await centre_of(mark)
        # The first few pixels pass for a trembling hand; at the end the map glides on.
        assert after[0] - before[0] > 30
        assert after[1] - before[1] > 50
        await expect(sheet).to_have_count(0)
        await mark.click()
        await expect(sheet).to_have_count(1)


async def test_a_mark_that_gets_the_focus_comes_into_view(
    service: Service, browser: Browser
) -> None:
    """Marks are drawn around what is in view, too."""
    for number in range(12):
        await a_home(service, str(number), 1, number * 0.008)
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        for _ in range(3):
            await page.get_by_role("button", name="Vergrößern", exact=True).click()
            await expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)
        await page.keyboard.press("Tab")
        assert await page.evaluate(TO_A_HIDDEN_MARK), "there is a mark beyond the edge"
        mark, frame = page.locator("#map .mark-anchor:focus"), page.locator("#map")
        await expect(mark).to_be_in_viewport(ratio=1)
        inside, around = await mark.bounding_box(), await frame.bounding_box()
        assert inside is not None
        assert around is not None
        assert around["y"] <= inside["y"]
        assert inside["y"] + inside["height"] <= around["y"] + around["height"]


async def centre_of(locator: Locator) -> tuple[float, float]:
    box = await locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
