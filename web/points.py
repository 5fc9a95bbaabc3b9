"""All homes of a search at once, in columns: what a map says of each, and no more."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

import msgspec
import numpy as np
from quart import Blueprint, Response, request

from vacancies.board import Board
from vacancies.models import Freshness, Listing
from vacancies.search import Query
from web.cards import last_said_at
from web.cursor import Cursor
from web.packing import pack, packed_response
from web.parameters import SEARCH, check_names, parse_query
from web.state import state

points = Blueprint("points", __name__)

KEPT_ANSWERS = 8  # of up to two megabytes each


class Points(msgspec.Struct, frozen=True, kw_only=True):
    """Each column has one entry a home, all in the same order."""

    revision: int
    cursor: str
    id: list[str]
    name: list[str]
    latitude: list[float]  # degrees, to about a metre
    longitude: list[float]
    distance_km: list[float] | None  # None where the search has no centre
    free: list[int]  # of the care forms asked for
    freshness: list[Freshness]
    said_at: list[datetime | None]  # the last report or confirmation


@points.get("/api/v1/vacancies/points")
async def all_points() -> Response:
    """The homes of a search as points; the same for all who ask at the same revision."""
    check_names(request.args, SEARCH)
    query = await parse_query(request.args, state().geocoder)
    board = state().board
    cursor = str(Cursor(query.fingerprint(), board.epoch, board.revision))
    etag = f'W/"{cursor}"'
    if etag in (tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")):
        response = Response(b"", status=304)
    else:
        body, packed = _encoded(board, query, cursor)
        response = packed_response(body, {"gzip": packed}, "application/json")
    response.headers["ETag"] = etag
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@lru_cache(maxsize=KEPT_ANSWERS)
def _encoded(board: Board, query: Query, cursor: str) -> tuple[bytes, bytes]:
    """Plain and packed. `cursor` names search and state, so what was kept for it still holds."""
    body = msgspec.json.encode(read_points(board, query, cursor))
    return body, pack(body)


def read_points(board: Board, query: Query, cursor: str) -> Points:
    slots, distances = board.match(query)
    homes = [board.listing(slot) for slot in slots.tolist()]
    return Points(
        revision=board.revision,
        cursor=cursor,
        id=[home.id for home in homes],
        name=[home.profile.name for home in homes],
        latitude=_degrees([home.profile.point.latitude for home in homes]),
        longitude=_degrees([home.profile.point.longitude for home in homes]),
        distance_km=np.round(distances, 3).tolist() if query.centres else None,
        free=[_free(home, query) for home in homes],
        freshness=[home.freshness for home in homes],
        said_at=[_to_the_second(last_said_at(home)) for home in homes],
    )


def _degrees(values: list[float]) -> list[float]:
    rounded: list[float] = np.round(values, 5).tolist()
    return rounded


def _free(home: Listing, query: Query) -> int:
    if not query.care_forms:
        return sum(home.free.values())
    return sum(home.free.get(form, 0) for form in query.care_forms)


def _to_the_second(at: datetime | None) -> datetime | None:
    return at.replace(microsecond=0) if at and at.microsecond else at
