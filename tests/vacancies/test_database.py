"""Migrations: run once, never edited, every column explained."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import pytest

from vacancies import database
from vacancies.database import OutdatedSchema, Pool, check_schema, migrate, migrations, open_pool
from vacancies.errors import Unavailable
from vacancies.homes import select_homes
from vacancies.models import CareForm, Vacancy
from vacancies.servers import Servers

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_migrating_twice_does_nothing(pool: Pool) -> None:
    await check_schema(pool)
    assert await migrate(pool) == 0


async def test_every_column_is_explained(pool: Pool) -> None:
    silent = await pool.fetch(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0"
        " AND NOT a.attisdropped AND c.relname <> 'migration'"
        " AND col_description(c.oid, a.attnum) IS NULL"
    )
    assert [tuple(row) for row in silent] == []


async def test_an_edited_migration_is_refused(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = [(number, name, sql + "-- more") for number, name, sql in migrations()]
    monkeypatch.setattr(database, "migrations", lambda: edited)
    with pytest.raises(OutdatedSchema, match="edited"):
        await migrate(pool)


async def test_homes_of_the_first_schema_keep_their_states(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute("CREATE DATABASE first_schema")
    path, _, query = servers.database_url.partition("?")
    pool = await open_pool(f"{path.rsplit('/', 1)[0]}/first_schema?{query}", size=1)
    first = migrations()[:1]
    with monkeypatch.context() as before:
        before.setattr(database, "migrations", lambda: first)
        assert await migrate(pool) == 1
    await pool.execute("INSERT INTO provider (slug, name) VALUES ('t', 'T')")
    await pool.execute(
        "INSERT INTO care_home (id, provider_id, name, latitude, longitude, point_precision,"
        " vacancies, observed_at, reported_at, evaluated_at, revision, moved_revision)"
        """ VALUES ('a', 1, 'A', 51, 8, 'exact', '[{"care_form": "day", "count": 2}]', $1, $1,"""
        " $1, 7, 3)",
        MOMENT,
    )
    assert await migrate(pool) == len(migrations()) - 1
    (home,) = await select_homes(pool, ["a"])
    assert home.vacancies == (Vacancy(care_form=CareForm.DAY, count=2),)
    assert (home.observed_at, home.reported_at, home.evaluated_at) == (MOMENT,) * 3
    assert (home.confirmed_at, home.revision, home.moved_revision) == (None, 7, 3)
    await pool.close()
    await admin.execute("DROP DATABASE first_schema")
    await admin.close()


async def test_a_migration_that_is_missing_is_said(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = [*migrations(), (9999, "9999_more.sql", "SELECT 1")]
    monkeypatch.setattr(database, "migrations", lambda: more)
    with pytest.raises(OutdatedSchema, match="freiplatz migrate"):
        await check_schema(pool)


async def test_a_database_that_is_away_is_one_sentence() -> None:
    with pytest.raises(Unavailable, match="FREIPLATZ_DATABASE_URL"):
        await open_pool("postgresql://nobody@127.0.0.1:1/nothing")
