"""GeoJSON as offices publish it: other names for the key in each, crossed and swapped lines."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.real_lists import MISSING, REAL_LISTS
from vacancies.boundaries import Boundaries
from vacancies.boundary_files import area_of, read_areas
from vacancies.errors import InvalidInput
from vacancies.models import Point

SQUARE = [[[8.0, 51.0], [9.0, 51.0], [9.0, 52.0], [8.0, 52.0], [8.0, 51.0]]]
DISTRICTS = REAL_LISTS / "base_de_ready" / "kreise.geojson"


def feature(properties: Any = None, ring: Any = None, kind: str = "Polygon") -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": SQUARE if ring is None else ring}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def refusal(content: bytes, key: str = "05754008") -> str:
    with pytest.raises(InvalidInput) as caught:
        area_of(read_areas(content), key)
    return caught.value.detail


@pytest.mark.parametrize(
    "properties",
    [
        {"ags": "05754008", "name": "Gütersloh"},
        {"AGS_0": "05754008", "GEN": "Gütersloh"},
        {"ARS": "057540008008", "GEN": "Gütersloh"},
        {"RS": "057540008008", "name": " Gütersloh "},
        {"Gemeindeschlüssel": "05754008", "Bezeichnung": "Gütersloh"},
        {"key": "05754008", "name": "Gütersloh", "id": 7},
    ],
)
def test_the_key_is_found_under_any_name(properties: dict[str, Any]) -> None:
    other = feature(dict.fromkeys(properties, "05758012"))
    area = area_of(read_areas(collection(other, feature(properties))), "05754008")
    assert (area.keys, area.name) == (("05754008",), "Gütersloh")
    assert area.geometry.equals(shapely.box(8, 51, 9, 52))


def test_a_single_area_needs_no_key_but_may_not_have_another() -> None:
    assert area_of(read_areas(json.dumps(feature()["geometry"]).encode()), "05754008").name is None
    assert area_of(read_areas(json.dumps(feature()).encode()), "05754008").keys == ("05754008",)
    assert "has 1 others" in refusal(collection(feature({"ags": "05758012"})))


def test_several_pieces_are_one_area() -> None:
    island = [[[10.0, 51.0], [10.1, 51.0], [10.1, 51.1], [10.0, 51.0]]]
    named = {"ags": "05754008"}
    area = area_of(read_areas(collection(feature(named), feature(named, island))), "05754008")
    assert area.geometry.geom_type == "MultiPolygon"
    assert area.geometry.contains(shapely.Point(10.09, 51.05))


def test_a_boundary_that_crosses_itself_is_mended() -> None:
    bow = [[[8.0, 51.0], [9.0, 52.0], [9.0, 51.0], [8.0, 52.0], [8.0, 51.0]]]
    area = area_of(read_areas(collection(feature({"ags": "05754008"}, bow))), "05754008")
    assert area.geometry.is_valid
    assert area.geometry.contains(shapely.Point(8.9, 51.5))
    assert not area.geometry.contains(shapely.Point(8.5, 51.9))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[]", "must be GeoJSON"),
        (b'{"type": "FeatureCollection"}', "must be GeoJSON"),
        (collection(), "no area in the file"),
        (collection(7), "no polygon"),
        (collection(feature(kind="Point", ring=[8, 51])), "no polygon"),
        (collection(feature(ring=[])), "is empty"),
        (collection(feature(ring=[[[8, 51], [9, 51], [8, 51], [8, 51]]])), "is empty"),
        (collection(feature(ring=[[[8, 51]]])), "cannot be read"),
        (collection(feature(ring="x")), "cannot be read"),
        (collection(feature(ring=[[[c * 1e5 for c in p] for p in SQUARE[0]]])), "WGS 84"),
        (collection(feature(ring=[[p[::-1] for p in SQUARE[0]]])), "seem to be exchanged"),
        (collection(feature({"ags": "05754", "name": "Kreis"})), "05754 (Kreis), in which"),
        (collection(feature({"x": 1}), feature({"x": 2})), "name a property ags"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, said: str) -> None:
    assert said in refusal(content)


@given(st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x, max_size=4)))
def test_no_coordinates_break_it(ring: Any) -> None:
    with contextlib.suppress(InvalidInput):
        area_of(read_areas(collection(feature({"ags": "05754008"}, ring))), "05754008")


@pytest.mark.skipif(not DISTRICTS.exists(), reason=MISSING)
def test_real_districts() -> None:
    areas = read_areas(DISTRICTS.read_bytes())
    assert len(areas) == 401
    found = area_of(areas, "05754")
    assert found.name == "Gütersloh"
    here = Boundaries(1, {"05754": found.geometry})
    assert here.key_at(Point(51.9067, 8.3785)) == "05754"
    assert here.key_at(Point(52.0302, 8.5325)) is None  # Bielefeld
