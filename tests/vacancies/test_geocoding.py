"""Places from the offline gazetteer: what people type, and what lists say."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vacancies.errors import AmbiguousPlace, UnknownPlace
from vacancies.gazetteer import load_gazetteer
from vacancies.geocoding import OfflineGeocoder
from vacancies.models import Address, Precision

GUETERSLOH = (51.9, 8.38)
OFFLINE = OfflineGeocoder()


@pytest.mark.parametrize(
    ("q", "label", "precision"),
    [
        ("33330", "33330 Gütersloh", Precision.POSTCODE),
        (" D-33330 ", "33330 Gütersloh", Precision.POSTCODE),
        ("33 330", "33330 Gütersloh", Precision.POSTCODE),
        ("33330 Gütersloh", "33330 Gütersloh", Precision.POSTCODE),
        ("33330  Güters\u00adloh", "33330 Gütersloh", Precision.POSTCODE),
        ("Gütersloh 33330", "33330 Gütersloh", Precision.POSTCODE),
        ("33330 Gütersloh, Deutschland", "33330 Gütersloh", Precision.POSTCODE),
        ("Berliner Straße 70, 33330 Gütersloh", "33330 Gütersloh", Precision.POSTCODE),
        ("Berliner Straße 70, Gütersloh", "Gütersloh", Precision.TOWN),
        ("Berliner Straße 70a Gütersloh", "Gütersloh", Precision.TOWN),
        ("GUETERSLOH", "Gütersloh", Precision.TOWN),
        ("gutersloh", "Gütersloh", Precision.TOWN),
        ("1067", "01067 Dresden", Precision.POSTCODE),
        ("1067 Dresden", "01067 Dresden", Precision.POSTCODE),
        ("Essen", "Essen", Precision.TOWN),
        ("Essen, Ruhr", "Essen", Precision.TOWN),
        ("Gronau (Westf.)", "48599 Gronau, Nordrhein-Westfalen", Precision.TOWN),
        ("Frankfurt/Main", "Frankfurt am Main", Precision.TOWN),
        ("Frankfurt a.M.", "Frankfurt am Main", Precision.TOWN),
        ("Frankfurt (Oder)", "Frankfurt (Oder)", Precision.TOWN),
        ("Mülheim a.d. Ruhr", "45468 Mülheim, Nordrhein-Westfalen", Precision.TOWN),
        ("St. Augustin", "Sankt Augustin", Precision.TOWN),
        ("Rheda Wiedenbrück", "Rheda-Wiedenbrück", Precision.TOWN),
        ("Cologne", "Köln", Precision.TOWN),
        ("München", "München", Precision.TOWN),
        ("Munich", "München", Precision.TOWN),
        ("52501 Geilenkirchen", "Geilenkirchen", Precision.TOWN),  # no such postcode
        ("13517 Berlin", "13517 Berlin", Precision.REGION),  # nor this, but a city is wide
        ("51.9, 8.38", "51.9, 8.38", Precision.EXACT),
        # A part of a town, where it is known, and else the town.
        ("Berlin-Spandau", "Spandau", Precision.TOWN),
        ("Spandau, Berlin", "Spandau", Precision.TOWN),
        ("Köln Porz", "Porz am Rhein", Precision.TOWN),
        ("Hamburg Altona", "Altona", Precision.TOWN),
        ("Lichtenberg, Berlin", "10365 Lichtenberg, Berlin", Precision.TOWN),
        ("Gütersloh Avenwedde", "Gütersloh", Precision.TOWN),
        ("Gütersloh-Avenwedde", "Gütersloh", Precision.TOWN),
        ("Avenwedde, Gütersloh", "Gütersloh", Precision.TOWN),
        ("Avenwedde Gütersloh", "Gütersloh", Precision.TOWN),
        ("Gütersloh OT Isselhorst", "Gütersloh", Precision.TOWN),
        ("33334 Gütersloh Avenwedde", "33334 Gütersloh", Precision.POSTCODE),
        # A street before or behind the town, with a number or without.
        ("Gütersloh, Berliner Straße 70", "Gütersloh", Precision.TOWN),
        ("Gütersloh Berliner Straße 70", "Gütersloh", Precision.TOWN),
        ("Berliner Straße Gütersloh", "Gütersloh", Precision.TOWN),
        ("33330, Berliner Straße 70", "33330 Gütersloh", Precision.POSTCODE),
        ("Am Alten Markt 11 a-c Rietberg", "Rietberg", Precision.TOWN),
        # Which of several, by what is beside it.
        ("Neuenkirchen bei Rheine", "48485 Neuenkirchen, Nordrhein-Westfalen", Precision.TOWN),
        ("Neuenkirchen, Rheine", "48485 Neuenkirchen, Nordrhein-Westfalen", Precision.TOWN),
        (
            "Neuenkirchen (Kreis Steinfurt)",
            "48485 Neuenkirchen, Nordrhein-Westfalen",
            Precision.TOWN,
        ),
        ("Gronau Westfalen", "48599 Gronau, Nordrhein-Westfalen", Precision.TOWN),
        ("Halle/Saale", "Halle (Saale)", Precision.TOWN),
        ("Halle Westf.", "33790 Halle, Nordrhein-Westfalen", Precision.TOWN),
        ("Essen Ruhr", "Essen", Precision.TOWN),
        ("Rothenburg o.d.T.", "Rothenburg ob der Tauber", Precision.TOWN),
        ("Freiburg i. Br.", "Freiburg", Precision.TOWN),
        # What people put before a name.
        ("Nähe Gütersloh", "Gütersloh", Precision.TOWN),
        ("in Gütersloh", "Gütersloh", Precision.TOWN),
        ("Raum Bielefeld", "Bielefeld", Precision.TOWN),
        ("Kreis Gütersloh", "Gütersloh", Precision.TOWN),
        # Names that only look like another with a word before it.
        ("Bad Essen", "Bad Essen", Precision.TOWN),
        ("Neu Ulm", "Neu-Ulm", Precision.TOWN),
        ("Stadtlohn", "Stadtlohn", Precision.TOWN),
    ],
)
async def test_find(q: str, label: str, precision: Precision) -> None:
    place = await OFFLINE.find(q)
    assert (place.label, place.precision) == (label, precision)


@pytest.mark.parametrize(
    "q",
    ["", "   ", "99999", "13517", "Xyzzyhausen", "Atlantis 12345", "8840 Einsiedeln", "91, 8.4"],
)
async def test_unknown(q: str) -> None:
    with pytest.raises(UnknownPlace):
        await OFFLINE.find(q)
    assert await OFFLINE.places(q) == []


@pytest.mark.parametrize("q", ["Bedburg-Hau", "Bedburg-Hau, Kloster 1", "Bedburg-Hau Kloster 1"])
async def test_a_town_far_away_is_not_taken_for_another(q: str) -> None:
    """Bedburg-Hau is not in the gazetteer; Bedburg, 80 km away, may be offered only."""
    with pytest.raises(UnknownPlace):
        await OFFLINE.find(q)


@pytest.mark.parametrize(
    ("q", "meant"),
    [
        ("Güterslo", "Gütersloh"),
        ("Gütresloh", "Gütersloh"),
        ("Gütterslohe", "Gütersloh"),
        ("Bielefld", "Bielefeld"),
        ("Düseldorf", "Düsseldorf"),
        ("Osnabrükc", "Osnabrück"),
        ("Essn", "Essen"),
        ("Rheda", "Rheda-Wiedenbrück"),
        ("Berliner Straße 12, Gütersloo", "Gütersloh"),
        ("13517", "13509 Berlin"),
    ],
)
async def test_unknown_with_a_near_match(q: str, meant: str) -> None:
    with pytest.raises(UnknownPlace) as caught:
        await OFFLINE.find(q)
    candidates = caught.value.candidates
    assert candidates is not None
    assert candidates[0]["label"] == meant


async def test_postcode_and_town_that_contradict() -> None:
    with pytest.raises(AmbiguousPlace) as caught:
        await OFFLINE.find("33330 München")
    assert [c["label"] for c in caught.value.candidates] == ["33330 Gütersloh", "München"]


async def test_eleven_neuenkirchen() -> None:
    with pytest.raises(AmbiguousPlace) as caught:
        await OFFLINE.find("Neuenkirchen")
    candidates = caught.value.candidates
    assert len({str(c["label"]) for c in candidates}) == 11
    assert candidates[0]["label"] == "48485 Neuenkirchen, Nordrhein-Westfalen"
    assert candidates[0]["near_town"] == "Rheine"
    assert candidates[0]["land"] == "Nordrhein-Westfalen"


async def test_every_ambiguous_label_finds_its_place() -> None:
    names = {town.name for town in load_gazetteer().towns}
    ambiguous = 0
    for name in names:
        try:
            await OFFLINE.find(name)
        except AmbiguousPlace as error:
            candidates = error.candidates
            ambiguous += 1
            assert len({str(c["label"]) for c in candidates}) == len(candidates)
            for candidate in candidates:
                place = await OFFLINE.find(str(candidate["label"]))
                assert msgspec.to_builtins(place) == candidate
    assert ambiguous > 400


async def test_places_offers_what_could_be_meant() -> None:
    assert [p.label for p in await OFFLINE.places("Güters")] == ["Gütersloh"]
    assert [p.label for p in await OFFLINE.places("Essen", limit=2)] == [
        "Essen",
        "49632 Essen, Niedersachsen",
    ]


@given(st.text(max_size=300))
async def test_any_text_is_answered(q: str) -> None:
    await OFFLINE.places(q)
    with suppress(UnknownPlace, AmbiguousPlace):
        await OFFLINE.find(q)


@given(st.lists(st.sampled_from(["33330", "13517", "Neustadt", "Essen", "(", ",", "/", "-", "5"])))
async def test_any_mixture_is_answered(words: list[str]) -> None:
    with suppress(UnknownPlace, AmbiguousPlace):
        await OFFLINE.find(" ".join(words))


def test_locate_by_postcode() -> None:
    place = OFFLINE.locate(Address(street="Weg 1", postcode="D-33330", city="Gütersloh"))
    assert place is not None
    assert place.precision is Precision.POSTCODE
    assert abs(place.latitude - GUETERSLOH[0]) < 0.1


def test_locate_mends_what_spreadsheets_do_to_postcodes() -> None:
    assert OFFLINE.locate(Address(postcode="1067", city="Dresden")) == OFFLINE.locate(
        Address(postcode="01067")
    )


def test_locate_of_an_unknown_postcode() -> None:
    """In a city its neighbours are nearer than the town hall; elsewhere the town is."""
    city = OFFLINE.locate(Address(postcode="13517", city="Berlin"))
    town = OFFLINE.locate(Address(postcode="52501", city="Geilenkirchen"))
    assert city is not None
    assert town is not None
    assert (city.precision, town.precision) == (Precision.REGION, Precision.TOWN)
    assert city.longitude < 13.25  # Spandau, in the west


@pytest.mark.parametrize(
    "address",
    [
        Address(postcode="33330", country="CH"),
        Address(city="Neuenkirchen"),
        Address(postcode="99999"),
        Address(postcode="13517", city="München"),
        Address(),
    ],
)
def test_locate_does_not_guess(address: Address) -> None:
    assert OFFLINE.locate(address) is None


def test_locate_chooses_the_town_near_the_postcode() -> None:
    place = OFFLINE.locate(Address(postcode="29600", city="Neuenkirchen"))
    assert place is not None
    assert place.label == "29643 Neuenkirchen, Niedersachsen"


def test_contradiction() -> None:
    far = OFFLINE.contradiction_km(Address(postcode="33330", city="München"))
    assert far is not None
    assert 400 < far < 500
    assert OFFLINE.contradiction_km(Address(postcode="33330", city="Gütersloh")) is None
