"""Plans and sends reminders, in every web process and by command: whoever comes first.

The plan in Postgres makes that each is planned and sent once. A process claims a few rows, sends
their mails and settles them; if it dies in between, its claim runs out and another process does
them again, with mails of the same names (see `ReminderPost`).
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
import structlog
from msgspec.structs import replace

from providers.reminder_plan import (
    Outcome,
    Reminder,
    claim_due,
    close_answered,
    count_due,
    plan_batch,
    record_settled,
)
from providers.reminder_post import Delivery, ReminderPost
from providers.reminders import next_step, retry_at
from providers.reporting_policy import Policies, ReportingPolicy, select_policies
from providers.staff import Membership, select_members_of
from vacancies.database import Pool, borrowed, is_connection_error
from vacancies.homes import select_homes
from vacancies.models import AWAITED, CareHome, HomeStatus
from vacancies.tasks import stop_tasks

log = structlog.get_logger()

ROUND_SECONDS = 30.0
PLAN_HOMES = 1_000
CLAIM_ROWS = 20  # as many are in doubt if a process is killed
LEASE = timedelta(seconds=60)
# When the lease is nearly over, what is not sent yet counts as failed.
SETTLE_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.5


class Round(msgspec.Struct, kw_only=True):
    """What one round did. `is_stuck`: the mail server took nothing, and rows are left."""

    planned: int = 0
    sent: int = 0
    failed: int = 0
    is_stuck: bool = False


class Scheduler:
    def __init__(self, pool: Pool, post: ReminderPost) -> None:
        self._pool = pool
        self._post = post

    async def run_round(self) -> Round:
        """Plan what is not planned, send what is due and nobody else works on."""
        done = Round()
        async with borrowed(self._pool) as connection:
            await close_answered(connection)
            policies = await select_policies(connection)
            while planned := await plan_batch(connection, policies, PLAN_HOMES):
                done.planned += planned
        while await self._send_batch(policies, done):
            pass
        return done

    async def run_until_done(self) -> Round:
        """Rounds until nothing is due: also what a process that died has claimed, as soon as
        that claim runs out."""
        total = Round()
        while True:
            done = await self.run_round()
            total.planned += done.planned
            total.sent += done.sent
            total.failed += done.failed
            left = await count_due(self._pool)
            if done.is_stuck or not left:
                total.is_stuck = left > 0
                return total
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _send_batch(self, policies: Policies, done: Round) -> bool:
        """Whether there may be more."""
        claim = uuid4()
        async with borrowed(self._pool) as connection:
            due = await claim_due(connection, claim, CLAIM_ROWS, LEASE)
            if not due:
                return False
            now: datetime = await connection.fetchval("SELECT now()")
            home_ids = [reminder.home_id for reminder in due]
            homes = {home.id: home for home in await select_homes(connection, home_ids)}
            members = await select_members_of(connection, home_ids)
        work = [_Work(reminder, homes[reminder.home_id], policies, now) for reminder in due]
        await self._deliver_all([each for each in work if each.wants_mail], members)
        async with borrowed(self._pool) as connection:
            await record_settled(connection, claim, [each.settled() for each in work])
        sent = sum(each.delivery.sent for each in work)
        failed = sum(each.delivery.failed for each in work)
        done.sent += sent
        done.failed += failed + sum(each.delivery.refused for each in work)
        done.is_stuck = failed > 0 and sent == 0
        return not done.is_stuck

    async def _deliver_all(
        self, work: Sequence[_Work], members: Mapping[str, Sequence[Membership]]
    ) -> None:
        """Until the lease is nearly over: what is not sent by then has failed."""
        tasks = {
            asyncio.create_task(
                self._post.deliver(
                    each.reminder,
                    each.home,
                    members[each.home.id],
                    each.policy.municipality_email,
                    each.now,
                    each.delivery,
                )
            ): each
            for each in work
        }
        if not tasks:
            return
        try:
            _, late = await asyncio.wait(tasks, timeout=LEASE.total_seconds() - SETTLE_SECONDS)
        finally:
            await stop_tasks(tasks)
        for task in late:
            tasks[task].delivery.failed += 1
        for task in tasks.keys() - late:
            # One that cannot be written must not hold up the others, again and again.
            if (error := task.exception()) is not None:
                each = tasks[task]
                each.delivery.failed += 1
                log.error(
                    "a reminder could not be written",
                    home=each.home.id,
                    error=type(error).__name__,
                    where="".join(traceback.format_tb(error.__traceback__)[-5:]),
                )


class _Work:
    """One claimed row, and what becomes of it."""

    def __init__(
        self, reminder: Reminder, home: CareHome, policies: Policies, now: datetime
    ) -> None:
        self.reminder = reminder
        self.home = home
        self.now = now
        self.policy = policies.of(home.profile.municipality)
        self.delivery = Delivery(told=reminder.told)
        self.outcome = _outcome(reminder, home)
        self.wants_mail = self.outcome is None and self.policy.permits(now)

    def settled(self) -> Reminder:
        """The row after its mails were handed over, or were not."""
        if self.outcome is not None:
            return replace(self.reminder, outcome=self.outcome)
        if not self.wants_mail:
            return replace(self.reminder, due_at=self.policy.next_permitted(self.now))
        if self.delivery.failed:
            failures = self.reminder.failures + 1
            due_at = retry_at(failures, self.now, self.policy)
            if due_at is not None:
                told = self.delivery.told
                return replace(self.reminder, told=told, failures=failures, due_at=due_at)
        return _advance(self.reminder, self.policy, self.now)


def _outcome(reminder: Reminder, home: CareHome) -> Outcome | None:
    """How the episode has ended by itself, if it has."""
    if home.profile.status is not HomeStatus.OPEN or home.standing not in AWAITED:
        return "closed"
    said_at = home.last_said_at
    return "reported" if said_at is not None and said_at != reminder.since else None


def _advance(reminder: Reminder, policy: ReportingPolicy, now: datetime) -> Reminder:
    """The next step, also after one that reached nobody."""
    reminded_at = reminder.reminded_at or now
    following = next_step(reminder.step, reminded_at, policy)
    if following is None:
        return replace(reminder, reminded_at=reminded_at, outcome="unanswered")
    return replace(
        reminder,
        step=following.step,
        due_at=following.due_at,
        told=(),
        failures=0,
        reminded_at=reminded_at,
    )


async def send_now(pool: Pool, post: ReminderPost, home: CareHome) -> int:
    """Remind the people of a home whatever the plan says, and leave the plan alone; returns how
    many mails and SMS were handed over."""
    now = await pool.fetchval("SELECT now()")
    reminder = Reminder(id=uuid4(), home_id=home.id, since=now, step="staff", due_at=now)
    members = await select_members_of(pool, [home.id])
    delivery = Delivery(told=())
    await post.deliver(reminder, home, members[home.id], None, now, delivery)
    return delivery.sent


async def remind_for_ever(scheduler: Scheduler, *, seconds: float = ROUND_SECONDS) -> None:
    """A round every `seconds`."""
    while True:
        try:
            done = await scheduler.run_round()
            if done.sent or done.failed:
                log.info("reminders were sent", sent=done.sent, failed=done.failed)
        except Exception as error:
            if is_connection_error(error):
                log.warning("reminding failed", error=type(error).__name__)
            else:
                log.exception("reminding failed")
        await asyncio.sleep(seconds)
