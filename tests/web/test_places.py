"""The place fields of the finder, as the server understands them."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.datastructures import MultiDict

from tests.conftest import Service
from tests.web.conftest import a_home
from web.form import Form


def entered(*pairs: tuple[str, str]) -> dict[str, str]:
    return dict(Form.read(MultiDict(pairs)).entered.items())


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("place", "Gütersloh 20 km")], {"place": "Gütersloh", "radius_km": "20"}),
        (
            [("radius_km", "25"), ("place", "20km um Gütersloh")],
            {"place": "Gütersloh", "radius_km": "20"},
        ),
        ([("place", "33330, 12,5 km")], {"place": "33330", "radius_km": "12.5"}),
        ([("place", "Gütersloh 900 km")], {"place": "Gütersloh", "radius_km": "200"}),
        ([("place", "Gütersloh"), ("radius_km", "10")], {"place": "Gütersloh", "radius_km": "10"}),
        (
            [("place", "Halle"), ("label", "Halle"), ("near", "1,2"), ("bbox", "1,2,3,4")],
            {"place": "Halle", "label": "Halle", "near": "1,2", "bbox": "1,2,3,4"},
        ),
        (  # the part of the map was another place's
            [("place", "Essen"), ("label", "Halle"), ("bbox", "1,2,3,4")],
            {"place": "Essen"},
        ),
        (  # a radius leads back to the place
            [("place", "Halle"), ("label", "Halle"), ("bbox", "1,2,3,4"), ("radius_km", "5")],
            {"place": "Halle", "label": "Halle", "radius_km": "5"},
        ),
        (  # the kilometres behind a chosen place are not another place
            [("place", "Halle 5 km"), ("label", "Halle"), ("near", "1,2")],
            {"place": "Halle", "label": "Halle", "near": "1,2", "radius_km": "5"},
        ),
        ([("place", "Essen"), ("label", "Halle"), ("near", "1,2")], {"place": "Essen"}),
        ([("place", ""), ("label", "Halle"), ("near", "1,2")], {}),
        ([("label", "Halle"), ("near", "1,2")], {"label": "Halle", "near": "1,2"}),
        (
            [("place", "Halle"), ("place2", "Essen"), ("label2", "Ulm"), ("near2", "1,2")],
            {"place": "Halle", "place2": "Essen"},
        ),
        (
            [("place2", "Ulm"), ("label2", "Ulm"), ("near2", "1,2"), ("bbox", "1,2,3,4")],
            {"place2": "Ulm", "label2": "Ulm", "near2": "1,2", "bbox": "1,2,3,4"},
        ),
    ],
)
def test_one_sense_of_what_was_entered(
    pairs: list[tuple[str, str]], expected: dict[str, str]
) -> None:
    assert entered(*pairs) == expected


async def page(service: Service, **args: str) -> tuple[int, str]:
    async with service.client.get(service.url + "/", params=args) as answer:
        return answer.status, unescape(await answer.text())


def links(html: str) -> list[tuple[str, dict[str, str]]]:
    """The ways on of a refused page: what they say, and their parameters."""
    steps = html[html.index('class="steps"') :]
    found = re.findall(r'href="([^"]+)">([^<]+)</a>', steps[: steps.index("</ul>")])
    return [(label, dict(parse_qsl(urlsplit(address).query))) for address, label in found]


async def test_kilometres_in_the_field(service: Service) -> None:
    await a_home(service, "a", 1, 0.15)  # 17 km away
    status, html = await page(service, place="33330 Gütersloh 20 km", radius_km="10")
    assert status == 200
    assert "im Umkreis von 20\u00a0km um 33330 Gütersloh" in html
    assert 'value="33330 Gütersloh"' in html
    assert '<option value="20" selected>' in html
    _, html = await page(service, place="33330 Gütersloh 12 km")
    assert "Kein freier Platz im Umkreis von 12\u00a0km" in html


async def test_a_slip_is_asked_about_and_keeps_the_filters(service: Service) -> None:
    await a_home(service, "a", 1)
    status, html = await page(service, place="Güterslo", radius_km="10", care_form="short_term")
    assert status == 404
    assert "Meinten Sie …?" in html
    label, args = links(html)[0]
    assert label == "Gütersloh"
    assert (args["radius_km"], args["care_form"]) == ("10", "short_term")
    status, html = await page(service, **args)
    assert status == 200
    assert "1 freier Platz in Kurzzeitpflege im Umkreis von 10\u00a0km um Gütersloh" in html


async def test_towns_of_one_name_are_told_apart(service: Service) -> None:
    status, html = await page(service, place="Neuenkirchen", radius_km="10")
    assert status == 422
    found = links(html)
    assert len(found) == 11
    label, args = found[0]
    assert label == "48485 Neuenkirchen, Nordrhein-Westfalen, bei Rheine"
    assert args["radius_km"] == "10"
    assert (await page(service, **args))[0] == 200


async def test_what_nobody_knows_has_a_way_on(service: Service) -> None:
    status, html = await page(service, place="Xqzwtown", care_form="short_term")
    assert status == 404
    assert links(html) == [("Ganze Region anzeigen", {"care_form": "short_term"})]


async def test_two_places(service: Service) -> None:
    await a_home(service, "guetersloh", 1)
    await service.put_home("bielefeld", coordinates={"latitude": 52.03, "longitude": 8.53})
    await service.report("bielefeld", {"count": 2})
    await service.put_home("paderborn", coordinates={"latitude": 51.72, "longitude": 8.75})
    await service.report("paderborn", {"count": 4})
    args = {"place": "Gütersloh", "place2": "Bielefeld", "radius_km": "10"}
    status, html = await page(service, **args)
    assert status == 200
    assert "3 freie Plätze im Umkreis von 10\u00a0km um Gütersloh oder Bielefeld" in html
    distances = re.findall(r'data-part="distance">([^<]+)<', html)
    assert len(distances) == 2
    assert {re.sub("^[0-9,]+\u00a0", "", text) for text in distances} == {
        "km von Gütersloh",
        "km von Bielefeld",
    }
    # The address of a search that was sent on means the same.
    _, html = await page(service, place2="Bielefeld", radius_km="10")
    assert "2 freie Plätze im Umkreis von 10\u00a0km um Bielefeld" in html


async def test_the_second_place_is_chosen_by_itself(service: Service) -> None:
    status, html = await page(service, place="Gütersloh", place2="Neuenkirchen")
    assert status == 422
    assert "„Neuenkirchen“" in html
    label, args = links(html)[0]
    assert label.startswith("48485 Neuenkirchen")
    assert args["place"] == "Gütersloh"
    status, html = await page(service, **args)
    assert status == 200
    assert "um Gütersloh oder 48485 Neuenkirchen, Nordrhein-Westfalen" in html
    status, html = await page(service, place="Gütersloh", place2="Xqzwtown")
    assert status == 404
    assert links(html) == [("Ohne den zweiten Ort suchen", {"place": "Gütersloh"})]


async def test_too_long_a_place(service: Service) -> None:
    status, html = await page(service, place="Gütersloh", place2="x" * 201)
    assert status == 400
    assert "place2" in html
