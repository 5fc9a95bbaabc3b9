"""How a municipality leaves and takes its homes along: first an export, then everything goes.

All steps can be taken again, and the municipality itself goes last: whatever is killed in between,
the next one who looks (`leave_for_ever`, or the command) goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import msgspec
import structlog

from providers.desks import select_parts
from providers.staff import delete_staff
from vacancies.actors import Actor
from vacancies.database import Connection, Pool, borrowed, is_connection_error
from vacancies.erasing import Erase, delete_histories
from vacancies.errors import FreiplatzError
from vacancies.municipalities import delete_municipality
from vacancies.rollup_days import COUNT_SECONDS
from vacancies.writer import Writer

log = structlog.get_logger()

# What has come since an older export would be lost.
EXPORT_COUNTS_FOR = timedelta(hours=24)
LOOK_SECONDS = 10.0
_BATCH = 100
_LOCK = 0x6C656176  # "leav"


class LeavesAlready(FreiplatzError):
    """Another process is at it."""

    code = "leaves_already"


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """How far a municipality is with leaving: when it was `exported_at` (None: never), and when
    somebody `asked_at` for the deletion."""

    exported_at: datetime | None
    asked_at: datetime | None
    has_export: bool  # one that counts


async def select_departure(connection: Connection | Pool, key: str) -> Departure:
    row = await connection.fetchrow(
        "SELECT exported_at, asked_at, coalesce(exported_at > now() - $2::interval, false)"
        " AS has_export FROM departure WHERE municipality = $1",
        key,
        EXPORT_COUNTS_FOR,
    )
    if row is None:
        return Departure(exported_at=None, asked_at=None, has_export=False)
    return Departure(**dict(row))


async def record_export(connection: Connection | Pool, key: str) -> None:
    """Its data were handed out, whole."""
    await connection.execute(
        "INSERT INTO departure (municipality, exported_at) VALUES ($1, now())"
        " ON CONFLICT (municipality) DO UPDATE SET exported_at = now()",
        key,
    )


async def record_departure(connection: Connection | Pool, key: str, asked_by: int | None) -> None:
    """From now on its homes are deleted, and nothing stops that."""
    await connection.execute(
        "INSERT INTO departure (municipality, asked_at, asked_by) VALUES ($1, now(), $2)"
        " ON CONFLICT (municipality) DO UPDATE SET"
        " asked_at = coalesce(departure.asked_at, now()),"
        " asked_by = coalesce(departure.asked_by, excluded.asked_by)",
        key,
        asked_by,
    )


async def select_owned_homes(
    connection: Connection | Pool, key: str, parts: Sequence[str]
) -> list[str]:
    """The ids of all homes of the municipality, closed ones too, without those of its `parts`."""
    rows = await connection.fetch(
        "SELECT id FROM care_home WHERE starts_with(municipality, $1) AND NOT EXISTS"
        " (SELECT FROM unnest($2::text[]) AS part WHERE starts_with(municipality, part))"
        " ORDER BY id",
        key,
        list(parts),
    )
    return [row["id"] for row in rows]


async def leave(
    pool: Pool, writer: Writer, key: str, progress: Callable[[int], None] = lambda homes: None
) -> int:
    """Delete the municipality and all that is its own; returns how many homes it had. `progress`
    is told how many are done since it was told last. Raises `LeavesAlready`."""
    async with _alone(pool, key):
        parts = await select_parts(pool, key)
        homes = await select_owned_homes(pool, key, parts)
        actor = Actor(municipality=key, but_not_in=parts)
        # All of them first: who reports for a provider goes once it has no home left.
        for batch in _batches(homes):
            settled = await writer.submit([Erase(home_id=each, actor=actor) for each in batch])
            for outcome in settled.outcomes:
                if outcome.error is not None:
                    raise outcome.error
        for batch in _batches(homes):
            async with borrowed(pool) as connection:
                await delete_histories(connection, batch)
                await _delete_people(connection, batch)
            progress(len(batch))
        async with borrowed(pool) as connection:
            await _delete_counts(connection, key, parts)
            await _delete_desk(connection, key, parts, len(homes))
    log.info("a municipality has left", municipality=key, homes=len(homes))
    return len(homes)


def _batches(homes: Sequence[str]) -> list[list[str]]:
    return [list(homes[at : at + _BATCH]) for at in range(0, len(homes), _BATCH)]


@asynccontextmanager
async def _alone(pool: Pool, key: str) -> AsyncIterator[None]:
    """The lock ends with its connection, so a process that dies does not hold it."""
    async with borrowed(pool) as connection:
        args = (key, _LOCK)
        lock = "SELECT pg_try_advisory_lock(hashtextextended($1, $2))"
        if not await connection.fetchval(lock, *args):
            raise LeavesAlready("This municipality is being deleted just now.")
        try:
            yield
        finally:
            await connection.execute("SELECT pg_advisory_unlock(hashtextextended($1, $2))", *args)


async def _delete_people(connection: Connection, home_ids: Sequence[str]) -> None:
    """Who reports for these homes does so no more, nor does software; who has nothing left here is
    forgotten. In one transaction: else a kill would leave people behind of whom nobody knows."""
    providers = (
        "(SELECT c.provider_id FROM care_home c WHERE c.id = ANY($1) AND NOT EXISTS"
        " (SELECT FROM care_home o WHERE o.provider_id = c.provider_id AND o.status = 'open'))"
    )
    async with connection.transaction():
        rows = await connection.fetch(
            "DELETE FROM membership WHERE home_id = ANY($1)"
            f" OR home_id IS NULL AND provider_id IN {providers} RETURNING staff_id",
            home_ids,
        )
        await connection.execute(f"DELETE FROM signin WHERE provider_id IN {providers}", home_ids)
        await connection.execute(
            "UPDATE api_key SET revoked_at = coalesce(revoked_at, now())"
            f" WHERE home_id = ANY($1) OR provider_id IN {providers}",
            home_ids,
        )
        await _forget(connection, {row["staff_id"] for row in rows})


async def _delete_counts(connection: Connection, key: str, parts: Sequence[str]) -> None:
    """What was counted for planning: of a state that is millions of rows, and takes its time."""
    for table in ("planning_rollup", "planning_stop", "unmet_search"):
        async with connection.transaction():
            await connection.execute(f"SET LOCAL statement_timeout = {COUNT_SECONDS * 1000:.0f}")
            await connection.execute(
                f"DELETE FROM {table} WHERE municipality >= $1 AND municipality < $1 || ':'"
                " AND NOT EXISTS"
                " (SELECT FROM unnest($2::text[]) AS part WHERE starts_with(municipality, part))",
                key,
                list(parts),
                timeout=COUNT_SECONDS,
            )


async def _delete_desk(connection: Connection, key: str, parts: Sequence[str], homes: int) -> None:
    """The desk with its people, its trail and its policies, and the municipality itself, with its
    look. That it left, and who wanted that, stays as one entry of the trail."""
    async with connection.transaction():
        asked_by = await connection.fetchval(
            "SELECT asked_by FROM departure WHERE municipality = $1", key
        )
        rows = await connection.fetch(
            "DELETE FROM municipality_member WHERE municipality = $1 RETURNING staff_id", key
        )
        await connection.execute("DELETE FROM desk_act WHERE municipality = $1", key)
        await connection.execute(
            "INSERT INTO desk_act (municipality, staff_id, act, detail)"
            " VALUES ($1, $2, 'left', jsonb_build_object('homes', $3::int))",
            key,
            asked_by,
            homes,
        )
        await connection.execute(
            "DELETE FROM reporting_policy WHERE starts_with(prefix, $1) AND NOT EXISTS"
            " (SELECT FROM unnest($2::text[]) AS part WHERE starts_with(prefix, part))",
            key,
            list(parts),
        )
        await _forget(connection, {row["staff_id"] for row in rows})
        await delete_municipality(connection, key)


async def _forget(connection: Connection, staff_ids: set[int]) -> None:
    rows = await connection.fetch(
        "SELECT id FROM staff WHERE id = ANY($1)"
        " AND NOT EXISTS (SELECT FROM membership WHERE staff_id = staff.id)"
        " AND NOT EXISTS (SELECT FROM municipality_member WHERE staff_id = staff.id)",
        list(staff_ids),
    )
    for row in rows:
        await delete_staff(connection, row["id"])


async def leave_for_ever(pool: Pool, writer: Writer) -> None:
    """Whoever asked for it, and whatever was killed since: see it through."""
    while True:
        try:
            rows = await pool.fetch("SELECT municipality FROM departure WHERE asked_at IS NOT NULL")
            keys = [row["municipality"] for row in rows]
        except Exception as error:
            _say(error)
            keys = []
        for key in keys:
            try:
                await leave(pool, writer, key)
            except LeavesAlready:
                pass
            except Exception as error:  # the others leave all the same
                _say(error)
        await asyncio.sleep(LOOK_SECONDS)


def _say(error: Exception) -> None:
    known = is_connection_error(error) or isinstance(error, FreiplatzError)
    (log.warning if known else log.error)(
        "a municipality could not be deleted yet", error=type(error).__name__
    )
