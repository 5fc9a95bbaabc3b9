"""Imprint, privacy and accessibility: with and without the operator's file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from tests.conftest import Service, served
from tests.vacancies.test_operator import example, written
from tests.web.test_pages import HOSTILE, get, text
from vacancies.config import Basemap, Settings
from vacancies.operator import Operator, Texts, read_operator

PAGES = ("/imprint", "/privacy", "/accessibility")


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return read_operator(written(tmp_path, example()))


async def test_every_page_leads_there(service: Service) -> None:
    for path in ("/", "/homes/nowhere", "/signin", "/api/v1/docs"):
        async with service.client.get(service.url + path + "?lang=en") as answer:
            html = await answer.text()
        for legal in PAGES:
            assert f'href="{legal}?lang=en"' in html, path


async def test_what_is_missing_is_said(service: Service) -> None:
    for path, field in zip(
        PAGES,
        ("Name des Betreibers", "Rechtsgrundlage", "Durchsetzungsstelle"),
        strict=True,
    ):
        status, html = await get(service, path)
        assert status == 200
        assert "Diese Seite ist noch nicht vollständig." in text(html)
        assert f"<li>{field}</li>" in html


async def test_with_the_file_nothing_is_missing(settings: Settings, operator: Operator) -> None:
    async with served(replace(settings, operator=operator)) as service:
        for path in PAGES:
            _, html = await get(service, path)
            assert "noch nicht vollständig" not in html
            assert "Kreis Musterstadt" in html
            assert "Übersetzung" not in text(html)
        assert "Landrätin Erika Muster" in (await get(service, "/imprint"))[1]
        assert "nach 7 Tagen gelöscht" in text((await get(service, "/privacy"))[1])
        statement = text((await get(service, "/accessibility"))[1])
        assert "teilweise vereinbar" in statement
        assert "vom 26. November 2026" in statement
        assert "Leichte Sprache, Türkçe, Русский, Polski, العربية" in statement


async def test_other_languages_say_that_the_german_text_counts(
    settings: Settings, operator: Operator
) -> None:
    texts = {"de": Texts(privacy=("Nur deutsch.",)), "ru": Texts(imprint=("По-русски.",))}
    async with served(replace(settings, operator=changed(operator, texts=texts))) as service:
        _, html = await get(service, "/imprint?lang=ru")
        assert "Это перевод." in text(html)
        assert "<p>По-русски.</p>" in html, "the language of the page needs no mark"
        assert '<p class="lines" lang="de">Kreis Musterstadt<br>' in html
        _, html = await get(service, "/privacy?lang=tr")
        assert '<p lang="de">Nur deutsch.</p>' in html
        _, html = await get(service, "/privacy?lang=de-simple")
        assert "Vor Gericht gilt nur der deutsche Text." in text(html)


async def test_the_file_cannot_bring_markup(settings: Settings, operator: Operator) -> None:
    hostile = changed(
        operator, name=HOSTILE[0], address=HOSTILE, texts={"de": Texts(imprint=HOSTILE)}
    )
    async with served(replace(settings, operator=hostile)) as service:
        for path in PAGES:
            _, html = await get(service, path)
            assert "<script>window.pwned" not in html
            assert "<img src=x" not in html
        _, html = await get(service, "/imprint")
        assert "{{ 7*7 }} ${7*7} %(name)s" in text(html), "as it was written"


async def test_privacy_names_the_hosts_that_are_asked(settings: Settings) -> None:
    _, html = await get_from(settings, "/privacy")
    assert "tiles.example.org" not in html
    asked = replace(
        settings,
        basemap=Basemap(address="https://tiles.example.org/{z}/{x}/{y}.png"),
        geocoder="https://geo.example.org",
    )
    _, html = await get_from(asked, "/privacy")
    assert "Bilder der Karte von tiles.example.org" in text(html)
    assert "schlagen wir bei geo.example.org nach" in text(html)


async def get_from(settings: Settings, path: str) -> tuple[int, str]:
    async with served(settings) as service:
        return await get(service, path)


async def test_readers_get_no_cookie(service: Service) -> None:
    for path in (*PAGES, "/accessibility/report"):
        async with service.client.get(service.url + path) as answer:
            assert "Set-Cookie" not in answer.headers
