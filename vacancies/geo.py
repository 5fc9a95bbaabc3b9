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
KM_PER_DEGREE = 110.5  # a little less than any degree of latitude: boxes come out wide

Position = tuple[float, float, float]
"""Kilometres from the centre of the earth, along its axes (earth-centred, earth-fixed)."""


class BBox(msgspec.Struct, frozen=True):
    """Degrees; `west` > `east` means that the box crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float


def position(point: Point) -> Position:
    """Where `point` is on the ellipsoid: among positions distances are plain."""
    latitude, longitude = math.radians(point.latitude), math.radians(point.longitude)
    sine, cosine = math.sin(latitude), math.cos(latitude)
    vertical = _EQUATOR_KM / math.sqrt(1 - _E2 * sine * sine)
    return (
        vertical * cosine * math.cos(longitude),
        vertical * cosine * math.sin(longitude),
        vertical * (1 - _E2) * sine,
    )


def positions(latitudes: Floats, longitudes: Floats) -> Floats:
    """The same of many points, in rows: shape (n, 3)."""
    latitudes, longitudes = np.radians(latitudes), np.radians(longitudes)
    sine, cosine = np.sin(latitudes), np.cos(latitudes)
    vertical = _EQUATOR_KM / np.sqrt(1 - _E2 * sine * sine)
    east = vertical * cosine
    rows = (east * np.cos(longitudes), east * np.sin(longitudes), vertical * (1 - _E2) * sine)
    return np.stack(rows, axis=-1)


def chords_km(center: Position, places: Floats) -> Floats:
    """Straight distances from `center` to the rows of `places`, through the earth: shorter
    than along its surface by 0.03 % at 500 km and by 0.4 % at 2,000 km."""
    x, y, z = places.T
    dx, dy, dz = x - center[0], y - center[1], z - center[2]
    found: Floats = np.sqrt(dx * dx + dy * dy + dz * dz)
    return found


def apart_km(a: Point, b: Point) -> float:
    """The distance of two points, in the same way."""
    return math.dist(position(a), position(b))


def distances_km(center: Point, latitudes: Floats, longitudes: Floats) -> Floats:
    """Distances from `center`, within 0.5 % of the geodesic up to 2,000 km."""
    return chords_km(position(center), positions(latitudes, longitudes))


def box_around(center: Point, radius_km: float) -> BBox:
    """A box that holds the circle; near a pole it goes all the way round."""
    height = radius_km / KM_PER_DEGREE
    south, north = center.latitude - height, center.latitude + height
    width = radius_km / narrowest_km(center.latitude, radius_km)
    if width >= 180:
        return BBox(-180, south, 180, north)
    return BBox(
        (center.longitude - width + 180) % 360 - 180,
        south,
        (center.longitude + width + 180) % 360 - 180,
        north,
    )


def narrowest_km(latitude: float, radius_km: float) -> float:
    """The least length of a degree of longitude in a circle; next to nothing where the
    circle reaches a pole, and so all longitudes."""
    farthest = math.radians(abs(latitude) + radius_km / KM_PER_DEGREE)
    return max(KM_PER_DEGREE * math.cos(farthest), 1e-9) if farthest < math.pi / 2 else 1e-9


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
        bands = np.arange(first, last + 1, dtype=np.float64) * 400
        sides = [(box.west, box.east)]
        if box.west > box.east:
            sides = [(box.west, 180.0), (-180.0, box.east)]
        pieces = []
        for west, east in sides:
            starts = self._keys_sorted.searchsorted(bands + (west + 180), side="left")
            ends = self._keys_sorted.searchsorted(bands + (east + 180), side="right")
            pairs = zip(starts.tolist(), ends.tolist(), strict=True)
            pieces += [self._slots[start:end] for start, end in pairs if start < end]
        if not pieces:
            return np.empty(0, dtype=np.intp)
        return np.unique(np.concatenate(pieces)) if len(sides) > 1 else np.concatenate(pieces)
