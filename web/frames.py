"""Frames of Server-Sent Events (WHATWG HTML, 9.2.5): `id`, `event` and one `data` line each."""

from __future__ import annotations

from collections.abc import Iterable

from vacancies.audience import News
from vacancies.board import Board
from web.cursor import cursor_prefix


class Frames:
    """Some frames as bytes, shared by all who get them: as they are (`body`), and as a chunk
    of an HTTP/1.1 body (RFC 9112, 7.1)."""

    __slots__ = ("body", "chunk")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.chunk = b"%x\r\n%b\r\n" % (len(body), body)


class Framing:
    """Makes the frames of one search from a board: only the id tells searches apart."""

    def __init__(self, board: Board, fingerprint: str) -> None:
        self._board = board
        self._prefix = f"id: {cursor_prefix(fingerprint, board.epoch)}".encode()

    def news(self, news: Iterable[News]) -> Frames | None:
        body = b"".join(map(self.change, news))
        return Frames(body) if body else None

    def change(self, news: News) -> bytes:
        if news.gone:
            home_id = self._board.listing(news.slot).id  # [A-Za-z0-9._~-]: JSON as it is
            return b'%b%d\nevent: gone\ndata: {"id":"%b"}\n\n' % (
                self._prefix,
                news.revision,
                home_id.encode(),
            )
        feature = self._board.feature(news.slot).at(news.distance_km)
        return b"%b%d\nevent: listing\ndata: %b\n\n" % (self._prefix, news.revision, feature)

    def reset(self) -> bytes:
        """Revision 0: whoever resumes from here is sent everything."""
        return b"%b0\nevent: reset\ndata: {}\n\n" % self._prefix

    def ready(self) -> bytes:
        return self._position(b"ready")

    def heartbeat(self) -> Frames:
        return Frames(self._position(b"heartbeat"))

    def _position(self, event: bytes) -> bytes:
        """Carries the revision of the board: only for who has all up to it."""
        revision = self._board.revision
        return b'%b%d\nevent: %b\ndata: {"revision":%d}\n\n' % (
            self._prefix,
            revision,
            event,
            revision,
        )
