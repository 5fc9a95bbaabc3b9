"""A municipality reads and writes nothing of another that is not public: through pages, commands,
and in SQL as the database role of the desks.

The tables and the pages are those that there are: a new one is in the matrix by itself.
"""

from __future__ import annotations

import re

import asyncpg
import pytest

from providers.desks import at_desk, select_desks_of
from providers.staff import ensure_staff
from tests.web.desk.verbund import DISTRICT, OTHER, SECRET, TOWN, Verbund
from tests.web.staff import a_desk
from vacancies.command import Command
from vacancies.commands import Amend, Confirm, Describe, Report, Undo
from vacancies.database import Connection
from vacancies.errors import ForeignHome
from vacancies.models import CareForm, Point, Profile, Vacancy
from web.app import create_app

# What the public may read of everybody.
PUBLIC = {"provider", "municipality"}
# Only the service itself: a desk has no business there.
CLOSED = {"api_key", "deployment", "idempotency", "passkey", "revision_head", "signin",
          "staff_session", "webhook", "portal_link", "portal_home",
          "portal_file", "portal_file_home"}  # fmt: skip

# What of the second municipality is nobody's but its own; the note of its report is public.
PRIVATE = tuple(f"{SECRET}{more}" for more in ("@", " carer", " words", " act", "_act", " told"))
# What is put into the gaps of addresses: of the one who asks the desk, of the other all else.
GAPS = {"key": TOWN, "home_id": "other-home", "uuid:number": "00000000-0000-4000-8000-000000000000"}

# In which `a_verbund` has put something that is private.
FILLED = {"care_home", "home_state", "report", "reminder", "correction", "call_feedback",
          "membership", "staff", "municipality_member", "desk_act", "reporting_policy"}  # fmt: skip


async def readable(connection: Connection) -> dict[str, list[str]]:
    """The columns of each table that the role of this connection may read."""
    rows = await connection.fetch(
        "SELECT c.relname AS name, array_agg(quote_ident(a.attname)) AS columns"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND a.attnum > 0 AND NOT a.attisdropped"
        " AND has_column_privilege(c.oid, a.attnum, 'SELECT') GROUP BY 1"
    )
    return {row["name"]: row["columns"] for row in rows}


async def texts(connection: Connection, table: str, columns: list[str]) -> list[str]:
    rows = await connection.fetch(
        f"SELECT to_jsonb(t)::text AS row FROM (SELECT {', '.join(columns)} FROM {table}) t"
    )
    return [row["row"] for row in rows]


def is_foreign(row: str) -> bool:
    # Bytes are shown in hexadecimal.
    return any(mark in row for mark in (SECRET, SECRET.encode().hex(), "other-home", OTHER))


async def test_sql_shows_nothing_of_another_municipality(verbund: Verbund) -> None:
    desks = verbund.service.state.deployment.desks
    async with at_desk(desks, TOWN) as connection:
        tables = await readable(connection)
        assert tables.keys() >= {"care_home", "report", "correction", "staff", "desk_act"}
        assert not tables.keys() & CLOSED
        for table, columns in tables.items():
            rows = await texts(connection, table, columns)
            assert table in PUBLIC or not [row for row in rows if is_foreign(row)], table
    async with at_desk(desks, OTHER) as connection:
        # The test can fail: to its own desk all of this is shown.
        seen = {
            table
            for table, columns in tables.items()
            if any(map(is_foreign, await texts(connection, table, columns)))
        }
    assert seen >= FILLED


async def test_sql_shows_nothing_to_no_desk(verbund: Verbund) -> None:
    async with at_desk(verbund.service.state.deployment.desks, "") as connection:
        for table, columns in (await readable(connection)).items():
            assert table in PUBLIC or not await texts(connection, table, columns), table


async def test_a_district_reads_its_municipalities_but_not_their_desks(verbund: Verbund) -> None:
    async with at_desk(verbund.service.state.deployment.desks, DISTRICT) as connection:
        assert await connection.fetchval("SELECT count(*) FROM care_home") == 2
        assert await connection.fetchval("SELECT count(*) FROM desk_act") == 0
        assert await connection.fetchval("SELECT count(*) FROM municipality_member") == 0


