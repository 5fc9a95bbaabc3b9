"""Boundaries as offices publish them: GeoJSON (RFC 7946) with an area for each municipality, in
degrees. Which area is whose stands in its properties, under a name that differs from file to file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import shapely
from shapely.geometry.base import BaseGeometry

from vacancies.errors import InvalidInput

LARGEST_BYTES = 100 * 1024 * 1024
MOST_CORNERS = 200_000
PRECISION_DEGREES = 1e-6  # a tenth of a metre
# ags, AGS_0, ARS, RS, RS_0, key, schluessel, gemeindeschluessel, regionalschluessel …
_KEY_NAMES = re.compile(r"(ags|ars|rs|key|.*schl(ü|ue)ssel)(_?\d)?", re.IGNORECASE)
_NAME_NAMES = re.compile(r"name|gen|bezeichnung", re.IGNORECASE)
_HOW = "It must be GeoJSON: a FeatureCollection, a Feature, a Polygon or a MultiPolygon."
_DEGREES = (
    "Its coordinates must be longitude and latitude in degrees (WGS 84). To convert it:"
    " ogr2ogr -t_srs EPSG:4326 out.geojson FILE"
)


class Area(msgspec.Struct, frozen=True):
    """One area of a file: `keys` that its properties hold, and what it is called."""

    keys: tuple[str, ...]
    name: str | None
    geometry: BaseGeometry


def read_areas(content: bytes) -> list[Area]:
    """All areas of a file. Raises `InvalidInput`."""
    if len(content) > LARGEST_BYTES:
        raise InvalidInput(f"The file is larger than {LARGEST_BYTES >> 20} MB.", field="from")
    try:
        document = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"The file is no JSON ({error}). {_HOW}", field="from") from error
    areas = [_area(feature) for feature in _features(document)]
    if not areas:
        raise InvalidInput(f"There is no area in the file. {_HOW}", field="from")
    return areas


def area_of(areas: list[Area], key: str) -> Area:
    """The area with that key, of several pieces if there are several. A file with one area that
    says nothing of keys is taken for that one. Raises `InvalidInput`."""
    found = [area for area in areas if key in area.keys]
    if not found and len(areas) == 1 and not areas[0].keys:
        found = areas
    if not found:
        raise InvalidInput(
            f"The file has no area with the key {key}.{_hint(areas, key)}", field="from"
        )
    name = next((area.name for area in found if area.name), None)
    return Area((key,), name, _checked(shapely.union_all([area.geometry for area in found])))


def _features(document: Any) -> list[Any]:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection" and isinstance(document.get("features"), list):
        return list(document["features"])
    if kind == "Feature":
        return [document]
    if kind in ("Polygon", "MultiPolygon"):
        return [{"geometry": document}]
    raise InvalidInput(_HOW, field="from")


def _area(feature: Any) -> Area:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    given: Mapping[str, Any] = properties if isinstance(properties, dict) else {}
    keys = [_key(value) for name, value in given.items() if _KEY_NAMES.fullmatch(name)]
    names = [value for name, value in given.items() if _NAME_NAMES.fullmatch(name)]
    name = next((value for value in names if isinstance(value, str) and value.strip()), None)
    return Area(
        tuple(dict.fromkeys(key for key in keys if key)),
        " ".join(name.split())[:100] if name else None,
        _geometry(feature),
    )


def _key(value: Any) -> str | None:
    """As AGS: the regional key (Regionalschlüssel, ARS, 12 digits) has four digits more, for the
    association of municipalities."""
    text = str(value).strip() if isinstance(value, str | int) else ""
    if not re.fullmatch(r"[0-9]{2,12}", text, re.ASCII):
        return None
    return text[:5] + text[9:] if len(text) == 12 else text


def _geometry(feature: Any) -> BaseGeometry:
    raw = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(raw, dict) or raw.get("type") not in ("Polygon", "MultiPolygon"):
        raise InvalidInput(f"An area of the file is no polygon. {_HOW}", field="from")
    try:
        geometry = shapely.from_geojson(msgspec.json.encode(raw))
    except shapely.errors.GEOSException as error:
        raise InvalidInput(f"An area of the file cannot be read: {error}.", field="from") from error
    # Files hold boundaries that cross themselves.
    return shapely.make_valid(shapely.force_2d(geometry))


def _checked(geometry: BaseGeometry) -> BaseGeometry:
    """A valid area in degrees. Raises `InvalidInput`."""
    if shapely.get_num_coordinates(geometry) > MOST_CORNERS:
        raise InvalidInput(
            f"The area has more than {MOST_CORNERS:,} corners. Simplify it: 20 m are enough.",
            field="from",
        )
    if geometry.is_empty:
        raise InvalidInput("The area is empty.", field="from")
    west, south, east, north = geometry.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidInput(_DEGREES, field="from")
    if 46 <= west <= east <= 56 and 5 <= south <= north <= 16:
        raise InvalidInput(
            "Longitude and latitude seem to be exchanged: GeoJSON has the longitude first.",
            field="from",
        )
    parts = shapely.get_parts(shapely.set_precision(geometry, PRECISION_DEGREES))
    # Where a boundary crossed itself, lines and points are left over.
    polygons = [part for part in shapely.get_parts(parts) if part.geom_type == "Polygon"]
    whole = shapely.union_all(polygons)
    if whole.is_empty:
        raise InvalidInput("The area is empty.", field="from")
    return whole


def _hint(areas: list[Area], key: str) -> str:
    """What the file has instead: the area around that one, or a few of its keys."""
    named = {known: area.name or "?" for area in areas for known in area.keys}
    around = [known for known in named if key.startswith(known)]
    if around:
        best = max(around, key=len)
        return f" It has {best} ({named[best]}), in which that lies."
    if not named:
        return " None of its areas has one: name a property ags."
    few = ", ".join(f"{known} ({name})" for known, name in list(named.items())[:5])
    return f" It has {len(named)} others, such as {few}."
