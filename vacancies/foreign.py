"""Homes of neighbouring deployments: what is taken over of them, and what becomes of it here.

They go through the writer like homes of ours, so revisions, boards and viewers are one mechanism;
but by these commands alone, and these touch no home of ours. Nothing of it stands in the history of
reports: that is the neighbour's.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from vacancies.command import Unrecorded
from vacancies.commands import check_capacity, not_ahead
from vacancies.errors import ForeignHome
from vacancies.models import CareHome, Freshness, HomeStatus, Origin, Profile, Vacancy


class Adopt(Unrecorded, frozen=True, kw_only=True):
    """Take a home over as its neighbour shows it now; nothing happens if that is what we have.

    `profile` says by its status whether it is one of our homes already (`MERGED`).
    """

    provider_id: int
    provider: str
    origin: Origin
    profile: Profile
    vacancies: tuple[Vacancy, ...]
    observed_at: datetime | None
    confirmed_at: datetime | None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        """Raises `ForeignHome`, `ObservedInFuture`, `ExceedsCapacity`."""
        if home is not None and (home.origin is None or home.origin.slug != self.origin.slug):
            raise ForeignHome("This home is not the neighbour's.")
        check_capacity(self.vacancies, self.profile.capacity)
        origin = self.origin
        if home is not None and home.origin is not None:
            # Whether the neighbour is heard is for `Silence` to say.
            origin = replace(origin, silent_since=home.origin.silent_since)
        before = home or CareHome(
            id=self.home_id,
            provider_id=self.provider_id,
            provider=self.provider,
            profile=self.profile,
            origin=origin,
            evaluated_at=at,
        )
        after = replace(
            before,
            provider_id=self.provider_id,
            provider=self.provider,
            # The very object where it is equal: so the writer sees that only the report is new.
            profile=before.profile if before.profile == self.profile else self.profile,
            origin=before.origin if before.origin == origin else origin,
            vacancies=self.vacancies,
            observed_at=_never_younger(self.observed_at, at),
            confirmed_at=_never_younger(self.confirmed_at, at),
        )
        if home is not None and after == home:
            return home
        is_open = self.profile.status is HomeStatus.OPEN
        # A tombstone that changes is a new one: boards must not take it for one long gone.
        return replace(after, reported_at=at, closed_at=None if is_open else at)


class Doubt(Unrecorded, frozen=True, kw_only=True):
    """The neighbour has said something of the home that cannot be: what it said before does not
    count any more, until it says something that can."""

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home, origin = _foreign(self.known(home))
        if origin.said in (Freshness.STALE, Freshness.UNKNOWN):
            return home
        return replace(home, origin=replace(origin, said=Freshness.STALE))


class Silence(Unrecorded, frozen=True, kw_only=True):
    """Nothing has been heard from the neighbour `since` then; None: it is heard again."""

    since: datetime | None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home, origin = _foreign(self.known(home))
        if origin.silent_since == self.since or home.profile.status is HomeStatus.CLOSED:
            return home
        return replace(home, origin=replace(origin, silent_since=self.since))


class Match(Unrecorded, frozen=True, kw_only=True):
    """The home is `own_id`, one of ours, which is shown in its place; None: it is none of ours."""

    own_id: str | None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home, _ = _foreign(self.known(home))
        profile = matched(home.profile, self.own_id)
        if home.profile.status is HomeStatus.CLOSED or profile == home.profile:
            return home
        closed_at = None if self.own_id is None else at
        return replace(home, profile=profile, closed_at=closed_at)


class Depart(Unrecorded, frozen=True, kw_only=True):
    """The home is gone from the neighbour, or the neighbour from us."""

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home, _ = _foreign(self.known(home))
        if home.profile.status is HomeStatus.CLOSED:
            return home
        profile = replace(home.profile, status=HomeStatus.CLOSED, merged_into=None)
        return replace(home, profile=profile, closed_at=at)


def matched(profile: Profile, own_id: str | None) -> Profile:
    """The profile of a home that is shown unless it is `own_id`, one of ours."""
    status = HomeStatus.OPEN if own_id is None else HomeStatus.MERGED
    return replace(profile, status=status, merged_into=own_id)


def _foreign(home: CareHome) -> tuple[CareHome, Origin]:
    if home.origin is None:
        raise ForeignHome("This home is one of ours.")
    return home, home.origin


def _never_younger(said_at: datetime | None, at: datetime) -> datetime | None:
    """As the neighbour says it; a clock that is a little fast is taken as now."""
    return None if said_at is None else not_ahead(said_at, at)
