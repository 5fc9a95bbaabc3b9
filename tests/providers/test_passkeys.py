"""Passkeys: made, used, and every way to cheat with them refused."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from providers.passkeys import (
    CHALLENGE_LIVES,
    PasskeyRefused,
    Site,
    begin_authentication,
    begin_registration,
    delete_passkey,
    finish_authentication,
    finish_registration,
    select_passkeys,
)
from providers.staff import Staff, ensure_staff
from tests.providers.authenticator import PRESENT, VERIFIED, Authenticator
from tests.providers.people import ANNA, BERT
from vacancies.database import Pool

SITE = Site("freiplatz.example", "https://freiplatz.example", "x" * 32)


@pytest.fixture
async def anna(pool: Pool) -> Staff:
    return await ensure_staff(pool, ANNA, name="Anna")


def a_device(counter: int = 1, flags: int = PRESENT | VERIFIED) -> Authenticator:
    return Authenticator(SITE.host, SITE.origin, counter, flags)


async def register(pool: Pool, staff: Staff, device: Authenticator, site: Site = SITE) -> None:
    async with pool.acquire() as connection:
        options, cookie = await begin_registration(connection, site, staff)
        answer = device.create(options)
        await finish_registration(connection, site, staff, cookie, answer, "Firefox, Android")


async def ask(pool: Pool) -> tuple[str, str]:
    async with pool.acquire() as connection:
        return await begin_authentication(connection, SITE)


async def finish(pool: Pool, cookie: str, answer: str, site: Site = SITE) -> int:
    async with pool.acquire() as connection:
        return (await finish_authentication(connection, site, cookie, answer)).id


async def sign_in(pool: Pool, device: Authenticator) -> int:
    options, cookie = await ask(pool)
    return await finish(pool, cookie, device.get(options))


async def test_a_passkey_says_who_it_is(pool: Pool, anna: Staff) -> None:
    bert = await ensure_staff(pool, BERT)
    hers, his = a_device(), a_device()
    await register(pool, anna, hers)
    await register(pool, bert, his)
    for _ in range(2):
        assert await sign_in(pool, hers) == anna.id
    assert await sign_in(pool, his) == bert.id
    (known,) = await select_passkeys(pool, anna.id)
    assert known.label == "Firefox, Android"
    assert known.used_at is not None


async def test_options_name_nobody(pool: Pool, anna: Staff) -> None:
    await register(pool, anna, a_device())
    options, _ = await ask(pool)
    assert json.loads(options)["allowCredentials"] == []
    assert json.loads(options)["userVerification"] == "required"


async def test_an_answer_is_good_once(pool: Pool, anna: Staff) -> None:
    for counter in (1, 0):  # with and without a counter
        device = a_device(counter=counter)
        await register(pool, anna, device)
        options, cookie = await ask(pool)
        answer = device.get(options)
        calls = (finish(pool, cookie, answer) for _ in range(6))
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [r for r in results if not isinstance(r, PasskeyRefused)] == [anna.id]
        with pytest.raises(PasskeyRefused):
            await finish(pool, cookie, answer)
        with pytest.raises(PasskeyRefused):  # nor another answer to the same challenge
            await finish(pool, cookie, device.get(options))
        assert await sign_in(pool, device) == anna.id


async def test_a_copy_is_noticed_by_its_counter(pool: Pool, anna: Staff) -> None:
    device = a_device()
    await register(pool, anna, device)
    copy = a_device(counter=device.counter)
    copy.key, copy.credential_id = device.key, device.credential_id
    copy.user_handle = device.user_handle
    assert await sign_in(pool, device) == anna.id
    with pytest.raises(PasskeyRefused):
        await sign_in(pool, copy)


async def test_a_challenge_is_bound_to_its_browser(pool: Pool, anna: Staff) -> None:
    device = a_device()
    await register(pool, anna, device)
    (options, cookie), (_, other) = await ask(pool), await ask(pool)
    async with pool.acquire() as connection:
        _, registering = await begin_registration(connection, SITE, anna)
    for wrong in ("", "x", other, registering, cookie[:-4] + "AAAA", "\udcff"):
        with pytest.raises(PasskeyRefused):
            await finish(pool, wrong, device.get(options))
    assert await finish(pool, cookie, device.get(options)) == anna.id


async def test_a_challenge_grows_old(pool: Pool, anna: Staff) -> None:
    device = a_device()
    await register(pool, anna, device)
    options, cookie = await ask(pool)
    async with pool.acquire() as connection, connection.transaction():
        # The database's clock decides: here it stands five minutes later.
        await connection.execute("CREATE SCHEMA later")
        await connection.execute(
            "CREATE FUNCTION later.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
            f" AS 'SELECT pg_catalog.clock_timestamp() + interval ''{_seconds()} s'''"
        )
        await connection.execute("SET LOCAL search_path = later, pg_catalog, public")
        with pytest.raises(PasskeyRefused, match="five minutes"):
            await finish_authentication(connection, SITE, cookie, device.get(options))


def _seconds() -> int:
    return int((CHALLENGE_LIVES + timedelta(seconds=1)).total_seconds())


async def test_what_was_made_for_somebody_else_is_refused(pool: Pool, anna: Staff) -> None:
    bert = await ensure_staff(pool, BERT)
    device = a_device()
    async with pool.acquire() as connection:
        options, cookie = await begin_registration(connection, SITE, anna)
        answer = device.create(options)
        with pytest.raises(PasskeyRefused):
            await finish_registration(connection, SITE, bert, cookie, answer, "")
        await finish_registration(connection, SITE, anna, cookie, answer, "")
        with pytest.raises(PasskeyRefused):  # entered already
            await finish_registration(connection, SITE, anna, cookie, answer, "")
    device.user_handle = bert.id.to_bytes(8)
    with pytest.raises(PasskeyRefused):
        await sign_in(pool, device)


async def test_the_holder_must_be_verified(pool: Pool, anna: Staff) -> None:
    with pytest.raises(PasskeyRefused):
        await register(pool, anna, a_device(flags=PRESENT))
    device = a_device()
    await register(pool, anna, device)
    device.flags = PRESENT
    with pytest.raises(PasskeyRefused):
        await sign_in(pool, device)


async def test_another_site_gets_nowhere(pool: Pool, anna: Staff) -> None:
    device = a_device()
    await register(pool, anna, device)
    device.origin = "https://freiplatz.example.evil.test"
    with pytest.raises(PasskeyRefused):
        await sign_in(pool, device)
    device.origin, device.host = SITE.origin, "evil.test"
    with pytest.raises(PasskeyRefused):
        await sign_in(pool, device)


async def test_a_removed_passkey_opens_nothing(pool: Pool, anna: Staff) -> None:
    device = a_device()
    await register(pool, anna, device)
    bert = await ensure_staff(pool, BERT)
    assert not await delete_passkey(pool, bert.id, device.credential_id), "not his to remove"
    assert await delete_passkey(pool, anna.id, device.credential_id)
    with pytest.raises(PasskeyRefused):
        await sign_in(pool, device)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("id", "rawId", "type", "response")
PARTS = ("clientDataJSON", "authenticatorData", "signature", "userHandle")


@given(name=st.sampled_from(FIELDS + PARTS), value=JSON | st.binary().map(str))
@given_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_garbage_is_refused_in_order(pool: Pool, name: str, value: object) -> None:
    anna = await ensure_staff(pool, ANNA)
    device = a_device(counter=0)
    await register(pool, anna, device)
    options, cookie = await ask(pool)
    answer = json.loads(device.get(options))
    (answer if name in FIELDS else answer["response"])[name] = value
    if name == "userHandle" and not value:
        return  # it may be left out
    with pytest.raises(PasskeyRefused):
        await finish(pool, cookie, json.dumps(answer))
    await delete_passkey(pool, anna.id, device.credential_id)
