"""What happens inside one transaction of the writer: claim, lock, decide, stamp, write."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from vacancies import idempotency, reports
from vacancies.commands import Command, Outcome
from vacancies.database import Connection
from vacancies.errors import FreiplatzError
from vacancies.feed import Announcement
from vacancies.homes import advance_head, lock_homes, update_reports, upsert_homes
from vacancies.idempotency import Remembered
from vacancies.listings import evaluate, public_listing
from vacancies.models import CareHome

UNSTAMPED = -2


@dataclass(slots=True)
class Settled:
    """The outcomes of one call, in the order of its commands; or, when the call repeats
    an `Idempotency-Key`, the bytes of the first answer."""

    outcomes: list[Outcome]
    replay: bytes | None = None


@dataclass(slots=True)
class Unit:
    """The commands of one call, which commit together."""

    commands: Sequence[Command]
    remembered: Remembered | None
    done: asyncio.Future[Settled]
    outcomes: list[Outcome] = field(default_factory=list)
    settled: Settled | FreiplatzError | None = None


class LostRace(Exception):
    """Somebody created a home after we looked; the batch is decided anew."""


async def write_batch(connection: Connection, batch: Sequence[Unit]) -> Announcement | None:
    """Everything between BEGIN and COMMIT; the outcomes stand in the units afterwards.

    Returns what is to be announced after COMMIT, None if nothing changed. Raises `LostRace`.
    """
    await _claim(connection, batch)
    units = [unit for unit in batch if unit.settled is None]
    if not units:
        return None
    ids = sorted({command.home_id for unit in units for command in unit.commands})
    stored = await lock_homes(connection, ids)
    at: datetime = await connection.fetchval("SELECT clock_timestamp()")
    accepted = _decide(units, dict(stored), at)
    news = None
    if accepted:
        first = await advance_head(connection, len(accepted))
        changed = _stamp(units, stored, first)
        await _write_homes(connection, changed, stored)
        await reports.insert_reports(connection, accepted)
        news = Announcement(
            first=first,
            last=first + len(accepted) - 1,
            listings=tuple(
                public_listing(home) for home in sorted(changed.values(), key=lambda h: h.revision)
            ),
        )
    await _remember(connection, units)
    return news


async def _claim(connection: Connection, batch: Sequence[Unit]) -> None:
    """Settle the units that repeat a call, or that another process works on."""
    for unit in batch:
        unit.outcomes, unit.settled = [], None
    calls = [(unit, unit.remembered) for unit in batch if unit.remembered is not None]
    if not calls:
        return
    verdicts = await idempotency.claim_calls(connection, [call for _, call in calls])
    for (unit, _), verdict in zip(calls, verdicts, strict=True):
        unit.settled = Settled([], replay=verdict) if isinstance(verdict, bytes) else verdict


async def _remember(connection: Connection, units: Sequence[Unit]) -> None:
    answers = [
        (unit.remembered, answer)
        for unit in units
        if unit.remembered is not None
        and (answer := unit.remembered.render(unit.outcomes)) is not None
    ]
    if answers:
        await idempotency.insert_answers(connection, answers)


def _decide(
    units: Sequence[Unit], homes: dict[str, CareHome], at: datetime
) -> list[tuple[Command, Outcome]]:
    """Let each command decide on the state that those before it leave."""
    accepted = []
    for unit in units:
        for command in unit.commands:
            before = homes.get(command.home_id)
            try:
                after = command.decide(before, at)
            except FreiplatzError as error:
                unit.outcomes.append(Outcome(error=error))
                continue
            outcome = Outcome(home=after, changed=after is not before, created=before is None)
            unit.outcomes.append(outcome)
            if outcome.changed:
                # Never judged for an earlier moment than before, should the clock step back.
                after = evaluate(after, max(at, before.evaluated_at) if before else at)
                outcome.home = after
                # Its revision is not known yet, and that of before must match no `If-Match`
                # of a later command in this batch: that one has not seen this change.
                homes[command.home_id] = replace(after, revision=UNSTAMPED)
                accepted.append((command, outcome))
    return accepted


def _stamp(units: Sequence[Unit], stored: dict[str, CareHome], first: int) -> dict[str, CareHome]:
    """Give each accepted change its revision; returns the last state of each home."""
    changed: dict[str, CareHome] = {}
    revision = first
    for outcome in (outcome for unit in units for outcome in unit.outcomes):
        home = outcome.home
        if home is None:
            continue
        if not outcome.changed:
            outcome.home = changed.get(home.id, home)
            continue
        before = changed.get(home.id) or stored.get(home.id)
        moved_revision = revision
        if before is not None and before.profile.point == home.profile.point:
            moved_revision = before.moved_revision
        outcome.home = replace(home, revision=revision, moved_revision=moved_revision)
        changed[home.id] = outcome.home
        revision += 1
    return changed


async def _write_homes(
    connection: Connection, changed: dict[str, CareHome], stored: dict[str, CareHome]
) -> None:
    """Whole rows only where more than the report has changed: that is rare, and dear."""
    same = {home.id for home in changed.values() if _same_profile(home, stored.get(home.id))}
    reported = [home for home in changed.values() if home.id in same]
    described = [home for home in changed.values() if home.id not in same]
    if reported:
        await update_reports(connection, reported)
    if described and await upsert_homes(connection, described, stored) < len(described):
        raise LostRace


def _same_profile(home: CareHome, before: CareHome | None) -> bool:
    return (
        before is not None and before.profile is home.profile and before.identity == home.identity
    )
