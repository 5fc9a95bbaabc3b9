"""One-tap links: nobody makes one but us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.links import LIVES, LinkExpired, LinkRefused, _read, make_token, open_token
from providers.staff import ensure_membership, ensure_staff
from vacancies.database import Pool
from vacancies.provider import ensure_provider

SECRET = "s" * 32


async def member(pool: Pool) -> int:
    provider = await ensure_provider(pool, "Träger")
    staff = await ensure_staff(pool, "pat@example.org")
    return await ensure_membership(pool, staff.id, provider.id)


async def test_a_link_opens_for_48_hours_and_not_a_second_longer(pool: Pool) -> None:
    made_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    token = make_token(SECRET, await member(pool), "haus-1", made_at)
    second = timedelta(seconds=1)
    opened = await open_token(pool, SECRET, token, made_at + LIVES - second)
    assert (opened.home_id, opened.expires_at) == ("haus-1", made_at + LIVES)
    with pytest.raises(LinkExpired):
        await open_token(pool, SECRET, token, made_at + LIVES)


async def test_another_secret_opens_nothing(pool: Pool) -> None:
    now = datetime.now(UTC)
    token = make_token("another" * 8, await member(pool), "a", now)
    with pytest.raises(LinkRefused):
        await open_token(pool, SECRET, token, now)


def test_no_part_of_a_token_can_be_changed() -> None:
    token = make_token(SECRET, 7, "haus-1", datetime.now(UTC))
    for at in range(len(token)):
        for other in "Aa0_":
            changed = token[:at] + other + token[at + 1 :]
            # The last letter holds bits that say nothing.
            if token[at] != other and at < len(token) - 1:
                assert _read(SECRET, changed) is None, (at, other)


@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    assert _read(SECRET, text) is None
