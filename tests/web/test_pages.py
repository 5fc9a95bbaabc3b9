"""The pages as somebody without JavaScript gets them: HTML over HTTP."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from msgspec.structs import replace as changed

from tests.conftest import Service, served
from vacancies.config import Settings
from vacancies.municipalities import record_municipality

SHORT = {"care_form": "short_term", "count": 2}
HOSTILE = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror=window.pwned=1>',
    "</script><script>window.pwned=1</script>",
    "' onmouseover='window.pwned=1",
    "{{ 7*7 }} ${7*7} %(name)s",
    "<!--<script>",
)


async def get(service: Service, path: str) -> tuple[int, str]:
    async with service.client.get(service.url + path) as answer:
        assert answer.content_type == "text/html", await answer.text()
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        return answer.status, await answer.text()


def text(html: str, pattern: str = r"<main.*</main>") -> str:
    """What a reader reads of a part of the page."""
    found = re.search(pattern, html, re.DOTALL)
    assert found is not None, html
    body = re.sub(r"<(script|template|svg)\b.*?</\1>", "", found[0], flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body))).replace("\u00a0", " ")


def sentence(html: str) -> str:
    return text(html, r'<p class="answer".*?</p>').strip()


def cards(html: str) -> list[str]:
    before = html.split("<template")[0]
    return re.findall(r'<li class="card" data-home="([^"]+)"', before)


async def some_homes(service: Service) -> None:
    await service.put_home(
        "near",
        name="St. Anna",
        coordinates={"latitude": 51.91, "longitude": 8.38},
        contact={"phone": "05241 12345", "website": "https://anna.example"},
        costs={"care_eur": 1000, "training_eur": 80, "board_eur": 600, "investment_eur": 300},
        focuses=["dementia"],
        capacity={"short_term": 40},
    )
    await service.put_home(
        "far", name="Haus Fern", coordinates={"latitude": 52.2, "longitude": 8.5}
    )
    await service.put_home("full", name="Haus Voll")
    await service.report("near", {**SHORT, "room": "single"})
    await service.report("far", {"care_form": "short_term", "count": 5})
    await service.report("full")


async def test_the_answer_comes_first_and_the_nearest_home(service: Service) -> None:
    await some_homes(service)
    status, html = await get(service, "/?place=33330&care_form=short_term&radius_km=50")
    assert status == 200
    assert re.fullmatch(
        r"7 freie Plätze in Kurzzeitpflege im Umkreis von 50 km um 33330, der nächste in .+ km\.",
        sentence(html),
    )
    assert cards(html) == ["near", "far"]
    body = text(html)
    for words in (
        "2 frei Kurzzeitpflege ab sofort",
        "Aktuell: gerade eben gemeldet",
        "Einzelzimmer · Demenz",
        "ca. 1.980 € Eigenanteil im Monat",
        "Anrufen 05241 12345",
    ):
        assert words in body
    assert 'href="tel:0524112345"' in html
    assert '<html lang="de" dir="ltr">' in html


async def test_full_homes_are_shown_when_asked_for(service: Service) -> None:
    await some_homes(service)
    _, html = await get(service, "/?place=33330&include_full=true")
    assert set(cards(html)) == {"near", "full"}
    assert "Zurzeit kein freier Platz" in text(html)
    assert sentence(html).startswith("2 freie Plätze im Umkreis")


async def test_without_a_place_the_whole_region_is_shown(service: Service) -> None:
    await some_homes(service)
    status, html = await get(service, "/")
    assert status == 200
    assert sentence(html) == "7 freie Plätze in der ganzen Region."
    assert cards(html) == ["far", "near"]  # by name
    assert "Geben Sie Ort oder Postleitzahl ein." in text(html)


async def test_a_town_that_was_chosen_is_named(service: Service) -> None:
    await some_homes(service)
    async with service.state.deployment.pool.acquire() as connection:
        await record_municipality(connection, "05754008", "Gütersloh")
    await service.put_home("near", name="Haus Nah", municipality="05754008")
    _, html = await get(service, "/?municipality=05754008")
    assert sentence(html) == "2 freie Plätze im Gebiet von Gütersloh."
    _, html = await get(service, "/?municipality=05754008&place=33330")
    assert "im Umkreis von 25 km um 33330" in sentence(html)


async def test_an_unknown_place_has_a_next_step(service: Service) -> None:
    status, html = await get(service, "/?place=Xyzzyhausen&care_form=day")
    assert status == 404
    assert "„Xyzzyhausen“ kennen wir nicht" in text(html)
    assert 'href="/?care_form=day"' in html


async def test_an_ambiguous_place_offers_its_candidates(service: Service) -> None:
    await service.put_home("a", coordinates={"latitude": 51.84, "longitude": 8.0})
    status, html = await get(service, "/?place=Neuenkirchen&radius_km=10")
    assert status == 422
    links = re.findall(r'<a class="kern-link" href="(/\?[^"]*near=[^"]*)">([^<]+)</a>', html)
    assert len(links) > 5
    address, label = unescape(links[0][0]), unescape(links[0][1]).partition(", bei ")[0]
    status, html = await get(service, address)
    assert status == 200
    assert f"um {label}." in sentence(html)
    assert "radius_km=10" in address
    # Another place in the field counts for more than the point that was chosen before.
    status, html = await get(service, address.replace("place=", "place=33330&was="))
    assert "um 33330" in sentence(html)


@pytest.mark.parametrize(
    "parameters",
    ["radius_km=far", "care_form=none", "available_by=soon", "after=nonsense", "near=1"],
)
async def test_wrong_entries_are_explained(service: Service, parameters: str) -> None:
    status, html = await get(service, f"/?{parameters}")
    assert status == 400
    assert "Eine Ihrer Angaben passt nicht" in text(html)
    assert 'href="/"' in html


async def test_nothing_found_offers_what_does_find_something(service: Service) -> None:
    await some_homes(service)
    _, html = await get(service, "/?place=33330&radius_km=25&care_form=hospice")
    assert sentence(html) == "Kein freier Platz in Hospiz im Umkreis von 25 km um 33330."
    body = text(html)
    assert "Jede Pflegeform: 1 Einrichtung" in body
    assert "Volle Einrichtungen zeigen, für die Warteliste: 1 Einrichtung" in body
    _, html = await get(service, "/?place=33330&radius_km=25&care_form=short_term&room=double")
    way = re.search(r'href="([^"]+)">1 Einrichtung im Umkreis von (\d+)', html)
    assert way is not None
    _, html = await get(service, unescape(way[1]))
    assert cards(html) == ["far"]
    assert sentence(html).startswith("1 Einrichtung mit passendem freien Platz in Kurzzeitpflege")
    smaller = unescape(way[1]).replace(f"radius_km={way[2]}", f"radius_km={int(way[2]) - 1}")
    assert sentence((await get(service, smaller))[1]).startswith("Keine Einrichtung")


async def test_who_comes_too_early_learns_from_which_day_on(service: Service) -> None:
    await service.put_home("a", capacity={"short_term": 40})
    windows = [("2099-08-01", "2099-08-10"), ("2099-08-20", "2099-09-20")]
    lines = [
        {"care_form": "short_term", "count": 1, "available_from": start, "available_until": end}
        for start, end in windows
    ]
    await service.report("a", *lines)
    stay = "available_by=2099-08-01&available_until=2099-08-21&nights=14"
    _, html = await get(service, f"/?place=33330&{stay}&care_form=short_term")
    assert sentence(html).startswith("Keine Einrichtung")
    way = re.search(r'href="([^"]+)">1 Einrichtung ab 20. August 2099<', html)
    assert way is not None
    _, html = await get(service, unescape(way[1]))
    assert cards(html) == ["a"]
    assert "14 Nächte vom 20. August 2099 bis 3. September 2099" in text(html)
    _, html = await get(service, "/?place=33330&available_by=2099-07-30")
    assert "1 Einrichtung ab 1. August 2099" in text(html)


async def test_who_says_how_long_only_means_from_today(service: Service) -> None:
    await service.put_home("a")
    await service.report("a", {"care_form": "short_term", "count": 1})
    status, html = await get(service, "/?place=33330&nights=14")
    assert (status, cards(html)) == (200, ["a"])
    status, html = await get(service, "/?place=33330&available_until=2099-01-01")
    assert (status, cards(html)) == (200, ["a"])
    status, html = await get(service, "/?place=33330&nights=viele")
    assert status == 400


async def test_each_choice_says_how_many_homes_it_leaves(service: Service) -> None:
    await some_homes(service)
    await service.put_home("pl", languages=["pl", "gsg"], ownership="public")
    await service.report("pl", {"care_form": "day", "count": 1, "room": "single"})

    def count(html: str, choice: str) -> str:
        found = re.search(rf'data-count="{choice}">([^<]*)<', html)
        return found[1] if found else ""

    _, html = await get(service, "/?place=33330&radius_km=25")
    assert cards(html) == ["pl", "near"] or cards(html) == ["near", "pl"]
    assert count(html, "language=pl") == "1 Einrichtung"
    assert count(html, "language=tr") == ""  # nobody: not offered
    assert count(html, "ownership=public") == "1 Einrichtung"
    assert count(html, "ownership=private") == "0 Einrichtungen"
    assert count(html, "care_form=hospice") == "0 Einrichtungen"
    assert count(html, "room=single").endswith("(2)")
    assert count(html, "room=double").endswith("(0)")
    _, html = await get(service, "/?place=33330&radius_km=25&language=pl&ownership=public")
    assert cards(html) == ["pl"]
    assert "Polnisch" in text(html)


async def test_pages_are_turned_by_links(service: Service) -> None:
    reports = []
    for number in range(53):
        home = f"h{number:02}"
        await service.put_home(home)
        reports.append({"home_id": home, "vacancies": [{"care_form": "day", "count": 1}]})
    await service.call(
        "POST", "/api/v1/reports", {"reports": reports}, provider="caritas-musterstadt"
    )
    _, html = await get(service, "/?place=33330&care_form=day")
    assert len(cards(html)) == 50
    assert "50 von 53 Einrichtungen" in text(html)
    more = re.search(r'href="([^"]*after=[^"]*)"', html)
    assert more is not None
    _, rest = await get(service, unescape(more[1]))
    assert sorted(cards(html) + cards(rest)) == [f"h{number:02}" for number in range(53)]
    assert sentence(rest) == sentence(html)
    assert "Zurück zum Anfang der Liste" in text(rest)


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_what_a_provider_writes_stays_text(service: Service, hostile: str) -> None:
    name = f"Haus {hostile}"
    await service.put_home("a", name=name, contact={"phone": "05241 1"})
    await service.report("a", {"count": 1, "note": hostile})
    for path in ("/?place=33330", "/homes/a", "/?place=33330&lang=en"):
        _, html = await get(service, path)
        assert hostile in text(html).replace("\u00a0", " ")
        assert "<script>window" not in html
        assert "<img" not in html
    for script in re.findall(r'<script type="application/[^>]*>(.*?)</script>', html, re.DOTALL):
        json.loads(script)


async def test_what_a_reader_enters_stays_text(service: Service) -> None:
    _, html = await get(service, '/?place="><script>alert(1)</script>')
    assert "<script>alert" not in html
    _, html = await get(service, '/?near=51.9,8.38&place=<i>&label=<i>"')
    assert "<i>" not in html


async def test_english_is_a_choice_that_all_links_keep(service: Service) -> None:
    await some_homes(service)
    async with service.client.get(service.url + "/", headers={"Accept-Language": "en"}) as answer:
        assert '<html lang="de"' in await answer.text()
        assert "Set-Cookie" not in answer.headers
    _, html = await get(service, "/?place=33330&care_form=short_term&lang=en")
    assert '<html lang="en" dir="ltr">' in html
    assert sentence(html).startswith("2 free places in short-term care within 25 km of 33330, the")
    links = re.findall(r'href="(/[^"]*)"', html.split("<main")[1])
    assert links
    assert all("lang=en" in link for link in links)
    assert '<input type="hidden" name="lang" value="en">' in html
    _, html = await get(service, "/homes/near?lang=en")
    assert "Free places" in text(html)


async def test_the_page_of_a_home(service: Service) -> None:
    await some_homes(service)
    status, html = await get(service, "/homes/near")
    assert status == 200
    body = text(html)
    for words in ("St. Anna", "Kurzzeitpflege", "Zusammen 1.980 €", "40 Plätze", "Gemeldet für"):
        assert words in body
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["geo"]["latitude"] == 51.91
    assert json.loads(data[1])["url"] == "https://anna.example"


async def test_homes_that_are_not_there_any_more(service: Service) -> None:
    await some_homes(service)
    status, html = await get(service, "/homes/never")
    assert status == 404
    assert "Diese Einrichtung kennen wir nicht" in text(html)
    await service.put_home("full", name="Haus Voll", status="closed")
    status, html = await get(service, "/homes/full")
    assert status == 410
    assert "Diese Einrichtung ist geschlossen" in text(html)
    status, html = await get(service, "/no/such/page")
    assert status == 404
    assert "Zur Suche" in text(html)


async def test_a_website_that_is_none_gets_no_link(service: Service) -> None:
    await service.put_home("a")
    listing = service.state.board.get("a")
    assert listing is not None
    contact = changed(listing.profile.contact, website="javascript:alert(1)")
    profile = changed(listing.profile, contact=contact)
    newer = changed(listing, profile=profile, revision=listing.revision + 1)
    service.state.board.apply([newer], newer.revision)
    _, html = await get(service, "/homes/a")
    assert "javascript:" not in html


async def test_a_demonstration_says_so_on_every_page(service: Service) -> None:
    await service.put_home("a")
    service.state.demo = True
    for path in ("/", "/?place=Xyzzyhausen", "/homes/a", "/api/v1/docs", "/nowhere"):
        _, html = await get(service, path)
        assert "Vorführung: erfundene Heime" in text(html, r"<body.*"), path
    service.state.demo = False
    _, html = await get(service, "/")
    assert "Vorführung" not in html


async def test_without_the_built_client_the_pages_still_work(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.assets.DIST", settings.data_dir / "nowhere")
    async with served(settings) as service:
        await service.put_home("a")
        status, html = await get(service, "/")
        assert status == 200
        assert "/assets/" not in html
        async with service.client.get(service.url + "/assets/x.js") as answer:
            assert answer.status == 404
