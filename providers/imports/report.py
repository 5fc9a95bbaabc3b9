"""What became of a list, row by row."""

from __future__ import annotations

import msgspec

from providers.imports.entries import Refusal
from providers.imports.register import Vanished
from vacancies.command import Outcome


class LeftOut(msgspec.Struct, frozen=True):
    """A row that is not a care home, and what says so."""

    row: int
    reason: str


class ImportReport(msgspec.Struct, kw_only=True):
    """What became of a list. Every row is taken (a new home), changed, unchanged, left out
    or refused; `warnings` are about rows that were used all the same. `vanished` are homes
    that earlier lists of the same providers brought and this one has not: nothing is done to
    them."""

    rows: int = 0
    taken: int = 0
    changed: int = 0
    unchanged: int = 0
    left_out: int = 0
    refused: list[Refusal] = []
    left_out_rows: list[LeftOut] = []
    vanished: list[Vanished] = []
    warnings: list[str] = []
    notes: list[str] = []
    providers: int = 0
    dry_run: bool = False

    def count(self, row: int, outcome: Outcome) -> None:
        """Note what the writer made of a row."""
        if outcome.error is not None:
            field = outcome.error.field or "row"
            self.refused.append(Refusal(row, field, outcome.error.detail))
        elif outcome.created:
            self.taken += 1
        elif outcome.changed:
            self.changed += 1
        else:
            self.unchanged += 1
