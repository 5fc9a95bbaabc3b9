"""Free places as NGSI-LD, read only: entities, and the context of their words.

ETSI GS CIM 009 v1.8.1, clauses 6.4 and 6.5. There is one tenant. Subscriptions are in
`ngsi_ld_subscribing.py`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from quart import Blueprint, Response, request

from vacancies.errors import InvalidParameter
from vacancies.models import HomeStatus
from web.standards import ngsi_ld_entities as entities
from web.standards.answer import (
    JSON,
    JSON_LD,
    accepted,
    answer,
    encode_each,
    is_known,
    keep_each,
    list_tag,
    open_to_all,
    unchanged,
)
from web.standards.ngsi_ld_entities import CORE_CONTEXT, URN, context_address, context_link, entity
from web.standards.ngsi_ld_query import (
    Choice,
    check_parameters,
    find_homes,
    read_choice,
    read_shape,
)
from web.standards.offers import find
from web.standards.refusals import UnknownResource, UnknownTenant
from web.standards.source import Source, source
from web.state import state

ngsi_ld = open_to_all(Blueprint("ngsi_ld", __name__, url_prefix="/ngsi-ld/v1"))

_YEAR_SECONDS = 365 * 24 * 3600


@ngsi_ld.before_request
async def check_tenant() -> None:
    if request.headers.get("NGSILD-Tenant", "").strip():
        raise UnknownTenant("There is only one tenant here, without a name. Leave it out.")


@ngsi_ld.get("/context.jsonld")
async def context() -> Response:
    """What our words mean. A word stays what it is, so this may be kept."""
    body = msgspec.json.encode(entities.context(source().address))
    headers = {"Cache-Control": f"public, max-age={_YEAR_SECONDS}, immutable"}
    return Response(body, content_type=JSON_LD, headers=headers)


@ngsi_ld.get("/entities")
async def query() -> Response:
    """The homes that are asked for, in the order of their ids."""
    check_parameters(is_query=True)
    kind = accepted((JSON, JSON_LD))
    choice, shape = read_choice(), read_shape()
    tag = list_tag(kind)
    if is_known(tag):
        return unchanged(kind, tag)
    where, found = source(), find_homes(choice, state().board)
    if not shape.is_of_everybody():
        # Only who has something of what is asked for counts.
        found = await keep_each(found, lambda home: shape.of(entity(home, where)) is not None)
    page = found[choice.offset : choice.offset + choice.limit]
    bodies = await encode_each(
        page, lambda home: _with_context(shape.of(entity(home, where)), kind, where)
    )
    response = _answer(b"[" + b",".join(bodies) + b"]", kind, tag, where)
    if choice.is_counted:
        response.headers["NGSILD-Results-Count"] = str(len(found))
    _add_pages(response, choice, len(found))
    return response


@ngsi_ld.get("/entities/<path:entity_id>")
async def one_entity(entity_id: str) -> Response:
    check_parameters(is_query=False)
    kind = accepted((JSON, JSON_LD))
    shape = read_shape()
    if ":" not in entity_id:
        raise InvalidParameter(f"An entity is named by a URI, such as {URN}1.", field="id")
    home = find(state().board, entity_id.removeprefix(URN)) if entity_id.startswith(URN) else None
    if home is None or home.profile.status is not HomeStatus.OPEN:
        raise UnknownResource(f"There is no entity {entity_id}.")
    tag = list_tag(kind)
    if is_known(tag):
        return unchanged(kind, tag)
    where = source()
    found = shape.of(entity(home, where))
    if found is None:
        raise UnknownResource(f"The entity {entity_id} has none of these attributes.")
    return _answer(msgspec.json.encode(_with_context(found, kind, where)), kind, tag, where)


def _with_context(found: entities.Entity | None, kind: str, where: Source) -> dict[str, Any]:
    """JSON-LD carries its context; beside plain JSON it stands in a header (clause 6.3.5)."""
    if kind == JSON:
        return found or {}
    return {"@context": [context_address(where.address), CORE_CONTEXT], **(found or {})}


def _answer(body: bytes, kind: str, tag: str, where: Source) -> Response:
    response = answer(body, kind, tag)
    if kind == JSON:
        response.headers.add("Link", context_link(where.address))
    return response


def _add_pages(response: Response, choice: Choice, total: int) -> None:
    """Where the pages before and after this one are (clause 6.3.10)."""
    offsets = {}
    if choice.limit and choice.offset + choice.limit < total:
        offsets["next"] = choice.offset + choice.limit
    if choice.offset:
        offsets["prev"] = max(0, choice.offset - choice.limit)
    for name, offset in offsets.items():
        pairs = [(key, value) for key, value in request.args.items() if key != "offset"]
        address = f"{request.path}?{urlencode([*pairs, ('offset', str(offset))])}"
        response.headers.add("Link", f'<{address}>; rel="{name}"')
