"""What a subscription is sent: notifications with the newest state of the homes that changed
(ETSI GS CIM 009 v1.8.1, clauses 5.3.1 and 5.8.6).

The board is the queue, as for webhooks: what lies behind the cursor is sent, many homes in one
call, each in the state that it has when its turn comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import msgspec

from vacancies.board import Board
from vacancies.config import Settings
from vacancies.database import Connection, Pool, borrowed
from vacancies.models import Listing
from web.standards.answer import JSON, JSON_LD
from web.standards.ngsi_ld_entities import (
    CORE_CONTEXT,
    TYPE,
    URN,
    Entity,
    context_address,
    context_link,
    entity,
)
from web.standards.ngsi_ld_query import Shape
from web.standards.ngsi_ld_selection import Selection, is_open, select, shape_of
from web.standards.ngsi_ld_stored import (
    record_notification,
    record_seen,
    select_seen,
    select_told,
)
from web.standards.ngsi_ld_subscription import Subscription
from web.standards.offers import changes
from web.standards.source import Source, source_of
from web.webhooks.claims import Claim
from web.webhooks.deliveries import EventType
from web.webhooks.news import is_over
from web.webhooks.sending import Sent

# Homes in one notification, and changes looked at in one go: looking holds up the loop.
AT_ONCE = 100


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `seen` is what it tells of the watched attributes, by home; `address` is
    our own, where the context is."""

    message_id: str
    revision: int
    subscription_id: str
    entities: list[Entity]
    seen: dict[str, str]
    accept: str
    address: str
    receiver_info: Mapping[str, str]
    type: EventType = "notification"
    home_id: str | None = None
    most_answer_bytes: int = 0

    def is_answer(self, body: bytes) -> bool:
        return True

    def body(self, at: datetime) -> bytes:
        found: Entity = {
            "id": self.message_id,
            "type": "Notification",
            "subscriptionId": self.subscription_id,
            "notifiedAt": at.astimezone(UTC),
            "data": self.entities,
        }
        if self.accept == JSON_LD:
            found = {"@context": [context_address(self.address), CORE_CONTEXT], **found}
        return msgspec.json.encode(found)

    def headers(self, keys: Sequence[str], at: datetime, body: bytes) -> dict[str, str]:
        """Nothing is signed: who is to prove himself does so by `receiverInfo`."""
        ours = {"Content-Type": self.accept, "User-Agent": "freiplatz-ngsi-ld/1"}
        if self.accept == JSON:
            ours["Link"] = context_link(self.address)
        return {**self.receiver_info, **ours}


class Notifications:
    """One turn at a subscription."""

    def __init__(
        self,
        pool: Pool,
        board: Board,
        claim: Claim,
        name: str,
        wish: Subscription,
        source: Source,
    ) -> None:
        self._pool = pool
        self._board = board
        self._claim = claim
        self._name = name
        self._wish = wish
        self._source = source
        self._selection: Selection = select(wish, source.address)
        self._shape: Shape = shape_of(wish, source.address)
        self._sent: Notification | None = None

    async def begin(self) -> bool:
        board, claim = self._board, self._claim
        if await is_over(self._pool, board, claim):
            return False
        if claim.epoch != board.epoch:  # the database was restored: everything, once
            claim.epoch, claim.cursor = board.epoch, 0
        return True

    async def keys(self, now: datetime) -> Sequence[str] | None:
        return ()

    async def next(self) -> Notification | None:
        board, claim = self._board, self._claim
        self._sent = None
        while claim.epoch == board.epoch:
            found = _changes(self._selection, board, claim.cursor)
            if not found:
                claim.cursor = max(claim.cursor, board.revision)
                return None
            told: dict[str, str] = {}
            if self._selection.watched:
                async with borrowed(self._pool) as connection:
                    ids = [listing.id for listing, _ in found]
                    told = await select_seen(connection, claim.id, ids)
            entities, seen = self._write(found, told)
            last = found[-1][0].revision
            if entities:
                self._sent = self._notify(entities, seen, last)
                return self._sent
            claim.cursor = last
        return None

    def _write(
        self, found: list[tuple[Listing, bool]], told: Mapping[str, str]
    ) -> tuple[list[Entity], dict[str, str]]:
        """The entities to send, and what they tell of the watched attributes."""
        entities: list[Entity] = []
        digests: dict[str, str] = {}
        for listing, is_inside in found:
            if not is_inside:
                continue
            if not is_open(listing):
                if self._selection.is_told_of_ends:
                    entities.append(_ended(listing))
                continue
            if not self._selection.is_told_of_changes:
                continue
            whole = entity(listing, self._source)
            digest = self._selection.seen(whole)
            if digest is not None:
                if told.get(listing.id) == digest:
                    continue
                digests[listing.id] = digest
            if (shown := self._shape.of(whole)) is not None:
                entities.append(shown)
        return entities, digests

    def _notify(self, entities: list[Entity], seen: dict[str, str], last: int) -> Notification:
        claim, endpoint = self._claim, self._wish.notification.endpoint
        # With the epoch: after a restore the same revision is another state.
        named = f"{claim.id}/{claim.epoch}/{claim.cursor}/{last}"
        return Notification(
            message_id=f"urn:ngsi-ld:Notification:{uuid5(NAMESPACE_URL, named)}",
            revision=last,
            subscription_id=self._name,
            entities=entities,
            seen=seen,
            accept=endpoint.accept,
            address=self._source.address,
            receiver_info={info.key: info.value for info in endpoint.receiverInfo},
        )

    def pass_over(self) -> None:
        assert self._sent is not None
        self._claim.cursor = self._sent.revision

    async def settle(self, connection: Connection, sent: Sent) -> None:
        assert self._sent is not None
        at = sent.delivery.sent_at
        await record_notification(connection, self._claim.id, sent.is_delivered, at)
        if sent.is_delivered:
            await record_seen(connection, self._claim.id, self._sent.seen)

    def pause(self) -> timedelta:
        return timedelta(seconds=self._wish.throttling or 0)


async def open_notifications(
    pool: Pool, board: Board, claim: Claim, settings: Settings
) -> Notifications | None:
    """None if the subscription was deleted."""
    async with borrowed(pool) as connection:
        found = await select_told(connection, claim.id)
    if found is None:
        return None
    stored, is_demo = found
    wish = msgspec.json.decode(stored.document, type=Subscription)
    source = source_of(settings, is_demo=is_demo)
    return Notifications(pool, board, claim, stored.id, wish, source)


def _changes(selection: Selection, board: Board, revision: int) -> list[tuple[Listing, bool]]:
    """The next changes, and whether each is of the selection."""
    found = changes(board, revision, selection.area, AT_ONCE)
    outside = set()
    if selection.not_in is not None:
        near = changes(board, revision, selection.not_in, AT_ONCE)
        outside = {listing.id for listing, is_inside in near if is_inside}
    return [
        (listing, is_inside and listing.id not in outside and selection.has(listing))
        for listing, is_inside in found
    ]


def _ended(listing: Listing) -> Entity:
    """An entity that there is no more (clause 5.8.6)."""
    return {"id": URN + listing.id, "type": TYPE, "deletedAt": listing.closed_at}
