"""All that a page of planning shows, read at the desk in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from vacancies.database import Connection
from vacancies.models import CareForm
from vacancies.planning import Head, Part, Stop, Sums, select_days, select_stops, select_sums, whole
from vacancies.unmet import Group, select_unmet


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """`over_time` and `stops` are of the part that is asked for, by the steps of its time; so are
    `whole` (None: no homes), `by_form` and `by_size`. `by_place` compares all municipalities of
    the desk, with the homes that take nobody in `stopped`."""

    part: Part
    head: Head
    names: Mapping[str, str]
    whole: Sums | None
    over_time: list[Sums]
    stops: list[Stop]
    by_place: list[Sums]
    stopped: dict[str, float]
    by_form: list[Sums]
    by_size: list[Sums]
    unmet: list[Group]


async def read(connection: Connection, desk: str, part: Part, head: Head) -> Found:
    """`part` lies within the municipality `desk`."""
    over_time = await select_sums(connection, part, "first_day")
    everywhere = replace(part, municipality=desk)
    stopped: dict[str, float] = {}
    for stop in await select_stops(connection, everywhere, "municipality"):
        key = str(stop.by[0])
        stopped[key] = stopped.get(key, 0.0) + stop.homes
    forms = [part.care_form] if part.care_form in set(CareForm) else ["all", *CareForm]
    return Found(
        part=part,
        head=head,
        names=await select_towns(connection),
        whole=whole(over_time, sum((await select_days(connection, part)).values())),
        over_time=over_time,
        stops=await select_stops(connection, part, "first_day"),
        by_place=await select_sums(connection, everywhere, "municipality"),
        stopped=stopped,
        by_form=await select_sums(connection, part, "care_form", care_forms=tuple(CareForm)),
        by_size=await select_sums(connection, replace(part, size=None), "size"),
        unmet=await select_unmet(connection, part.municipality, part.first, part.last, forms),
    )


async def select_towns(connection: Connection) -> dict[str, str]:
    """What a municipality is called: as it takes part, else as the town of most homes in it."""
    rows = await connection.fetch(
        "SELECT municipality AS key, mode() WITHIN GROUP (ORDER BY city) AS name FROM care_home"
        " WHERE municipality IS NOT NULL GROUP BY municipality"
        " UNION ALL SELECT key, name FROM municipality"
    )
    return {row["key"]: row["name"] for row in rows if row["name"]}
