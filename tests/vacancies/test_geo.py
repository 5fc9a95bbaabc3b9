"""Distances against geopy's geodesic, and the index against looking at every point."""

from __future__ import annotations

import numpy as np
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st

from vacancies.geo import BBox, PointIndex, box_around, distances_km, in_box
from vacancies.models import Point

latitudes = st.floats(-85, 85)
longitudes = st.floats(-180, 180)


@given(st.floats(-90, 90), longitudes, st.floats(0, 360), st.floats(0, 2000))
def test_distances_are_within_half_a_percent_or_ten_metres(
    latitude: float, longitude: float, bearing: float, km: float
) -> None:
    there = geodesic(kilometers=km).destination((latitude, longitude), bearing)
    found = distances_km(
        Point(latitude, longitude), np.array([there.latitude]), np.array([there.longitude])
    )[0]
    assert abs(found - km) <= max(0.01, 0.005 * km)


@given(st.floats(-90, 90), longitudes, st.floats(0.1, 200), st.floats(0, 360))
def test_the_box_holds_the_circle(
    latitude: float, longitude: float, radius_km: float, bearing: float
) -> None:
    center = Point(latitude, longitude)
    edge = geodesic(kilometers=radius_km * 0.999).destination((latitude, longitude), bearing)
    box = box_around(center, radius_km)
    assert in_box(box, np.array([edge.latitude]), np.array([edge.longitude]))[0]


@given(
    st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=60),
    longitudes,
    longitudes,
    latitudes,
    latitudes,
)
def test_the_index_finds_every_point_in_a_box(
    points: list[tuple[float, float]], west: float, east: float, one: float, other: float
) -> None:
    box = BBox(west, min(one, other), east, max(one, other))
    lats, lons = (np.array(column) for column in zip(*points, strict=True))
    index = PointIndex(lats, lons, np.arange(len(points)))
    found = index.within(box)
    assert len(set(found.tolist())) == len(found)
    inside = np.flatnonzero(in_box(box, lats, lons))
    assert set(inside.tolist()) <= set(found.tolist())
