"""`/status`: whether the service works, in plain words, and nothing of how it is built."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import Service
from tests.web.test_pages import get, text
from web.language import languages

INTERNALS = re.compile(
    r"postgres|redis|valkey|database|datenbank|worker|prozess|revision|epoch|version|python|hypercorn",
    re.IGNORECASE,
)


async def shown(service: Service, path: str = "/status", *, anew: bool = True) -> str:
    if anew:
        service.state.status.until = 0.0
    status, html = await get(service, path)
    assert status == 200
    return text(html)


async def test_all_is_well(service: Service) -> None:
    assert "Es hat noch keine Einrichtung gemeldet." in await shown(service)
    for home in "abc":
        await service.put_home(home)
    await service.report("a", {"count": 1})
    await service.report("b", {"count": 1}, observed_at="2026-01-01T00:00:00Z")
    page = await shown(service)
    assert "Ja, alles läuft. Einrichtungen können melden." in page
    assert "Die neueste Meldung kam gerade eben." in page
    assert "mit aktueller Meldung: 1" in page
    assert "mit älterer Meldung: 0" in page
    assert "mit veralteter oder ohne Meldung: 2" in page
    assert "Nachbarn" not in page
    since = languages()["de"].moment(
        datetime.fromtimestamp(service.state.follower.steady_since, UTC)
    )
    assert f"Ohne Unterbrechung seit {since}." in page
    assert "Everything works" not in page
    assert "Yes, everything works." in await shown(service, "/status?lang=en")


async def test_the_database_is_away(service: Service) -> None:
    await service.put_home("a")
    deployment, follower = service.state.deployment, service.state.follower
    deployment.following.terminate()
    deployment.pool.terminate()
    follower.caught_up_at = time.monotonic() - 3600
    page = await shown(service)
    assert "Nein, gerade läuft etwas nicht." in page
    moment = languages()["de"].moment(datetime.now(UTC) - timedelta(hours=1))
    assert f"Sie sehen den Stand vom {moment[:-1]}" in page
    assert "Bitte rufen Sie die Einrichtungen an." in page
    assert "ohne Meldung: 1" in page
    assert "Wie es bei den Nachbarn steht, können wir gerade nicht sagen." in page
    assert "Ohne Unterbrechung" not in page


async def test_neighbours(service: Service) -> None:
    await service.state.deployment.pool.execute(
        "INSERT INTO neighbour (slug, name, url, heard_at, trouble, removed_at) VALUES"
        " ('a', 'Kreis <Höxter>', 'https://secret.example', now(), '', NULL),"
        " ('b', 'Kreis Lippe', 'https://secret.example', now() - interval '2 days',"
        " '10.0.0.7', NULL),"
        " ('c', 'Kreis Paderborn', 'https://secret.example', NULL, '', NULL),"
        " ('d', 'Kreis Herford', 'https://secret.example', now(), '', now())"
    )
    page = await shown(service)
    assert "Kreis <Höxter>: Alles läuft." in page
    assert "Kreis Lippe: Von dort kam seit " in page
    assert "Kreis Paderborn: Von dort kam noch nichts." in page
    assert "Herford" not in page
    assert "secret" not in page, "where a neighbour is called says how we reach it"
    assert "10.0.0.7" not in page


async def test_however_many_ask_it_is_looked_up_once_in_a_while(service: Service) -> None:
    await shown(service)
    await service.put_home("a")
    assert "ohne Meldung: 0" in await shown(service, anew=False)
    assert "ohne Meldung: 1" in await shown(service)


@pytest.mark.parametrize("code", list(languages()))
async def test_nothing_of_how_it_is_built(service: Service, code: str) -> None:
    status, html = await get(service, f"/status?lang={code}")
    assert status == 200
    main = re.sub(r"(?s).*<main|</main>.*|<[^>]*>", " ", html)
    assert len(main.split()) > 30
    assert INTERNALS.findall(main) == []


async def test_every_page_leads_there(service: Service) -> None:
    for path in ("/", "/homes/nowhere", "/signin"):
        _, html = await get(service, path)
        assert 'href="/status"' in html, path
