"""The homes that this process has locked or written before, so that a report need not read
them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vacancies.database import Connection
from vacancies.homes import select_versions
from vacancies.models import CareHome

KNOWN_HOMES = 50_000


@dataclass(slots=True)
class Locked:
    """Homes as their locked rows are, by id, at the moment `at` of the database's clock.
    `transaction` is what holds the locks, and what will have written any new version."""

    homes: dict[str, CareHome]
    at: datetime
    transaction: int


class KnownHomes:
    """Homes by id, each with the transaction that wrote its row (`xmin`).

    A row that the same transaction wrote is the same row, whoever else writes beside us. Only
    another history of the database could give that number out twice, so all is forgotten with
    every new connection.
    """

    def __init__(self) -> None:
        self._versions: dict[str, tuple[int, CareHome]] = {}

    async def lock(self, connection: Connection, ids: Sequence[str]) -> Locked:
        """Lock the rows of `ids` to the end of the transaction; unknown ids are left out.

        Always in id order: two processes that lock the same homes cannot deadlock.
        """
        # Aggregated, so that the clock is read when all locks are held.
        row = await connection.fetchrow(
            "SELECT array_agg(id) AS ids, array_agg(version) AS versions,"
            " clock_timestamp() AS at, pg_current_xact_id()::xid AS transaction"
            " FROM (SELECT home_id AS id, xmin AS version FROM home_state"
            " WHERE home_id = ANY($1) ORDER BY home_id FOR NO KEY UPDATE) AS locked",
            ids,
        )
        assert row is not None
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
        return Locked(homes, row["at"], row["transaction"])

    def written(self, transaction: int, homes: Iterable[CareHome]) -> None:
        """`transaction` has left `homes` so, and is committed."""
        for home in homes:
            self._keep(transaction, home)

    def forget(self) -> None:
        self._versions.clear()

    def _keep(self, version: int, home: CareHome) -> None:
        self._versions.pop(home.id, None)  # the oldest stand first
        self._versions[home.id] = (version, home)
        if len(self._versions) > KNOWN_HOMES:
            del self._versions[next(iter(self._versions))]
