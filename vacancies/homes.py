"""Care homes and their providers in Postgres: rows to dataclasses and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import asyncpg
import msgspec

from vacancies.database import Connection, Pool
from vacancies.models import (
    Address,
    AdmissionStop,
    AssignedBy,
    Assignment,
    CareForm,
    CareHome,
    Contact,
    Costs,
    Focus,
    Freshness,
    HomeStatus,
    Need,
    Origin,
    Ownership,
    Point,
    Policy,
    Precision,
    Profile,
    SpokenLanguage,
    Standing,
    StopReason,
    Vacancy,
    WaitingList,
)

# Tombstones older than this leave the boards; cursors from before get a reset.
TOMBSTONE_DAYS = 90
HOUR = timedelta(hours=1)
# `AWAITED` and not `HIDDEN`, as conditions on the column of `care_home` whose name they begin with.
IS_AWAITED = "standing IN ('normal', 'frozen')"
IS_SHOWN = "standing NOT IN ('waiting', 'refused')"

_LINES = msgspec.json.Decoder(tuple[Vacancy, ...])
_CAPACITY = msgspec.json.Decoder(dict[CareForm, int])
_COSTS = msgspec.json.Decoder(Costs)
# To look a code up is quicker than to call its enumeration, and a region is many homes.
_PRECISIONS = {code.value: code for code in Precision}
_FOCUSES = {code.value: code for code in Focus}
_NEEDS = {code.value: code for code in Need}
_LANGUAGES = {code.value: code for code in SpokenLanguage}
_OWNERSHIPS = {code.value: code for code in Ownership}
_STANDINGS = {code.value: code for code in Standing}
_STATUSES = {code.value: code for code in HomeStatus}
_STATE = (
    "home_id, vacancies, observed_at, reported_at, confirmed_at, evaluated_at,"
    " next_transition_at, revision"
)
_SELECT = (
    "SELECT h.*, s.*, s.xmin AS version, p.slug AS provider, n.name AS origin_name,"
    " n.url AS origin_url FROM home_state s JOIN care_home h ON h.id = s.home_id"
    " JOIN provider p ON p.id = h.provider_id LEFT JOIN neighbour n ON n.slug = h.origin"
)

_CHANGED = (
    "s.revision > $1"
    " AND (h.closed_at IS NULL OR h.closed_at > now() - make_interval(days => $2))"
    " ORDER BY s.revision"
)


@lru_cache(maxsize=100)
def stored_policy(fresh_hours: int, ageing_hours: int, detail_places: int) -> Policy:
    """One object for all homes that it holds for."""
    return Policy(
        fresh_for=fresh_hours * HOUR, ageing_for=ageing_hours * HOUR, detail_places=detail_places
    )


@lru_cache(maxsize=10_000)
def _assignment(stated: str | None, by: AssignedBy | None, boundaries: int) -> Assignment:
    """One object for all homes of which the same is true."""
    return Assignment(stated=stated, by=by, boundaries=boundaries)


@lru_cache(maxsize=1_000)
def _origin(
    slug: str, name: str, url: str, said: Freshness, silent_since: datetime | None
) -> Origin:
    """One object for all homes of which the same is true."""
    return Origin(slug=slug, name=name, url=url, said=said, silent_since=silent_since)


def _origin_from_row(row: asyncpg.Record) -> Origin | None:
    if row["origin"] is None:
        return None
    return _origin(
        row["origin"],
        row["origin_name"],
        row["origin_url"],
        Freshness(row["origin_said"]),
        row["origin_silent_since"],
    )


def home_from_row(row: asyncpg.Record) -> CareHome:
    return CareHome(
        id=row["id"],
        provider_id=row["provider_id"],
        provider=row["provider"],
        profile=_profile_from_row(row),
        identity=row["identity"],
        assignment=_assignment(row["stated_municipality"], row["assigned_by"], row["boundaries"]),
        origin=_origin_from_row(row),
        standing=_STANDINGS[row["standing"]],
        vacancies=decode_lines(row["vacancies"]),
        observed_at=row["observed_at"],
        reported_at=row["reported_at"],
        confirmed_at=row["confirmed_at"],
        evaluated_at=row["evaluated_at"],
        next_transition_at=row["next_transition_at"],
        closed_at=row["closed_at"],
        policy=stored_policy(row["fresh_hours"], row["ageing_hours"], row["detail_places"]),
        revision=row["revision"],
        moved_revision=row["moved_revision"],
    )


def _profile_from_row(row: asyncpg.Record) -> Profile:
    reason = row["stop_reason"]
    waiting = row["waiting_list"]
    return Profile(
        name=row["name"],
        point=Point(row["latitude"], row["longitude"]),
        precision=_PRECISIONS[row["point_precision"]],
        address=Address(
            street=row["street"],
            postcode=row["postcode"],
            city=row["city"],
            country=row["country"],
        ),
        contact=Contact(
            phone=row["phone"],
            email=row["email"],
            website=row["website"],
            person=row["contact_person"],
            hours=row["contact_hours"],
        ),
        municipality=row["municipality"],
        capacity=_CAPACITY.decode(row["capacity"]),
        costs=_COSTS.decode(row["costs"]),
        focuses=tuple([_FOCUSES[code] for code in row["focuses"]]),
        needs=tuple([_NEEDS[code] for code in row["needs"]]),
        languages=tuple([_LANGUAGES[code] for code in row["languages"]]),
        ownership=_OWNERSHIPS.get(row["ownership"]),
        quality_url=row["quality_url"],
        waiting_list=WaitingList(waiting) if waiting else None,
        admission_stop=(
            AdmissionStop(reason=StopReason(reason), until=row["stop_until"]) if reason else None
        ),
        status=_STATUSES[row["status"]],
        merged_into=row["merged_into"],
    )


def _row_from_home(home: CareHome) -> dict[str, object]:
    """The columns of `care_home`, for `jsonb_populate_recordset`."""
    profile = home.profile
    stop, origin = profile.admission_stop, home.origin
    return {
        "id": home.id,
        "provider_id": home.provider_id,
        "identity": home.identity,
        "name": profile.name,
        "street": profile.address.street,
        "postcode": profile.address.postcode,
        "city": profile.address.city,
        "country": profile.address.country,
        "latitude": profile.point.latitude,
        "longitude": profile.point.longitude,
        "point_precision": profile.precision,
        "phone": profile.contact.phone,
        "email": profile.contact.email,
        "website": profile.contact.website,
        "contact_person": profile.contact.person,
        "contact_hours": profile.contact.hours,
        "municipality": profile.municipality,
        "stated_municipality": home.assignment.stated,
        "assigned_by": home.assignment.by,
        "boundaries": home.assignment.boundaries,
        "origin": origin and origin.slug,
        "origin_said": origin and origin.said,
        "origin_silent_since": origin and origin.silent_since,
        "standing": home.standing,
        "capacity": profile.capacity,
        "costs": profile.costs,
        "focuses": profile.focuses,
        "needs": profile.needs,
        "languages": profile.languages,
        "ownership": profile.ownership,
        "quality_url": profile.quality_url,
        "waiting_list": profile.waiting_list,
        "stop_reason": stop.reason if stop else None,
        "stop_until": stop.until if stop else None,
        "status": profile.status,
        "merged_into": profile.merged_into,
        "closed_at": home.closed_at,
        "fresh_hours": home.policy.fresh_for // HOUR,
        "ageing_hours": home.policy.ageing_for // HOUR,
        "detail_places": home.policy.detail_places,
        "moved_revision": home.moved_revision,
    }


def _state_from_home(home: CareHome) -> dict[str, object]:
    """The columns of `home_state`."""
    return {
        "home_id": home.id,
        "vacancies": home.vacancies,
        "observed_at": home.observed_at,
        "reported_at": home.reported_at,
        "confirmed_at": home.confirmed_at,
        "evaluated_at": home.evaluated_at,
        "next_transition_at": home.next_transition_at,
        "revision": home.revision,
    }


async def upsert_homes(
    connection: Connection, homes: Sequence[CareHome], locked: Container[str]
) -> int:
    """Write the profiles of `homes`, and the states of those that are new; returns how many
    homes were written.

    Rows that exist but are not among `locked` came from somebody else after we looked:
    they are left alone, and the caller sees it from the count.
    """
    columns = [name for name in _row_from_home(homes[0]) if name != "id"]
    assignments = ", ".join(f"{name} = excluded.{name}" for name in columns)
    names = ", ".join(["id", *columns])
    new = [home for home in homes if home.id not in locked]
    written = await connection.fetch(
        f"INSERT INTO care_home ({names})"
        f" SELECT {names} FROM jsonb_populate_recordset(NULL::care_home, $1::jsonb)"
        f" ON CONFLICT (id) DO UPDATE SET {assignments} WHERE care_home.id <> ALL($2)"
        " RETURNING id",
        msgspec.json.encode([_row_from_home(home) for home in homes]).decode(),
        [home.id for home in new],
    )
    if new and len(written) == len(homes):
        await connection.execute(
            f"INSERT INTO home_state ({_STATE}) SELECT {_STATE}"
            " FROM jsonb_populate_recordset(NULL::home_state, $1::jsonb)",
            msgspec.json.encode([_state_from_home(home) for home in new]).decode(),
        )
    return len(written)


def encode_lines(lines: Sequence[Vacancy]) -> str:
    return msgspec.json.encode(lines).decode()


def decode_lines(text: str) -> tuple[Vacancy, ...]:
    return _LINES.decode(text)


async def select_versions(connection: Connection, ids: Sequence[str]) -> list[tuple[int, CareHome]]:
    """Homes, each with the transaction that wrote its state."""
    rows = await connection.fetch(f"{_SELECT} WHERE s.home_id = ANY($1)", ids)
    return [(row["version"], home_from_row(row)) for row in rows]


async def select_homes(connection: Connection | Pool, ids: Sequence[str]) -> list[CareHome]:
    rows = await connection.fetch(f"{_SELECT} WHERE h.id = ANY($1) ORDER BY h.id", ids)
    return [home_from_row(row) for row in rows]


async def select_homes_by_identity(
    connection: Connection | Pool, identities: Sequence[str]
) -> dict[str, CareHome]:
    """Homes by what an import recognises them by."""
    rows = await connection.fetch(f"{_SELECT} WHERE h.identity = ANY($1)", identities)
    return {row["identity"]: home_from_row(row) for row in rows}


async def select_homes_since(
    connection: Connection, revision: int, *, batch: int = 2_000
) -> AsyncIterator[list[CareHome]]:
    """Homes changed after `revision`, in order of revision, each in its newest state.

    Must run in a transaction (a server-side cursor). Tombstones older than
    `TOMBSTONE_DAYS` are left out.
    """
    # Read through `home_state` first, which is small. Postgres cannot know how few have changed
    # (the newest revisions are in no statistics), and would join all homes there are.
    ids = [
        row["home_id"]
        for row in await connection.fetch(
            "SELECT home_id FROM home_state WHERE revision > $1 LIMIT $2", revision, batch + 1
        )
    ]
    if len(ids) <= batch:
        few = f"{_SELECT} WHERE s.home_id = ANY($3) AND {_CHANGED}"
        if rows := await connection.fetch(few, revision, TOMBSTONE_DAYS, ids):
            yield [home_from_row(row) for row in rows]
        return
    cursor = await connection.cursor(f"{_SELECT} WHERE {_CHANGED}", revision, TOMBSTONE_DAYS)
    while rows := await cursor.fetch(batch):
        yield [home_from_row(row) for row in rows]
