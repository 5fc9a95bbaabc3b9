"""What happens inside one transaction of the writer: claim, lock, decide, stamp, write.

Most batches are reports of homes that this process has written before. They are decided on what
is known, and written by one statement that checks that this still holds. Everything else, and
what that statement finds changed, locks first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from vacancies import idempotency, tracing
from vacancies.command import Command, Outcome
from vacancies.commands import Amend
from vacancies.database import Connection
from vacancies.errors import FreiplatzError
from vacancies.feed import Announcement
from vacancies.homes import select_homes, upsert_homes
from vacancies.idempotency import Remembered
from vacancies.known import KnownHomes, Seen
from vacancies.listings import evaluate, public_listing
from vacancies.models import CareHome
from vacancies.reports import Row, Written, write_changes

UNSTAMPED = -2


@dataclass(slots=True)
class Settled:
    """The outcomes of one call, in the order of its commands; or, when the call repeats
    an `Idempotency-Key`, the bytes of the first answer."""

    outcomes: list[Outcome]
    replay: bytes | None = None


@dataclass(slots=True)
class Unit:
    """The commands of one call, which commit together; `trace` names the span of the call."""

    commands: Sequence[Command]
    remembered: Remembered | None
    done: asyncio.Future[Settled]
    outcomes: list[Outcome] = field(default_factory=list)
    settled: Settled | FreiplatzError | None = None
    trace: str = ""


@dataclass(slots=True)
class Decided:
    """What a batch comes to: its `accepted` commands, in the order of their revisions.
    `changed` holds the last state of each home that they change, once they are `written`."""

    units: list[Unit]
    seen: Seen
    accepted: list[tuple[Command, Outcome]]
    written: Written | None = None
    changed: dict[str, CareHome] = field(default_factory=dict)


class LostRace(Exception):
    """Somebody created or changed a home after we looked; the batch is decided anew."""


def decide_from_memory(batch: Sequence[Unit], known: KnownHomes) -> Decided | None:
    """Let the commands of `batch` decide on what is known, without a word to the database.

    None where that has to be asked: a home is not known, or a command is remembered, changes
    more than the report, or is refused (by what the home was: it may have changed since).
    """
    if any(unit.remembered for unit in batch):
        return None
    seen = known.recall(_ids(batch))
    if seen is None:
        return None
    for unit in batch:
        unit.outcomes = []
    decided = Decided([*batch], seen, _decide(batch, seen))
    if len(decided.accepted) < sum(len(unit.commands) for unit in batch):
        return None
    return None if _described(decided) else decided


async def decide_batch(connection: Connection, batch: Sequence[Unit], known: KnownHomes) -> Decided:
    """Lock the homes of `batch` and let its commands decide; nothing is written yet."""
    await _claim(connection, batch)
    units = [unit for unit in batch if unit.settled is None]
    seen = await known.lock(connection, _ids(units))
    return Decided(units, seen, _decide(units, seen))


async def write_decided(connection: Connection, decided: Decided) -> Announcement | None:
    """Write what was decided; the outcomes stand in the units afterwards.

    Locks the head, so COMMIT must follow at once. Returns what is to be announced after it,
    None if nothing changed. Raises `LostRace`.
    """
    news = None
    if decided.accepted:
        seen = decided.seen
        described = _described(decided)
        rows = _rows(decided.accepted)
        if seen.versions is None:
            written = await write_changes(connection, rows)
        else:
            written = await write_changes(connection, rows, versions=seen.versions, at=seen.at)
        if written is None:
            raise LostRace
        decided.written = written
        decided.changed = _stamp(decided, written.first)
        # Whole homes only where more than the report has changed: that is rare, and dear.
        whole = [home for home in decided.changed.values() if home.id in described]
        if whole and await upsert_homes(connection, whole, seen.homes) < len(whole):
            raise LostRace
        homes = sorted(decided.changed.values(), key=_revision)
        listings = tuple(map(public_listing, homes))
        last = written.first + len(decided.accepted) - 1
        news = Announcement(
            first=written.first,
            last=last,
            at=decided.seen.at,
            trace=tracing.current(),
            listings=listings,
        )
    await _remember(connection, decided.units)
    return news


async def rehearse(connection: Connection, unit: Unit) -> None:
    """Settle `unit` as if it were the only one, and change nothing: no lock, no revision, no news.
    Only the answer is remembered where the caller asked for that, so that the same call gets it
    again. Must run in a transaction.
    """
    await _claim(connection, [unit])
    if unit.settled is not None:
        return
    homes = {home.id: home for home in await select_homes(connection, _ids([unit]))}
    row = await connection.fetchrow("SELECT revision, clock_timestamp() AS at FROM revision_head")
    assert row is not None
    seen = Seen(homes, row["at"])
    decided = Decided([unit], seen, _decide([unit], seen))
    _stamp(decided, row["revision"] + 1)
    await _remember(connection, [unit])


def _ids(units: Sequence[Unit]) -> list[str]:
    return sorted({command.home_id for unit in units for command in unit.commands})


def _described(decided: Decided) -> set[str]:
    """The homes of which more has changed than the report."""
    before = decided.seen.homes
    return {
        outcome.home.id
        for _, outcome in decided.accepted
        if outcome.home and not _same_profile(outcome.home, before.get(outcome.home.id))
    }


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


def _decide(units: Sequence[Unit], seen: Seen) -> list[tuple[Command, Outcome]]:
    """Let each command decide on the state that those before it leave."""
    at, homes = seen.at, dict(seen.homes)
    is_repeated = sum(len(unit.commands) for unit in units) > len(homes)
    accepted = []
    for unit in units:
        for command in unit.commands:
            before = homes.get(command.home_id)
            try:
                after = command.decide(before, at)
            except FreiplatzError as error:
                unit.outcomes.append(Outcome(error=error))
                continue
            outcome = Outcome(
                home=after,
                changed=after is not before,
                created=before is None,
                before=before,
            )
            unit.outcomes.append(outcome)
            if outcome.changed:
                # Never judged for an earlier moment than before, should the clock step back.
                after = evaluate(after, max(at, before.evaluated_at) if before else at)
                outcome.home = after
                if is_repeated:
                    # Its revision is not known yet, and that of before must match no `If-Match`
                    # of a later command in this batch: that one has not seen this change.
                    homes[command.home_id] = replace(after, revision=UNSTAMPED)
                accepted.append((command, outcome))
    return accepted


def _rows(accepted: Sequence[tuple[Command, Outcome]]) -> list[Row]:
    """A row of every accepted command; the last one of a home is its new state."""
    rows: list[Row] = []
    seen: set[str] = set()
    for command, outcome in reversed(accepted):
        home = outcome.home
        assert home is not None
        changes = command.changes if isinstance(command, Amend) else None
        rows.append(Row(home, command.kind, command.actor, changes, home.id in seen))
        seen.add(home.id)
    rows.reverse()
    return rows


def _stamp(decided: Decided, first: int) -> dict[str, CareHome]:
    """Give each accepted change its revision; returns the last state of each home."""
    changed: dict[str, CareHome] = {}
    stored = decided.seen.homes
    revision = first
    for outcome in (outcome for unit in decided.units for outcome in unit.outcomes):
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


def _same_profile(home: CareHome, before: CareHome | None) -> bool:
    return (
        before is not None
        and before.profile is home.profile
        and before.identity == home.identity
        and before.provider_id == home.provider_id
        and before.origin is home.origin
        and before.policy is home.policy
        and before.assignment is home.assignment
        and before.standing is home.standing
    )


def _revision(home: CareHome) -> int:
    return home.revision
