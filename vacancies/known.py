"""The homes that this process has locked or written before, so that a report need not read
them again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vacancies.database import Connection
from vacancies.homes import select_versions
from vacancies.models import CareHome

KNOWN_HOMES = 50_000


@dataclass(slots=True)
class Seen:
    """Homes by id, at the moment `at` of the database's clock: as their locked rows are, or,
    where `versions` are given, as they were when they were seen last."""

    homes: dict[str, CareHome]
    at: datetime
    versions: dict[str, int] | None = None


class KnownHomes:
    """Homes by id, each with the transaction that wrote its row (`xmin`).

    A row that the same transaction wrote is the same row, whoever else writes beside us. Only
    another history of the database could give that number out twice, so all is forgotten with
    every new connection.
    """

    def __init__(self) -> None:
        self._versions: dict[str, tuple[int, CareHome]] = {}
        self._clock: tuple[datetime, float] | None = None  # the database's, and ours then

    def recall(self, ids: Sequence[str]) -> Seen | None:
        """The homes as they were seen last, without a look at the database; None if one of
        them is unknown. What is decided on them holds if the versions still do."""
        if self._clock is None:
            return None
        homes: dict[str, CareHome] = {}
        versions: dict[str, int] = {}
        for home_id in ids:
            seen = self._versions.get(home_id)
            if seen is None:
                return None
            versions[home_id], homes[home_id] = seen
        at, then = self._clock
        return Seen(homes, at + timedelta(seconds=time.monotonic() - then), versions)

    async def lock(self, connection: Connection, ids: Sequence[str]) -> Seen:
        """Lock the rows of `ids` to the end of the transaction; unknown ids are left out.

        Always in id order: two processes that lock the same homes cannot deadlock.
        """
        # Aggregated, so that the clock is read when all locks are held.
        row = await connection.fetchrow(
            "SELECT array_agg(id) AS ids, array_agg(version) AS versions,"
            " clock_timestamp() AS at"
            " FROM (SELECT home_id AS id, xmin AS version FROM home_state"
            " WHERE home_id = ANY($1) ORDER BY home_id FOR NO KEY UPDATE) AS locked",
            ids,
        )
        assert row is not None
        self._set_clock(row["at"])
        homes: dict[str, CareHome] = {}
        unread = []
        for home_id, version in zip(row["ids"] or (), row["versions"] or (), strict=True):
            seen = self._versions.get(home_id)
            if seen is not None and seen[0] == version:
                homes[home_id] = seen[1]
            else:
                unread.append(home_id)
        if unread:
            for version, home in await select_versions(connection, unread):
                homes[home.id] = home
                self._keep(version, home)
        return Seen(homes, row["at"])

    def written(self, transaction: int, at: datetime, homes: Iterable[CareHome]) -> None:
        """`transaction` has left `homes` so, and is committed; the database's clock was `at`."""
        self._set_clock(at)
        for home in homes:
            self._keep(transaction, home)

    def forget(self) -> None:
        self._versions.clear()
        self._clock = None

    def _set_clock(self, at: datetime) -> None:
        self._clock = (at, time.monotonic())

    def _keep(self, version: int, home: CareHome) -> None:
        self._versions.pop(home.id, None)  # the oldest stand first
        self._versions[home.id] = (version, home)
        if len(self._versions) > KNOWN_HOMES:
            del self._versions[next(iter(self._versions))]
