"""The boundary of a municipality: by it, its homes are found."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import shapely
from quart import Blueprint, Response, request
from shapely.geometry.base import BaseGeometry
from werkzeug.exceptions import RequestEntityTooLarge

from providers.desks import insert_act
from providers.report_files import read_aside
from vacancies.boundary_files import area_of, read_areas
from vacancies.database import borrowed
from vacancies.errors import FreiplatzError, InvalidInput
from vacancies.municipalities import record_municipality, select_municipality
from web.desk.access import AtDesk, require_desk
from web.desk.area import settle_area
from web.desk.pages import desk_page
from web.open_form import visible_text
from web.pages import current_language, link
from web.staff import check_form, redirect_to
from web.state import state

boundary = Blueprint("desk_boundary", __name__)

_PICTURE_PIXELS = 320


class OverlapsOthers(FreiplatzError):
    """The area is that of somebody else who takes part."""

    code = "overlaps_others"


@boundary.get("/desk/<key>/boundary")
async def show(key: str) -> Response:
    """The boundary as it is known, and where a file with another one is sent."""
    return await _show(await require_desk(key, admin=True))


@boundary.post("/desk/<key>/boundary")
async def change(key: str) -> Response:
    """Take the area with the key of this municipality out of the file. Its homes are looked at
    within seconds, by the sweeper."""
    form = await check_form()
    at = await require_desk(key, admin=True)
    _ = current_language().gettext
    chosen = (await request.files).get("file")
    if chosen is None or not chosen.filename:
        return await _show(at, 422, _("Please choose a file first."))
    try:
        content = chosen.read()
        area = await read_aside(lambda: area_of(read_areas(content), at.key))
        await _take(at, area.geometry, visible_text(form.get("source", ""))[:200])
    except InvalidInput as error:
        return await _show(at, 422, _("This file cannot be read."), error.detail)
    except OverlapsOthers as error:
        return await _show(at, 409, _("Part of this area belongs to others."), error.detail)
    return redirect_to(link(f"/desk/{key}/boundary"))


async def _take(at: AtDesk, area: BaseGeometry, source: str) -> None:
    """Raises `OverlapsOthers`."""
    own, losers = await settle_area(at, area)
    if losers or own.is_empty:
        raise OverlapsOthers(", ".join(losers))
    async with borrowed(state().deployment.pool) as connection:
        await record_municipality(connection, at.key, None, own, source or None)
    async with at.writing() as connection:
        await insert_act(connection, at.desk, "boundary_changed", source=source)


@boundary.errorhandler(RequestEntityTooLarge)
async def _too_large(error: RequestEntityTooLarge) -> Response:
    _ = current_language().gettext
    at = await require_desk((request.view_args or {})["key"], admin=True)
    return await _show(at, 413, _("This file is too large: 2 MB are possible here."))


async def _show(at: AtDesk, status: int = 200, wrong: str = "", why: str = "") -> Response:
    """`why` is what the reader of files says, which is English."""
    async with borrowed(state().deployment.pool) as connection:
        known = await select_municipality(connection, at.key)
        text = await connection.fetchval("SELECT boundary FROM municipality WHERE key = $1", at.key)
    picture = await asyncio.to_thread(_outline, text) if text else None
    return await desk_page(
        "desk_boundary.html", at, status, known=known, picture=picture, wrong=wrong, why=why
    )


def _outline(text: str) -> dict[str, Any]:
    """A picture of the area: the path of an SVG with so many pixels, as wide as it is there."""
    shape = shapely.from_geojson(text)
    west, south, east, north = shape.bounds
    narrowing = math.cos(math.radians((south + north) / 2))
    scale = _PICTURE_PIXELS / max((east - west) * narrowing, north - south, 1e-6)
    small = shape.simplify(0.5 / scale)
    parts = []
    for polygon in getattr(small, "geoms", [small]):
        for ring in (polygon.exterior, *polygon.interiors):
            corners = (
                f"{(x - west) * narrowing * scale:.1f} {(north - y) * scale:.1f}"
                for x, y in ring.coords
            )
            parts.append("M" + "L".join(corners) + "Z")
    return {
        "path": "".join(parts),
        "width": math.ceil((east - west) * narrowing * scale),
        "height": math.ceil((north - south) * scale),
    }
