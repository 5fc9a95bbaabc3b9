"""What can change a home: each command decides, from the locked row, what the row becomes.

Pure: no I/O, no clock. The writer (`writer.py`) locks, calls `decide`, stamps revisions
and commits; a command that raises a `FreiplatzError` changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from vacancies.actors import OPERATOR, OTHER_HOME, Actor, check_desk, check_owner
from vacancies.command import Kind
from vacancies.errors import (
    ChangedSince,
    ExceedsCapacity,
    ForeignHome,
    HomeClosed,
    NothingToConfirm,
    ObservedInFuture,
    OutdatedReport,
    UnknownHome,
)
from vacancies.models import (
    Assignment,
    CareForm,
    CareHome,
    HomeStatus,
    Profile,
    Standing,
    Vacancy,
)

# Clocks of care software are often a little fast; more than this is a mistake.
FUTURE_TOLERANCE = timedelta(minutes=5)

# `If-Match: *`: whatever the state, but there must be one.
ANY_STATE = frozenset({-1})


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Replace all vacancies of a home."""

    home_id: str
    vacancies: tuple[Vacancy, ...]
    observed_at: datetime | None = None
    if_match: frozenset[int] | None = None
    actor: Actor = OPERATOR

    @property
    def kind(self) -> Kind:
        return "report"

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        """Raises, in this order: `UnknownHome`, `ForeignHome`, `HomeClosed`, `ChangedSince`,
        `ObservedInFuture`, `OutdatedReport`, `ExceedsCapacity`."""
        home = _writable(home, self.home_id, self.actor, self.if_match)
        check_capacity(self.vacancies, home.profile.capacity)
        return replace(
            home,
            vacancies=self.vacancies,
            observed_at=self._observed_at(home, at),
            reported_at=at,
            # "Still so" was said of the report before: it must not make this one younger.
            confirmed_at=None,
            standing=_standing_after(home, self.actor),
        )

    def _observed_at(self, home: CareHome, at: datetime) -> datetime:
        stored = home.observed_at
        observed_at = not_ahead(self.observed_at, at)
        if self.observed_at is None:
            return max(at, stored) if stored else at
        # A report of the same moment is taken: a retry, or a correction within it.
        if stored is not None and self.observed_at < stored:
            raise OutdatedReport(
                f"A newer report, observed at {stored.isoformat()}, is stored already."
                " Send the present state, or leave observed_at out.",
                field="observed_at",
            )
        return max(observed_at, stored) if stored else observed_at


class Confirm(msgspec.Struct, frozen=True, kw_only=True):
    """Still so: renew the freshness of the last report. `observed_at` is when that was said, if
    it comes late (from a telephone without network)."""

    home_id: str
    observed_at: datetime | None = None
    if_match: frozenset[int] | None = None
    actor: Actor = OPERATOR

    @property
    def kind(self) -> Kind:
        return "confirmation"

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home = _writable(home, self.home_id, self.actor, self.if_match)
        if home.observed_at is None:
            raise NothingToConfirm("This home has never reported. Send its vacancies first.")
        said_at = not_ahead(self.observed_at, at)
        return replace(
            home,
            confirmed_at=max(said_at, home.last_said_at or said_at),
            standing=_standing_after(home, self.actor),
        )


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """Take the last report back: the home has said `vacancies` at `said_at` again, or nothing
    (None). It may become older by that: so it was."""

    home_id: str
    vacancies: tuple[Vacancy, ...]
    said_at: datetime | None
    if_match: frozenset[int] | None = None
    actor: Actor = OPERATOR

    @property
    def kind(self) -> Kind:
        return "undo"

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home = _writable(home, self.home_id, self.actor, self.if_match)
        check_capacity(self.vacancies, home.profile.capacity)
        return replace(
            home,
            vacancies=self.vacancies,
            observed_at=self.said_at,
            reported_at=at,
            confirmed_at=None,
        )


