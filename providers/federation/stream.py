"""Reads the live stream of one neighbour for ever, whatever that does."""

from __future__ import annotations

import asyncio
import random
import time

import msgspec
import structlog
from yarl import URL

from providers.federation.events import EventReader, Unreadable
from providers.federation.intake import MOST_HOMES, Intake, LostTurn
from providers.federation.neighbours import Neighbour
from vacancies.database import is_connection_error
from vacancies.errors import FreiplatzError
from vacancies.outbound import CallFailed, Outbound, Reading

log = structlog.get_logger()

STREAM = "/api/v1/vacancies/stream?include_full=true&origin=own"
# Somewhat more than a whole set at once; after that, what a busy state has in a minute.
BURST_EVENTS = MOST_HOMES + 5_000
EVENTS_PER_SECOND = 50.0
MOST_EVENTS_PER_SECOND = 1_000.0


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long we wait for a neighbour, all in seconds."""

    head: float = 10.0  # until an answer begins
    silence: float = 40.0  # until the next event: heartbeats come every 15 s
    whole: float = 300.0  # until all has been told
    first_pause: float = 1.0  # before the next try; then twice as long each time
    longest_pause: float = 60.0
    calm: float = 60.0  # a stream that lasted so long was none that failed


PATIENCE = Patience()

_TROUBLE = {
    "address": "Its name leads nowhere that may be called.",
    "connection": "It does not answer, or broke off.",
    "tls": "Its certificate is not right.",
    "timeout": "It keeps silent.",
}


class Trouble(Exception):
    """Why a stream was given up, in a sentence."""


class Pace:
    """Holds back who tells more than a neighbour has to tell: not reading makes the sender wait."""

    def __init__(self) -> None:
        self._left, self._at = float(BURST_EVENTS), time.monotonic()

    async def spend(self, events: int) -> None:
        now = time.monotonic()
        more = (now - self._at) * EVENTS_PER_SECOND
        self._left, self._at = min(float(BURST_EVENTS), self._left + more) - events, now
        owed = max(0.0, -self._left) / EVENTS_PER_SECOND
        await asyncio.sleep(max(owed, events / MOST_EVENTS_PER_SECOND))


class NeighbourStream:
    """`trouble` is why the neighbour cannot be followed just now; empty while it can."""

    def __init__(self, neighbour: Neighbour, intake: Intake, outbound: Outbound) -> None:
        self.trouble = neighbour.trouble
        self.intake = intake
        self._slug = neighbour.slug
        # Its spelling was checked when it was added; where it leads is checked at every call.
        self._url = URL(neighbour.url + STREAM)
        self._outbound = outbound
        self._pace = Pace()

    async def run_for_ever(self) -> None:
        pause = PATIENCE.first_pause
        while True:
            began_at = time.monotonic()
            try:
                await self._listen()
            except (Trouble, Unreadable, CallFailed, LostTurn) as error:
                self._fail(_sentence(error))
            except Exception as error:
                self._fail("Something failed on our side.")
                if not (isinstance(error, FreiplatzError) or is_connection_error(error)):
                    log.exception("following a neighbour failed", neighbour=self._slug)
            is_calm = time.monotonic() - began_at > PATIENCE.calm
            pause = PATIENCE.first_pause if is_calm else min(2 * pause, PATIENCE.longest_pause)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    def _fail(self, why: str) -> None:
        if self.trouble != why:
            log.warning("a neighbour cannot be followed", neighbour=self._slug, why=why)
        self.trouble = why

    async def _listen(self) -> None:
        """Until the stream ends or fails."""
        await self.intake.begin()
        headers = {"Accept": "text/event-stream"}
        if self.intake.cursor is not None:
            headers["Last-Event-ID"] = self.intake.cursor
        async with self._outbound.get(self._url, headers, seconds=PATIENCE.head) as answer:
            _check(answer)
            await self._read(answer)

    async def _read(self, answer: Reading) -> None:
        reader, began_at = EventReader(), time.monotonic()
        heard_at = began_at
        # Bytes alone are no sign of life, and events no sign of an end.
        while chunk := await answer.some(_left(heard_at + PATIENCE.silence)):
            events = reader.feed(chunk)
            await self._pace.spend(len(events))
            if await self.intake.take(events):
                heard_at = time.monotonic()
            if self.intake.is_complete:
                self.trouble = ""
            elif time.monotonic() > began_at + PATIENCE.whole:
                raise Trouble("It does not come to an end with telling what it has.")


def _left(ends_at: float) -> float:
    seconds = ends_at - time.monotonic()
    if seconds <= 0:
        raise CallFailed("timeout")
    return seconds


def _check(answer: Reading) -> None:
    if 300 <= answer.status < 400:
        raise Trouble("It sends us elsewhere. Add it by the address where it is.")
    if answer.status != 200:
        raise Trouble(f"It answers with status {answer.status}.")
    if not answer.kind.startswith("text/event-stream") or answer.is_packed:
        raise Trouble("It answers with something that is no stream of Freiplatz.")


def _sentence(error: Exception) -> str:
    if isinstance(error, CallFailed):
        return _TROUBLE[error.trouble]
    if isinstance(error, Unreadable):
        return "It sends something that is no stream of Freiplatz."
    return str(error) or "Another process follows it."
