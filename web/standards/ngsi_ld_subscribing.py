"""Subscriptions of NGSI-LD over HTTP (ETSI GS CIM 009 v1.8.1, clauses 6.10 and 6.11), for those
who have a token of the operator's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
from quart import Blueprint, Response, request

from vacancies.board import Board
from vacancies.database import borrowed
from vacancies.errors import InvalidInput, InvalidParameter
from web.staff import open_to_programs
from web.standards.answer import AT_ONCE, JSON, JSON_LD, MOST_OF_A_PAGE, accepted, whole_number
from web.standards.ngsi_ld import check_tenant
from web.standards.ngsi_ld_entities import CORE_CONTEXT, context_address, context_link, entity
from web.standards.ngsi_ld_query import URI
from web.standards.ngsi_ld_selection import Selection, select
from web.standards.ngsi_ld_stored import (
    Place,
    Stored,
    insert_subscription,
    select_subscription,
    select_subscriptions,
    update_subscription,
)
from web.standards.ngsi_ld_subscription import (
    Subscription,
    merged,
    read_document,
    read_subscription,
)
from web.standards.offers import homes
from web.standards.refusals import UnknownResource, WrongMediaType
from web.standards.source import Source, source
from web.standards.subscribers import authenticate
from web.state import state
from web.webhooks.endpoints import delete_webhook, pause_webhook, resume_webhook
from web.webhooks.wishes import outbound, wake

subscribing = Blueprint("ngsi_ld_subscriptions", __name__, url_prefix="/ngsi-ld/v1/subscriptions")
subscribing.before_request(check_tenant)

_READ_ONLY = ("status", "timesSent", "lastNotification", "createdAt", "modifiedAt")


@subscribing.post("")
@open_to_programs
async def subscribe() -> Response:
    """Make a subscription; its address is in `Location`."""
    subscriber = await _subscriber()
    document = await _body()
    now = datetime.now(UTC)
    wish = read_subscription(document, now)
    address = _check(wish)
    place = await _place(select(wish, source().address), state().board, source())
    async with borrowed(state().deployment.pool) as connection, connection.transaction():
        kept = msgspec.json.encode(_kept(document))
        name = await insert_subscription(connection, subscriber, wish, kept, address, place, now)
    wake()
    location = f"{subscribing.url_prefix}/{quote(name, safe=':')}"
    return Response(b"", status=201, headers={"Location": location, "Cache-Control": "no-store"})


@subscribing.get("")
async def all_of_them() -> Response:
    """All subscriptions of the caller, oldest first."""
    subscriber = await _subscriber()
    for name in request.args:
        if name not in ("limit", "offset", "count"):
            raise InvalidParameter(f"There is no parameter {name!r} here.", field=name)
    kind = accepted((JSON, JSON_LD))
    found = await select_subscriptions(state().deployment.pool, subscriber)
    offset = whole_number("offset", 0, 0)
    page = found[offset : offset + whole_number("limit", MOST_OF_A_PAGE, 0, MOST_OF_A_PAGE)]
    response = _json([_shown(each, kind) for each in page], kind)
    if request.args.get("count") == "true":
        response.headers["NGSILD-Results-Count"] = str(len(found))
    return response


@subscribing.get("/<path:name>")
async def one(name: str) -> Response:
    """One subscription, and how it goes."""
    subscriber = await _subscriber()
    kind = accepted((JSON, JSON_LD))
    found = await select_subscription(state().deployment.pool, _checked(name), subscriber)
    return _json(_shown(_known(found), kind), kind)


@subscribing.patch("/<path:name>")
@open_to_programs
async def change(name: str) -> Response:
    """Put other members in place (RFC 7396); `isActive` stops and resumes it."""
    subscriber = await _subscriber()
    patch, name = await _body(), _checked(name)
    now = datetime.now(UTC)
    async with borrowed(state().deployment.pool) as connection, connection.transaction():
        found = _known(await select_subscription(connection, name, subscriber, for_update=True))
        if patch.get("id", name) != name:
            raise InvalidParameter("The id cannot be changed.", field="id")
        before = msgspec.json.decode(found.document)
        document = merged(before, patch)
        # What has expired and is only changed in something else stays expired.
        is_same_end = document.get("expiresAt") == before.get("expiresAt")
        ends_after = datetime.min.replace(tzinfo=UTC) if is_same_end else now
        wish = read_subscription(document, ends_after)
        address = _check(wish)
        place, selection = None, select(wish, source().address)
        old = msgspec.json.decode(found.document, type=Subscription)
        if selection != select(old, source().address):
            place = await _place(selection, state().board, source())
        kept = msgspec.json.encode(_kept(document))
        await update_subscription(connection, found, wish, kept, address, place)
        if wish.isActive is False:
            await pause_webhook(connection, found.webhook_id)
        elif wish.isActive:
            await resume_webhook(connection, found.webhook_id, now)
    wake()
    return Response(b"", status=204)


@subscribing.delete("/<path:name>")
@open_to_programs
async def unsubscribe(name: str) -> Response:
    """Nothing more is sent; a call that is under way may still arrive."""
    subscriber, name = await _subscriber(), _checked(name)
    async with borrowed(state().deployment.pool) as connection, connection.transaction():
        found = await select_subscription(connection, name, subscriber, for_update=True)
        await delete_webhook(connection, _known(found).webhook_id)
    return Response(b"", status=204)


async def _subscriber() -> int:
    return await authenticate(state().deployment.pool, request.headers.get("Authorization"))


def _checked(name: str) -> str:
    """The id in an address."""
    if not URI.fullmatch(name):
        raise InvalidParameter("A subscription is named by a URI.", field="id")
    return name


def _known(found: Stored | None) -> Stored:
    if found is None:
        raise UnknownResource("There is no subscription with that id. The list shows all of yours.")
    return found


async def _body() -> dict[str, Any]:
    if request.mimetype not in (JSON, JSON_LD, "application/merge-patch+json"):
        raise WrongMediaType(f"Send {JSON} or {JSON_LD}.")
    body: bytes = await request.get_data(as_text=False)  # type: ignore[assignment]
    document = read_document(body)
    for name in _READ_ONLY:
        if name in document:
            raise InvalidParameter(f"{name} is ours to say: leave it out.", field=name)
    return document


def _kept(document: dict[str, Any]) -> dict[str, Any]:
    """Without what stands in columns, or is the same for all."""
    return {name: v for name, v in document.items() if name not in ("isActive", "id", "@context")}


def _check(wish: Subscription) -> str:
    """The address to call, if it may be. Raises `InvalidParameter`."""
    try:
        return str(outbound().check(wish.notification.endpoint.uri, field="notification.endpoint"))
    except InvalidInput as error:
        raise InvalidParameter(error.detail, field=error.field) from error


async def _place(selection: Selection, board: Board, where: Source) -> Place:
    """What is on the board now. Taken without an `await`, so all of it is one state."""
    epoch, revision = board.epoch, board.revision
    found = homes(board, selection.area) if selection.watched else []
    near = set() if selection.not_in is None else {h.id for h in homes(board, selection.not_in)}
    seen = {}
    for number, home in enumerate(found, start=1):
        if home.id not in near and selection.has(home):
            seen[home.id] = selection.seen(entity(home, where)) or ""
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)  # let requests through: a region is many homes
    return Place(epoch, revision, seen)


def _shown(stored: Stored, kind: str) -> dict[str, Any]:
    """As it was written, with how it goes (clauses 5.2.12 and 5.2.14)."""
    document = msgspec.json.decode(stored.document)
    is_expired = stored.expires_at is not None and stored.expires_at <= datetime.now(UTC)
    is_active = stored.state == "active"
    counted = {
        "status": "failed" if stored.failing_since else "ok",
        "timesSent": stored.times_sent,
        "timesFailed": stored.times_failed,
        "lastNotification": stored.last_notification,
        "lastSuccess": stored.last_success,
        "lastFailure": stored.last_failure,
    }
    known = {name: value for name, value in counted.items() if value is not None}
    shown = {
        "id": stored.id,
        **document,
        "isActive": is_active,
        "status": "expired" if is_expired else "active" if is_active else "paused",
        "notification": {**document["notification"], **known},
    }
    if kind == JSON_LD:
        shown = {"@context": [context_address(source().address), CORE_CONTEXT], **shown}
    return shown


def _json(value: Any, kind: str) -> Response:
    headers = {"Cache-Control": "no-store"}
    response = Response(msgspec.json.encode(value), content_type=kind, headers=headers)
    if kind == JSON:
        response.headers.add("Link", context_link(source().address))
    return response
