"""One viewer and its connection."""

from __future__ import annotations

from vacancies.audience import Audience, Viewer
from vacancies.board import Board
from web.frames import Frames, Framing
from web.places import Place
from web.transport import Connection

WRITE_BYTES = 64 * 1024


class Stream(Viewer):
    """A viewer that is written to. It lives until `expires_at`; `full_since` is when its
    connection could take no more (both monotonic seconds)."""

    __slots__ = ("beat", "connection", "expires_at", "full_since", "place")

    def __init__(self, connection: Connection, expires_at: float, place: Place) -> None:
        super().__init__()
        self.place = place
        self.connection = connection
        self.expires_at = expires_at
        self.full_since = 0.0
        self.beat = 0  # the second, of the interval of heartbeats, in which it gets one

    def next_frames(self, board: Board, audience: Audience) -> Frames | None:
        """Some of what it has missed, about `WRITE_BYTES`, in ascending revision; not behind
        any more once nothing is left. `ready` comes after the last of the backlog, never
        before: its id must not pass what still waits."""
        assert self.watch is not None
        framing = Framing(board, self.watch.fingerprint)
        frames = []
        size = 0
        if self.reset:
            self.reset = False
            frames.append(framing.reset())
        for news in audience.catch_up(self):
            frame = framing.change(news)
            size += len(frame)
            frames.append(frame)
            if size >= WRITE_BYTES:
                return Frames(b"".join(frames))
        self.is_behind = False
        if not self.is_ready:
            self.is_ready = True
            frames.append(framing.ready())
        return Frames(b"".join(frames)) if frames else None
