"""What somebody has looked at in a file, on its way through a page and back: nothing of the file
is kept here in the meantime, and what is sent is what was looked at.

    content = encode_seen(preview.seen)                            # goes into a form
    done = await send_seen(writer, decode_seen(content), actors)   # and comes back with it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from providers.decoding import decode
from providers.imports.errors import UnreadableList
from providers.payloads import MAX_REPORTS, ReportRow, VacancyLine
from providers.report_files import FileReport
from vacancies.commands import Actor, Outcome, Report
from vacancies.errors import ForeignHome, FreiplatzError
from vacancies.models import CareHome
from vacancies.writer import Writer

# With the rest of its form it must stay below what one call may have (2 MB).
MOST_SEEN_BYTES = 1_500_000


class SeenRow(ReportRow, frozen=True, kw_only=True, omit_defaults=True):
    """A home as the file has it, and the revision of its state beside which that was shown."""

    revision: Annotated[int, Meta(ge=0)]

    def command(self, actor: Actor) -> Report:
        """The report as `actor` makes it, only on that state; raises `InvalidInput`."""
        return Report(
            home_id=self.home_id,
            vacancies=self.lines(),
            observed_at=self.observed(),
            if_match=frozenset({self.revision}),
            actor=actor,
        )


SeenRows = Annotated[tuple[SeenRow, ...], Meta(min_length=1, max_length=MAX_REPORTS)]


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reports: SeenRows


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a home that was sent: its state now, or the `refusal`."""

    home_id: str
    home: CareHome | None = None
    refusal: FreiplatzError | None = None


def seen_row(report: FileReport, revision: int) -> SeenRow:
    assert report.home_id is not None
    return SeenRow(
        home_id=report.home_id,
        vacancies=tuple(VacancyLine(**msgspec.structs.asdict(line)) for line in report.vacancies),
        observed_at=report.observed_at,
        revision=revision,
    )


def encode_seen(rows: Sequence[SeenRow]) -> bytes:
    """JSON on one line; raises `UnreadableList` if it is more than comes back in one call."""
    content = msgspec.json.encode(Seen(reports=tuple(rows)))
    if len(content) > MOST_SEEN_BYTES:
        raise UnreadableList("The file says too much to be looked at in one go. Split it.")
    return content


def decode_seen(content: bytes) -> tuple[SeenRow, ...]:
    """What `encode_seen` made, by the rules of JSON reports: it was in other hands. Raises
    `InvalidJson` and `InvalidInput`."""
    return decode(content, Seen).reports


async def send_seen(
    writer: Writer, rows: Sequence[SeenRow], actors: Mapping[str, Actor]
) -> list[Sent]:
    """Send `rows`, each home by itself, on behalf of who may report for it (`actors`, by home).

    Refused are homes for which there is nobody (`ForeignHome`), and those that have changed since
    they were looked at (`ChangedSince`). Raises `InvalidInput`, with nothing sent, and what
    `Writer.submit` raises.
    """
    commands = [row.command(actors[row.home_id]) for row in rows if row.home_id in actors]
    outcomes = iter((await writer.submit(commands)).outcomes if commands else ())
    foreign = Outcome(error=ForeignHome("You may not report for this home."))
    return [_sent(row, next(outcomes) if row.home_id in actors else foreign) for row in rows]


def _sent(row: SeenRow, outcome: Outcome) -> Sent:
    return Sent(home_id=row.home_id, home=outcome.home, refusal=outcome.error)
