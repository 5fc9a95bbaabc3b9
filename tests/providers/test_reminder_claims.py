"""Each reminder once, with several schedulers and whoever of them dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from uuid import uuid4

from providers.post import FileSender, MailSender
from providers.reminder_plan import claim_due, plan_batch, record_settled
from providers.reminder_scheduler import CLAIM_ROWS, LEASE, Round
from providers.reporting_policy import Policies
from tests.providers.reminder_town import ALWAYS, Town
from tests.waiting import until
from vacancies.commands import Confirm


class Meanwhile:
    """While the first mail goes out, something else happens."""

    def __init__(self, sender: MailSender, happens: Callable[[], Awaitable[None]]) -> None:
        self._sender = sender
        self._happens: Callable[[], Awaitable[None]] | None = happens

    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens()
        await self._sender.send(message, name=name)


async def test_a_report_in_the_middle_of_a_round_is_seen(town: Town) -> None:
    """The home is due, but its turn comes later."""
    for number in range(CLAIM_ROWS):
        await town.add_home(f"h{number}")
        await town.add_person(f"p{number}@a.example", f"h{number}")
    await town.add_home("later", silent_hours=29)
    await town.add_person("later@a.example", "later")
    meanwhile = Meanwhile(FileSender(town.folder), lambda: town.submit(Confirm(home_id="later")))
    done = await town.scheduler_with(meanwhile).run_round()
    assert (done.planned, done.sent) == (CLAIM_ROWS + 1, CLAIM_ROWS)
    assert "later@a.example" not in town.recipients()
    assert ("later", "staff", "reported") in await town.steps()


async def test_two_schedulers_send_each_once(town: Town) -> None:
    """The second runs while the first has its first rows in hand."""
    for number in range(3 * CLAIM_ROWS):
        await town.add_home(f"h{number}")
        await town.add_person(f"p{number}@a.example", f"h{number}")
    rounds: list[Round] = []

    async def run_other() -> None:
        rounds.append(await town.scheduler_with(FileSender(town.folder)).run_round())

    first = town.scheduler_with(Meanwhile(FileSender(town.folder), run_other))
    rounds.append(await first.run_round())
    assert [done.planned for done in rounds] == [0, 3 * CLAIM_ROWS]
    assert [done.sent for done in rounds] == [2 * CLAIM_ROWS, CLAIM_ROWS]
    assert town.recipients() == sorted(f"p{number}@a.example" for number in range(3 * CLAIM_ROWS))


async def test_two_schedulers_at_once_plan_and_send_each_once(town: Town) -> None:
    for number in range(3 * CLAIM_ROWS):
        await town.add_home(f"h{number}")
        await town.add_person(f"p{number}@a.example", f"h{number}")
    other = town.scheduler_with(FileSender(town.folder))
    rounds = await asyncio.gather(town.scheduler.run_round(), other.run_round())
    assert sum(done.planned for done in rounds) == 3 * CLAIM_ROWS
    assert sum(done.sent for done in rounds) == 3 * CLAIM_ROWS
    assert town.recipients() == sorted(f"p{number}@a.example" for number in range(3 * CLAIM_ROWS))


class DiesMidway:
    """Hands over some, then the process is gone without a word."""

    def __init__(self, sender: MailSender, mails: int) -> None:
        self._sender = sender
        self._left = mails

    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        if self._left == 0:
            await asyncio.Event().wait()
        self._left -= 1
        await self._sender.send(message, name=name)


async def test_what_a_dead_scheduler_has_written_is_not_written_again(town: Town) -> None:
    for number in range(30):
        await town.add_home(f"h{number}")
        await town.add_person(f"p{number}@a.example", f"h{number}")
    dying = town.scheduler_with(DiesMidway(FileSender(town.folder), 7))
    task = asyncio.create_task(dying.run_round())
    await until(lambda: len(list(town.folder.glob("*.eml"))) == 7)
    task.cancel()
    await asyncio.wait([task])
    written = {path.name: path.stat().st_ino for path in town.folder.glob("*.eml")}
    await town.scheduler.run_round()
    assert len(town.mails()) < 30, "its claims hold for a while"
    await town.pool.execute("UPDATE reminder SET claimed_until = now()")
    await town.scheduler.run_until_done()
    assert town.recipients() == sorted(f"p{number}@a.example" for number in range(30))
    inodes = {path.name: path.stat().st_ino for path in town.folder.glob("*.eml")}
    assert written.items() <= inodes.items(), "the first ones are still the same files"
    assert not list(town.folder.glob(".*"))


async def test_who_has_lost_a_claim_cannot_settle_it(town: Town) -> None:
    await town.add_home("a")
    await town.add_person("anna@a.example", "a")
    async with town.pool.acquire() as connection:
        assert await plan_batch(connection, Policies({"": ALWAYS}), 10) == 1
        slow, quick = uuid4(), uuid4()
        held = await claim_due(connection, slow, 10, LEASE)
        assert await claim_due(connection, quick, 10, LEASE) == []
        await connection.execute("UPDATE reminder SET claimed_until = now() - interval '1 s'")
        taken = await claim_due(connection, quick, 10, LEASE)
        assert [row.id for row in taken] == [row.id for row in held]
        assert await record_settled(connection, slow, held) == 0
        assert await record_settled(connection, quick, taken) == 1
