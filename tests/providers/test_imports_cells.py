"""What stands in a cell, and points for geometries."""

from __future__ import annotations

from typing import Any

import pytest

from providers.imports.amounts import read_places
from providers.imports.cells import (
    clean_text,
    read_care_forms,
    read_email,
    read_phone,
    read_website,
)
from providers.imports.entries import Entry, Reader
from providers.imports.files import read_table
from providers.imports.geometry import point_of
from providers.imports.mapping import complete_mapping
from vacancies.models import CareForm, Point


@pytest.mark.parametrize(
    ("geometry", "expected"),
    [
        ({"type": "Point", "coordinates": [8.4, 51.9]}, Point(51.9, 8.4)),
        ({"type": "Point", "coordinates": [8.4, 51.9, 100]}, Point(51.9, 8.4)),
        ({"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2]]]}, Point(1.0, 1.0)),
        ({"type": "Point", "coordinates": [8.4, 91]}, None),
        ({"type": "Point", "coordinates": "89"}, None),
        ({"type": "Point", "coordinates": [True, False]}, None),
        ({"type": "Point", "coordinates": []}, None),
        ({"type": "Polygon", "coordinates": []}, None),
        ({"type": "Point", "coordinates": ["x", None]}, None),
        ({"type": "Point", "coordinates": [float("nan"), 1]}, None),
        (None, None),
    ],
)
def test_geometry(geometry: Any, expected: Point | None) -> None:
    assert point_of(geometry) == expected


def test_a_house_around_a_court() -> None:
    """The centroid of a U or of a ring lies outside; the point must not."""
    u_shape = [[0, 0], [6, 0], [6, 5], [5, 5], [5, 1], [1, 1], [1, 5], [0, 5], [0, 0]]
    point = point_of({"type": "Polygon", "coordinates": [u_shape]})
    assert point is not None
    x, y = point.longitude, point.latitude
    assert y < 1 or x < 1 or x > 5
    ring = [[[0, 0], [9, 0], [9, 9], [0, 9]], [[1, 1], [8, 1], [8, 8], [1, 8]]]
    point = point_of({"type": "Polygon", "coordinates": ring})
    assert point is not None
    assert not (1 < point.longitude < 8 and 1 < point.latitude < 8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("05241/2133-0", "+49 5241 21330"),
        ("05241 2133-10 oder 05241 2133-11", "+49 5241 213310"),
        ("05241 2133-10/ 05241 2133-11", "+49 5241 213310"),
        ("05241/2133-10    05241/2133-11", "+49 5241 213310"),
        ("05241/2133-10 + -12", "+49 5241 213310"),
        ("(0 52 41) 2 13 30", "+49 5241 21330"),
        ("+49 (0) 5241 2133-0", "+49 5241 21330"),
        ("05241 21330 Frau Muster", "+49 5241 21330"),
        ("0049 5241 21330", "+49 5241 21330"),
        ("21 33-0 / -20", "21 33-0"),  # a local number stays one
        ("null", None),
        ("1234", None),
        ("", None),
    ],
)
def test_phones(text: str, expected: str | None) -> None:
    assert read_phone(text) == expected


def test_local_phones_of_large_cities_and_other_countries() -> None:
    assert read_phone("23 12 50 0 / -20", city="Berlin") == "+49 30 2312500"
    assert read_phone("041 790 00 00", "CH") == "+41 41 790 00 00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://haus.example", "https://haus.example"),
        ("www.haus-am-see.de", "http://www.haus-am-see.de"),
        ("siehe http://a.de/x; http://b.de", "http://a.de/x"),
        ("http://browsehappy.com/?locale=de_DE", None),
        ("javascript:alert(1)", None),
        ("https://123456", None),
        ("https://user:secret@haus.de", None),
        ("null", None),
    ],
)
def test_websites(text: str, expected: str | None) -> None:
    assert read_website(text) == expected


def test_other_cells() -> None:
    assert clean_text("Haus  am\u00a0See\x00\u00adgrund\u200b ") == "Haus am See grund"
    assert clean_text(" null ") is None
    assert read_email("a@b.de / c@d.de") == "a@b.de"
    assert [read_places(t) for t in ("48", "73+9", "0", "viele", "99999", "")] == [
        48,
        82,
        0,
        None,
        None,
        None,
    ]
    assert read_care_forms("Kurzzeit- und Tagespflege") == [CareForm.SHORT_TERM, CareForm.DAY]
    assert read_care_forms("stationäres Hospiz") == [CareForm.HOSPICE]
    assert read_care_forms("stationäre Pflegeeinrichtung") == [CareForm.LONG_TERM]


def test_patterns_take_linear_time_whatever_is_in_a_cell() -> None:
    """Exponential and quadratic ones would take minutes to years for these."""
    for cell in ("Aaaa 1" + "  1" * 90, " " * 60_000 + "x", "/" * 60_000, "1/ -" * 20_000):
        rows = "".join(
            f'Haus {number};33330;"{cell}!";"{cell}!";"{cell}!"\n' for number in range(3)
        )
        table = read_table(f"Name;PLZ;Telefon;EEE;Spalte\n{rows}".encode())
        reader = Reader(table, complete_mapping(table), "P")
        assert all(isinstance(reader.read(row), Entry) for row in table.rows)
