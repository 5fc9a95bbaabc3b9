"""What was backed up comes back: every row, the schema, the numbers; with another epoch."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pyrage import x25519

from tests.vacancies.backups.conftest import Make, content_of, empty_database, restore, schema_of
from vacancies import database
from vacancies.backups import opened, restoring
from vacancies.backups.archive import read_members, write_members
from vacancies.backups.comparing import Comparison, compare_databases
from vacancies.backups.making import write_backup
from vacancies.backups.tables import connect, our_tables
from vacancies.database import (
    Connection,
    Pool,
    check_schema,
    migrate,
    migrations,
    open_pool,
    select_epoch,
)
from vacancies.errors import BackupError, Unavailable
from vacancies.provider import ensure_provider
from vacancies.roles import ROLES
from vacancies.servers import Servers


async def compared(one: str, two: str) -> Comparison:
    async with (
        connect(one) as first,
        connect(two) as second,
        first.transaction(),
        second.transaction(),
    ):
        return await compare_databases(first, second)


async def test_every_row_comes_back_and_the_epoch_is_another(
    full: str, empty: str, make: Make, key: x25519.Identity
) -> None:
    made = await make(full)
    assert await restore(made.path, key, empty) == 0
    comparison = await compared(full, empty)
    assert comparison.is_equal
    assert comparison.tables == len(our_tables()) == len(made.contents.tables)
    assert comparison.rows == made.contents.rows > 150
    assert await schema_of(full) == await schema_of(empty)


async def test_a_comparison_sees_one_changed_row(
    full: str, empty: str, make: Make, key: x25519.Identity
) -> None:
    await restore((await make(full)).path, key, empty)
    async with connect(empty) as connection:
        await connection.execute("UPDATE staff SET name = name || ' ' WHERE email LIKE 'b@%'")
        await connection.execute("DELETE FROM report WHERE id = (SELECT max(id) FROM report)")
    differing = (await compared(full, empty)).differing
    assert sorted(differing) == ["report", "staff"]
    assert differing["staff"] == 2


async def test_numbers_of_deleted_rows_are_not_given_out_again(
    full: str, empty: str, make: Make, key: x25519.Identity
) -> None:
    await restore((await make(full)).path, key, empty)
    question = "INSERT INTO staff (email) VALUES ('e@example.org') RETURNING id"
    numbers = []
    for url in (full, empty):
        async with connect(url) as connection:
            highest = await connection.fetchval("SELECT max(id) FROM staff")
            numbers.append(await connection.fetchval(question))
            assert numbers[-1] == highest + 2
    assert numbers[0] == numbers[1]


async def test_what_is_written_meanwhile_is_not_in_it(
    full: str, empty: str, pool: Pool, key: x25519.Identity, tmp_path: Path
) -> None:
    path = tmp_path / "backup"
    async with (
        connect(full) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        before = await connection.fetchval("SELECT count(*) FROM provider")
        await ensure_provider(pool, "Too late")
        with path.open("wb") as file:
            await write_backup(connection, file, [key.to_public()], "")
    await restore(path, key, empty)
    async with connect(empty) as connection:
        assert await connection.fetchval("SELECT count(*) FROM provider") == before
    assert await pool.fetchval("SELECT count(*) FROM provider") == before + 1


async def test_a_database_with_data_is_left_alone_unless_told_so(
    full: str, make: Make, key: x25519.Identity, pool: Pool
) -> None:
    made = await make(full)
    epoch = await select_epoch(pool)
    await ensure_provider(pool, "Newer than the backup")
    before = await content_of(full)
    with pytest.raises(BackupError, match=r"holds data \(.*care_home.*--replace"):
        await restore(made.path, key, full)
    assert await content_of(full) == before
    await restore(made.path, key, full, replace=True)
    after = await content_of(full)
    assert after.pop("deployment") != made.contents.tables["deployment"]
    assert after == {n: a for n, a in made.contents.tables.items() if n != "deployment"}
    assert await select_epoch(pool) != epoch


async def test_an_older_backup_is_brought_up_to_date(
    servers: Servers,
    empty: str,
    make: Make,
    key: x25519.Identity,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older, newer = migrations()[:-3], migrations()[-3:]
    async with empty_database(servers) as url:
        pool = await open_pool(url, size=1)
        with monkeypatch.context() as before:
            before.setattr(database, "migrations", lambda: older)
            await migrate(pool)
        await ensure_provider(pool, "Träger")
        await pool.close()
        made = await make(url)
    assert await restore(made.path, key, empty) == len(newer)
    pool = await open_pool(empty, size=1)
    await check_schema(pool)
    assert await pool.fetchval("SELECT name FROM provider") == "Träger"
    await pool.close()


async def test_a_newer_backup_is_refused(
    full: str, make: Make, key: x25519.Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await make(full)
    monkeypatch.setattr(opened, "migrations", lambda: migrations()[:-1])
    before = await content_of(full)
    with pytest.raises(BackupError, match="newer one"):
        await restore(made.path, key, full, replace=True)
    assert await content_of(full) == before


async def test_a_database_of_a_newer_version_is_not_backed_up_in_part(
    full: str, make: Make, pool: Pool
) -> None:
    await pool.execute("INSERT INTO migration (number, name, hash) VALUES (9999, '', '')")
    with pytest.raises(BackupError, match="another version"):
        await make(full)


async def test_an_empty_database_is_no_backup(empty: str, make: Make) -> None:
    with pytest.raises(BackupError, match="nothing to back up"):
        await make(empty)


async def test_what_fails_in_the_middle_changes_nothing(
    full: str, make: Make, key: x25519.Identity, tmp_path: Path
) -> None:
    """A backup that is whole, and whose rows the schema refuses: a home of a provider that is not
    there."""
    made = await make(full)
    async with connect(full) as connection:
        orphan = "ALTER TABLE care_home DROP CONSTRAINT care_home_provider_id_fkey"
        await connection.execute(orphan)
        await connection.execute("DELETE FROM provider")
    broken = await make(full)
    await restore(made.path, key, full, replace=True)
    before, schema = await content_of(full), await schema_of(full)
    with pytest.raises(BackupError, match=r"ForeignKeyViolation.*care_home.*nothing was changed"):
        await restore(broken.path, key, full, replace=True)
    assert await content_of(full) == before
    assert await schema_of(full) == schema


async def test_a_table_that_comes_out_otherwise_is_noticed(
    full: str, empty: str, make: Make, key: x25519.Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await make(full)
    fill = restoring._fill

    async def fill_badly(connection: Connection, *more: Any) -> None:
        await fill(connection, *more)
        await connection.execute("UPDATE staff SET name = '' WHERE email LIKE 'b@%'")

    monkeypatch.setattr(restoring, "_fill", fill_badly)
    with pytest.raises(BackupError, match="staff did not come out"):
        await restore(made.path, key, empty)
    assert await content_of(empty) == {}


async def test_a_user_without_power_over_the_server_can_do_both(
    servers: Servers, full: str, key: x25519.Identity, make: Make
) -> None:
    name = f"app_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute(f"CREATE ROLE {name} LOGIN; GRANT {', '.join(ROLES)} TO {name}")
    async with empty_database(servers) as url:
        database_name = url.split("?")[0].rsplit("/", 1)[1]
        await admin.execute(f"ALTER DATABASE {database_name} OWNER TO {name}")
        owned = url.replace("freiplatz@", f"{name}@", 1)
        made = await make(full)
        await restore(made.path, key, owned)
        again = await make(owned)
        await restore(again.path, key, owned, replace=True)
        tables = dict(again.contents.tables)
        assert tables.pop("deployment") != made.contents.tables["deployment"]
        assert tables.items() <= made.contents.tables.items()
    await admin.execute(f"DROP ROLE {name}")
    await admin.close()


async def test_tables_of_others_are_left_alone(
    full: str, make: Make, key: x25519.Identity, pool: Pool
) -> None:
    await pool.execute("CREATE TABLE of_others (id int); INSERT INTO of_others VALUES (1)")
    made = await make(full)
    assert "of_others" not in made.contents.tables
    await restore(made.path, key, full, replace=True)
    assert await pool.fetchval("SELECT id FROM of_others") == 1


async def test_rows_that_contradict_what_is_counted_are_refused(
    full: str, empty: str, make: Make, key: x25519.Identity, tmp_path: Path
) -> None:
    made = await make(full)
    members = list(read_members(made.path, [key], lambda done: None))
    forged = tmp_path / "forged"
    for left_out, said in ((2, "contradicts itself"), (len(members) - 1, "not complete")):
        with forged.open("wb") as file, write_members(file, [key.to_public()]) as add:
            for place, (name, content) in enumerate(members):
                if place != left_out:
                    add(name, content)
        with pytest.raises(BackupError, match=said):
            await restore(forged, key, empty)
    assert await content_of(empty) == {}


async def test_a_user_who_sees_not_every_row_makes_no_backup(
    servers: Servers, full: str, make: Make, tmp_path: Path
) -> None:
    """Row-level security would leave rows out without a word."""
    name = f"reader_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(full)
    await admin.execute(
        f"CREATE ROLE {name} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"
    )
    with pytest.raises(BackupError, match="owns the tables"):
        await make(full.replace("freiplatz@", f"{name}@", 1))
    assert not list((tmp_path / "backups").rglob("*.age"))
    await admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")
    await admin.close()


async def test_a_database_that_goes_away_is_said_and_nothing_is_restored(
    full: str, empty: str, make: Make, key: x25519.Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await make(full)
    compare = restoring._compare

    async def cut_off(connection: Connection, *more: Any) -> None:
        admin = await asyncpg.connect(full)
        await admin.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        await admin.close()
        await compare(connection, *more)

    monkeypatch.setattr(restoring, "_compare", cut_off)
    with pytest.raises(Unavailable, match="went away"):
        await restore(made.path, key, empty)
    assert await content_of(empty) == {}