class Describe(msgspec.Struct, frozen=True, kw_only=True):
    """Create a home or replace its profile. `provider` is the slug of `provider_id`, `standing`
    what a home is that is new."""

    home_id: str
    provider_id: int
    provider: str
    profile: Profile
    identity: str | None = None
    if_match: frozenset[int] | None = None
    only_new: bool = False
    standing: Standing = Standing.NORMAL
    actor: Actor = OPERATOR

    @property
    def kind(self) -> None:
        return None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        if home is None:
            if self.actor.home_id not in (None, self.home_id):
                raise ForeignHome(OTHER_HOME)
            if self.actor.municipality is not None:
                check_desk(self.profile.municipality or "", self.actor)
            if self.if_match is not None:
                raise ChangedSince("There is no home with this id yet.", field="If-Match")
            return CareHome(
                id=self.home_id,
                provider_id=self.provider_id,
                provider=self.provider,
                profile=self.profile,
                identity=self.identity,
                assignment=Assignment(stated=self.profile.municipality),
                standing=self.standing,
                evaluated_at=at,
                closed_at=None if self.profile.status is HomeStatus.OPEN else at,
            )
        check_owner(home, self.actor)
        _check_match(home, self.if_match)
        if self.only_new:
            raise ChangedSince("There is a home with this id already.", field="If-None-Match")
        # A nightly list of the provider's must not undo what a desk has found out.
        if home.profile.status is HomeStatus.MERGED and self.actor.provider_id is not None:
            raise HomeClosed(
                "The municipality has found that this home and another one are the same. Describe"
                " that one, and report for it.",
                merged_into=home.profile.merged_into,
            )
        check_capacity(home.vacancies, self.profile.capacity)
        identity = self.identity or home.identity
        profile, assignment = _still_assigned(home, self.profile)
        if (home.profile, home.identity, home.assignment) == (profile, identity, assignment):
            return home
        is_open = profile.status is HomeStatus.OPEN
        return replace(
            home,
            profile=profile,
            identity=identity,
            assignment=assignment,
            closed_at=None if is_open else home.closed_at or at,
        )


class Amend(msgspec.Struct, frozen=True, kw_only=True):
    """Change some members of the profile, and leave the others as they are."""

    home_id: str
    changes: dict[str, Any]  # members of `Profile`, and their new values
    if_match: frozenset[int] | None = None
    actor: Actor = OPERATOR

    @property
    def kind(self) -> Kind:
        return "amendment"

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home = _writable(home, self.home_id, self.actor, self.if_match)
        profile = replace(home.profile, **self.changes)
        check_capacity(home.vacancies, profile.capacity)
        if profile == home.profile:
            return home
        assignment = home.assignment
        if profile.point != home.profile.point:  # to be looked at by the sweeper
            assignment = Assignment(stated=assignment.stated, by=assignment.by)
        return replace(home, profile=profile, assignment=assignment)


def _standing_after(home: CareHome, actor: Actor) -> Standing:
    """Who reports takes part again; a desk that reports on behalf of a home, or another portal,
    does not say so."""
    is_itself = actor.municipality is None and actor.portal is None
    if home.standing is Standing.DECLINED and is_itself:
        return Standing.NORMAL
    return home.standing


def _still_assigned(home: CareHome, profile: Profile) -> tuple[Profile, Assignment]:
    """The new `profile` with the municipality that the home has, and how it came to it. A provider
    does not move its homes to another municipality by saying so: what it states, and where the
    home lies now, is looked at by the sweeper (`assignment.py`)."""
    before, stated = home.assignment, profile.municipality
    if (home.profile.point, before.stated) == (profile.point, stated):
        return replace(profile, municipality=home.profile.municipality), before
    is_free = before.by is None and before.boundaries == 0  # nobody has looked yet
    held = stated if is_free else home.profile.municipality
    return replace(profile, municipality=held), Assignment(stated=stated, by=before.by)


def not_ahead(observed_at: datetime | None, at: datetime) -> datetime:
    """`observed_at`, or now; a clock that is a little fast is taken as now."""
    if observed_at is None:
        return at
    if observed_at > at + FUTURE_TOLERANCE:
        raise ObservedInFuture(
            "observed_at lies more than 5 minutes ahead of our clock."
            " Check the clock and the time zone of the sender, or leave it out.",
            field="observed_at",
        )
    return min(observed_at, at)


def _writable(
    home: CareHome | None, home_id: str, actor: Actor, if_match: frozenset[int] | None
) -> CareHome:
    if home is None:
        raise UnknownHome(f"There is no home {home_id}. Check the id, or create it with PUT.")
    check_owner(home, actor)
    if home.profile.status is not HomeStatus.OPEN:
        raise HomeClosed(
            "This home is closed and takes no reports. Open it first, or report for its successor.",
            merged_into=home.profile.merged_into,
        )
    _check_match(home, if_match)
    return home


def _check_match(home: CareHome, if_match: frozenset[int] | None) -> None:
    if if_match not in (None, ANY_STATE) and home.revision not in if_match:
        raise ChangedSince(
            "The home has changed since you read it. Read it again, then decide anew.",
            field="If-Match",
        )


def check_capacity(lines: Sequence[Vacancy], capacity: dict[CareForm, int]) -> None:
    """Raise `ExceedsCapacity` if more places are free than are licensed."""
    counts: dict[CareForm, int] = {}
    for line in lines:
        counts[line.care_form] = counts.get(line.care_form, 0) + line.count
    for form, free in counts.items():
        licensed = capacity.get(form, 0)
        if 0 < licensed < free:
            raise ExceedsCapacity(
                f"{free} free places in {form.value} are more than the {licensed} licensed."
                " Correct the count, or the capacity of the home.",
                field="vacancies" if len(lines) else "capacity",
            )
