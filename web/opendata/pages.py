"""The page that lists the open data, and the routes of the files."""

from __future__ import annotations

from quart import Blueprint, Response

from web.opendata.archive import ROOT
from web.opendata.catalogue import JSON_LD, TURTLE
from web.opendata.distributions import DISTRIBUTIONS
from web.opendata.dumps import CSV, GEOJSON
from web.opendata.feed import HOMES, INDEX, STATUS
from web.opendata.served import Document, file_response
from web.opendata.terms import Terms, terms_of
from web.pages import page
from web.state import state

opendata = Blueprint("opendata", __name__)


@opendata.get("/opendata/")
async def overview() -> Response:
    """What there is, for whom, and under which licence."""
    return await page(
        "opendata.html",
        distributions=DISTRIBUTIONS,
        terms=_terms(),
        archive_path=ROOT,
        catalogues=(("Turtle", TURTLE.path), ("JSON-LD", JSON_LD.path)),
    )


@opendata.get(GEOJSON.path)
async def geojson() -> Response:
    """All open homes as a FeatureCollection."""
    return await _file(GEOJSON)


@opendata.get(CSV.path)
async def table() -> Response:
    """All open homes, one row for each."""
    return await _file(CSV)


@opendata.get(INDEX.path)
async def live_index() -> Response:
    """Where the two halves of the live feed are."""
    return await _file(INDEX)


@opendata.get(HOMES.path)
async def live_homes() -> Response:
    """What seldom changes."""
    return await _file(HOMES)


@opendata.get(STATUS.path)
async def live_status() -> Response:
    """What is free now."""
    return await _file(STATUS)


@opendata.get(TURTLE.path)
async def catalogue_turtle() -> Response:
    """DCAT-AP.de, as Turtle."""
    return await _file(TURTLE)


@opendata.get(JSON_LD.path)
async def catalogue_json_ld() -> Response:
    """DCAT-AP.de, as JSON-LD."""
    return await _file(JSON_LD)


async def _file(document: Document) -> Response:
    here, terms = state(), _terms()
    return file_response(await here.exports.get(document, here.board, terms), document, terms)


def _terms() -> Terms:
    return terms_of(state().settings, is_demo=state().demo)
