"""Taking homes out for good: what is left of one is its id, its position and that it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from vacancies.actors import check_owner
from vacancies.command import Unrecorded
from vacancies.database import Connection
from vacancies.listings import NAMELESS
from vacancies.models import Assignment, CareHome, HomeStatus, Profile, Standing

_REPORTS_AT_ONCE = 5_000
# What belongs to a home, by `home_id`. Reports are apart: there are many.
_OF_HOMES = (
    "correction",
    "call_feedback",
    "reminder",
    "home_invitation",
    "home_letter",
    "signin",
    "home_past",
    "portal_home",
    "portal_file_home",
)


class Erase(Unrecorded, frozen=True, kw_only=True):
    """Close the home and forget what it has said and who it is. Viewers are told that it is gone,
    which needs its id and position, and the key of its municipality."""

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home = self.known(home)
        check_owner(home, self.actor)
        before = home.profile
        is_open = before.status is HomeStatus.OPEN
        left = Profile(
            name=NAMELESS,
            point=before.point,
            precision=before.precision,
            municipality=before.municipality,
            status=HomeStatus.CLOSED if is_open else before.status,
            merged_into=before.merged_into,
        )
        erased = replace(
            home,
            profile=left,
            identity=None,
            assignment=Assignment(),
            standing=Standing.NORMAL,
            vacancies=(),
            observed_at=None,
            reported_at=None,
            confirmed_at=None,
            closed_at=home.closed_at or at,
        )
        return home if erased == home else erased


async def delete_histories(connection: Connection, home_ids: Sequence[str]) -> None:
    """Delete what was said of these homes and by whom, besides their rows themselves. A home with
    a report a minute has millions: they go in pieces."""
    reports = (
        "DELETE FROM report WHERE id IN (SELECT id FROM report WHERE home_id = ANY($1) LIMIT $2)"
    )
    while await connection.execute(reports, home_ids, _REPORTS_AT_ONCE) != "DELETE 0":
        pass
    for table in _OF_HOMES:
        await connection.execute(f"DELETE FROM {table} WHERE home_id = ANY($1)", home_ids)
