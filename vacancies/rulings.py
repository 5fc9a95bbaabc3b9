"""What a municipality decides about a home: whether its reports are shown, and whether it is open.

Commands like those of `commands.py`; they stand in no history of reports, for the home has said
nothing.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from vacancies.commands import OPERATOR, Actor, check_owner
from vacancies.errors import HomeClosed, UnknownHome
from vacancies.models import CareHome, HomeStatus, Standing


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Freeze the reports of a home, note that it will not report, or take that back."""

    home_id: str
    standing: Standing
    actor: Actor = OPERATOR

    @property
    def kind(self) -> None:
        return None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        """Raises `UnknownHome`, `ForeignHome` and `HomeClosed`."""
        home = _owned(home, self.home_id, self.actor)
        _require_open(home)
        return home if home.standing is self.standing else replace(home, standing=self.standing)


class Close(msgspec.Struct, frozen=True, kw_only=True):
    """The home takes nobody any more; with `merged_into` it was the same as that one. Whoever
    merges makes sure that the other one is open (`providers/duplicates.py`)."""

    home_id: str
    merged_into: str | None = None
    actor: Actor = OPERATOR

    @property
    def kind(self) -> None:
        return None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        """Raises `UnknownHome`, `ForeignHome` and `HomeClosed`."""
        home = _owned(home, self.home_id, self.actor)
        _require_open(home)
        status = HomeStatus.CLOSED if self.merged_into is None else HomeStatus.MERGED
        profile = replace(home.profile, status=status, merged_into=self.merged_into)
        return replace(home, profile=profile, closed_at=at)


class Reopen(msgspec.Struct, frozen=True, kw_only=True):
    """The home was closed, or merged into another one, by mistake."""

    home_id: str
    actor: Actor = OPERATOR

    @property
    def kind(self) -> None:
        return None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        """Raises `UnknownHome` and `ForeignHome`."""
        home = _owned(home, self.home_id, self.actor)
        if home.profile.status is HomeStatus.OPEN:
            return home
        profile = replace(home.profile, status=HomeStatus.OPEN, merged_into=None)
        return replace(home, profile=profile, closed_at=None)


def _owned(home: CareHome | None, home_id: str, actor: Actor) -> CareHome:
    if home is None:
        raise UnknownHome(f"There is no home {home_id}.")
    check_owner(home, actor)
    return home


def _require_open(home: CareHome) -> None:
    if home.profile.status is not HomeStatus.OPEN:
        raise HomeClosed("This home is closed already.", merged_into=home.profile.merged_into)
