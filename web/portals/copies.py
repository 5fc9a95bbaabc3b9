"""What another Freiplatz is to know of our homes, and what it answered: one row for each home.

What is passed on is what stands last in the history of a home, so a restart, a killed process or
a restore can neither lose nor repeat anything: the digest of what was answered is compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from providers.payloads import ReportRow, VacancyLine
from vacancies.database import Connection, Pool
from vacancies.homes import decode_lines

Settled = Literal["taken", "newer", "refused"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one report there; the last three of a refusal."""

    outcome: Settled
    code: str | None = None
    detail: str | None = None
    field: str | None = None


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """What a home says now, as a row of `POST /api/v1/reports`, and the verdict on what was
    answered last. `report` is None where there is nothing to pass on: the home has said nothing,
    has taken back all it said (`is_void`), or its last report came from a portal itself."""

    home_id: str
    id_there: str
    report: ReportRow | None
    is_void: bool
    answered: str  # digest; empty: nothing was, or it is to be sent again
    verdict: Verdict | None
    settled_at: datetime | None

    @property
    def is_due(self) -> bool:
        return self.report is not None and self.digest != self.answered

    @property
    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self.report)).hexdigest()[:32]


async def select_copies(
    connection: Connection | Pool, webhook_id: str, home_ids: Sequence[str]
) -> list[Copy]:
    """One for each of `home_ids`, in their order.

    An undo makes a home older. There it could not be taken with that time, since what it takes
    back is newer; so it goes with the time of that: as a correction of the same moment.
    """
    rows = await connection.fetch(
        "SELECT h.id AS home_id, coalesce(p.id_there, h.id) AS id_there, t.vacancies, t.via,"
        " CASE WHEN t.kind = 'undo' AND t.observed_at IS NOT NULL THEN"
        " (SELECT max(observed_at) FROM report WHERE home_id = h.id) ELSE t.observed_at END"
        " AS observed_at, coalesce(p.digest, '') AS answered, p.outcome, p.code, p.detail,"
        " p.field, p.settled_at FROM unnest($2::text[]) WITH ORDINALITY AS h(id, position)"
        " LEFT JOIN LATERAL (SELECT kind, via, observed_at, vacancies FROM report"
        " WHERE home_id = h.id AND kind <> 'amendment' ORDER BY reported_at DESC, id DESC LIMIT 1)"
        " t ON true LEFT JOIN portal_home p ON p.webhook_id = $1 AND p.home_id = h.id"
        " ORDER BY h.position",
        webhook_id,
        home_ids,
    )
    return [_copy(row) for row in rows]


def _copy(row: asyncpg.Record) -> Copy:
    report = verdict = None
    if row["observed_at"] is not None and row["via"] != "portal":
        lines = decode_lines(row["vacancies"])
        report = ReportRow(
            home_id=row["id_there"],
            vacancies=tuple(VacancyLine(**msgspec.structs.asdict(line)) for line in lines),
            observed_at=row["observed_at"],
        )
    if row["outcome"] is not None:
        verdict = Verdict(
            outcome=row["outcome"], code=row["code"], detail=row["detail"], field=row["field"]
        )
    return Copy(
        home_id=row["home_id"],
        id_there=row["id_there"],
        report=report,
        is_void=row["via"] not in (None, "portal") and row["observed_at"] is None,
        answered=row["answered"],
        verdict=verdict,
        settled_at=row["settled_at"],
    )


async def record_verdicts(
    connection: Connection,
    webhook_id: str,
    verdicts: Sequence[tuple[Copy, Verdict]],
    at: datetime,
) -> None:
    """Note what became of what was sent."""
    await connection.executemany(
        "INSERT INTO portal_home (webhook_id, home_id, digest, outcome, code, detail, field,"
        " settled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (webhook_id, home_id) DO UPDATE SET digest = excluded.digest,"
        " outcome = excluded.outcome, code = excluded.code, detail = excluded.detail,"
        " field = excluded.field, settled_at = excluded.settled_at",
        [
            (webhook_id, copy.home_id, copy.digest, v.outcome, v.code, v.detail, v.field, at)
            for copy, v in verdicts
        ],
    )
