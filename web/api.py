"""The HTTP API for readers: places, vacancies, one home. Public, and from any origin."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from vacancies.errors import HomeGone, InvalidParameter, UnknownHome
from vacancies.models import HomeStatus
from vacancies.page import Page
from vacancies.places import Place
from vacancies.search import Query
from web.cursor import Cursor
from web.parameters import MAX_PLACE_LENGTH, SEARCH, check_names, parse_limit, parse_query
from web.state import state

api = Blueprint("readers", __name__, url_prefix="/api/v1")

GEOJSON_TYPE = "application/geo+json"
PAGED_SEARCH = (*SEARCH, "limit", "cursor")
SUGGESTIONS = 8
SUGGESTIONS_RANGE = (1, 20)
SUGGESTIONS_KEPT_SECONDS = 24 * 3600


class PlaceAnswer(msgspec.Struct, frozen=True):
    """A place that a query may mean. `land` and `near_town`, a larger town nearby, tell places
    of one name apart; empty where they are not known or not needed."""

    label: str
    latitude: float
    longitude: float
    precision: str
    land: str = ""
    near_town: str = ""


class FacetsAnswer(msgspec.Struct, frozen=True):
    """`total` homes match at `revision`; `counts` is by parameter, then by value."""

    revision: int
    total: int
    counts: dict[str, dict[str, int]]


@api.after_request
async def allow_any_origin(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link"
    return response


@api.get("/places")
async def places() -> Response:
    """Geocode a postcode, a town, both, or a street address."""
    check_names(request.args, ("q",))
    return _places(await state().geocoder.places(_query()))


@api.get("/places/suggest")
async def suggest() -> Response:
    """Places for what somebody has typed so far, from the built-in gazetteer alone."""
    check_names(request.args, ("q", "limit"))
    limit = parse_limit(request.args, SUGGESTIONS_RANGE, SUGGESTIONS)
    response = _places(state().geocoder.suggest(_query(), limit))
    response.headers["Cache-Control"] = f"public, max-age={SUGGESTIONS_KEPT_SECONDS}"
    return response


def _query() -> str:
    q = request.args.get("q", "").strip()
    if not 1 <= len(q) <= MAX_PLACE_LENGTH:
        raise InvalidParameter("q must be a place of 1 to 200 characters.", field="q")
    return q


def _places(found: list[Place]) -> Response:
    answers = [
        PlaceAnswer(p.label, p.latitude, p.longitude, p.precision, p.land, p.near_town)
        for p in found
    ]
    return Response(msgspec.json.encode(answers), content_type="application/json")


@api.get("/vacancies")
async def vacancies() -> Response:
    """Search. All pages together with the stream from the first page's cursor are complete."""
    args, here = request.args, state()
    check_names(args, PAGED_SEARCH)
    query = await parse_query(args, here.geocoder)
    page = here.board.search(query, parse_limit(args), args.get("cursor", "").strip() or None)
    headers = {"Cache-Control": "no-cache", "Content-Type": GEOJSON_TYPE}
    if page.next is not None:
        pairs = [(k, v) for k, v in args.items(multi=True) if k != "cursor"]
        address = urlencode([*pairs, ("cursor", page.next)])
        headers["Link"] = f'<{request.path}?{address}>; rel="next"'
    return Response(encode_page(query, page, here.board.epoch), headers=headers)


def encode_page(query: Query, page: Page, epoch: str) -> bytes:
    """The FeatureCollection, put together from the encoded Features."""
    cursor = Cursor(query.fingerprint(), epoch, page.revision)
    members = msgspec.json.encode(
        {
            "revision": page.revision,
            "cursor": str(cursor),
            "next": page.next,
            "total": page.total,
            "free_total": page.free_total,
        }
    )
    features = b",".join([feature.at(distance_km) for _, distance_km, feature in page.hits])
    return b'{"type":"FeatureCollection",%b,"features":[%b]}' % (members[1:-1], features)


@api.get("/vacancies/facets")
async def facets() -> Response:
    """How many homes each choice of the search would leave."""
    check_names(request.args, SEARCH)
    query = await parse_query(request.args, state().geocoder)
    found = state().board.facets(query)
    body = msgspec.json.encode(FacetsAnswer(state().board.revision, found.total, found.counts))
    headers = {"Cache-Control": "no-cache"}
    return Response(body, content_type="application/json", headers=headers)


@api.get("/homes/<home_id>")
@api.get("/homes/<origin>/<home_id>")
async def home(home_id: str, origin: str | None = None) -> Response:
    """One listing; of a home of a neighbour the id is both parts."""
    check_names(MultiDict(request.args), ())
    home_id = home_id if origin is None else f"{origin}/{home_id}"
    listing = state().board.get(home_id)
    if listing is None:
        raise UnknownHome(f"There is no home {home_id}. Check the id.")
    if listing.profile.status is not HomeStatus.OPEN:
        raise HomeGone(
            "This home is closed. Look for others nearby.", merged_into=listing.profile.merged_into
        )
    etag = f'"{listing.revision}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if etag in (tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")):
        return Response(b"", status=304, headers=headers)
    feature = state().board.feature_of(home_id)
    return Response(feature, content_type=GEOJSON_TYPE, headers=headers)
