"""What a municipality decides about a home: whether it is approved, whether its reports are shown,
and whether it is open.

Commands like those of `commands.py`; they stand in no history of reports, for the home has said
nothing.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from vacancies.actors import Actor, check_owner
from vacancies.command import Unrecorded
from vacancies.errors import ChangedSince, HomeClosed
from vacancies.models import HIDDEN, CareHome, HomeStatus, Standing

# From what a home may come to each standing: what two clerks do at once must not undo each other.
_SHOWN = frozenset(Standing) - HIDDEN
_BEFORE = {
    Standing.NORMAL: frozenset(Standing),
    Standing.FROZEN: _SHOWN,
    Standing.DECLINED: _SHOWN,
    Standing.REFUSED: HIDDEN,
    Standing.WAITING: frozenset({Standing.WAITING}),
}


class Rate(Unrecorded, frozen=True, kw_only=True):
    """Approve a home or refuse it, freeze its reports, note that it will not report, or take that
    back."""

    standing: Standing

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        """Raises `UnknownHome`, `ForeignHome`, `HomeClosed` and `ChangedSince`."""
        home = _owned(self.known(home), self.actor)
        _require_open(home)
        if home.standing not in _BEFORE[self.standing]:
            raise ChangedSince("Somebody has decided about this home already. Look at it again.")
        return home if home.standing is self.standing else replace(home, standing=self.standing)


class Close(Unrecorded, frozen=True, kw_only=True):
    """The home takes nobody any more; with `merged_into` it was the same as that one. Whoever
    merges makes sure that the other one is open (`providers/duplicates.py`)."""

    merged_into: str | None = None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        """Raises `UnknownHome`, `ForeignHome` and `HomeClosed`."""
        home = _owned(self.known(home), self.actor)
        _require_open(home)
        status = HomeStatus.CLOSED if self.merged_into is None else HomeStatus.MERGED
        profile = replace(home.profile, status=status, merged_into=self.merged_into)
        return replace(home, profile=profile, closed_at=at)


class Reopen(Unrecorded, frozen=True, kw_only=True):
    """The home was closed, or merged into another one, by mistake."""

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        """Raises `UnknownHome` and `ForeignHome`."""
        home = _owned(self.known(home), self.actor)
        if home.profile.status is HomeStatus.OPEN:
            return home
        profile = replace(home.profile, status=HomeStatus.OPEN, merged_into=None)
        return replace(home, profile=profile, closed_at=None)


def _owned(home: CareHome, actor: Actor) -> CareHome:
    check_owner(home, actor)
    return home


def _require_open(home: CareHome) -> None:
    if home.profile.status is not HomeStatus.OPEN:
        raise HomeClosed("This home is closed already.", merged_into=home.profile.merged_into)
