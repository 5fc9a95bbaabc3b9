"""A point for every geometry of GeoJSON (RFC 7946) and GML: for an area one inside of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from vacancies.models import Point

Ring = list[tuple[float, float]]  # x, y: longitude, latitude, or in a projection


def point_of(geometry: Any) -> Point | None:
    """Where `geometry` is, None if it is missing or broken, or not in degrees."""
    found = position_of(geometry)
    if found is None:
        return None
    longitude, latitude = found
    return Point(latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def position_of(geometry: Any) -> tuple[float, float] | None:
    """x and y of a place in `geometry`, in its own coordinates; None if it is broken."""
    try:
        return _position(geometry)
    except (TypeError, ValueError, KeyError, IndexError, RecursionError, OverflowError):
        return None


def _position(geometry: Any) -> tuple[float, float] | None:
    if not isinstance(geometry, dict):
        return None
    coordinates: Any = geometry.get("coordinates")
    match geometry.get("type"):
        case "Point":
            return pair(coordinates)
        case "MultiPoint" | "LineString":
            return pair(coordinates[len(coordinates) // 2])
        case "MultiLineString":
            return pair(coordinates[0][len(coordinates[0]) // 2])
        case "Polygon":
            return inside([_ring(ring) for ring in coordinates])
        case "MultiPolygon":
            return widest([[_ring(ring) for ring in polygon] for polygon in coordinates])
        case "GeometryCollection":
            found = (_position(part) for part in geometry["geometries"])
            return next((position for position in found if position is not None), None)
    return None


def pair(position: Sequence[Any]) -> tuple[float, float]:
    if isinstance(position, str) or any(isinstance(number, bool) for number in position):
        raise TypeError("not a position")
    longitude, latitude = float(position[0]), float(position[1])
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        raise ValueError("not a number")
    return longitude, latitude


def _ring(positions: Sequence[Any]) -> Ring:
    return [pair(position) for position in positions]


def widest(areas: list[list[Ring]]) -> tuple[float, float]:
    """A point inside the largest of several polygons (rings, the outer one first)."""
    return inside(max(areas, key=lambda rings: abs(_area(rings[0]))))


def inside(rings: list[Ring]) -> tuple[float, float]:
    """A point inside the polygon: its centroid, or, when that lies outside (a house around
    a court), the middle of the widest piece of a line through it."""
    outer = rings[0]
    area = _area(outer)
    if area == 0:
        return outer[0]
    origin_x, origin_y = outer[0]  # near zero, where small areas keep their digits
    sums = [0.0, 0.0]
    for (x1, y1), (x2, y2) in _edges(outer):
        x1, y1, x2, y2 = x1 - origin_x, y1 - origin_y, x2 - origin_x, y2 - origin_y
        cross = x1 * y2 - x2 * y1
        sums[0] += (x1 + x2) * cross
        sums[1] += (y1 + y2) * cross
    centroid = origin_x + sums[0] / (6 * area), origin_y + sums[1] / (6 * area)
    low, high = min(y for _, y in outer), max(y for _, y in outer)
    # Fractions that hardly ever run through a corner, should the centroid not do.
    heights = [centroid[1], *(low + (high - low) * part for part in (0.4931, 0.2713, 0.7397))]
    for height in heights:
        crossings = sorted(_crossings(rings, height))
        pieces = list(zip(crossings[::2], crossings[1::2], strict=False))
        if height == centroid[1] and any(a < centroid[0] < b for a, b in pieces):
            return centroid
        if pieces:
            left, right = max(pieces, key=lambda piece: piece[1] - piece[0])
            return (left + right) / 2, height
    return outer[0]


def _edges(ring: Ring) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    yield from zip(ring, ring[1:] + ring[:1], strict=True)


def _area(ring: Ring) -> float:
    """Signed, in squares of the unit of the coordinates."""
    x0, y0 = ring[0]
    return (
        sum((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0) for (x1, y1), (x2, y2) in _edges(ring))
        / 2
    )


def _crossings(rings: list[Ring], height: float) -> Iterator[float]:
    """Where the boundary crosses the line of that y."""
    for ring in rings:
        for (x1, y1), (x2, y2) in _edges(ring):
            if (y1 > height) != (y2 > height):
                yield x1 + (height - y1) * (x2 - x1) / (y2 - y1)
