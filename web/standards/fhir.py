"""Free places as FHIR R4, read only (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from quart import Blueprint, Response, request

from vacancies.errors import HomeGone
from vacancies.models import HomeStatus, Listing
from web.standards import fhir_terms as terms
from web.standards.answer import (
    FHIR_JSON,
    JSON,
    accepted,
    answer,
    encode_each,
    is_known,
    list_tag,
    open_to_all,
    unchanged,
    with_items,
)
from web.standards.fhir_resources import (
    Resource,
    find_location,
    find_service,
    location,
    location_id,
    service,
    service_id,
    tags,
)
from web.standards.fhir_search import PARAMETERS, find_page, page_address, read_search
from web.standards.offers import Offer, forms
from web.standards.refusals import NotAcceptable, UnknownResource
from web.standards.source import Source, source
from web.state import state

fhir = open_to_all(Blueprint("fhir", __name__, url_prefix="/fhir"))

_FORMATS = {"json", JSON, FHIR_JSON, "application/fhir json", "text/json"}  # a "+" is a space


@fhir.get("/metadata")
async def metadata() -> Response:
    """What this server can."""
    return _document(terms.capability_statement(source(), PARAMETERS))


@fhir.get("/Location")
async def locations() -> Response:
    """The homes that are open."""
    return await _search("Location")


@fhir.get("/HealthcareService")
async def services() -> Response:
    """Each care form of each home that is open."""
    return await _search("HealthcareService")


@fhir.get("/Location/<resource_id>")
async def one_location(resource_id: str) -> Response:
    home = _open(find_location(resource_id), resource_id)
    return _read(home, lambda where: location(home, where))


@fhir.get("/HealthcareService/<resource_id>")
async def one_service(resource_id: str) -> Response:
    found = find_service(resource_id)
    home = _open(found[0] if found else None, resource_id)
    form = found[1] if found else None
    if form not in forms(home):
        raise UnknownResource(f"The home {home.id} does not have this care form.")
    return _read(home, lambda where: service(Offer(home, form), where))


@fhir.get("/CodeSystem/<name>")
async def code_system(name: str) -> Response:
    """The words that we use as codes."""
    return _document(terms.code_system(name, source()))


@fhir.get("/StructureDefinition/<name>")
async def structure_definition(name: str) -> Response:
    """What our extension holds."""
    return _document(terms.structure_definition(name, source()))


def _check_format() -> None:
    """Raise unless the caller takes JSON; `_format` goes before the header."""
    if wanted := request.args.get("_format", "").partition(";")[0].strip().lower():
        if wanted not in _FORMATS:
            raise NotAcceptable("_format can be json only.", field="_format")
        return
    accepted((FHIR_JSON, JSON, "text/json"))


def _open(home: Listing | None, resource_id: str) -> Listing:
    if home is None:
        raise UnknownResource(f"There is nothing with the id {resource_id}.")
    if home.profile.status is not HomeStatus.OPEN:
        raise HomeGone("This home is closed.", merged_into=home.profile.merged_into)
    return home


def _read(home: Listing, write: Callable[[Source], Resource]) -> Response:
    _check_format()
    tag = f'W/"{home.revision}"'  # as the standard has it: the version of the resource
    if is_known(tag):
        return unchanged(FHIR_JSON, tag)
    return answer(msgspec.json.encode(write(source())), FHIR_JSON, tag)


def _document(document: dict[str, Any] | None) -> Response:
    _check_format()
    if document is None:
        raise UnknownResource(f"There is nothing at {request.path}.")
    tag = list_tag()
    if is_known(tag):
        return unchanged(FHIR_JSON, tag)
    return answer(msgspec.json.encode(document), FHIR_JSON, tag)


async def _search(resource: str) -> Response:
    """A Bundle of type `searchset`."""
    _check_format()
    search = read_search(resource)
    tag = list_tag()
    if is_known(tag):
        return unchanged(FHIR_JSON, tag)
    where, page = source(), await find_page(resource, search, state().board)
    links = [
        {"relation": "self", "url": page_address(resource, search, request.args.get("_cursor"))}
    ]
    if page.next:
        links.append({"relation": "next", "url": page_address(resource, search, page.next)})
    bundle = {
        "resourceType": "Bundle",
        "meta": {"tag": tags(where)},
        "type": "searchset",
        "total": page.total,
        "link": links,
    }
    entries = await encode_each(page.offers, lambda offer: _entry(offer, where))
    # An empty list is not allowed in FHIR.
    body = with_items(bundle, "entry", entries) if entries else msgspec.json.encode(bundle)
    return answer(body, FHIR_JSON, tag)


def _entry(offer: Offer, where: Source) -> dict[str, Any]:
    if offer.form is None:
        name, resource = f"Location/{location_id(offer.listing)}", location(offer.listing, where)
    else:
        name = f"HealthcareService/{service_id(offer.listing, offer.form)}"
        resource = service(offer, where)
    return {
        "fullUrl": f"{where.address}/fhir/{name}",
        "resource": resource,
        "search": {"mode": "match"},
    }
