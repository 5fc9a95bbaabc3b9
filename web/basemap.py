"""The map under the marks: what the client is told of it, and the file if the app serves one.

A file of PMTiles (version 3) holds all tiles of a region; the client asks for the ranges of
bytes that it needs (RFC 9110, section 14), so the file needs no tile server.
"""

from __future__ import annotations

import re
from typing import Any

from quart import Blueprint, Response, request, send_file

from vacancies.errors import InvalidParameter
from web.state import state

basemap = Blueprint("basemap", __name__)

# Tiles and directories are smaller by far; nobody is to fetch gigabytes at once.
LARGEST_RANGE_BYTES = 8_000_000
_DAY_SECONDS = 24 * 3600
_RANGE = re.compile(r"bytes=([0-9]{1,15})-([0-9]{1,15})")


def basemap_for_client() -> dict[str, Any] | None:
    """Kind, address and attribution; None for the map that is built in."""
    chosen = state().settings.basemap
    if chosen is None:
        return None
    kind, address = ("pmtiles", "/basemap.pmtiles") if chosen.file else ("raster", chosen.address)
    return {"kind": kind, "address": address, "attribution": chosen.attribution}


@basemap.get("/basemap.pmtiles")
async def archive() -> Response:
    """A part of the file. Raises `InvalidParameter` without a range, or for one too large."""
    chosen = state().settings.basemap
    if chosen is None or chosen.file is None:
        return Response("No base map of one's own is set.\n", 404, mimetype="text/plain")
    wanted = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if wanted is None or int(wanted[2]) - int(wanted[1]) >= LARGEST_RANGE_BYTES:
        raise InvalidParameter(
            f"Ask for a range of at most {LARGEST_RANGE_BYTES:,} bytes: Range: bytes=0-16383.",
            field="Range",
        )
    response = await send_file(
        chosen.file,
        mimetype="application/vnd.pmtiles",
        conditional=True,
        cache_timeout=_DAY_SECONDS,
    )
    # Packed, its bytes would be others than those of the range.
    response.headers["Cache-Control"] = f"public, max-age={_DAY_SECONDS}, no-transform"
    return response
