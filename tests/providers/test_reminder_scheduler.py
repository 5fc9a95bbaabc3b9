"""Which homes are reminded, who is told, and when it stops."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from providers.reminder_plan import plan_batch, select_reminders
from providers.reporting_policy import ReportingPolicy, select_policies
from tests.providers.reminder_town import ALWAYS, Town
from vacancies.commands import Confirm, Describe, Undo
from vacancies.models import HomeStatus, Point, Profile, Standing
from vacancies.rulings import Rate


async def test_a_silent_home_is_reminded_once(town: Town) -> None:
    await town.add_home("a")
    await town.add_home("fresh", silent_hours=1)
    await town.add_home("nobody")
    await town.add_person("anna@a.example", "a")
    await town.add_person("fred@fresh.example", "fresh")
    done = await town.scheduler.run_round()
    assert (done.planned, done.sent, done.failed) == (1, 1, 0)
    assert town.recipients() == ["anna@a.example"]
    assert "https://town.example/report/link/" in town.mails()[0].as_string()
    done = await town.scheduler.run_round()
    assert (done.planned, done.sent) == (0, 0)


async def test_it_is_planned_for_later_in_good_time(town: Town) -> None:
    """Half a day after the report: planned, but not due.

    Half a day to the second, here and below: where the usual hour lies between that and now, as
    it does once a day, the reminder goes out at once.
    """
    await town.add_home("a", silent_hours=12)
    await town.add_person("anna@a.example", "a")
    await town.set_policy(ReportingPolicy(fresh_hours=24 * 7, ageing_hours=24 * 14), prefix="09")
    done = await town.scheduler.run_round()
    (planned,) = await select_reminders(town.pool)
    assert done.planned == 1
    said_at = planned.since
    assert said_at + timedelta(hours=12) <= planned.due_at <= said_at + timedelta(hours=24)


async def test_a_home_that_never_reported_is_reminded_from_its_first_person_on(
    town: Town,
) -> None:
    await town.add_home("a", silent_hours=None)
    await town.add_person("anna@a.example", "a")
    assert (await town.scheduler.run_round()).planned == 1
    assert town.recipients() == []
    await town.let_pass(25)
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example"]
    await town.report("a")
    await town.scheduler.run_round()
    assert await town.steps() == [("a", "admins", "reported")]


async def test_who_gets_it(town: Town) -> None:
    """Own staff that wants it; where there is none, the admins of the provider."""
    await town.add_home("staffed")
    await town.add_home("bare")
    await town.add_person("anna@a.example", "staffed")
    await town.add_person("otto@a.example", "staffed", wants=False)
    await town.add_person("boss@caritas.example", None)
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example", "boss@caritas.example"]


async def test_it_stops_when_reported(town: Town) -> None:
    for home_id in ("reports", "confirms", "closes"):
        await town.add_home(home_id, silent_hours=12)
        await town.add_person(f"{home_id}@a.example", home_id)
    assert (await town.scheduler.run_round()).planned == 3
    await town.report("reports")
    await town.submit(Confirm(home_id="confirms"))
    await town.submit(
        Describe(
            home_id="closes",
            provider_id=await town.provider_id(),
            provider="caritas",
            profile=Profile(name="x", point=Point(51, 8), status=HomeStatus.CLOSED),
        )
    )
    await town.pool.execute("UPDATE reminder SET due_at = now()")
    assert (await town.scheduler.run_round()).sent == 0
    assert [(home, outcome) for home, _, outcome in await town.steps()] == [
        ("closes", "closed"),
        ("confirms", "reported"),
        ("reports", "reported"),
    ]


async def test_an_undone_report_lets_it_go_on(town: Town) -> None:
    await town.add_home("a")
    await town.add_person("anna@a.example", "a")
    await town.scheduler.run_round()
    said_at = await town.pool.fetchval("SELECT observed_at FROM home_state")
    await town.report("a")
    await town.scheduler.run_round()
    assert await town.steps() == [("a", "admins", "reported")]
    await town.submit(Undo(home_id="a", vacancies=(), said_at=said_at))
    await town.scheduler.run_round()
    assert await town.steps() == [("a", "admins", None)]
    assert town.recipients() == ["anna@a.example"], "once, also in an episode that went on"


async def test_escalation_to_admins_and_municipality(town: Town) -> None:
    await town.set_policy(
        ReportingPolicy(
            from_minute=0,
            until_minute=1440,
            weekdays=ALWAYS.weekdays,
            municipality_email="pflege@stadt.example",
            admins_after_hours=24,
            municipality_after_hours=48,
        ),
        prefix="0575",
    )
    await town.add_home("a", municipality="05754008")
    await town.add_person("anna@a.example", "a")
    await town.add_person("boss@caritas.example", None)
    await town.add_person("quiet@caritas.example", None, wants=False)
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example"]
    await town.let_pass(23)
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example"]
    await town.let_pass(1.1)
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example", "boss@caritas.example"]
    await town.let_pass(24.1)
    await town.scheduler.run_round()
    assert await town.steps() == [("a", "municipality", "unanswered")]
    assert town.recipients() == [
        "anna@a.example",
        "boss@caritas.example",
        "pflege@stadt.example",
    ]
    letter = next(mail for mail in town.mails() if mail["To"] == "pflege@stadt.example")
    assert "https://town.example/homes/a" in letter.get_content()
    assert "/report/link/" not in letter.get_content()
    await town.scheduler.run_round()
    assert len(town.mails()) == 3, "then there is nobody left, until it reports"


async def test_not_at_night_also_if_it_was_planned_otherwise(town: Town) -> None:
    """The scheduler stood still until the time of day was over."""
    await town.add_home("a", silent_hours=12)
    await town.add_person("anna@a.example", "a")
    await town.scheduler.run_round()
    other_days = tuple(set(ALWAYS.weekdays) - _today())
    # Reminders that are begun keep their row, whatever the policy.
    await town.pool.execute("UPDATE reminder SET due_at = now(), failures = 1")
    policy = ReportingPolicy(weekdays=other_days)
    await town.set_policy(policy)
    await town.scheduler.run_round()
    assert town.mails() == []
    (left,) = await select_reminders(town.pool)
    assert policy.permits(left.due_at)
    assert left.due_at > datetime.now(UTC)


def _today() -> set[int]:
    """Also if midnight in the region, which is ahead of UTC, passes while the test runs."""
    now = datetime.now(UTC)
    return {now.isoweekday(), (now + timedelta(hours=3)).isoweekday()}


async def test_a_new_policy_plans_anew_what_was_not_begun(town: Town) -> None:
    await town.add_home("a", silent_hours=12, municipality="05754008")
    await town.add_person("anna@a.example", "a")
    await town.scheduler.run_round()
    (before,) = await select_reminders(town.pool)
    await town.set_policy(ReportingPolicy(fresh_hours=24 * 7, ageing_hours=24 * 14), prefix="05")
    await town.scheduler.run_round()
    (after,) = await select_reminders(town.pool)
    assert after.due_at >= before.due_at + timedelta(days=2)


async def test_what_is_long_past_is_forgotten_and_begins_anew(town: Town) -> None:
    await town.add_home("a")
    await town.add_person("anna@a.example", "a")
    await town.scheduler.run_round()
    await town.pool.execute(
        "UPDATE reminder SET outcome = 'unanswered', closed_at = now() - interval '29 days'"
    )
    assert (await town.scheduler.run_round()).planned == 0
    await town.pool.execute("UPDATE reminder SET closed_at = now() - interval '31 days'")
    done = await town.scheduler.run_round()
    assert (done.planned, done.sent) == (1, 1)


async def test_a_home_that_will_not_report_is_not_reminded(town: Town) -> None:
    await town.add_home("a")
    await town.add_home("planned")
    await town.add_person("anna@a.example", "a")
    await town.add_person("paul@planned.example", "planned")
    await town.submit(Rate(home_id="a", standing=Standing.DECLINED))
    async with town.pool.acquire() as connection:
        policies = await select_policies(connection)
        assert await plan_batch(connection, policies, 10) == 1
    # What is planned already ends with the decision.
    await town.submit(Rate(home_id="planned", standing=Standing.DECLINED))
    assert (await town.scheduler.run_round()).sent == 0
    assert await town.steps() == [("planned", "staff", "closed")]
    await town.submit(Rate(home_id="a", standing=Standing.NORMAL))
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example"]
