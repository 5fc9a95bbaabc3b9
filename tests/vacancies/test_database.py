"""Migrations: run once, never edited, every column explained."""

from __future__ import annotations

import pytest

from vacancies import database
from vacancies.database import OutdatedSchema, Pool, check_schema, migrate, migrations, open_pool
from vacancies.errors import Unavailable


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
