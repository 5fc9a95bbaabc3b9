"""What one neighbour tells, on its way to the writer: judged, bounded, and made our own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from providers.federation.events import Event
from providers.federation.features import Refused, Told, read_feature, read_id
from providers.federation.neighbours import (
    Neighbour,
    ensure_foreign_providers,
    select_foreign_ids,
    select_foreign_slugs,
)
from providers.federation.twins import Twins, select_mismatches, select_twins
from vacancies.command import Command
from vacancies.database import Pool, borrowed
from vacancies.foreign import Adopt, Depart, Doubt, matched
from vacancies.models import Origin
from vacancies.writer import Writer

# Ids that are ever taken from one neighbour: every care home of a large state, twice.
MOST_HOMES = 20_000
# And providers: every home may have one of its own, but none a new one each time it is told.
MOST_PROVIDERS = 20_000
BATCH = 100


class LostTurn(Exception):
    """Another process follows this neighbour by now."""


class Intake:
    """`heard_at` is when all that the neighbour has to say was last known here, by the monotonic
    clock; `cursor` where its stream goes on from there. `refused` counts what was left out.

    `may_write` says whether it is still for this process to write.
    """

    def __init__(
        self, neighbour: Neighbour, pool: Pool, writer: Writer, may_write: Callable[[], bool]
    ) -> None:
        self._neighbour = neighbour
        self._pool = pool
        self._writer = writer
        self._may_write = may_write
        self.cursor: str | None = None
        self.heard_at: float | None = None
        self.is_complete = False
        self.refused = 0
        self.refused_why = ""
        self._known: dict[str, bool] = {}  # by id, whether it is not closed
        self._seen: set[str] | None = None  # of a whole set that is being told
        self._waiting: dict[str, Told | Command] = {}  # the newest of each home
        self._providers: dict[str, int] = {}
        self._slugs: set[str] = set()  # of all providers that it ever named
        self._twins = Twins()

    async def begin(self) -> None:
        """A stream begins: from nothing, or where the last one left off (`cursor`)."""
        self.is_complete = False
        self._waiting.clear()
        self._providers.clear()
        self._seen = set() if self.cursor is None else None
        async with borrowed(self._pool) as connection:
            self._known = await select_foreign_ids(connection, self._neighbour.slug)
            self._slugs = await select_foreign_slugs(connection, self._neighbour.slug)
            self._twins = await select_twins(connection)

    async def take(self, events: Sequence[Event]) -> bool:
        """Store what `events` tell; whether there were any of our streams among them."""
        is_ours = False
        for event in events:
            is_ours |= await self._take(event)
        await self._flush()
        if self.is_complete and is_ours:
            self.cursor, self.heard_at = events[-1].id, time.monotonic()
        return is_ours

    async def _take(self, event: Event) -> bool:
        try:
            if event.name == "listing":
                self._wait_with(read_feature(event.data))
            elif event.name == "gone":
                self._close(read_id(event.data))
            elif event.name == "reset":
                self.cursor, self._seen, self.is_complete = None, set(), False
            elif event.name == "ready":
                await self._flush()
                await self._complete()
            else:
                return event.name == "heartbeat"
        except Refused as refused:
            self._refuse(refused.why, refused.home_id)
        return True

    def _id(self, home_id: str) -> str:
        return f"{self._neighbour.slug}/{home_id}"

    def _wait_with(self, told: Told) -> None:
        home_id = self._id(told.home_id)
        if home_id not in self._known and len(self._known) >= MOST_HOMES:
            raise Refused(f"It has more than {MOST_HOMES} homes.")
        provider = self._id(told.provider)
        if provider not in self._slugs and len(self._slugs) >= MOST_PROVIDERS:
            raise Refused(f"It has more than {MOST_PROVIDERS} providers.")
        self._slugs.add(provider)
        self._known[home_id] = True
        self._put(home_id, told)

    def _close(self, home_id: str) -> None:
        known = self._id(home_id)
        if self._known.get(known):
            self._known[known] = False
            self._put(known, Depart(home_id=known))

    def _refuse(self, why: str, home_id: str | None) -> None:
        self.refused += 1
        self.refused_why = why
        if home_id is not None and self._known.get(known := self._id(home_id)):
            self._put(known, Doubt(home_id=known))

    def _put(self, home_id: str, waiting: Told | Command) -> None:
        self._waiting.pop(home_id, None)
        self._waiting[home_id] = waiting
        if self._seen is not None:
            self._seen.add(home_id)

    async def _complete(self) -> None:
        """All has been told: what did not come is gone."""
        if self._seen is not None:
            gone = [home for home, is_open in self._known.items() if is_open]
            for home_id in sorted(set(gone) - self._seen):
                self._known[home_id] = False
                self._waiting[home_id] = Depart(home_id=home_id)
            await self._flush()
        self._seen, self.is_complete = None, True

    async def _flush(self) -> None:
        waiting, self._waiting = self._waiting, {}
        await self._ensure_providers(told for told in waiting.values() if isinstance(told, Told))
        commands = [
            self._adopt(home_id, each) if isinstance(each, Told) else each
            for home_id, each in waiting.items()
        ]
        await self.submit(commands)

    async def submit(self, commands: Sequence[Command]) -> None:
        """Raises `LostTurn`, and what the writer raises."""
        for first in range(0, len(commands), BATCH):
            if not self._may_write():
                raise LostTurn
            batch = commands[first : first + BATCH]
            settled = await self._writer.submit(batch)
            for command, outcome in zip(batch, settled.outcomes, strict=True):
                if outcome.error is not None and isinstance(command, Adopt):
                    self._reject(command, outcome.error.detail)

    def _reject(self, command: Adopt, why: str) -> None:
        """The home itself refused: more places than are licensed, or a time to come. What was known
        of it before is in doubt then; of a home that is not known the doubt is refused too."""
        self.refused += 1
        self.refused_why = why
        self._waiting[command.home_id] = Doubt(home_id=command.home_id)

    async def _ensure_providers(self, told: Iterable[Told]) -> None:
        slugs = {self._id(each.provider) for each in told} - self._providers.keys()
        if slugs:
            async with borrowed(self._pool) as connection:
                self._providers |= await ensure_foreign_providers(connection, sorted(slugs))

    def _adopt(self, home_id: str, told: Told) -> Adopt:
        where, profile, provider = self._neighbour, told.profile, self._id(told.provider)
        own_id = self._twins.of(profile.name, profile.address, profile.point)
        return Adopt(
            home_id=home_id,
            provider_id=self._providers[provider],
            provider=provider,
            origin=Origin(slug=where.slug, name=where.name, url=where.url, said=told.freshness),
            profile=matched(profile, own_id),
            vacancies=told.vacancies,
            observed_at=told.observed_at,
            confirmed_at=told.confirmed_at,
        )

    async def match(self) -> None:
        """Look again which of its homes are ours, since ours change too."""
        async with borrowed(self._pool) as connection:
            self._twins = await select_twins(connection)
            mismatches = await select_mismatches(connection, self._neighbour.slug, self._twins)
        await self.submit(mismatches)

    def take_refused(self) -> tuple[int, str]:
        """How many were left out since this was asked last, and why the last one was."""
        refused, self.refused = self.refused, 0
        return refused, self.refused_why
