"""Free places as HSDS 3.1 (https://docs.openreferral.org/en/3.1/hsds/api_reference.html)."""

from __future__ import annotations

import msgspec
from quart import Blueprint, Response, request

from vacancies.errors import HomeGone, InvalidParameter
from vacancies.models import HomeStatus
from web.parameters import check_names
from web.standards.answer import (
    JSON,
    MOST_OF_A_PAGE,
    PAGE,
    accepted,
    answer,
    encode_each,
    is_known,
    list_tag,
    open_to_all,
    unchanged,
    whole_number,
    with_items,
)
from web.standards.hsds_services import service
from web.standards.ids import find_offer
from web.standards.offers import Offer, forms, offers
from web.standards.refusals import UnknownResource
from web.standards.source import source
from web.state import state

hsds = open_to_all(Blueprint("hsds", __name__, url_prefix="/hsds"))

_VERSION = "3.1"
_PROFILE = "https://docs.openreferral.org/en/3.1/hsds/"
_OPENAPI = "https://raw.githubusercontent.com/openreferral/specification/3.1/schema/openapi.json"


@hsds.get("/")
async def about() -> Response:
    """What this is, in the standard's words; licence and attribution are ours."""
    check_names(request.args, ())
    accepted((JSON,))
    where = source()
    found = {
        "version": _VERSION,
        "profile": _PROFILE,
        "openapi_url": _OPENAPI,
        "license": where.licence.text_url,
        "attribution": where.attribution,
    }
    return answer(msgspec.json.encode(found), JSON, list_tag())


@hsds.get("/services")
async def services() -> Response:
    """A page of all services, each in full."""
    check_names(request.args, ("page", "per_page", "full", "format"))
    accepted((JSON,))
    _check_choices()
    number = whole_number("page", 1, 1)
    size = whole_number("per_page", PAGE, 1, MOST_OF_A_PAGE)
    tag = list_tag()
    if is_known(tag):
        return unchanged(JSON, tag)
    where, found = source(), await offers(state().board)
    page = found[(number - 1) * size : number * size]
    pages = -(-len(found) // size)
    document = {
        "total_items": len(found),
        "total_pages": pages,
        "page_number": number,
        "size": len(page),
        "first_page": number == 1,
        "last_page": number >= pages,
        "empty": not page,
        "license": where.licence.text_url,
        "attribution": where.attribution,
    }
    contents = await encode_each(page, lambda offer: service(offer, where))
    return answer(with_items(document, "contents", contents), JSON, tag)


@hsds.get("/services/<service_id>")
async def one_service(service_id: str) -> Response:
    check_names(request.args, ())
    accepted((JSON,))
    home, form = find_offer(service_id) or (None, None)
    if home is None:
        raise UnknownResource(f"There is no service with the id {service_id}.")
    if home.profile.status is not HomeStatus.OPEN:
        raise HomeGone("This home is closed.", merged_into=home.profile.merged_into)
    if form not in (forms(home) or (None,)):
        raise UnknownResource(f"The home {home.id} does not have this care form.")
    tag = list_tag()
    if is_known(tag):
        return unchanged(JSON, tag)
    return answer(msgspec.json.encode(service(Offer(home, form), source())), JSON, tag)


def _check_choices() -> None:
    """Services come in full and as JSON, which is what these two may ask for."""
    if request.args.get("full", "true").lower() not in ("true", "false"):
        raise InvalidParameter("full must be true or false.", field="full")
    if request.args.get("format", "json").lower() != "json":
        raise InvalidParameter("format can be json only.", field="format")
