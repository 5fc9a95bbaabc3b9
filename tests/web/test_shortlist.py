"""The shortlist as somebody without JavaScript gets it: all of it stands in the address."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

from msgspec.structs import replace

from tests.conftest import Service
from tests.web.test_pages import HOSTILE, get, text
from vacancies.models import HomeStatus
from web.shortlist import MOST_HOMES

PLACE = {"care_form": "short_term", "count": 2}


async def some_homes(service: Service) -> None:
    for number, home_id in enumerate(("a", "b", "c")):
        await service.put_home(
            home_id,
            coordinates={"latitude": 51.9 + number / 10, "longitude": 8.38},
            contact={"phone": "05241 1234", "person": "Frau Sommer", "hours": "Mo–Fr 8–16 Uhr"},
        )
        await service.report(home_id, PLACE)


def listed(html: str) -> list[str]:
    return re.findall(r'<li class="listed" data-home="([^"]*)"', html)


async def test_it_keeps_the_order_of_the_address(service: Service) -> None:
    await some_homes(service)
    status, html = await get(service, "/shortlist?home=c&home=a&home=b&home=a")
    assert (status, listed(html)) == (200, ["c", "a", "b"])
    words = text(html)
    assert re.search(r"Frau Sommer ?, Mo–Fr 8–16 Uhr", words)
    assert re.search(r"2 frei Kurzzeitpflege .*ab sofort", words)
    assert "Aktuell: gerade eben gemeldet" in words
    assert re.search(r"Stand: \d\d\.\d\d\.\d{4}, \d\d:\d\d", words)


async def test_the_nearest_comes_first_if_a_place_is_given(service: Service) -> None:
    await some_homes(service)
    await service.put_home("shut")
    await service.put_home("shut", status="closed")
    many = "home=shut&home=c&home=a&home=b"
    _, html = await get(service, f"/shortlist?{many}&place=33330")
    assert listed(html) == ["a", "b", "c", "shut"]
    assert re.search(r'card-distance">\d,\d\xa0km<', html)
    _, html = await get(service, f"/shortlist?{many}&near=52.1,8.38&label=Hier&place=Hier")
    assert listed(html) == ["c", "b", "a", "shut"]
    status, html = await get(service, f"/shortlist?{many}&place=Xyzzyhausen")
    assert (status, listed(html)) == (200, ["shut", "c", "a", "b"])
    assert "„Xyzzyhausen“ kennen wir nicht" in text(html)
    _, html = await get(service, f"/shortlist?{many}&place=Neustadt")
    ways = [unescape(way) for way in re.findall(r'href="(/shortlist\?[^"]*near=[^"]*)"', html)]
    assert len(ways) > 3
    _, html = await get(service, ways[0])
    assert len(re.findall(r'class="card-distance"', html)) == 3


async def test_homes_that_are_no_more_are_named(service: Service) -> None:
    await some_homes(service)
    await service.put_home("shut", name="Haus Dora")
    await service.put_home("shut", name="Haus Dora", status="closed")
    _, html = await get(service, "/shortlist?home=shut&home=nowhere&home=a")
    assert listed(html) == ["shut", "nowhere", "a"]
    words = text(html)
    assert "Haus Dora Diese Einrichtung ist geschlossen" in words
    assert "Diese Einrichtung kennen wir nicht" in words
    assert words.count("Anrufen") == 1, "only who is open is to be called"


async def test_a_merged_home_leads_to_the_one_in_its_place(service: Service) -> None:
    await some_homes(service)
    board = service.state.board
    old = board.get("b")
    assert old is not None
    profile = replace(old.profile, status=HomeStatus.MERGED, merged_into="a")
    board.apply([replace(old, revision=old.revision + 1, profile=profile)], old.revision + 1)
    _, html = await get(service, "/shortlist?home=b")
    assert "An ihrer Stelle: Haus a" in text(html)
    assert 'href="/homes/a"' in html


async def test_a_list_has_an_end(service: Service) -> None:
    await some_homes(service)
    many = "&".join(f"home=x{number}" for number in range(MOST_HOMES + 5))
    status, html = await get(service, f"/shortlist?{many}")
    assert (status, len(listed(html))) == (200, MOST_HOMES)
    assert f"höchstens {MOST_HOMES} Einrichtungen" in text(html)


async def test_one_is_removed_by_a_link(service: Service) -> None:
    await some_homes(service)
    _, html = await get(service, "/shortlist?home=a&home=b&place=33330")
    (first, _) = re.findall(r'href="([^"]*)" data-remove', html)
    assert unescape(first) == "/shortlist?home=b&place=33330"


async def test_remembering_needs_no_script_and_no_cookie(service: Service) -> None:
    """From the list to the search, and back with one more home."""
    await some_homes(service)

    def way(html: str, pattern: str) -> str:
        found = re.search(pattern, html)
        assert found is not None, html
        return unescape(found[1])

    _, html = await get(service, "/")
    html = html.split("<template")[0]
    _, html = await get(service, way(html, r'data-remember="b" href="([^"]*)"'))
    assert listed(html) == ["b"]
    _, html = await get(service, way(html, r'id="search-on" href="([^"]*)"'))
    assert 'type="hidden" name="keep" value="b"' in html, "a search carries it along"
    _, html = await get(service, way(html, r'data-remember="a" href="([^"]*)"'))
    assert listed(html) == ["b", "a"]
    assert way(html, r'id="shortlist-link" href="([^"]*)"') == "/shortlist?home=b&home=a"
    async with service.client.get(service.url + "/shortlist?home=a") as answer:
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["X-Robots-Tag"] == "noindex"


async def test_what_stands_in_the_address_is_text(service: Service) -> None:
    query = urlencode([("home", evil) for evil in HOSTILE] + [("place", HOSTILE[1])])
    status, html = await get(service, f"/shortlist?{query}")
    assert status == 200
    for evil in HOSTILE[:4]:
        assert evil not in html
    await service.put_home("evil", name=HOSTILE[0], contact={"person": HOSTILE[1]})
    _, html = await get(service, "/shortlist?home=evil")
    assert "<script>window" not in html
    assert "<img src=x" not in html
