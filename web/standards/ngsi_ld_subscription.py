"""What a subscription of NGSI-LD may ask for (ETSI GS CIM 009 v1.8.1, clauses 5.2.12 to 5.2.22).

Strict like the queries: what the standard knows and we cannot do is refused, and so is what
nobody knows.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from providers.decoding import decode
from vacancies.errors import InvalidInput, InvalidJson, InvalidParameter
from vacancies.outbound import MAX_ADDRESS_LENGTH
from web.standards.ngsi_ld_query import URI
from web.standards.refusals import NotSupported

_NOT_HERE = {
    *("q", "csf", "scopeQ", "lang", "temporalQ", "timeInterval", "jsonldContext", "datasetId"),
    *("containedBy", "splitEntities"),
}
_NOT_IN_NOTIFICATION = {"sysAttrs", "showChanges", "join", "joinLevel", "pick", "omit"}
_NOT_IN_ENDPOINT = {"cooldown", "notifierInfo", "timeout"}
# We say what a body is, how long, and where it goes; and connections are ours.
_OUR_HEADERS = {
    *("host", "content-length", "content-type", "content-encoding", "transfer-encoding", "link"),
    *("connection", "keep-alive", "te", "trailer", "upgrade", "expect", "user-agent"),
    *("proxy-authorization", "proxy-connection", "accept-encoding", "forwarded"),
}
_HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}(?!\n)$"
_VALUE = r"^[ -~]{0,4000}(?!\n)$"
# Both ways to say "any change" (clause 5.2.12).
_CHANGES = (
    {"entityCreated", "entityUpdated"},
    {"attributeCreated", "attributeUpdated"},
    {"attributeCreated", "attributeUpdated", "attributeDeleted"},
)
DELETED = "entityDeleted"

Name = Annotated[str, Meta(min_length=1, max_length=300)]
Names = Annotated[list[Name], Meta(min_length=1, max_length=100)]
Text = Annotated[str, Meta(max_length=1000)]


class EntitySelector(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which entities; `id` goes before `idPattern`."""

    type: Name
    id: Name | Names | None = None
    idPattern: Name | None = None  # noqa: N815


class GeoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    geometry: str
    coordinates: Any
    georel: str
    geoproperty: str = "location"


class KeyValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A header of each call."""

    key: Annotated[str, Meta(pattern=_HEADER)]
    value: Annotated[str, Meta(pattern=_VALUE)]


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    uri: Annotated[str, Meta(min_length=1, max_length=MAX_ADDRESS_LENGTH)]
    accept: Literal["application/json", "application/ld+json"] = "application/json"
    receiverInfo: Annotated[list[KeyValue], Meta(max_length=20)] = []  # noqa: N815


class NotificationParams(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    endpoint: Endpoint
    attributes: Names | None = None
    format: Literal["normalized", "simplified", "keyValues"] = "normalized"


class Subscription(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """As its owner writes it; `throttling` in seconds."""

    context: Any = msgspec.field(name="@context", default=None)
    id: Annotated[str, Meta(max_length=300)] | None = None
    kind: Literal["Subscription"] = msgspec.field(name="type")
    subscriptionName: Text | None = None  # noqa: N815
    description: Text | None = None
    entities: Annotated[list[EntitySelector], Meta(min_length=1, max_length=100)] | None = None
    watchedAttributes: Names | None = None  # noqa: N815
    notificationTrigger: Names | None = None  # noqa: N815
    geoQ: GeoQuery | None = None  # noqa: N815
    isActive: bool | None = None  # noqa: N815
    expiresAt: datetime | None = None  # noqa: N815
    throttling: Annotated[float, Meta(gt=0, le=7 * 24 * 3600)] | None = None
    notification: NotificationParams

    def triggers(self) -> set[str]:
        return set(self.notificationTrigger or _CHANGES[1])


def read_document(body: bytes) -> dict[str, Any]:
    """A JSON object; raises `InvalidJson`, `InvalidParameter`, and `NotSupported` for members
    that the standard has and we have not."""
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidJson(f"The body is not valid JSON: {error}.", field="body") from error
    if not isinstance(found, dict):
        raise InvalidParameter("The body must be a JSON object.", field="body")
    notification = found.get("notification")
    inner = notification if isinstance(notification, dict) else {}
    endpoint = inner.get("endpoint")
    last = endpoint if isinstance(endpoint, dict) else {}
    for members, refused in (
        (found, _NOT_HERE),
        (inner, _NOT_IN_NOTIFICATION),
        (last, _NOT_IN_ENDPOINT),
    ):
        for name in sorted(members.keys() & refused):
            raise NotSupported(f"{name} is not supported. Leave it out.", field=name)
    return found


def read_subscription(document: dict[str, Any], now: datetime) -> Subscription:
    """Raises `InvalidParameter` with the member at fault, and `NotSupported`."""
    try:
        found = decode(msgspec.json.encode(document), Subscription)
    except InvalidInput as error:
        raise InvalidParameter(error.detail, field=error.field) from error
    _check_entities(found)
    _check_trigger(found)
    if found.id is not None and not URI.fullmatch(found.id):
        raise InvalidParameter("The id must be a URI: leave it out to get one.", field="id")
    end = found.expiresAt
    if end is not None and (end.tzinfo is None or end <= now):
        raise InvalidParameter("expiresAt must be a time to come, with Z.", field="expiresAt")
    for info in found.notification.endpoint.receiverInfo:
        if info.key.lower() in _OUR_HEADERS:
            raise InvalidParameter(f"We set the header {info.key} ourselves.", field="receiverInfo")
    return found


def _check_entities(found: Subscription) -> None:
    if found.entities is None and found.watchedAttributes is None:
        raise InvalidParameter("Say which entities, or which watchedAttributes.", field="entities")
    for selector in found.entities or ():
        for each in ids_of(selector):
            if not URI.fullmatch(each):
                raise InvalidParameter(f"{each!r} is no URI.", field="entities.id")
        if selector.idPattern is not None:
            read_pattern(selector.idPattern)


def _check_trigger(found: Subscription) -> None:
    changes = found.triggers() - {DELETED}
    if changes and changes not in _CHANGES:
        raise NotSupported(
            "notificationTrigger can be entityCreated with entityUpdated, or attributeCreated"
            " with attributeUpdated; and entityDeleted, alone or with them.",
            field="notificationTrigger",
        )


def ids_of(selector: EntitySelector) -> list[str]:
    return [selector.id] if isinstance(selector.id, str) else list(selector.id or ())


def read_pattern(text: str) -> re.Pattern[str]:
    """An `idPattern`, which matches anywhere unless it has ^ or $.

    Only signs that stand for themselves, `.`, and `.*` at either end and once inside: every other
    regular expression could be one that takes for ever. Raises `NotSupported`.
    """
    text = re.sub(r"^\^?\.\*|\.\*\$?$", "", text)  # says nothing
    is_known = re.fullmatch(r"\^?(?:[\w:~-]|\\[.~-]|\.\*?)*\$?", text, re.ASCII)
    if not is_known or text.count(".*") > 1:
        raise NotSupported(
            "idPattern can hold letters, digits, : _ - ~ and ., one .* between them, ^ and $.",
            field="entities.idPattern",
        )
    return re.compile(text, re.ASCII)


def merged(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """`document` with the members of `patch`; null takes one away (RFC 7396)."""
    found = dict(document)
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict) and isinstance(found.get(name), dict):
            found[name] = merged(found[name], value)
        else:
            found[name] = value
    return found
