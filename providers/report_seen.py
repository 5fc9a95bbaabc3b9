"""What somebody has looked at in a file, on its way through a page and back: nothing of the file
is kept here in the meantime, and what is sent is what was looked at.

    content = encode_seen(preview.seen)                          # goes into a form
    done = await send_seen(writer, content, actors, staff_id)    # and comes back with it
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from providers.decoding import decode
from providers.imports.errors import UnreadableList
from providers.payloads import MAX_REPORTS, ReportRow, VacancyLine
from providers.report_files import FileReport
from vacancies.actors import Actor
from vacancies.command import Outcome
from vacancies.commands import Report
from vacancies.errors import ForeignHome
from vacancies.idempotency import Remembered
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
    """What became of a home that was sent: the `code` of the refusal, None if it was taken."""

    home_id: str
    code: str | None = None


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
    writer: Writer, content: bytes, actors: Mapping[str, Actor], staff_id: int
) -> list[Sent]:
    """Send what `content` holds (`decode_seen`), each home by itself, on behalf of who may report
    for it (`actors`, by home).

    Refused are homes for which there is nobody (`ForeignHome`), and those that have changed since
    they were looked at (`ChangedSince`). The same content of the same person again, from a button
    that was pressed twice, has the first answer. Raises `InvalidInput`, with nothing sent, and
    what `Writer.submit` raises.
    """
    rows = decode_seen(content)
    commands = [row.command(actors[row.home_id]) for row in rows if row.home_id in actors]
    sent = [Sent(home_id=row.home_id, code=ForeignHome.code) for row in rows]
    if not commands:
        return sent
    digest = hashlib.sha256(content)

    def render(outcomes: Sequence[Outcome]) -> bytes | None:
        # If nothing was taken, the same may be tried again, and go better.
        is_taken = any(outcome.error is None for outcome in outcomes)
        return msgspec.json.encode(_answer(commands, outcomes)) if is_taken else None

    remembered = Remembered(
        caller=f"staff:{staff_id}",
        path="POST upload",
        key=digest.hexdigest(),
        body_hash=digest.digest(),
        render=render,
    )
    settled = await writer.submit(commands, remembered=remembered)
    answers = iter(
        _answer(commands, settled.outcomes)
        if settled.replay is None
        else msgspec.json.decode(settled.replay, type=list[Sent])
    )
    return [
        next(answers) if row.home_id in actors else refused
        for row, refused in zip(rows, sent, strict=True)
    ]


def _answer(commands: Sequence[Report], outcomes: Sequence[Outcome]) -> list[Sent]:
    return [
        Sent(home_id=command.home_id, code=outcome.error.code if outcome.error else None)
        for command, outcome in zip(commands, outcomes, strict=True)
    ]
