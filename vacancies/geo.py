"""Distances and boxes on the earth, and an index of points: pure, in numpy.

Latitude, longitude in degrees (WGS 84), distances in kilometres.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from vacancies.models import Point

Floats = NDArray[np.float64]
Slots = NDArray[np.intp]

_EQUATOR_KM = 6378.137  # WGS 84 semi-major axis
_E2 = 0.00669437999014  # WGS 84 first eccentricity squared
_KM_PER_DEGREE = 110.5  # a little less than any degree of latitude: boxes come out wide


class BBox(msgspec.Struct, frozen=True):
    """Degrees; `west` > `east` means that the box crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float


def distances_km(center: Point, latitudes: Floats, longitudes: Floats) -> Floats:
    """Distances from `center`, within 0.5 % of the geodesic up to 500 km.

    A degree is as long as the ellipsoid makes it at the middle latitude (the radii of
    curvature in the meridian and the prime vertical; US law, 47 CFR § 73.208, computes
    distances so up to 475 km). A sphere would be wrong by up to 0.56 %.
    """
    middle = np.radians((latitudes + center.latitude) / 2)
    sine = np.sin(middle)
    w = 1 - _E2 * sine * sine
    vertical = _EQUATOR_KM / np.sqrt(w)
    north = np.radians(latitudes - center.latitude) * (vertical * (1 - _E2) / w)
    turn = (longitudes - center.longitude + 180) % 360 - 180
    east = np.radians(turn) * (vertical * np.cos(middle))
    return np.hypot(north, east)


def box_around(center: Point, radius_km: float) -> BBox:
    """A box that holds the circle; near a pole it goes all the way round."""
    height = radius_km / _KM_PER_DEGREE
    south, north = center.latitude - height, center.latitude + height
    widest = math.cos(math.radians(min(max(abs(south), abs(north)), 89.9)))
    width = radius_km / (_KM_PER_DEGREE * widest)
    if width >= 180:
        return BBox(-180, south, 180, north)
    return BBox(
        (center.longitude - width + 180) % 360 - 180,
        south,
        (center.longitude + width + 180) % 360 - 180,
        north,
    )


def in_box(box: BBox, latitudes: Floats, longitudes: Floats) -> NDArray[np.bool_]:
    inside = (latitudes >= box.south) & (latitudes <= box.north)
    if box.west <= box.east:
        return inside & (longitudes >= box.west) & (longitudes <= box.east)
    return inside & ((longitudes >= box.west) | (longitudes <= box.east))


class PointIndex:
    """Which points lie in a box: points sorted by latitude band, then by longitude.

    Built anew when points have moved, which is rare: homes stay where they are.
    """

    BANDS_PER_DEGREE = 10  # a band is about 11 km high

    def __init__(self, latitudes: Floats, longitudes: Floats, slots: Slots) -> None:
        keys = self._keys(latitudes, longitudes)
        order = np.argsort(keys, kind="stable")
        self._keys_sorted = keys[order]
        self._slots = slots[order]

    def _keys(self, latitudes: Floats, longitudes: Floats) -> Floats:
        """Band and longitude in one number: 400 to a band, so that neighbours stay apart."""
        return np.floor((latitudes + 90) * self.BANDS_PER_DEGREE) * 400 + (longitudes + 180)

    def within(self, box: BBox) -> Slots:
        """Slots of all points in `box`, and some more: bands are taken whole."""
        first = math.floor((max(box.south, -90) + 90) * self.BANDS_PER_DEGREE)
        last = math.floor((min(box.north, 90) + 90) * self.BANDS_PER_DEGREE)
        bands = np.arange(first, last + 1, dtype=np.float64) * 400 + 180
        sides = [(box.west, box.east)]
        if box.west > box.east:
            sides = [(box.west, 180.0), (-180.0, box.east)]
        pieces = []
        for west, east in sides:
            starts = np.searchsorted(self._keys_sorted, bands + west, side="left")
            ends = np.searchsorted(self._keys_sorted, bands + east, side="right")
            pieces += [self._slots[a:b] for a, b in zip(starts, ends, strict=True) if a < b]
        if not pieces:
            return np.empty(0, dtype=np.intp)
        return np.unique(np.concatenate(pieces)) if len(sides) > 1 else np.concatenate(pieces)
