"""Keys: for one home, for a time, replaced by another; and what answers say of that."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import asyncpg
import pytest

from providers.auth import (
    ApiKey,
    KeyRefused,
    KeyRing,
    create_key,
    hash_key,
    revoke_key,
    rotate_key,
    select_keys,
)
from tests.conftest import Service
from tests.providers.conftest import ONE, PATH, PROVIDER, state_of
from vacancies.database import Pool
from vacancies.errors import Unauthenticated
from vacancies.provider import ensure_provider

HOUR = timedelta(hours=1)


async def stored(pool: Pool, key: str) -> ApiKey:
    found = {entry.id: entry for entry in await select_keys(pool)}
    return found[await pool.fetchval("SELECT id FROM api_key WHERE hash = $1", hash_key(key))]


async def test_a_key_for_one_home_opens_no_other(ready: Service) -> None:
    await ready.put_home("b")
    pool = ready.state.deployment.pool
    provider = await ensure_provider(pool, PROVIDER)
    key = await create_key(pool, provider.id, home_id="a")
    assert (await ready.call("PUT", PATH, ONE, key=key))[0] == 200
    assert (await ready.call("POST", f"{PATH}/confirm", key=key))[0] == 200
    before = await state_of(ready)
    profile = {"name": "X", "coordinates": {"latitude": 51.9, "longitude": 8.4}}
    for method, path, body in (
        ("PUT", "/api/v1/homes/b/vacancies", ONE),
        ("POST", "/api/v1/homes/b/vacancies/confirm", None),
        ("PUT", "/api/v1/homes/b", profile),
        ("PUT", "/api/v1/homes/unused", profile),
    ):
        status, problem, _ = await ready.call(method, path, body, key=key)
        assert (status, problem["code"]) == (403, "foreign_home"), path
    rows = {"reports": [{"home_id": "b", **ONE}]}
    _, body, _ = await ready.call("POST", "/api/v1/reports", rows, key=key)
    assert [row["code"] for row in body["results"]] == ["foreign_home"]
    assert await state_of(ready) == before


async def test_a_key_is_not_made_for_the_home_of_another(ready: Service) -> None:
    pool = ready.state.deployment.pool
    other = await ensure_provider(pool, "somebody-else")
    count = await pool.fetchval("SELECT count(*) FROM api_key")
    for home_id in ("a", "nobody"):
        with pytest.raises(KeyRefused):
            await create_key(pool, other.id, home_id=home_id)
    assert await pool.fetchval("SELECT count(*) FROM api_key") == count


async def test_a_key_ends_by_itself_and_says_when(ready: Service) -> None:
    pool = ready.state.deployment.pool
    provider = await ensure_provider(pool, PROVIDER)
    key = await create_key(pool, provider.id, lifetime=timedelta(days=2))
    _, _, headers = await ready.call("PUT", PATH, ONE, key=key)
    ends = parsedate_to_datetime(headers["Sunset"])
    assert abs(ends - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)
    assert "Deprecation" not in headers
    await pool.execute("UPDATE api_key SET expires_at = now() WHERE hash = $1", hash_key(key))
    status, problem, headers = await ready.call("PUT", PATH, ONE, key=key)
    assert (status, problem["code"]) == (401, "unauthenticated")
    assert "Sunset" not in headers  # who has no key learns nothing of any


async def test_rotation_leaves_both_keys_for_the_overlap(ready: Service) -> None:
    pool = ready.state.deployment.pool
    provider = await ensure_provider(pool, PROVIDER)
    old = await create_key(pool, provider.id, "Vivendi", home_id="a")
    new = await rotate_key(pool, (await stored(pool, old)).id, 72 * HOUR)
    for key, speaks in ((old, True), (new, False)):
        for body in (ONE, {"vacancies": "wrong"}):  # refusals say it too
            status, _, headers = await ready.call("PUT", PATH, body, key=key)
            assert status in (200, 422)
            assert ("Deprecation" in headers, "Sunset" in headers) == (speaks, speaks)
    _, _, headers = await ready.call("PUT", PATH, ONE, key=old)
    since = datetime.fromtimestamp(int(headers["Deprecation"].removeprefix("@")), UTC)
    assert abs(datetime.now(UTC) - since) < timedelta(minutes=1)
    assert parsedate_to_datetime(headers["Sunset"]) - since == 72 * HOUR
    before, after = await stored(pool, old), await stored(pool, new)
    assert before.replaced_by == after.id
    assert (after.label, after.home_id, after.expires_at) == ("Vivendi", "a", None)
    await pool.execute("UPDATE api_key SET expires_at = now() WHERE id = $1", before.id)
    assert (await ready.call("PUT", PATH, ONE, key=old))[0] == 401
    assert (await ready.call("PUT", PATH, ONE, key=new))[0] == 200


async def test_rotation_prolongs_no_key_and_keeps_its_lifetime(pool: Pool) -> None:
    provider = await ensure_provider(pool, "eins")
    old = await create_key(pool, provider.id, is_test=True, lifetime=2 * HOUR)
    ends = (await stored(pool, old)).expires_at
    new = await rotate_key(pool, (await stored(pool, old)).id, 72 * HOUR)
    assert new.startswith("fpt_")
    assert (await stored(pool, old)).expires_at == ends
    after = await stored(pool, new)
    assert after.expires_at is not None
    assert after.expires_at - after.created_at == 2 * HOUR


async def test_without_overlap_the_old_key_is_closed_at_once(pool: Pool) -> None:
    provider = await ensure_provider(pool, "eins")
    old = await create_key(pool, provider.id)
    new = await rotate_key(pool, (await stored(pool, old)).id, timedelta(0))
    ring = KeyRing(pool)
    with pytest.raises(Unauthenticated):
        await ring.authenticate(f"Bearer {old}")
    assert (await ring.authenticate(f"Bearer {new}")).provider == "eins"


async def test_a_key_is_replaced_once_whoever_asks(pool: Pool) -> None:
    provider = await ensure_provider(pool, "eins")
    key = await create_key(pool, provider.id)
    key_id = (await stored(pool, key)).id
    found = await asyncio.gather(
        *(rotate_key(pool, key_id) for _ in range(5)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in found) == ["KeyRefused"] * 4 + ["str"]
    assert len(await select_keys(pool)) == 2


async def test_what_opens_nothing_is_not_replaced(pool: Pool) -> None:
    provider = await ensure_provider(pool, "eins")
    key = await create_key(pool, provider.id)
    key_id = (await stored(pool, key)).id
    await revoke_key(pool, key_id)
    for each in (key_id, 10_000):
        with pytest.raises(KeyRefused):
            await rotate_key(pool, each)
    assert len(await select_keys(pool)) == 1


async def test_prefix_and_mode_of_a_key_cannot_disagree(pool: Pool) -> None:
    provider = await ensure_provider(pool, "eins")
    await create_key(pool, provider.id)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE api_key SET is_test = true")