async def test_sql_changes_nothing_of_another_municipality(verbund: Verbund) -> None:
    """Every column of every table: either it cannot be changed at all, or no row of others is."""
    desks = verbund.service.state.deployment.desks
    rows = await verbund.pool.fetch(
        "SELECT c.relname AS table, array_agg(quote_ident(a.attname)) AS columns"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' GROUP BY 1"
    )
    changeable = set()
    for table, columns in rows:
        changed = f"RETURNING to_jsonb({table})::text"
        updates = [f"UPDATE {table} SET {column} = {column} {changed}" for column in columns]
        for statement in (*updates, f"DELETE FROM {table} {changed}"):
            try:
                async with at_desk(desks, TOWN, writing=True) as connection:
                    for row in await connection.fetch(statement):
                        assert not is_foreign(row[0]), statement
                        changeable.add(table)
                    await connection.execute("SELECT 1 / 0")  # back to how it was
            except (asyncpg.InsufficientPrivilegeError, asyncpg.DivisionByZeroError):
                pass
    assert changeable == {"correction"}


async def test_sql_enters_nothing_for_another_municipality(verbund: Verbund) -> None:
    entry = "INSERT INTO desk_act (municipality, act) VALUES ($1, 'x')"
    desks = verbund.service.state.deployment.desks
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with at_desk(desks, TOWN, writing=True) as connection:
            await connection.execute(entry, OTHER)
    async with at_desk(desks, TOWN, writing=True) as connection:
        await connection.execute(entry, TOWN)


async def test_resetting_the_role_does_not_help(verbund: Verbund) -> None:
    async with at_desk(verbund.service.state.deployment.desks, TOWN) as connection:
        await connection.execute("RESET ROLE")
        assert await connection.fetchval("SELECT current_user") == "freiplatz_desk"


async def test_no_command_of_a_desk_changes_a_foreign_home(verbund: Verbund) -> None:
    staff = await ensure_staff(verbund.pool, "open@town.example")
    (desk,) = await select_desks_of(verbund.pool, staff.id)
    actor = desk.actor
    provider = await verbund.pool.fetchrow(
        "SELECT p.id, p.slug FROM provider p JOIN care_home h ON h.provider_id = p.id"
        " WHERE h.id = 'other-home'"
    )
    assert provider is not None
    profile = Profile(name="x", point=Point(51.9, 8.3), municipality=TOWN)
    lines = (Vacancy(care_form=CareForm.LONG_TERM, count=1),)
    commands: list[Command] = [
        Report(home_id="other-home", vacancies=lines, actor=actor),
        Confirm(home_id="other-home", actor=actor),
        Undo(home_id="other-home", vacancies=(), said_at=None, actor=actor),
        Amend(home_id="other-home", changes={"name": "x"}, actor=actor),
        Describe(
            home_id="other-home",
            provider_id=provider["id"],
            provider=provider["slug"],
            profile=profile,
            actor=actor,
        ),
    ]
    before = await verbund.pool.fetchrow("SELECT * FROM home_state WHERE home_id = 'other-home'")
    outcomes = (await verbund.service.state.deployment.writer.submit(commands)).outcomes
    assert [type(outcome.error) for outcome in outcomes] == [ForeignHome] * len(commands)
    after = await verbund.pool.fetchrow("SELECT * FROM home_state WHERE home_id = 'other-home'")
    assert before == after
    own = Report(home_id="home", vacancies=lines, actor=actor)
    (outcome,) = (await verbund.service.state.deployment.writer.submit([own])).outcomes
    assert outcome.error is None
    assert await verbund.pool.fetchval("SELECT via FROM report ORDER BY id DESC LIMIT 1") == "desk"


