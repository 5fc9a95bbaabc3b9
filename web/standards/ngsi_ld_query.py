"""Query parameters of NGSI-LD (ETSI GS CIM 009 v1.8.1, clauses 6.4.3.2 and 6.5.3.1).

Strict: what the standard knows and we cannot do is refused, and so is what nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from quart import request

from vacancies.board import Board
from vacancies.errors import InvalidParameter
from vacancies.models import Listing, Point
from vacancies.search import Query
from web.parameters import number
from web.standards.answer import MOST_OF_A_PAGE, PAGE, whole_number
from web.standards.ngsi_ld_entities import (
    EVERYWHERE,
    TYPE,
    URN,
    Entity,
    context_address,
    simplified,
)
from web.standards.offers import EVERYBODY, homes
from web.standards.refusals import NotSupported
from web.standards.source import own_address

SHAPE = ("attrs", "pick", "omit", "options", "format", "local")
_CHOICE = ("type", "id", "georel", "geometry", "coordinates", "geoproperty")
_PAGING = ("limit", "offset", "count")
_NOT_HERE = {
    "q",
    "idPattern",
    "scopeQ",
    "csf",
    "lang",
    "geometryProperty",
    "datasetId",
    "join",
    "joinLevel",
    "containedBy",
    "entityMap",
    "expandValues",
    "jsonKeys",
    "orderBy",
    "via",
}
_FORMATS = {"normalized": False, "simplified": True, "keyValues": True}
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_NEAR = re.compile(r"near;(max|min)Distance==([0-9.]{1,20})")
_FARTHEST_KM = 20_100.0  # half way round the earth


class Shape(NamedTuple):
    """Which members of an entity are shown, and how."""

    attrs: frozenset[str]
    pick: frozenset[str]
    omit: frozenset[str]
    simple: bool

    def is_of_everybody(self) -> bool:
        """Whether every entity has something of it, without looking at any."""
        if self.attrs:
            return bool(self.attrs & EVERYWHERE)
        everywhere = EVERYWHERE | {"id", "type"}
        return bool((self.pick or everywhere) & (everywhere - self.omit))

    def of(self, whole: Entity) -> Entity | None:
        """The entity as asked for; None if it has nothing of that."""
        members = whole
        if self.attrs:
            members = {n: v for n, v in whole.items() if n in self.attrs or n in ("id", "type")}
            if len(members) == 2:
                return None
        if self.pick:
            members = {name: value for name, value in members.items() if name in self.pick}
        members = {name: value for name, value in members.items() if name not in self.omit}
        return (simplified(members) if self.simple else members) or None


class Choice(NamedTuple):
    """Which homes: `ids` None means all; in `area`, but not in `not_in`."""

    types: frozenset[str]
    ids: frozenset[str] | None
    area: Query
    not_in: Query | None
    limit: int
    offset: int
    is_counted: bool


def read_shape() -> Shape:
    formats = {each for name in ("options", "format") for each in _listed(name)}
    for unknown in formats - set(_FORMATS):
        raise NotSupported(
            f"Entities can be had as {', '.join(_FORMATS)}, not as {unknown!r}.", field="format"
        )
    if _names("attrs") and (_names("pick") or _names("omit")):
        raise InvalidParameter("attrs is the older pick: give one of them.", field="attrs")
    return Shape(
        attrs=_names("attrs"),
        pick=_names("pick"),
        omit=_names("omit"),
        simple=any(_FORMATS[each] for each in formats),
    )


def check_parameters(*, is_query: bool) -> None:
    """Raise for what is not known here, or given twice."""
    known = (*SHAPE, *_CHOICE, *_PAGING) if is_query else SHAPE
    for name in request.args:
        if name in _NOT_HERE:
            raise NotSupported(f"{name} is not supported. Leave it out.", field=name)
        if name not in known:
            raise InvalidParameter(
                f"There is no parameter {name!r}. Possible are: {', '.join(known)}.", field=name
            )
        if len(request.args.getlist(name)) > 1:
            raise InvalidParameter(f"{name} may be given once only.", field=name)


def read_choice() -> Choice:
    """What the request asks for; it must ask for something (clause 5.7.2.4)."""
    args = request.args
    if not any(args.get(name, "").strip() for name in ("type", "id", "attrs", "pick", "georel")):
        raise InvalidParameter(
            f"Say which entities you want: by type={TYPE}, id, attrs, pick or georel.", field="type"
        )
    ids = _listed("id")
    for each in ids:
        if not URI.fullmatch(each):
            raise InvalidParameter(f"{each!r} is no URI, such as {URN}1.", field="id")
    area, not_in = read_area(args)
    is_counted = _flag("count")
    limit = whole_number("limit", PAGE, 0 if is_counted else 1)
    if limit > MOST_OF_A_PAGE:
        raise InvalidParameter(f"limit can be {MOST_OF_A_PAGE} at most.", field="limit")
    return Choice(
        types=frozenset(re.split(r"[,|]", args.get("type", ""))) - {""},
        ids=frozenset(ids) if "id" in args else None,
        area=area,
        not_in=not_in,
        limit=limit,
        offset=whole_number("offset", 0, 0),
        is_counted=is_counted,
    )


def find_homes(choice: Choice, board: Board) -> list[Listing]:
    """All homes that are asked for, in the order of their ids, from one state of the board."""
    if choice.types and not choice.types & {TYPE, f"{vocabulary(own_address())}{TYPE}"}:
        return []
    found = homes(board, choice.area)
    if choice.not_in is not None:
        near = {home.id for home in homes(board, choice.not_in)}
        found = [home for home in found if home.id not in near]
    if choice.ids is not None:
        found = [home for home in found if URN + home.id in choice.ids]
    return found


def read_area(args: Mapping[str, str]) -> tuple[Query, Query | None]:
    """Where to look, and where not to, by the members of a geo-query (clause 4.10)."""
    georel = args.get("georel", "").strip()
    if not georel:
        for name in ("geometry", "coordinates", "geoproperty"):
            if args.get(name, "").strip():
                raise InvalidParameter(f"{name} needs georel.", field=name)
        return EVERYBODY, None
    if not georel.startswith("near"):
        raise NotSupported("georel can be near;maxDistance==… or minDistance only.", field="georel")
    found = _NEAR.fullmatch(georel)
    if found is None:
        raise InvalidParameter("georel must be near;maxDistance==2000, in metres.", field="georel")
    if args.get("geometry") != "Point":
        raise NotSupported("geometry must be Point.", field="geometry")
    if args.get("geoproperty", "location") != "location":
        raise InvalidParameter("Homes have location only.", field="geoproperty")
    radius_km = min(number(found[2], "georel") / 1000, _FARTHEST_KM)
    center = _center(args)
    circle = Query(centres=(center,), radius_km=radius_km, include_full=True, own_only=True)
    return (circle, None) if found[1] == "max" else (EVERYBODY, circle)


def _center(args: Mapping[str, str]) -> Point:
    """From `[longitude,latitude]`, as in GeoJSON."""
    try:
        longitude, latitude = msgspec.json.decode(
            args.get("coordinates", ""), type=tuple[float, float]
        )
    except (msgspec.MsgspecError, UnicodeError):
        longitude = latitude = 999.0
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise InvalidParameter(
            "coordinates must be [longitude,latitude]: [8.38,51.9].", field="coordinates"
        )
    return Point(latitude + 0.0, longitude + 0.0)


def _flag(name: str) -> bool:
    text = request.args.get(name, "false")
    if text not in ("true", "false"):
        raise InvalidParameter(f"{name} must be true or false.", field=name)
    return text == "true"


def _listed(name: str) -> list[str]:
    return [each.strip() for each in request.args.get(name, "").split(",") if each.strip()]


def _names(name: str) -> frozenset[str]:
    """Members by our short names or by their full ones."""
    return frozenset(each.removeprefix(vocabulary(own_address())) for each in _listed(name))


def vocabulary(address: str) -> str:
    """What our full names begin with, at that public address."""
    return context_address(address) + "#"
