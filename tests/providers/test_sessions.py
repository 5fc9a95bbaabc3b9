"""Sessions: what a cookie opens, for how long, and how it is taken away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from providers.sessions import (
    ENDS,
    LIVES,
    find_session,
    hash_secret,
    revoke_session,
    revoke_sessions,
    select_sessions,
    start_session,
)
from providers.staff import Staff, ensure_staff
from tests.providers.people import ANNA, BERT
from vacancies.database import Pool


@pytest.fixture
async def anna(pool: Pool) -> Staff:
    return await ensure_staff(pool, ANNA, name="Anna")


async def back_date(pool: Pool, cookie: str, age: timedelta) -> None:
    """As if the session had been used last that long ago."""
    await pool.execute(
        "UPDATE staff_session SET seen_at = seen_at - $2::interval,"
        " expires_at = expires_at - $2::interval WHERE hash = $1",
        hash_secret(cookie),
        age,
    )


async def test_a_cookie_opens_its_session(pool: Pool, anna: Staff) -> None:
    cookie = await start_session(pool, anna.id, "Firefox, Android")
    found = await find_session(pool, cookie)
    assert found is not None
    assert found.staff == anna
    assert found.session.device == "Firefox, Android"
    assert not found.is_renewed
    for other in ("", "x", cookie[:-1], cookie.swapcase(), "\x00", "\udcff"):
        assert await find_session(pool, other) is None


async def test_only_the_hash_is_stored(pool: Pool, anna: Staff) -> None:
    cookie = await start_session(pool, anna.id, "")
    rows = await pool.fetch("SELECT staff_session::text AS row FROM staff_session")
    assert [row["row"] for row in rows if cookie in row["row"]] == []
    assert hash_secret(cookie).hex() in rows[0]["row"]


async def test_it_lives_for_thirty_days_from_its_last_use(pool: Pool, anna: Staff) -> None:
    cookie = await start_session(pool, anna.id, "")
    await back_date(pool, cookie, LIVES - timedelta(hours=2))
    found = await find_session(pool, cookie)
    assert found is not None
    assert found.is_renewed
    (session,) = await select_sessions(pool, anna.id)
    assert session.expires_at > datetime.now(UTC) + LIVES - timedelta(minutes=5)
    await back_date(pool, cookie, LIVES + timedelta(seconds=1))
    assert await find_session(pool, cookie) is None
    assert await select_sessions(pool, anna.id) == []


async def test_it_ends_after_half_a_year_however_often_it_is_used(pool: Pool, anna: Staff) -> None:
    cookie = await start_session(pool, anna.id, "")
    await pool.execute(
        "UPDATE staff_session SET created_at = created_at - $1::interval",
        ENDS - timedelta(days=2),
    )
    await back_date(pool, cookie, timedelta(hours=2))
    assert await find_session(pool, cookie) is not None
    (session,) = await select_sessions(pool, anna.id)
    assert session.expires_at == session.created_at + ENDS
    await pool.execute("UPDATE staff_session SET created_at = created_at - interval '3 days',"
                       " seen_at = seen_at - interval '2 hours'")  # fmt: skip
    await find_session(pool, cookie)
    assert await find_session(pool, cookie) is None


async def test_its_use_is_noted_to_the_hour(pool: Pool, anna: Staff) -> None:
    cookie = await start_session(pool, anna.id, "")
    await back_date(pool, cookie, timedelta(hours=3))
    renewals = [await find_session(pool, cookie) for _ in range(3)]
    assert [found.is_renewed for found in renewals if found] == [True, False, False]
    (session,) = await select_sessions(pool, anna.id)
    assert (session.seen_at.minute, session.seen_at.second) == (0, 0)


async def test_a_revoked_session_opens_nothing(pool: Pool, anna: Staff) -> None:
    kept, lost = [await start_session(pool, anna.id, "") for _ in range(2)]
    bert = await ensure_staff(pool, BERT)
    assert not await revoke_session(pool, bert.id, hash_secret(lost)), "not his to revoke"
    assert await revoke_session(pool, anna.id, hash_secret(lost))
    assert not await revoke_session(pool, anna.id, hash_secret(lost))
    assert await find_session(pool, lost) is None
    assert await find_session(pool, kept) is not None
    assert await revoke_sessions(pool, anna.id) == 1
    assert await find_session(pool, kept) is None


async def test_what_is_over_is_cleared_away(pool: Pool, anna: Staff) -> None:
    old = await start_session(pool, anna.id, "")
    await back_date(pool, old, LIVES)
    await start_session(pool, anna.id, "")
    assert await pool.fetchval("SELECT count(*) FROM staff_session") == 1
