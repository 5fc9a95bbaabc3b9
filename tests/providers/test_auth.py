"""Keys are checked together, and each for itself."""

from __future__ import annotations

import asyncio

import pytest

from providers.auth import KeyRing, create_key, revoke_key, select_keys
from vacancies.database import Pool
from vacancies.errors import Unauthenticated
from vacancies.provider import ensure_provider


async def make(pool: Pool, *names: str) -> dict[str, str]:
    """A key for each of some providers, as it stands in the header."""
    found = {}
    for name in names:
        provider = await ensure_provider(pool, name)
        found[provider.slug] = f"Bearer {await create_key(pool, provider.id)}"
    return found


async def test_of_many_at_once_each_gets_its_own(pool: Pool) -> None:
    headers = await make(pool, "eins", "zwei", "drei")
    wrong = [None, "", "Bearer", "Basic x", "Bearer fp_wrong", "Bearer fp_" + "x" * 300]
    ring = KeyRing(pool)
    calls = [*headers.values()] * 20
    found = await asyncio.gather(
        *(ring.authenticate(header) for header in [*calls, *wrong]), return_exceptions=True
    )
    names = [getattr(key, "provider", None) for key in found[: len(calls)]]
    assert names == [*headers] * 20
    assert {type(error) for error in found[len(calls) :]} == {Unauthenticated}
    assert len({str(error) for error in found[len(calls) :]}) == 1


async def test_a_revoked_key_is_closed_for_whoever_comes_next(pool: Pool) -> None:
    ((_, header),) = (await make(pool, "eins")).items()
    ring = KeyRing(pool)
    await ring.authenticate(header)
    (key,) = await select_keys(pool)
    assert key.last_used_at is not None
    await revoke_key(pool, key.id)
    with pytest.raises(Unauthenticated):
        await ring.authenticate(header)


async def test_who_leaves_takes_nobody_along(pool: Pool) -> None:
    ((_, header),) = (await make(pool, "eins")).items()
    ring = KeyRing(pool)
    leaving, staying = (asyncio.create_task(ring.authenticate(header)) for _ in range(2))
    await asyncio.sleep(0)  # both wait for the same answer now
    leaving.cancel()
    assert (await staying).provider == "eins"
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_trouble_is_said_to_all_who_wait_and_to_nobody_after(pool: Pool) -> None:
    headers = await make(pool, "eins", "zwei")
    ring = KeyRing(pool)
    async with pool.acquire() as other:
        await other.execute("ALTER TABLE api_key RENAME TO api_key_away")
        found = await asyncio.gather(
            *(ring.authenticate(header) for header in headers.values()), return_exceptions=True
        )
        assert {type(error).__name__ for error in found} == {"UndefinedTableError"}
        await other.execute("ALTER TABLE api_key_away RENAME TO api_key")
    for slug, header in headers.items():
        assert (await ring.authenticate(header)).provider == slug
