"""The page that lists the open data."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from playwright.async_api import Browser

from tests.conftest import Service, served
from tests.web.conftest import opened, violations
from tests.web.opendata.conftest import fetch
from tests.web.opendata.test_archive import archiver
from tests.web.test_pages import HOSTILE, get, text
from vacancies.config import OpenData, Settings
from vacancies.licences import LICENCES


async def test_it_lists_what_there_is(region: Service) -> None:
    status, html = await get(region, "/opendata/")
    assert status == 200
    found = re.findall(r'href="(/opendata/[^"?]+)"', html)
    assert len(set(found)) == 6
    for path in found:
        assert (await fetch(region, path))[0] == 200
    words = text(html)
    assert "Offene Daten" in words
    assert "Datenlizenz Deutschland – Namensnennung – Version 2.0" in words
    assert 'Diese Quelle nennen: Kreis "Muster\\stadt"' in words
    assert "curl --compressed" in unescape(words)


async def test_every_page_leads_there(service: Service) -> None:
    for path in ("/", "/imprint", "/homes/nowhere", "/signin"):
        async with service.client.get(f"{service.url}{path}?lang=en") as answer:
            assert 'href="/opendata/?lang=en">Open data</a>' in await answer.text(), path
    async with service.client.get(f"{service.url}/opendata") as answer:
        assert (answer.status, answer.url.path) == (200, "/opendata/")


async def test_a_demonstration_is_no_source(region: Service) -> None:
    region.state.demo = True
    for path in ("/opendata/", "/opendata/vacancies.geojson", "/opendata/catalog.ttl"):
        body = (await fetch(region, path))[1].decode()
        assert "Freiplatz, Vorführung: erfundene Heime" in body


async def test_a_licence_without_conditions_says_so(settings: Settings) -> None:
    free = replace(
        settings,
        open_data=OpenData(licence=LICENCES["cc-zero"], attribution="<b>" + "".join(HOSTILE)),
    )
    async with served(free) as service:
        html = (await get(service, "/opendata/"))[1]
    assert "Die Quelle muss nicht genannt werden" in text(html)
    assert "<b>" not in html
    assert "<script>window" not in html


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/opendata/", "/opendata/archive/"])
@pytest.mark.parametrize("language", ["de", "de-simple"])
async def test_everybody_can_read_it(
    region: Service, browser: Browser, language: str, path: str
) -> None:
    assert await archiver(region).make_if_due() is not None
    narrow = {"width": 320, "height": 740}
    path += f"?lang={language}"
    async with opened(browser, region, path, narrow, bypass_csp=True) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        assert await violations(page) == []
