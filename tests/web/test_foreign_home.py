"""Homes of neighbours on our pages: marked, and without what only their own service can do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from providers.federation.neighbours import record_neighbour
from tests.conftest import Service
from tests.flow.neighbours import adopt
from tests.web.conftest import DESK, live, opened, violations
from tests.web.test_pages import cards, get, text
from vacancies.foreign import Silence

THERE = "https://freiplatz.herford.example"
PAGE = "/homes/herford/anna"


async def take_over(service: Service, **changes: Any) -> None:
    terms = ("https://www.govdata.de/dl-de/by-2-0", "Kreis Herford, Sozialamt")
    pool = service.state.deployment.pool
    await record_neighbour(pool, "herford", "Kreis Herford", THERE, *terms)
    await adopt(service.state.deployment, "herford", "anna", **changes)


async def fall_silent(service: Service) -> None:
    command = Silence(home_id="herford/anna", since=datetime.now(UTC) - timedelta(minutes=9))
    (outcome,) = (await service.state.deployment.writer.submit([command])).outcomes
    assert outcome.changed


async def test_its_page_says_whose_it_is(service: Service) -> None:
    await take_over(service, contact={"phone": "05221 1"})
    heard = "UPDATE neighbour SET heard_at = '2026-11-27 11:00Z'"
    await service.state.deployment.pool.execute(heard)
    status, html = await get(service, PAGE)
    assert status == 200
    read = text(html)
    assert "Übernommen von Kreis Herford, letzte Nachricht am 27.11.2026, 12:00." in read
    assert f'href="{THERE}/homes/anna" rel="noopener noreferrer"' in html
    assert "Haus anna" in read
    assert "Quelle: Kreis Herford, Sozialamt ( Lizenz )" in read
    assert "Seitdem kommt" not in read
    for absent in ("/wrong", "data-feedback", "ld+json"):
        assert absent not in html


async def test_a_silent_neighbour_is_said(service: Service) -> None:
    await take_over(service)
    await fall_silent(service)
    _, html = await get(service, PAGE)
    assert "Seitdem kommt von dort nichts mehr. Rufen Sie an und fragen Sie nach." in text(html)
    _, html = await get(service, "/")
    card = text(html, r'<li class="card" data-home="herford/anna".*?</li>\s*</ul>')
    assert re.search(r"Übernommen von Kreis Herford\. Von dort kommt seit .* nichts Neues\.", card)


@pytest.mark.parametrize(
    "path", ["/homes/herford/anna/wrong", "/homes/herford/anna/trail", "/homes/herford/berta"]
)
async def test_it_has_no_other_pages(service: Service, path: str) -> None:
    await take_over(service)
    assert (await get(service, path))[0] == 404


async def test_cards_and_shortlist_mark_it(service: Service) -> None:
    await take_over(service)
    await service.put_home("own")
    await service.report("own", {"count": 1})
    _, html = await get(service, "/")
    assert set(cards(html)) == {"own", "herford/anna"}
    assert f'href="{PAGE}"' in html
    assert text(html).count("Übernommen von") == 1
    _, html = await get(service, "/shortlist?home=herford/anna&home=own")
    assert text(html).count("Übernommen von Kreis Herford") == 1
    assert 'action="/homes/herford' not in html


@pytest.mark.parametrize("path", ["herford/anna", "herford%2Fanna"])
async def test_the_api_gives_it_with_its_origin(service: Service, path: str) -> None:
    await take_over(service)
    status, body, headers = await service.call("GET", f"/api/v1/homes/{path}")
    assert (status, body["id"]) == (200, "herford/anna")
    url = f"{THERE}/homes/anna"
    expected = {"name": "Kreis Herford", "url": url, "silent_since": None}
    assert body["properties"]["origin"] == expected
    known = {"If-None-Match": headers["ETag"]}
    status, _, _ = await service.call("GET", f"/api/v1/homes/{path}", headers=known)
    assert status == 304


async def test_homes_of_ours_have_no_origin(service: Service) -> None:
    found = await service.put_home("own")
    assert "origin" not in found["properties"]


async def test_origin_is_own_or_nothing(service: Service) -> None:
    for path in ("vacancies", "vacancies/points", "vacancies/facets", "vacancies/stream"):
        status, body, _ = await service.call("GET", f"/api/v1/{path}?origin=herford")
        assert (status, body["field"]) == (400, "origin")


async def test_facets_count_only_ours_if_asked(service: Service) -> None:
    await take_over(service)
    counts = {}
    for query in ("", "?origin=own"):
        _, body, _ = await service.call("GET", f"/api/v1/vacancies/facets{query}")
        counts[query] = body["total"]
    assert counts == {"": 1, "?origin=own": 0}


@pytest.mark.browser
async def test_the_client_marks_it_too(service: Service, browser: Browser) -> None:
    await take_over(service, vacancies=[])
    async with opened(browser, service, "/", DESK) as page:
        await live(page)
        await take_over(service)  # now it has a place: a card that the client makes
        card = page.locator('.card[data-home="herford/anna"]')
        await page.locator("#news").click()
        await expect(card).to_contain_text("Übernommen von Kreis Herford")
        await fall_silent(service)
        await expect(card).to_contain_text("Von dort kommt seit")
        await card.locator("h2 a").click()
        await expect(page).to_have_url(re.compile(f"{PAGE}$"))
        await expect(page.locator(".origin")).to_contain_text("Seitdem kommt von dort nichts mehr")
        assert await violations(page) == []
