"""What the deliverer needs to know of what it delivers, and the news of a webhook: the newest
state of each home that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from vacancies.board import Board
from vacancies.database import Connection, Pool, borrowed, select_epoch
from vacancies.search import Query
from web.webhooks.claims import Claim, record_on_list, select_on_list
from web.webhooks.deliveries import EventType
from web.webhooks.endpoints import select_secrets
from web.webhooks.events import Event, changed_event, gone_event, look

if TYPE_CHECKING:  # sending needs the protocol
    from web.webhooks.sending import Sent


class Message(Protocol):
    """One call. `message_id` is the same whenever the same is sent to the same receiver."""

    @property
    def type(self) -> EventType: ...
    @property
    def message_id(self) -> str: ...
    @property
    def home_id(self) -> str | None: ...
    @property
    def revision(self) -> int | None: ...

    @property
    def most_answer_bytes(self) -> int:
        """How long an answer may be that is read; 0: what it says does not matter."""

    def body(self, at: datetime) -> bytes: ...
    def headers(self, keys: Sequence[str], at: datetime, body: bytes) -> Mapping[str, str]: ...

    def is_answer(self, body: bytes) -> bool:
        """Whether a 2xx with this body says that the message was understood."""


class News(Protocol):
    """One turn at what one receiver is to be told. The cursor of its claim moves with it."""

    async def begin(self) -> bool:
        """Find the place to begin at; False if our board is of a history that is over."""

    async def keys(self, now: datetime) -> Sequence[str] | None:
        """What signs, asked for anew before each call; None if the receiver was removed."""

    async def next(self) -> Message | None:
        """The next thing to send. Moves the cursor over all before."""

    async def settle(self, connection: Connection, sent: Sent) -> None:
        """Note how the call of the last message went, in the transaction that notes it for the
        webhook. If it was delivered, the cursor is behind it already."""

    def pass_over(self) -> None:
        """The last message was delivered: move the cursor behind it."""

    def pause(self) -> timedelta:
        """How long to wait after a call."""


async def is_over(pool: Pool, board: Board, claim: Claim) -> bool:
    """Whether the claim is of another history than our board, and ours is the one that is over."""
    if claim.epoch == board.epoch:
        return False
    async with borrowed(pool) as connection:
        return await select_epoch(connection) != board.epoch


class ListingNews:
    """Listings of the homes of a provider, or of those that meet a search."""

    def __init__(
        self, pool: Pool, board: Board, claim: Claim, query: Query | None, secret_key: str
    ) -> None:
        self._pool = pool
        self._board = board
        self._claim = claim
        self._query = query
        self._secret_key = secret_key
        self._event: Event | None = None

    async def begin(self) -> bool:
        board, claim = self._board, self._claim
        is_new = claim.epoch != board.epoch
        if not is_new and claim.cursor >= board.floor:
            return True
        if await is_over(self._pool, board, claim):
            return False
        async with borrowed(self._pool) as connection:
            # What went with a restore, or so long ago that no board has a tombstone of it.
            on_list = await select_on_list(connection, claim.id)
        claim.lost = sorted(home for home in on_list if board.get(home) is None)
        if is_new:
            claim.epoch, claim.cursor = board.epoch, 0
        return True

    async def keys(self, now: datetime) -> Sequence[str] | None:
        async with borrowed(self._pool) as connection:
            found = await select_secrets(connection, self._claim.id, self._secret_key, now)
        return found or None

    async def next(self) -> Event | None:
        self._event = await self._next()
        return self._event

    async def _next(self) -> Event | None:
        board, claim = self._board, self._claim
        while claim.epoch == board.epoch:
            if claim.lost:
                return gone_event(board, claim, claim.lost[-1])
            sights = look(board, claim, self._query)
            if not sights:
                claim.cursor = max(claim.cursor, board.revision)
                return None
            others = {sight.home_id for sight in sights if not sight.concerns}
            if unknown := others - claim.known.keys():
                async with borrowed(self._pool) as connection:
                    on_list = await select_on_list(connection, claim.id, unknown)
                claim.known.update({home_id: home_id in on_list for home_id in unknown})
                continue  # the board may have changed while we waited
            for sight in sights:
                if sight.concerns:
                    return changed_event(board, claim, sight)
                if claim.known[sight.home_id]:
                    return gone_event(board, claim, sight.home_id)
                claim.cursor = sight.revision
        return None

    def pass_over(self) -> None:
        event, claim = self._event, self._claim
        assert event is not None
        assert event.home_id is not None
        if claim.lost:
            claim.lost.pop()
        elif event.revision is not None:
            claim.cursor = event.revision
        claim.known[event.home_id] = event.type == "listing.changed"

    async def settle(self, connection: Connection, sent: Sent) -> None:
        event = self._event
        if sent.is_delivered and event is not None and event.home_id is not None:
            is_there = event.type == "listing.changed"
            await record_on_list(connection, self._claim.id, event.home_id, is_there)

    def pause(self) -> timedelta:
        return timedelta()
