"""Passing reports on to another Freiplatz, by its API for providers: the newest report of each home
that changed, many in one call, as the home made it.

What came from a portal is never passed on: so deployments that report to each other make no loop,
however many they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from providers.preconditions import PORTAL_HEADER
from vacancies.board import Board
from vacancies.config import Settings
from vacancies.database import Connection, Pool, borrowed
from vacancies.models import HomeStatus, Listing, Standing
from web.alerts.sealing import Seal, SealBroken
from web.link_mail import public_address
from web.portals.copies import Copy, Verdict, record_verdicts, select_copies
from web.portals.links import Trouble, record_trouble, select_secret
from web.webhooks.claims import Claim
from web.webhooks.deliveries import EventType
from web.webhooks.news import is_over
from web.webhooks.sending import Sent

# Changes looked at in one go: looking holds up the loop.
LOOK_AT = 200
# Of one call. Others take 2 MB, and 1,000 homes.
MOST_HOMES = 100
MOST_BYTES = 500_000
MOST_ANSWER_BYTES = 2_000_000
MOST_DETAIL = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class _Result(msgspec.Struct, frozen=True, kw_only=True):
    """Of `RowResult` (`providers/answers.py`) what is of interest."""

    status: int
    code: str | None = None
    detail: str | None = None
    field: str | None = None


class _Results(msgspec.Struct, frozen=True, kw_only=True):
    results: list[_Result]
    test: bool = False


class Reports(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `portal` is what we call ourselves."""

    message_id: str
    revision: int
    copies: tuple[Copy, ...]
    content: bytes
    portal: str
    type: EventType = "reports"
    home_id: str | None = None
    most_answer_bytes: int = MOST_ANSWER_BYTES

    def body(self, at: datetime) -> bytes:
        return self.content

    def headers(self, keys: Sequence[str], at: datetime, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "freiplatz-portals/1",
            "Idempotency-Key": self.message_id,
            PORTAL_HEADER: self.portal,
        }
        if keys:
            headers["Authorization"] = f"Bearer {keys[0]}"
        return headers

    def is_answer(self, body: bytes) -> bool:
        return self.verdicts(body) is not None

    def verdicts(self, body: bytes) -> list[Verdict] | None:
        """What became of each of `copies`; None if this is no answer of a Freiplatz that has
        stored something."""
        try:
            found = msgspec.json.decode(body, type=_Results)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if found.test or len(found.results) != len(self.copies):
            return None
        return [_verdict(result) for result in found.results]


def _verdict(result: _Result) -> Verdict:
    if 200 <= result.status < 300:
        return Verdict(outcome="taken")
    if result.code == "outdated_report":
        return Verdict(outcome="newer")
    return Verdict(
        outcome="refused",
        code=_short(result.code or str(result.status)),
        detail=_short(result.detail),
        field=_short(result.field),
    )


def _short(text: str | None) -> str | None:
    """What the other side has written, so that a page and a row can hold it."""
    return None if text is None else _CONTROL.sub(" ", text)[:MOST_DETAIL]


class PassingOn:
    """One turn at a link."""

    def __init__(self, pool: Pool, board: Board, claim: Claim, seal: Seal, portal: str) -> None:
        self._pool = pool
        self._board = board
        self._claim = claim
        self._seal = seal
        self._portal = portal
        self._round = 0
        self._sent: Reports | None = None

    async def begin(self) -> bool:
        board, claim = self._board, self._claim
        if await is_over(self._pool, board, claim):
            return False
        async with borrowed(self._pool) as connection:
            secret = await select_secret(connection, claim.id)
        if secret is None:
            return False
        self._round = secret.round
        if claim.epoch != board.epoch:  # the database was restored: look at everything
            claim.epoch, claim.cursor = board.epoch, 0
        return True

    async def keys(self, now: datetime) -> Sequence[str] | None:
        """The key there. None at all if it cannot be opened any more, after a change of our
        secret key: the other side then says that it wants one."""
        async with borrowed(self._pool) as connection:
            secret = await select_secret(connection, self._claim.id)
        if secret is None:
            return None
        try:
            return (self._seal.open(self._claim.id, secret.sealed).decode(),)
        except SealBroken:
            return ()

    async def next(self) -> Reports | None:
        board, claim = self._board, self._claim
        self._sent = None
        while claim.epoch == board.epoch:
            slots = board.changed_since(claim.cursor)[:LOOK_AT].tolist()
            changed = [board.listing(slot) for slot in slots]
            if not changed:
                claim.cursor = max(claim.cursor, board.revision)
                return None
            ours = {listing.id: listing for listing in changed if self._is_ours(listing)}
            if ours:
                async with borrowed(self._pool) as connection:
                    copies = await select_copies(connection, claim.id, list(ours))
                due = [copy for copy in copies if copy.is_due]
                taken = _fitting(due)
                if taken:
                    whole = len(taken) == len(due)
                    last = changed[-1].revision if whole else ours[taken[-1].home_id].revision
                    self._sent = self._reports(taken, last)
                    return self._sent
            claim.cursor = changed[-1].revision
        return None

    def _is_ours(self, listing: Listing) -> bool:
        is_open = listing.profile.status is HomeStatus.OPEN
        # What a municipality checks is not carried on meanwhile.
        is_sound = listing.origin is None and listing.standing is not Standing.FROZEN
        return listing.provider == self._claim.provider and is_sound and is_open

    def _reports(self, copies: Sequence[Copy], last: int) -> Reports:
        content = msgspec.json.encode({"reports": [copy.report for copy in copies]})
        # Of what is said, not of revisions: after a process was killed the same call is made, and
        # counts once. With the epoch, since what a restore took away is to be said anew.
        claim = self._claim
        named = f"{claim.id}/{claim.epoch}/{self._round}/".encode() + content
        return Reports(
            message_id=f"msg_{hashlib.sha256(named).hexdigest()[:32]}",
            revision=last,
            copies=tuple(copies),
            content=content,
            portal=self._portal,
        )

    def pass_over(self) -> None:
        assert self._sent is not None
        self._claim.cursor = self._sent.revision

    async def settle(self, connection: Connection, sent: Sent) -> None:
        assert self._sent is not None
        await record_trouble(connection, self._claim.id, _trouble(sent))
        verdicts = self._sent.verdicts(sent.answer) if sent.is_delivered else None
        if verdicts is not None:
            pairs = list(zip(self._sent.copies, verdicts, strict=True))
            await record_verdicts(connection, self._claim.id, pairs, sent.delivery.sent_at)

    def pause(self) -> timedelta:
        return timedelta()


def _fitting(copies: Sequence[Copy]) -> list[Copy]:
    """The first of them, as many as one call may hold."""
    taken: list[Copy] = []
    size = 0
    for copy in copies[:MOST_HOMES]:
        size += len(msgspec.json.encode(copy.report))
        if taken and size > MOST_BYTES:
            break
        taken.append(copy)
    return taken


def _trouble(sent: Sent) -> Trouble:
    status = sent.delivery.status
    if sent.is_delivered:
        return ""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return "key"
    soon = (HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)
    return "away" if status is None or status in soon or status >= 500 else "strange"


def portal_of(settings: Settings) -> str:
    """What we call ourselves to others: our host."""
    host = urlsplit(public_address(settings)).hostname or ""
    return host if re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,78}[a-z0-9]", host) else "freiplatz"


def open_passing_on(pool: Pool, board: Board, claim: Claim, settings: Settings) -> PassingOn:
    return PassingOn(pool, board, claim, Seal(settings.secret_key), portal_of(settings))
