"""What a command is: one intended change of one home (`commands.py` has those of its report)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from vacancies.actors import OPERATOR, Actor
from vacancies.errors import FreiplatzError, UnknownHome
from vacancies.models import CareHome

Kind = Literal["report", "confirmation", "undo", "amendment"]


class Command(Protocol):
    """One intended change of one home."""

    @property
    def home_id(self) -> str: ...

    @property
    def kind(self) -> Kind | None:
        """What is appended to the history of reports, if anything."""

    @property
    def actor(self) -> Actor:
        """On whose behalf."""

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        """The home as it is to be stored; `home` itself if nothing changes.

        `home` is the locked row (None: no such home), `at` the database's clock.
        """


@dataclass(slots=True)
class Outcome:
    """What became of one command: the home as stored and as it was `before`, or why it was
    refused."""

    home: CareHome | None = None
    error: FreiplatzError | None = None
    changed: bool = False
    created: bool = False
    before: CareHome | None = None


class Unrecorded(msgspec.Struct, frozen=True, kw_only=True):
    """What commands have in common that stand in no history of reports: the home has said
    nothing."""

    home_id: str
    actor: Actor = OPERATOR

    @property
    def kind(self) -> None:
        return None

    def known(self, home: CareHome | None) -> CareHome:
        """Raises `UnknownHome`."""
        if home is None:
            raise UnknownHome(f"There is no home {self.home_id}.")
        return home
