"""What a webhook is told: the newest state of each home that changed, as the public sees it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

import msgspec

from vacancies.board import Board
from vacancies.models import HomeStatus
from vacancies.search import Query
from web.webhooks.claims import Claim
from web.webhooks.deliveries import EventType
from web.webhooks.signature import signed_headers

# Changes looked at in one go: looking holds up the loop.
LOOK_AT = 200


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `data` is JSON; `message_id` is the same whenever this state of this home
    is sent to this webhook, whichever process sends it."""

    type: EventType
    message_id: str
    data: msgspec.Raw
    home_id: str | None = None
    revision: int | None = None
    most_answer_bytes: int = 0

    def is_answer(self, body: bytes) -> bool:
        return True

    def body(self, at: datetime) -> bytes:
        return msgspec.json.encode(_Message(type=self.type, timestamp=at, data=self.data))

    def headers(self, keys: Sequence[str], at: datetime, body: bytes) -> dict[str, str]:
        return signed_headers(keys, self.message_id, at, body)


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of the Standard Webhooks specification."""

    type: EventType
    timestamp: datetime
    data: msgspec.Raw


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """The data of `listing.gone`. `listing` is the Feature of a home that is still open, but
    no longer meets the search or belongs to the provider."""

    id: str
    revision: int | None
    merged_into: str | None = None
    listing: msgspec.Raw | None = None


class Sight(msgspec.Struct, frozen=True):
    """A home that changed, and whether it concerns a webhook now."""

    home_id: str
    revision: int
    slot: int
    concerns: bool
    distance_km: float | None


def look(board: Board, claim: Claim, query: Query | None) -> list[Sight]:
    """The next changes after the cursor of `claim`, in ascending revision."""
    slots = board.changed_since(claim.cursor)[:LOOK_AT]
    found: dict[int, float] = {}
    if query is not None:
        matched, distances = board.match(query, slots)
        found = dict(zip(matched.tolist(), distances.tolist(), strict=True))
    sights = []
    for slot in slots.tolist():
        listing = board.listing(slot)
        if query is not None:
            concerns = slot in found
        else:
            is_open = listing.profile.status is HomeStatus.OPEN
            concerns = is_open and listing.provider == claim.provider
        # Homes of neighbours are theirs to tell of.
        concerns = concerns and listing.origin is None
        distance_km = found.get(slot) if query is not None and query.centres else None
        sights.append(Sight(listing.id, listing.revision, slot, concerns, distance_km))
    return sights


def changed_event(board: Board, claim: Claim, sight: Sight) -> Event:
    return Event(
        type="listing.changed",
        message_id=_message_id(claim, sight.home_id, sight.revision),
        data=msgspec.Raw(board.feature(sight.slot).at(sight.distance_km)),
        home_id=sight.home_id,
        revision=sight.revision,
    )


def gone_event(board: Board, claim: Claim, home_id: str) -> Event:
    """That a home is off the list; `home_id` may be one that nobody knows any more."""
    listing = board.get(home_id)
    revision = None if listing is None else listing.revision
    is_open = listing is not None and listing.profile.status is HomeStatus.OPEN
    data = Gone(
        id=home_id,
        revision=revision,
        merged_into=None if listing is None else listing.profile.merged_into,
        listing=msgspec.Raw(board.feature_of(home_id)) if is_open else None,
    )
    return Event(
        type="listing.gone",
        message_id=_message_id(claim, home_id, revision),
        data=msgspec.Raw(msgspec.json.encode(data)),
        home_id=home_id,
        revision=revision,
    )


def ping_event(webhook_id: str) -> Event:
    """A test: every one is a message of its own."""
    return Event(
        type="ping",
        message_id=f"msg_{secrets.token_hex(16)}",
        data=msgspec.Raw(msgspec.json.encode({"webhook": webhook_id})),
    )


def _message_id(claim: Claim, home_id: str, revision: int | None) -> str:
    # With the epoch: after a restore the same revision is another state.
    named = f"{claim.id}/{claim.epoch}/{home_id}/{revision}"
    return f"msg_{hashlib.sha256(named.encode()).hexdigest()[:32]}"
