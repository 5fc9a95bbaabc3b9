"""A home's page over HTTP: what it says, and one's own share of the price."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from werkzeug.datastructures import MultiDict

from tests.conftest import Service
from tests.web.test_pages import get, text
from vacancies.models import Freshness, Listing, Point, Profile
from vacancies.reliability import Currency, Reliability, Rhythm
from web.details import reliability_text, soon, validity_text
from web.language import choose
from web.own_share import Situation, read_situation

BERLIN = ZoneInfo("Europe/Berlin")
GRADE_1 = (
    "Mit Pflegegrad 1 zahlt die Pflegekasse 131 € im Monat."
    " Fragen Sie die Einrichtung nach ihrem Preis."
)
HOME: dict[str, Any] = {
    "name": "St. Anna",
    "coordinates": {"latitude": 51.905, "longitude": 8.385},
    "contact": {"phone": "05241 12345", "email": "a@anna.example"},
    "costs": {"care_eur": 1500, "training_eur": 100, "board_eur": 900, "investment_eur": 500},
    "capacity": {"long_term": 80, "short_term": 10},
    "languages": ["tr", "gsg"],
    "ownership": "nonprofit",
    "quality_url": "https://quality.example/anna",
}


def share(html: str) -> str:
    return text(html, r'<p class="answer" id="share".*?</p>').strip()


def linked(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("", "Sie zahlen etwa 2.760 € im Monat. Im zweiten Jahr: 2.520 €."),
        ("?grade=&since=", "Sie zahlen etwa 2.760 € im Monat. Im zweiten Jahr: 2.520 €."),
        ("?grade=5", "Sie zahlen etwa 2.760 € im Monat. Im zweiten Jahr: 2.520 €."),
        ("?grade=3&since=2", "Sie zahlen etwa 2.520 € im Monat. Im dritten Jahr: 2.200 €."),
        ("?since=3", "Sie zahlen etwa 2.200 € im Monat. Ab dem vierten Jahr: 1.800 €."),
        ("?grade=2&since=4", "Sie zahlen etwa 1.800 € im Monat."),
        (
            "?grade=1&since=4",
            GRADE_1,
        ),
    ],
)
async def test_one_s_own_share_without_a_script(
    service: Service, asked: str, sentence: str
) -> None:
    await service.put_home("a", **HOME)
    status, html = await get(service, "/homes/a" + asked)
    assert status == 200
    assert share(html) == sentence
    body = text(html)
    assert "Zusammen 3.000 €" in body
    assert "Rechtsgrundlage: § 43c SGB XI." in body
    assert "Ab dem vierten Jahr 1.200 € 1.800 €" in body
    table = re.search(r'<table class="share-table" id="share-table"( hidden)?>', html)
    assert table is not None
    assert bool(table[1]) == ("grade=1" in asked)
    assert html.partition('id="costs"')[2].count(' aria-current="true"') == 1


@pytest.mark.parametrize(
    "asked", ["grade=0", "grade=6", "grade=x", "since=0", "since=5", "grade=٣"]
)
async def test_a_wrong_entry_is_said_and_leads_back(service: Service, asked: str) -> None:
    await service.put_home("a", **HOME)
    status, html = await get(service, f"/homes/a?{asked}")
    assert status == 400
    assert "Wählen Sie Pflegegrad und Zeit noch einmal." in text(html)
    assert 'href="/homes/a"' in html


async def test_missing_parts_are_named(service: Service) -> None:
    await service.put_home("a", **HOME | {"costs": {"care_eur": 1000, "board_eur": 600}})
    _, html = await get(service, "/homes/a")
    assert share(html).startswith("Sie zahlen mindestens etwa 1.450 € im Monat.")
    assert "Die Einrichtung nennt noch nicht: Ausbildungsumlage, Investitionskosten." in text(html)


async def test_costs_only_where_they_are_known_and_apply(service: Service) -> None:
    await service.put_home("day", **HOME | {"capacity": {"day": 40}})
    _, html = await get(service, "/homes/day")
    assert 'id="share"' not in html, "§ 43c is for life in a home"
    assert "Zusammen 3.000 €" in text(html)
    assert "3.539 €" not in text(html)
    await service.put_home("short", **HOME | {"costs": {}, "capacity": {"short_term": 40}})
    _, html = await get(service, "/homes/short")
    assert "bis zu 3.539 € im Jahr, für höchstens acht Wochen" in text(html)
    assert "Entlastungsbetrag nutzen: 131 € im Monat" in text(html)
    assert 'id="share"' not in html
    await service.put_home("none", **HOME | {"costs": {}, "capacity": {"day": 40}})
    _, html = await get(service, "/homes/none")
    assert 'id="costs"' not in html


async def test_the_page_says_who_and_how_to_get_there(service: Service) -> None:
    await service.put_home("a", **HOME | {"name": "Haus (Süd) & Co"})
    _, html = await get(service, "/homes/a")
    body = text(html)
    assert "Hier spricht man auch: Deutsche Gebärdensprache, Türkisch." in body
    assert "Träger: Kirche oder Wohlfahrtsverband." in body
    assert (
        'href="geo:51.905000,8.385000?q=51.905000,8.385000(Haus%20%28S%C3%BCd%29%20%26%20Co)"'
        in html
    )
    route = re.search(r'<a [^>]*href="(https://www.openstreetmap.org/[^"]*)"([^>]*)>', html)
    assert route is not None
    assert "to=51.905000,8.385000" in route[1]
    assert "noreferrer" in route[2]
    assert 'href="https://quality.example/anna" rel="noopener noreferrer nofollow"' in html
    for step in (
        "Pflegegrad beantragen",
        "§ 18a SGB XI",
        "§ 39e SGB V",
        "Hilfe zur Pflege",
        "WBVG",
    ):
        assert step in body


@pytest.mark.parametrize(
    ("contact", "href", "words"),
    [
        ({"email": "a@b.example", "website": "https://b.example"}, "mailto:a@b.example", "E-Mail"),
        ({"website": "https://b.example"}, "https://b.example", "Zur Website der Einrichtung"),
        ({}, None, "Pflegestützpunkt"),
    ],
)
async def test_without_a_telephone_there_is_a_next_step(
    service: Service, contact: dict[str, str], href: str | None, words: str
) -> None:
    await service.put_home("a", contact=contact)
    _, html = await get(service, "/homes/a")
    head = text(html, r'<div class="next-step">.*?</div>')
    assert "hat keine Telefonnummer angegeben" in head
    assert words in head
    if href:
        assert re.search(rf'<div class="next-step">.*?href="{re.escape(href)}"', html, re.DOTALL)
    await service.put_home("a", contact={"phone": "05241 1"})
    _, html = await get(service, "/homes/a")
    assert 'class="next-step"' not in html
    assert 'href="tel:052411"' in html


async def test_search_engines_get_offers_of_what_is_free(service: Service) -> None:
    await service.put_home("a", **HOME)
    day = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
    await service.report(
        "a",
        {"count": 2},
        {"care_form": "short_term", "count": 0},
        {"count": 1, "available_from": day},
    )
    data = linked((await get(service, "/homes/a"))[1])
    assert data["@type"] == "MedicalBusiness"
    assert (data["maximumAttendeeCapacity"], data["knowsLanguage"]) == (90, ["gsg", "tr"])
    now, later = data["makesOffer"]
    assert now["inventoryLevel"] == {"@type": "QuantitativeValue", "value": 2}
    assert now["itemOffered"] == {"@type": "Service", "serviceType": "Dauerpflege"}
    assert later["availabilityStarts"] == day
    until = datetime.fromisoformat(now["validThrough"])
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)
    await service.report("a", {"count": 0})
    assert "makesOffer" not in linked((await get(service, "/homes/a"))[1])
    service.state.demo = True
    assert "ld+json" not in (await get(service, "/homes/a"))[1], "invented homes are for nobody"


async def test_the_history_is_said_once_there_is_enough(service: Service) -> None:
    await service.put_home("a", **HOME)
    await service.report("a", {"count": 1})
    words = "Die Meldungen dieser Einrichtung sind fast immer aktuell."
    assert words not in text((await get(service, "/homes/a"))[1])
    now = datetime.now(UTC)
    await service.state.deployment.pool.executemany(
        "INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies)"
        " VALUES ('a', 1, 'report', $1, $1, '[]')",
        [(now - timedelta(hours=20 * number),) for number in range(1, 45)],
    )
    body = text((await get(service, "/homes/a"))[1])
    assert words in body
    assert "Aktuell an 30 der letzten 30 Tage. Sie meldet fast täglich." in body


# ---- in words ----

NOON = datetime(2026, 11, 26, 12, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (2.5, "heute 14:30 Uhr"),
        (11.99, "heute 23:59 Uhr"),
        (12, "morgen 00:00 Uhr"),
        (26, "morgen 14:00 Uhr"),
        (36, "28. November, 00:00 Uhr"),
    ],
)
def test_moments_to_come(hours: float, words: str) -> None:
    assert soon(NOON + timedelta(hours=hours), choose("de"), NOON) == words


@pytest.mark.parametrize(
    ("freshness", "words"),
    [
        (Freshness.FRESH, "gilt bis heute 14:00 Uhr"),
        (Freshness.AGEING, "zählt noch bis heute 14:00 Uhr"),
    ],
)
def test_until_when_it_holds(freshness: Freshness, words: str) -> None:
    listing = Listing(
        id="a",
        provider="p",
        revision=1,
        moved_revision=1,
        profile=Profile(name="Haus", point=Point(51, 8)),
        freshness=freshness,
        valid_until=NOON + timedelta(hours=2),
    )
    assert validity_text(listing, choose("de"), NOON) == words


@pytest.mark.parametrize(
    ("current", "told", "currency", "rhythm"),
    [
        (27, 24, Currency.MOSTLY, Rhythm.DAILY),
        (26, 23, Currency.OFTEN, Rhythm.SOMETIMES),
        (18, 12, Currency.OFTEN, Rhythm.SOMETIMES),
        (17, 11, Currency.SELDOM, Rhythm.WEEKLY),
        (0, 4, Currency.SELDOM, Rhythm.RARELY),
    ],
)
def test_reliability_in_words(current: int, told: int, currency: Currency, rhythm: Rhythm) -> None:
    undone = NOON - timedelta(days=14)
    found = Reliability(days=30, current_days=current, told_days=told, undone_at=undone)
    assert (found.currency, found.rhythm) == (currency, rhythm)
    words = reliability_text(found, choose("de"), NOON.date())
    assert f"Aktuell an {current} der letzten 30 Tage." in words
    assert words.endswith("Zuletzt hat sie sich am 12. November berichtigt.")
    assert reliability_text(None, choose("de"), NOON.date()) == ""


def test_a_blank_entry_counts_as_none() -> None:
    asked = MultiDict({"grade": " 4 ", "since": ""})
    assert read_situation(asked) == Situation(grade=4, year=1)