async def test_a_district_changes_only_where_nobody_else_takes_part(verbund: Verbund) -> None:
    await verbund.join(DISTRICT, "Kreis Gütersloh")
    await verbund.appoint("boss@district.example", DISTRICT)
    await verbund.service.put_home("nobodys", "awo", municipality="05754044")
    staff = await ensure_staff(verbund.pool, "boss@district.example")
    (desk,) = await select_desks_of(verbund.pool, staff.id)
    commands = [
        Report(home_id=each, vacancies=(), actor=desk.actor) for each in ("home", "nobodys")
    ]
    outcomes = (await verbund.service.state.deployment.writer.submit(commands)).outcomes
    assert isinstance(outcomes[0].error, ForeignHome)
    assert outcomes[1].error is None
    assert [desk.owns(TOWN), desk.owns("05754044"), desk.owns(None)] == [False, True, False]


UUID, ANY_UUID = "<uuid:number>", "00000000-0000-4000-8000-000000000000"


def desk_rules(verbund: Verbund) -> list[tuple[str, str]]:
    """(method, path) of every page of the desk of `OTHER`."""
    app = create_app(verbund.service.state.deployment)
    rules = [rule for rule in app.url_map.iter_rules() if str(rule).startswith("/desk/<key>")]
    assert len(rules) > 5
    return [
        (method, re.sub(r"<[^>]+>", "1", str(rule).replace("<key>", OTHER).replace(UUID, ANY_UUID)))
        for rule in rules
        for method in sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"})
    ]


async def test_every_page_of_a_foreign_desk_does_not_exist(verbund: Verbund) -> None:
    async with verbund.browser("open@town.example") as mine, a_desk(verbund.service) as stranger:
        token = (await mine.get(f"/desk/{TOWN}/people")).token
        for method, path in desk_rules(verbund):
            if method == "GET":
                answer, other = await mine.get(path), await stranger.get(path)
            else:
                answer = await mine.post(path, token=token)
                other = await stranger.post(path, token=token)
            assert answer.status == 404, (method, path, answer.status)
            assert SECRET not in answer.text
            # Who is not signed in is sent there, or his form is not known.
            assert other.status in (303, 403), (method, path, other.status)
        assert (await mine.get(f"/desk/{TOWN}")).status == 200


def readable_paths(verbund: Verbund) -> list[str]:
    """Every address that answers to GET, with something of the other municipality in its gaps."""
    rules = create_app(verbund.service.state.deployment).url_map.iter_rules()
    return [
        re.sub(r"<([^>]+)>", lambda gap: GAPS.get(gap[1], OTHER), str(rule))
        for rule in rules
        if "GET" in (rule.methods or ())
    ]


async def test_pages_api_and_exports_show_nothing_private(verbund: Verbund) -> None:
    """To an admin of the one municipality who also has a key of a provider there, on every page
    that there is, and in every file of open data and of the standards."""
    paths = readable_paths(verbund)
    known = {"/opendata/vacancies.csv", "/api/v1/homes/other-home", f"/desk/{TOWN}/planning.csv"}
    assert known | {f"/desk/{TOWN}/evacuation", "/fhir/Location"} <= set(paths)
    key = {"Authorization": f"Bearer {await verbund.service.key('caritas')}"}
    shown = 0
    async with verbund.browser("open@town.example") as mine:
        for path in paths:
            async with mine.client.get(mine.url + path, headers=key) as answer:
                text = (await answer.read()).decode(errors="replace")
            assert answer.status < 500, (path, answer.status)
            assert not [mark for mark in PRIVATE if mark in text], path
            shown += "other-home" in text
    assert shown > 5, "what is public of the other one is there"
    async with verbund.browser(f"{SECRET}@town.example") as theirs:
        trail = (await theirs.get(f"/desk/{OTHER}/trail")).text
    assert [mark for mark in PRIVATE if mark in trail], "to its own desk it is shown"


async def test_the_stream_shows_nothing_private(verbund: Verbund) -> None:
    url = f"{verbund.service.url}/api/v1/vacancies/stream?include_full=true"
    key = {"Authorization": f"Bearer {await verbund.service.key('caritas')}"}
    text = ""
    async with verbund.service.client.get(url, headers=key) as answer:
        async for line in answer.content:
            text += line.decode()
            if line.startswith(b"event: ready"):
                break
    assert "other-home" in text
    assert not [mark for mark in PRIVATE if mark in text]
