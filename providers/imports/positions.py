"""Where a row says that a home is: degrees, or coordinates of a system that is named."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from providers.imports.amounts import read_amount, read_decimal
from providers.imports.projections import (
    WGS84,
    System,
    is_official_name,
    point_in,
    system_in_column,
    system_named,
)
from vacancies.models import Point

# Columns that rows of GeoJSON and GML get from their geometry.
LATITUDE, LONGITUDE = "geometry.latitude", "geometry.longitude"
EASTING, NORTHING, SYSTEM = "geometry.easting", "geometry.northing", "geometry.crs"

SYSTEM_NEEDED = (
    "The coordinates are not degrees, and the list does not name their system. Add it, for"
    " example --crs EPSG:25832 (UTM zone 32) or EPSG:31467 (Gauß-Krüger zone 3)"
)
_ETRS89 = 4258  # within a metre of WGS 84
_WKT = re.compile(
    r"(?:srid=(\d+);)?\s*point\s*z?\s*\(\s*(\S+)\s+(\S+?)(?:\s+\S+)?\s*\)", re.IGNORECASE
)


def geometry_cells(x: float, y: float, name: str, *, is_gml: bool = False) -> dict[str, str]:
    """The cells of a row for the first two coordinates of its geometry.

    `name` is what the file calls their system, empty for none. GeoJSON always has x first.
    GML has the official order of the axes under the official forms of a name, else x first;
    servers disagree about degrees, so of these the order that lies in Europe is taken.
    """
    if not (math.isfinite(x) and math.isfinite(y)):
        return {}
    system = system_named(name) if name else None
    if is_gml and system is not None and system.is_north_first and is_official_name(name):
        x, y = y, x
    is_degrees = abs(x) <= 180 and abs(y) <= 180 if system is None else system.is_degrees
    if is_gml and is_degrees and _in_europe(y, x) and not _in_europe(x, y):
        x, y = y, x
    if (name == "" or (system is not None and system.code in (WGS84, _ETRS89))) and (
        abs(x) <= 180 and abs(y) <= 90
    ):
        return {LATITUDE: repr(y), LONGITUDE: repr(x)}
    cells = {EASTING: repr(x), NORTHING: repr(y)}
    return cells | {SYSTEM: name} if name else cells


def _in_europe(longitude: float, latitude: float) -> bool:
    """In the middle of it, where no latitude is a longitude as well."""
    return 2 <= longitude <= 30 and 40 <= latitude <= 60


def read_position(
    cell: Callable[[str], str], system: System | None, easting_column: str | None = None
) -> tuple[Point | None, str | None]:
    """The point of a row, or why it has none (both None: it does not say).

    `cell` gives the text of a field; `system` is what the mapping names for the whole list,
    which goes before what a row or the name of the column of eastings says.
    """
    x_text, y_text = cell("longitude").strip(), cell("latitude").strip()
    named = cell("crs").strip()
    if not (x_text or y_text) and (pair := cell("coordinates").strip()):
        if match := _WKT.fullmatch(pair):
            x_text, y_text, named = match[2], match[3], match[1] or named
        else:
            y_text, x_text = _two(pair)
    if x_text or y_text:
        return _degrees(x_text, y_text, system or (system_named(named) if named else None))
    x_text, y_text = cell("easting").strip(), cell("northing").strip()
    if not (x_text or y_text):
        return None, None
    if system is None and easting_column and (found := system_in_column(easting_column)):
        system = found[0]
    if system is None and named:
        system = system_named(named)
        if system is None:
            return None, f"The coordinate system {named[:60]!r} is not known"
    number = read_decimal if system is not None and system.is_degrees else read_amount
    return _projected(number(x_text), number(y_text), system)


def _two(text: str) -> list[str]:
    """The two numbers of a cell, whatever parts them; two empty texts if there are not two."""
    text = text.strip(" ()[]{}")
    for separator in (r"\s*;\s*", r",?\s+", r","):
        parts = re.split(separator, text)
        if len(parts) == 2:
            return parts
    return ["?", "?"]


def _degrees(x_text: str, y_text: str, system: System | None) -> tuple[Point | None, str | None]:
    longitude, latitude = read_decimal(x_text), read_decimal(y_text)
    if latitude == longitude == 0:
        return None, "The coordinates are both zero"
    if latitude is not None and longitude is not None and _is_on_earth(latitude, longitude):
        if _in_europe(latitude, longitude) and not _in_europe(longitude, latitude):
            return None, "Latitude and longitude seem to have changed places"
        return Point(latitude, longitude), None
    x, y = read_amount(x_text), read_amount(y_text)
    if x is not None and y is not None and max(abs(x), abs(y)) > 1_000:
        return _projected(x, y, system)
    return None, "The coordinates are not on the earth"


def _is_on_earth(latitude: float, longitude: float) -> bool:
    return abs(latitude) <= 90 and abs(longitude) <= 180


def _projected(
    x: float | None, y: float | None, system: System | None
) -> tuple[Point | None, str | None]:
    if x is None or y is None:
        return None, "The coordinates are not numbers"
    if system is None:
        return None, SYSTEM_NEEDED
    # Where x and y have changed places only one order lies in the area of the system.
    point = point_in(system, x, y) or point_in(system, y, x)
    if point is None:
        return None, f"The coordinates do not lie in the area of {system.name}"
    return point, None
