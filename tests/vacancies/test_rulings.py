"""What a municipality decides about a home, and what the public then sees of it."""

from __future__ import annotations

from msgspec.structs import replace

from vacancies.actors import Actor
from vacancies.command import Command
from vacancies.commands import Amend, Confirm, Describe, Report
from vacancies.database import Pool
from vacancies.errors import ForeignHome, HomeClosed, UnknownHome
from vacancies.feed import Announcement
from vacancies.homes import select_homes
from vacancies.listings import public_listing
from vacancies.models import (
    Assignment,
    CareForm,
    CareHome,
    Freshness,
    HomeStatus,
    Listing,
    Point,
    Profile,
    Standing,
    Vacancy,
)
from vacancies.provider import ensure_provider
from vacancies.rulings import Close, Rate, Reopen
from vacancies.writer import Writer

DESK = Actor(municipality="05754008", via="desk")
STRANGER = Actor(municipality="05754012", via="desk")
LINES = (Vacancy(care_form=CareForm.SHORT_TERM, count=2),)


async def submit(writer: Writer, command: Command) -> CareHome:
    (outcome,) = (await writer.submit([command])).outcomes
    if outcome.error is not None:
        raise outcome.error
    assert outcome.home is not None
    return outcome.home


async def refusal(writer: Writer, command: Command) -> type[object]:
    (outcome,) = (await writer.submit([command])).outcomes
    return type(outcome.error)


async def a_home(pool: Pool, writer: Writer, home_id: str = "home") -> Actor:
    """One that has reported; who reports for it."""
    provider = await ensure_provider(pool, "Caritas")
    actor = Actor(provider_id=provider.id, via="api")
    profile = Profile(name="Haus", point=Point(51.9, 8.4), municipality="05754008")
    command = Describe(
        home_id=home_id,
        provider_id=provider.id,
        provider=provider.slug,
        profile=profile,
        actor=actor,
    )
    await submit(writer, command)
    await submit(writer, Report(home_id=home_id, vacancies=LINES, actor=actor))
    return actor


def last_listing(announced: list[Announcement]) -> Listing:
    listings = announced[-1].listings
    assert listings is not None
    return listings[-1]


async def test_a_frozen_home_is_as_if_it_had_never_reported(
    pool: Pool, writer: Writer, announced: list[Announcement]
) -> None:
    provider = await a_home(pool, writer)
    before = await submit(writer, Confirm(home_id="home", actor=provider))
    after = await submit(writer, Rate(home_id="home", standing=Standing.FROZEN, actor=DESK))
    assert after.revision == before.revision + 1
    hidden = last_listing(announced)
    assert hidden == public_listing(after)
    assert (hidden.freshness, hidden.standing) == (Freshness.UNKNOWN, Standing.FROZEN)
    assert not hidden.free
    assert not hidden.vacancies
    assert (hidden.observed_at, hidden.confirmed_at, hidden.valid_until) == (None, None, None)
    # What it reports meanwhile is kept, and shown once it may be.
    more = (Vacancy(care_form=CareForm.SHORT_TERM, count=3),)
    await submit(writer, Report(home_id="home", vacancies=more, actor=provider))
    assert not last_listing(announced).free
    await submit(writer, Rate(home_id="home", standing=Standing.NORMAL, actor=DESK))
    assert last_listing(announced).free == {CareForm.SHORT_TERM: 3}
    (stored,) = await select_homes(pool, ["home"])
    assert public_listing(stored) == last_listing(announced)


async def test_a_home_that_declined_takes_part_as_soon_as_it_reports(
    pool: Pool, writer: Writer
) -> None:
    provider = await a_home(pool, writer)
    await submit(writer, Rate(home_id="home", standing=Standing.DECLINED, actor=DESK))
    # After a call, on its behalf: that is no promise to report. But the number counts.
    home = await submit(writer, Report(home_id="home", vacancies=LINES, actor=DESK))
    assert home.standing is Standing.DECLINED
    assert public_listing(home).free == {CareForm.SHORT_TERM: 2}
    home = await submit(writer, Confirm(home_id="home", actor=provider))
    assert home.standing is Standing.NORMAL


async def test_what_the_provider_sends_of_its_home_does_not_unfreeze_it(
    pool: Pool, writer: Writer
) -> None:
    provider = await a_home(pool, writer)
    frozen = await submit(writer, Rate(home_id="home", standing=Standing.FROZEN, actor=DESK))
    command = Describe(
        home_id="home",
        provider_id=frozen.provider_id,
        provider=frozen.provider,
        profile=Profile(name="Other name", point=Point(51.9, 8.4)),
        actor=provider,
    )
    assert (await submit(writer, command)).standing is Standing.FROZEN


async def test_a_home_is_closed_and_opened_again(
    pool: Pool, writer: Writer, announced: list[Announcement]
) -> None:
    await a_home(pool, writer)
    closed = await submit(writer, Close(home_id="home", actor=DESK))
    assert (closed.profile.status, closed.closed_at) == (HomeStatus.CLOSED, closed.evaluated_at)
    assert last_listing(announced).closed_at is not None
    for command in (
        Close(home_id="home", actor=DESK),
        Rate(home_id="home", standing=Standing.FROZEN, actor=DESK),
        Report(home_id="home", vacancies=LINES, actor=DESK),
    ):
        assert await refusal(writer, command) is HomeClosed
    home = await submit(writer, Reopen(home_id="home", actor=DESK))
    assert (home.profile.status, home.closed_at) == (HomeStatus.OPEN, None)
    assert last_listing(announced).free == {CareForm.SHORT_TERM: 2}


async def test_a_merged_home_names_the_other_one(pool: Pool, writer: Writer) -> None:
    provider = await a_home(pool, writer)
    await a_home(pool, writer, "other")
    merged = await submit(writer, Close(home_id="home", merged_into="other", actor=DESK))
    assert (merged.profile.status, merged.profile.merged_into) == (HomeStatus.MERGED, "other")
    (outcome,) = (await writer.submit([Report(home_id="home", vacancies=LINES)])).outcomes
    assert isinstance(outcome.error, HomeClosed)
    assert outcome.error.merged_into == "other"
    nightly = Describe(
        home_id="home",
        provider_id=merged.provider_id,
        provider=merged.provider,
        profile=Profile(name="Haus", point=Point(51.9, 8.4), municipality="05754008"),
        actor=provider,
    )
    assert await refusal(writer, nightly) is HomeClosed, "else its next list would undo that"
    home = await submit(writer, Reopen(home_id="home", actor=DESK))
    assert home.profile.merged_into is None


async def test_nobody_rules_over_homes_of_others(pool: Pool, writer: Writer) -> None:
    await a_home(pool, writer)
    for command in (
        Rate(home_id="home", standing=Standing.FROZEN, actor=STRANGER),
        Close(home_id="home", actor=STRANGER),
        Reopen(home_id="home", actor=STRANGER),
    ):
        assert await refusal(writer, command) is ForeignHome
    assert await refusal(writer, Close(home_id="nowhere", actor=DESK)) is UnknownHome


async def test_a_home_that_is_put_elsewhere_is_assigned_anew(pool: Pool, writer: Writer) -> None:
    await a_home(pool, writer)
    (home,) = await select_homes(pool, ["home"])
    home = replace(home, assignment=Assignment(by="position", boundaries=3))

    def amended(**changes: object) -> Assignment:
        command = Amend(home_id="home", changes=changes, actor=DESK)
        return command.decide(home, home.evaluated_at).assignment

    assert amended(point=Point(51.95, 8.4)) == Assignment(by="position", boundaries=0)
    assert amended(name="Other name") is home.assignment
