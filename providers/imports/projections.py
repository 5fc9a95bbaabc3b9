"""Coordinate systems by the names that lists give them, and positions in them as points.

EPSG codes and axis orders are those of the EPSG dataset, through PROJ. No system is guessed.
PROJ fetches no grids by itself; without them DHDN is good to some 3 m, enough to find a house.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

import msgspec
import pyproj

from vacancies.models import Point

WGS84 = 4326
_AUTHORITY = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:epsg:[\d.]*:|https?://www\.opengis\.net/def/crs/epsg/[\d.]+/)(\d{4,5})"
)
_EPSG = re.compile(r"(?:https?://\S*epsg\.xml#|epsg\s*:{0,2}\s*|urn:\S*epsg:\S*:)?(\d{4,5})")
# Other names, folded. German surveys mean ETRS89 by UTM, and DHDN by Gauß-Krüger.
# A zone is added to the number.
_NAMES = (
    (re.compile(r".*crs84h?|wgs(?:19)?84"), WGS84),
    (re.compile(r"etrs(?:19)?89"), 4258),
    (re.compile(r"(?:.*etrs(?:19)?89)?utm(?:zone)?(3[1-3])n?"), 25800),
    (re.compile(r"(?:.*dhdn)?3?(?:gk|gausskrueger)(?:zone)?([2-5])"), 31464),
    (re.compile(r"(?:ch1903)?lv95"), 2056),
    (re.compile(r"(?:ch1903)?lv03"), 21781),
)
_UTM_ZONE = re.compile(r"(\d\d)N")  # "32N WITH PREFIX" knows its eastings itself
# In the name of a column: `x_25832`, `utm32_e`, `rechtswert_gk3`.
_IN_COLUMN = re.compile(
    r"(?:epsg[\W_]*)?(?<!\d)(258[2-3]\d|3146[6-9]|31[2-7]\d\d|4326|4258|3857|2056|21781|4647"
    r"|5652|5653|567[6-9]|303[45]|304[45]|326[0-6]\d)(?!\d)"
    r"|(?:etrs[\W_]*(?:19)?89[\W_]*)?(utm[\W_]*(?:zone[\W_]*)?3[1-3])n?(?![^\W_])"
    r"|(?<![^\W_])(gk[\W_]*[2-5])(?!\d)|(?<![^\W_])(lv[\W_]?(?:95|03))(?!\d)",
    re.IGNORECASE,
)
# Degrees by which data may lie outside of the area for which its system is meant: whole Länder
# are kept in the zone of their neighbour.
_MARGIN_LONGITUDE, _MARGIN_LATITUDE = 6.0, 3.0
# EPSG knows the systems on DHDN for the old Länder only.
_GERMANY = (5.5, 47.0, 15.6, 55.5)


class System(msgspec.Struct, frozen=True):
    """A coordinate system. `is_north_first` says whether its official axes are north, east."""

    code: int
    name: str
    is_degrees: bool
    is_north_first: bool
    utm_zone: int | None
    area: tuple[float, float, float, float]  # west, south, east, north


def system_named(text: str) -> System | None:
    """The system that a list or a person calls so: "EPSG:25832", a URN or address of OGC,
    "UTM32", "GK3", "LV95"; None if there is none of that name."""
    code = _code_named(text.strip().lower())
    return None if code is None else _system(code)


def _code_named(text: str) -> int | None:
    match = _AUTHORITY.fullmatch(text) or _EPSG.fullmatch(text)
    if match is not None:
        return int(match[1])
    text = text.rpartition(":")[2] if text.startswith("urn:") else text
    text = text.rpartition("/")[2] if text.startswith("http") else text
    folded = re.sub(r"[\W_]+", "", text.replace("ß", "ss").replace("ü", "ue"))
    for pattern, code in _NAMES:
        if match := pattern.fullmatch(folded):
            return code + int(match[1]) if pattern.groups else code
    return None


@lru_cache(maxsize=64)
def _system(code: int) -> System | None:
    try:
        crs = pyproj.CRS.from_epsg(code)
    except pyproj.exceptions.CRSError:
        return None
    if not (crs.is_geographic or crs.is_projected) or crs.area_of_use is None:
        return None
    area = crs.area_of_use
    return System(
        code=code,
        name=f"EPSG:{code} ({crs.name})",
        is_degrees=crs.is_geographic,
        is_north_first=crs.axis_info[0].direction == "north",
        utm_zone=int(zone[1]) if (zone := _UTM_ZONE.fullmatch(crs.utm_zone or "")) else None,
        area=_GERMANY
        if "DHDN" in crs.name
        else (
            area.west - _MARGIN_LONGITUDE,
            area.south - _MARGIN_LATITUDE,
            area.east + _MARGIN_LONGITUDE,
            area.north + _MARGIN_LATITUDE,
        ),
    )


def is_official_name(text: str) -> bool:
    """Whether coordinates under this name come in the official order of the axes (URNs and
    addresses of OGC), not as x, y ("EPSG:4326" and the older epsg.xml#4326)."""
    return _AUTHORITY.fullmatch(text.strip().lower()) is not None


def system_in_column(column: str) -> tuple[System, str] | None:
    """The system that a column names, and what is left of the name; None if it names none."""
    match = _IN_COLUMN.search(column)
    if match is None:
        return None
    system = system_named(next(part for part in match.groups() if part))
    rest = f"{column[: match.start()]} {column[match.end() :]}".strip(" _-./()[]:")
    return None if system is None else (system, rest)


@lru_cache(maxsize=64)
def _transformer(code: int) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(code, WGS84, always_xy=True)


def point_in(system: System, x: float, y: float) -> Point | None:
    """The point at easting `x` and northing `y` (or longitude and latitude); None if it lies
    nowhere near the area of the system. An easting may carry its zone ("32405123")."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return None
    if system.utm_zone is not None and math.floor(x / 1e6) == system.utm_zone:
        x -= system.utm_zone * 1e6
    longitude, latitude = _transformer(system.code).transform(x, y)
    west, south, east, north = system.area
    # Not a number and infinity, which PROJ answers for what it cannot do, fail too.
    if not (west <= longitude <= east and south <= latitude <= north):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    return Point(latitude, longitude)
