"""Links to sign in, and invitations: once, in time, in the right browser, and not too many."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from providers.offers import (
    OtherBrowser,
    SignInExpired,
    SignInRefused,
    SignInUsed,
    claim_offer,
    select_offer,
)
from providers.people import LastAdmin, remove_person, withdraw_invitation
from providers.sessions import find_session, hash_secret, start_session
from providers.signin import (
    INVITATION_LIVES,
    LINK_LIVES,
    MOST_INVITATIONS_A_DAY,
    MOST_LINKS_AN_HOUR,
    TooManyInvitations,
    checked_email,
    issue_invitation,
    issue_link,
)
from providers.staff import (
    delete_membership,
    delete_staff,
    membership_for,
    select_memberships,
    select_staff,
)
from tests.providers.people import ANNA, BERT, a_person, a_provider
from vacancies.database import Pool
from vacancies.errors import InvalidInput
from vacancies.writer import Writer

BROWSER = "b" * 43


async def link(pool: Pool, email: str = ANNA, browser: str = BROWSER) -> str:
    async with pool.acquire() as connection:
        issued = await issue_link(connection, email, browser)
    assert issued is not None
    return issued[1]


async def claim(pool: Pool, token: str, browser: str = BROWSER) -> str:
    async with pool.acquire() as connection:
        return (await claim_offer(connection, token, browser)).staff.email


async def age(pool: Pool, token: str, by: timedelta) -> None:
    await pool.execute(
        "UPDATE signin SET created_at = created_at - $2::interval,"
        " expires_at = expires_at - $2::interval WHERE hash = $1",
        hash_secret(token),
        by,
    )


async def test_a_link_is_good_once(pool: Pool, writer: Writer) -> None:
    await a_person(pool, await a_provider(pool, writer))
    token = await link(pool)
    async with pool.acquire() as connection:
        for _ in range(3):  # looking changes nothing
            assert (await select_offer(connection, token, BROWSER)).email == ANNA
    assert await claim(pool, token) == ANNA
    with pytest.raises(SignInUsed):
        await claim(pool, token)


async def test_of_many_who_redeem_it_at_once_one_gets_in(pool: Pool, writer: Writer) -> None:
    await a_person(pool, await a_provider(pool, writer))
    token = await link(pool)
    results = await asyncio.gather(*(claim(pool, token) for _ in range(8)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["SignInUsed"] * 7 + ["str"]


async def test_it_opens_only_where_it_was_asked_for(pool: Pool, writer: Writer) -> None:
    await a_person(pool, await a_provider(pool, writer))
    token = await link(pool)
    for other in ("", "c" * 43):
        with pytest.raises(OtherBrowser):
            await claim(pool, token, other)
    assert await claim(pool, token) == ANNA, "a wrong browser does not use it up"


async def test_it_is_good_for_ten_minutes(pool: Pool, writer: Writer) -> None:
    await a_person(pool, await a_provider(pool, writer))
    early, late = await link(pool), await link(pool)
    await age(pool, early, LINK_LIVES - timedelta(seconds=30))
    await age(pool, late, LINK_LIVES)
    assert await claim(pool, early) == ANNA
    with pytest.raises(SignInExpired):
        await claim(pool, late)


async def test_what_is_not_ours_opens_nothing(pool: Pool) -> None:
    for token in ("", "x" * 43, "\udcff", "../../account"):
        with pytest.raises(SignInRefused):
            await claim(pool, token)


async def test_a_stranger_gets_no_link(pool: Pool) -> None:
    async with pool.acquire() as connection:
        assert await issue_link(connection, "nobody@example.org", BROWSER) is None
    assert await pool.fetchval("SELECT count(*) FROM signin") == 0


async def test_nobody_is_flooded_however_many_ask_at_once(pool: Pool, writer: Writer) -> None:
    await a_person(pool, await a_provider(pool, writer))

    async def ask() -> bool:
        async with pool.acquire() as connection:
            return await issue_link(connection, ANNA.upper(), BROWSER) is not None

    assert sum(await asyncio.gather(*(ask() for _ in range(24)))) == MOST_LINKS_AN_HOUR
    await pool.execute("UPDATE signin SET created_at = created_at - interval '1 hour'")
    assert await ask(), "an hour later it goes on"


async def test_somebody_removed_since_does_not_get_in(pool: Pool, writer: Writer) -> None:
    staff = await a_person(pool, await a_provider(pool, writer))
    token = await link(pool)
    async with pool.acquire() as connection:
        await delete_staff(connection, staff.id)
    with pytest.raises(SignInRefused):
        await claim(pool, token)


async def test_an_invitation_gives_its_membership_when_accepted(pool: Pool, writer: Writer) -> None:
    provider = await a_provider(pool, writer, "a", "b")
    anna = await a_person(pool, provider)
    async with pool.acquire() as connection:
        token = await issue_invitation(
            connection, f" {BERT.upper()} ", provider.id, "a", invited_by=anna.id
        )
        assert await select_staff(connection, BERT) is None, "nothing before it is accepted"
        offer = await select_offer(connection, token, "any browser")
    assert (offer.email, offer.home_name, offer.is_invitation) == (BERT, "Haus a", True)
    assert await claim(pool, token, "any browser") == BERT
    bert = await select_staff(pool, BERT)
    assert bert is not None
    (membership,) = await select_memberships(pool, bert.id)
    assert (membership.home_id, membership.role) == ("a", "home_staff")
    assert await membership_for(pool, bert.id, "b") is None
    with pytest.raises(SignInUsed):
        await claim(pool, token)


async def test_an_invitation_ends(pool: Pool, writer: Writer) -> None:
    provider = await a_provider(pool, writer, "a", "b")
    anna = await a_person(pool, provider)
    cora = await a_person(pool, provider, "cora@example.org")

    async def invite(email: str, home: str = "a") -> str:
        async with pool.acquire() as connection:
            return await issue_invitation(connection, email, provider.id, home, invited_by=anna.id)

    old, withdrawn, replaced = await invite("b@x.org"), await invite("c@x.org"), await invite(BERT)
    await age(pool, old, INVITATION_LIVES)
    assert await withdraw_invitation(pool, provider.id, hash_secret(withdrawn))
    newer = await invite(BERT)
    for token in (old, withdrawn, replaced):
        with pytest.raises(SignInExpired):
            await claim(pool, token)
    (membership,) = await select_memberships(pool, anna.id)
    async with pool.acquire() as connection:
        assert await remove_person(connection, provider.id, membership.id)
    with pytest.raises(SignInRefused):
        await claim(pool, newer)  # who invited is in charge no more
    assert await select_staff(pool, BERT) is None
    assert cora.email


async def test_invitations_of_somebody_who_is_gone_are_void(pool: Pool, writer: Writer) -> None:
    provider = await a_provider(pool, writer, "a")
    anna = await a_person(pool, provider)
    async with pool.acquire() as connection:
        token = await issue_invitation(connection, BERT, provider.id, invited_by=anna.id)
        await delete_staff(connection, anna.id)
    with pytest.raises(SignInRefused):
        await claim(pool, token)


async def test_invitations_to_one_address_are_limited(pool: Pool, writer: Writer) -> None:
    provider = await a_provider(pool, writer, "a")

    async def invite() -> bool:
        async with pool.acquire() as connection:
            try:
                await issue_invitation(connection, BERT, provider.id, "a")
            except TooManyInvitations:
                return False
            return True

    sent = await asyncio.gather(*(invite() for _ in range(12)))
    assert sum(sent) == MOST_INVITATIONS_A_DAY


async def test_one_admin_stays(pool: Pool, writer: Writer) -> None:
    provider = await a_provider(pool, writer)
    people = [await a_person(pool, provider, email) for email in (ANNA, BERT)]
    ids = [(await select_memberships(pool, staff.id))[0].id for staff in people]

    async def remove(membership: int) -> bool:
        async with pool.acquire() as connection:
            return await remove_person(connection, provider.id, membership)

    results = await asyncio.gather(*map(remove, ids), return_exceptions=True)
    assert sorted(map(str, map(type, results))) == sorted(map(str, (bool, LastAdmin)))
    assert await pool.fetchval("SELECT count(*) FROM membership WHERE home_id IS NULL") == 1


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" Anna@Example.ORG ", ANNA),
        ("anna.o'neil+x@mail.example.org", "anna.o'neil+x@mail.example.org"),
        ("info@müller.de", "info@xn--mller-kva.de"),
    ],
)
def test_addresses_are_stored_in_one_form(text: str, email: str) -> None:
    assert checked_email(text) == email


@pytest.mark.parametrize(
    "text",
    ["", "anna", "@example.org", "anna@", "a b@x.org", "a@x.org,b@y.org", "a@x\r\nBcc: y@z.org",
     "a\x00@x.org", "<a@x.org>", "a@b@c.org", "a@..", "a" * 65 + "@x.org", "ä@x.org",
     "a@" + "x" * 64 + ".org", "a@" + ".".join(["x" * 60] * 5)],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        checked_email(text)


async def test_an_invitation_opens_nothing_of_somebody_who_is_known(
    pool: Pool, writer: Writer
) -> None:
    """It lives a week, in any browser: that is too much for an account with other rights."""
    provider = await a_provider(pool, writer, "a", "b")
    async with pool.acquire() as connection:
        first = await issue_invitation(connection, BERT, provider.id, "a")
        claimed = await claim_offer(connection, first, "", "pl")
        assert (claimed.may_sign_in, claimed.staff.language) == (True, "pl")
        second = await issue_invitation(connection, BERT, provider.id, "b")
        assert (await select_offer(connection, second, "")).is_known
        claimed = await claim_offer(connection, second, "", "en")
        assert (claimed.may_sign_in, claimed.staff.language) == (False, "pl")
    assert await membership_for(pool, claimed.staff.id, "b") is not None


async def test_who_may_do_nothing_any_more_is_signed_out(pool: Pool, writer: Writer) -> None:
    provider = await a_provider(pool, writer, "a", "b")
    staff = await a_person(pool, provider, BERT, "a")
    await a_person(pool, provider, BERT, "b")
    cookie = await start_session(pool, staff.id, "")
    first, second = await select_memberships(pool, staff.id)
    await delete_membership(pool, first.id)
    assert await find_session(pool, cookie) is not None
    await delete_membership(pool, second.id)
    assert await find_session(pool, cookie) is None
