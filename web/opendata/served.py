"""Files that are encoded once and sent to all: plain and packed bytes, kept in memory.

A file is encoded when somebody asks for it and the board has moved on, but not again before its
`seconds` are over, whatever the homes report in the meantime. Encoding happens in a thread, from
listings that were taken on the loop in one go; who asks at the same time waits for the same run.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic

from quart import Response, request

from vacancies.board import Board
from vacancies.models import Listing
from vacancies.search import Query
from web.opendata.terms import Terms
from web.packing import pack, packed_response

# Stands in what `Document.build` returns for the time of the last change. Nothing that a provider
# writes holds it: Postgres stores no NUL, and JSON escapes it.
LAST_UPDATED = b"\0"


@dataclass(frozen=True, slots=True)
class Taken:
    """All open homes of ours, by id, in the state of `revision`."""

    revision: int
    homes: list[Listing]


@dataclass(frozen=True, slots=True)
class Document:
    """A file at `path`. It is at most once encoded in so many `seconds`. `build` makes it from a
    state, the same bytes for the same state, and runs in a thread."""

    path: str
    kind: str
    seconds: int
    build: Callable[[Taken, Terms], bytes]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A file as it is sent. `digest` names its content but for `last_updated`, so every process
    and every start gives the same one. It is right for `revision` of `epoch`, and was last
    compared with the board at `checked_at` (of the monotonic clock)."""

    epoch: str
    revision: int
    checked_at: float
    digest: str
    last_updated: datetime
    body: bytes
    packed: bytes


class Exports:
    """The files of this process, each as it was last encoded."""

    def __init__(self) -> None:
        self.encoded = 0  # how often
        self._kept: dict[str, Encoded] = {}
        self._running: dict[str, asyncio.Task[Encoded]] = {}

    async def get(self, document: Document, board: Board, terms: Terms) -> Encoded:
        """The file, at most `document.seconds` behind the board."""
        kept = self._kept.get(document.path)
        if kept is not None and _is_good(kept, document, board):
            return kept
        running = self._running.get(document.path)
        if running is None:
            running = asyncio.create_task(self._renew(document, board, terms), name="export")
            self._running[document.path] = running
            running.add_done_callback(lambda _: self._running.pop(document.path))
        # Whoever leaves must not take the run away from the others.
        return await asyncio.shield(running)

    async def _renew(self, document: Document, board: Board, terms: Terms) -> Encoded:
        self.encoded += 1
        epoch, taken, now = board.epoch, take(board), datetime.now(UTC).replace(microsecond=0)
        checked_at, known = monotonic(), self._kept.get(document.path)

        def encode() -> Encoded:
            taken.homes.sort(key=lambda home: home.id)
            made = document.build(taken, terms)
            digest = hashlib.blake2b(made, digest_size=12).hexdigest()
            if known is not None and known.digest == digest:
                return replace(known, epoch=epoch, revision=taken.revision, checked_at=checked_at)
            body = made.replace(LAST_UPDATED, rfc3339(now).encode())
            return Encoded(epoch, taken.revision, checked_at, digest, now, body, pack(body))

        found = self._kept[document.path] = await asyncio.to_thread(encode)
        return found


def _is_good(kept: Encoded, document: Document, board: Board) -> bool:
    if kept.epoch != board.epoch:
        return False  # another history of the database
    return kept.revision == board.revision or monotonic() - kept.checked_at < document.seconds


def take(board: Board) -> Taken:
    """Without an `await`, so all of it is one state. What is exported as a file comes from here;
    neighbours give away what is theirs."""
    slots, _ = board.match(Query(include_full=True, own_only=True))
    return Taken(board.revision, [board.listing(slot) for slot in slots.tolist()])


def rfc3339(at: datetime | None) -> str:
    """In UTC, as the API writes times; empty for None."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else ""


def file_response(encoded: Encoded, document: Document, terms: Terms) -> Response:
    """The file, or 304. There is no `Last-Modified`: each process knows only when it has seen a
    change, so one's time must not decide about the state of another."""
    if request.if_none_match.contains_weak(encoded.digest):
        response = Response(b"", status=304)
    else:
        response = packed_response(encoded.body, {"gzip": encoded.packed}, document.kind)
    response.set_etag(encoded.digest, weak=True)
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={document.seconds}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link"
    response.headers["Link"] = f'<{terms.licence.text_url}>; rel="license"'
    return response
