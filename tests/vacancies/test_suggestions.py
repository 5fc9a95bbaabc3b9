"""What is offered to somebody who types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vacancies.geocoding import OfflineGeocoder

OFFLINE = OfflineGeocoder()


def labels(q: str, limit: int = 8) -> list[str]:
    return [place.label for place in OFFLINE.suggest(q, limit)]


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("gü", "Gütersloh"),
        ("Gue", "Gütersloh"),
        ("GUT", "Gütersloh"),
        ("güters", "Gütersloh"),
        ("gütrsl", "Gütersloh"),  # typed so far, with a slip
        ("Gütersloh 20 km", "Gütersloh"),
        ("20 km um Güters", "Gütersloh"),
        ("Gütersloh Avenwedde", "Gütersloh"),
        ("Berliner Straße 12, Güt", "Gütersloh"),
        ("Berliner Straße 12 Güt", "Gütersloh"),
        ("St", "Stuttgart"),
        ("St. Aug", "Sankt Augustin"),
        ("Bad A", "Bad Aibling"),
        ("Frankfurt a", "Frankfurt am Main"),
        ("Frankfurt am M", "Frankfurt am Main"),
        ("wiedenb", "Rheda-Wiedenbrück"),  # the beginning of a later word
        ("Köln-Po", "Porz am Rhein"),
        ("Neuenk", "48485 Neuenkirchen, Nordrhein-Westfalen"),  # not Neunkirchen
        ("Cologne", "Köln"),
        ("Neuenkirchen bei Rheine", "48485 Neuenkirchen, Nordrhein-Westfalen"),
        ("333", "33330 Gütersloh"),
        ("33 3", "33330 Gütersloh"),
        ("33330", "33330 Gütersloh"),
        ("33330 Gü", "33330 Gütersloh"),
        ("1067", "01067 Dresden"),
        ("13517", "13509 Berlin"),  # no such postcode
    ],
)
def test_the_first(q: str, first: str) -> None:
    assert labels(q)[0] == first


def test_the_very_name_comes_before_larger_towns_that_begin_so() -> None:
    assert labels("Halle")[:2] == ["Halle (Saale)", "33790 Halle, Nordrhein-Westfalen"]
    assert labels("Halle").index("37620 Halle, Niedersachsen") < labels("Halle").index("Hallenberg")


def test_a_slip_is_offered_beside_what_begins_so() -> None:
    assert set(labels("Esen")) >= {"Esens", "Essen"}


def test_towns_of_one_name_can_be_told_apart() -> None:
    found = OFFLINE.suggest("Neuenkirchen", 20)
    named = [place for place in found if " Neuenkirchen, " in place.label]
    assert len(named) == 11
    assert (named[0].land, named[0].near_town) == ("Nordrhein-Westfalen", "Rheine")
    assert len({(place.label, place.near_town) for place in found}) == len(found)


@pytest.mark.parametrize("q", ["", "  ", "9", "Xyzzyhausen", "51.9, 8.38", "20 km", "00"])
def test_nothing_to_offer(q: str) -> None:
    assert labels(q) == []


def test_no_more_than_asked_for() -> None:
    assert len(labels("g", 3)) == 3
    assert len(labels("333", 2)) == 2


@given(st.text(max_size=200))
def test_any_text_is_answered(q: str) -> None:
    assert len(labels(q, 5)) <= 5


@pytest.mark.parametrize("q", ["neu", "halle", "333", "gütersl", "Mülheim", "bad s", "esen"])
async def test_what_is_chosen_is_found_again_by_its_label(q: str) -> None:
    for place in OFFLINE.suggest(q):
        again = await OFFLINE.find(place.label)
        assert (again.label, again.point) == (place.label, place.point)
