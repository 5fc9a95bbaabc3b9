"""Kilometres in the field of the place."""

from __future__ import annotations

import pytest

from vacancies.placenames import split_radius


@pytest.mark.parametrize(
    ("text", "place", "km"),
    [
        ("Gütersloh 20 km", "Gütersloh", 20),
        ("Gütersloh 20km", "Gütersloh", 20),
        ("Gütersloh, 20 km", "Gütersloh", 20),
        ("Gütersloh (20 km)", "Gütersloh", 20),
        ("Gütersloh + 20 km", "Gütersloh", 20),
        ("Gütersloh, Umkreis 20 km", "Gütersloh", 20),
        ("Gütersloh im Umkreis von 20 km", "Gütersloh", 20),
        ("Gütersloh 12,5 km", "Gütersloh", 12.5),
        ("20 km um Gütersloh", "Gütersloh", 20),
        ("20km Umkreis Gütersloh", "Gütersloh", 20),
        ("20 Kilometer rund um Gütersloh", "Gütersloh", 20),
        ("33330, 10 km", "33330", 10),
        ("33330 Gütersloh 5km", "33330 Gütersloh", 5),
        ("20 km", "", 20),
        ("33330", "33330", None),
        ("Berliner Straße 20 Kmehlen", "Berliner Straße 20 Kmehlen", None),
        ("Gütersloh", "Gütersloh", None),
    ],
)
def test_split_radius(text: str, place: str, km: float | None) -> None:
    assert split_radius(text) == (place, km)
