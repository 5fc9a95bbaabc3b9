"""The same home twice in two lists: found, merged once, or remembered as two."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.duplicates import Reason, find_pairs
from tests.web.desk.test_home import acts, stored
from tests.web.desk.test_homes import employ
from tests.web.desk.verbund import OTHER, TOWN, Verbund
from tests.web.staff import Desk
from vacancies.models import Address, CareHome, Contact, HomeStatus, Point, Precision, Profile

PAGE = f"/desk/{TOWN}/duplicates"


def a_home(
    home_id: str,
    name: str,
    street: str = "",
    phone: str = "",
    point: tuple[float, float] = (51.9, 8.4),
    precision: Precision = Precision.POSTCODE,
) -> CareHome:
    profile = Profile(
        name=name,
        point=Point(*point),
        precision=precision,
        address=Address(street=street or None, postcode="33330", city="Gütersloh"),
        contact=Contact(phone=phone or None),
    )
    return CareHome(
        id=home_id, provider_id=1, provider="x", profile=profile, evaluated_at=datetime.now(UTC)
    )


@pytest.mark.parametrize(
    ("one", "two", "reasons"),
    [
        # As two lists write it.
        (
            ("Altenheim St. Anna", "Hauptstr. 5", "05241 123456"),
            ("Seniorenzentrum Sankt Anna gGmbH", "Hauptstraße 5", "+49 5241 123456"),
            ("name", "street", "phone"),
        ),
        (("Haus Müller", "Weg 1"), ("Haus Mueler", "Weg 1"), ("name", "street")),
        # Names say nothing, all else does: a new name.
        (
            ("Haus Abendrot", "Weg 1", "05241 123456", (51.9, 8.4), Precision.EXACT),
            ("Residenz am Park", "Weg 1", "05241/123456", (51.9003, 8.4), Precision.EXACT),
            ("street", "phone", "near"),
        ),
        # A home and its day care in the same house, two branches, two of one name.
        (("Haus Abendrot", "Weg 1", "05241 123456"), ("Residenz", "Weg 1", "05241 123456"), None),
        (("St. Anna", "Weg 1"), ("St. Anna", "Allee 7"), None),
        (("Haus Nord", "Weg 1"), ("Haus Süd", "Weg 1"), None),
        # A postcode is no place: all homes that are known so roughly lie there.
        (("St. Anna", "Weg 1"), ("St. Hedwig", "Allee 7"), None),
    ],
)
def test_what_looks_alike(
    one: tuple[Any, ...], two: tuple[Any, ...], reasons: tuple[Reason, ...] | None
) -> None:
    pairs = find_pairs([a_home("b", *two), a_home("a", *one), a_home("c", "Ganz anders", "Ort 9")])
    assert [pair.reasons for pair in pairs] == ([reasons] if reasons else [])
    if reasons:
        assert (pairs[0].one.id, pairs[0].two.id) == ("a", "b")
        assert find_pairs([a_home("a", *one), a_home("b", *two)], {("a", "b")}) == []


async def a_pair(verbund: Verbund) -> None:
    for home_id, name, contact in (
        ("anna", "Altenheim St. Anna", {"phone": "05241 123456"}),
        ("anna2", "Seniorenheim Sankt Anna", {"phone": "05241/123456", "email": "a@anna.example"}),
    ):
        await verbund.service.put_home(
            home_id, "caritas", municipality=TOWN, name=name, contact=contact
        )


def pair_of(text: str) -> list[str]:
    return re.findall(r'name="(?:keep|drop)" value="([^"]+)"', text)[:2]


async def merge(clerk: Desk, keep: str, drop: str) -> int:
    token = (await clerk.get(f"/desk/{TOWN}/homes/home")).token
    return (await clerk.post(f"{PAGE}/merge", token=token, keep=keep, drop=drop)).status


async def test_a_pair_is_merged(verbund: Verbund) -> None:
    await a_pair(verbund)
    await employ(verbund, "anna2")
    async with verbund.browser("open@town.example") as clerk:
        assert pair_of((await clerk.get(PAGE)).text) == ["anna", "anna2"]
        assert await merge(clerk, "anna", "anna2") == 303
        gone, stays = await stored(verbund, "anna2"), await stored(verbund, "anna")
        assert (gone.profile.status, gone.profile.merged_into) == (HomeStatus.MERGED, "anna")
        assert stays.profile.contact.email == "a@anna.example", "what only the other one knew"
        assert stays.profile.contact.phone == "05241 123456", "and nothing else"
        assert pair_of((await clerk.get(PAGE)).text) == []
        # Readers and people who report find the one that stays.
        public = await clerk.get("/homes/anna2")
        assert public.status == 410
        assert 'href="/homes/anna"' in public.text
        assert "carer-of-anna2" in (await clerk.get(f"/desk/{TOWN}/homes/anna")).text
        # Again, as after a break, changes nothing; not the other way round, not with itself.
        assert await merge(clerk, "anna", "anna2") == 303
        assert await merge(clerk, "anna2", "anna") == 409
        assert await merge(clerk, "anna", "anna") == 404
    assert await acts(verbund) == [
        ("home_merged", {"name": "Seniorenheim Sankt Anna", "other": "anna2"})
    ]


async def test_both_ways_at_the_same_time_leaves_one(verbund: Verbund) -> None:
    await a_pair(verbund)
    async with verbund.browser("open@town.example") as clerk:
        token = (await clerk.get(PAGE)).token
        answers = await asyncio.gather(
            clerk.post(f"{PAGE}/merge", token=token, keep="anna", drop="anna2"),
            clerk.post(f"{PAGE}/merge", token=token, keep="anna2", drop="anna"),
        )
    assert sorted(answer.status for answer in answers) == [303, 409]
    statuses = {(await stored(verbund, each)).profile.status for each in ("anna", "anna2")}
    assert statuses == {HomeStatus.OPEN, HomeStatus.MERGED}


async def test_people_stay_where_the_provider_is_another_one(verbund: Verbund) -> None:
    await a_pair(verbund)
    await verbund.service.put_home("anna3", "awo", municipality=TOWN, name="St. Anna")
    await employ(verbund, "anna")
    async with verbund.browser("open@town.example") as clerk:
        assert await merge(clerk, "anna3", "anna") == 303
    moved = await verbund.pool.fetchval("SELECT count(*) FROM membership WHERE home_id = 'anna3'")
    assert moved == 0


async def test_two_homes_are_remembered_as_two(verbund: Verbund) -> None:
    await a_pair(verbund)
    async with verbund.browser("open@town.example") as clerk:
        opened = await clerk.get(PAGE)
        token = opened.token
        answer = await clerk.post(f"{PAGE}/differ", token=token, one="anna2", two="anna")
        assert answer.status == 303
        assert pair_of((await clerk.get(PAGE)).text) == []
    assert [act for act, _ in await acts(verbund)] == ["homes_differ"]


async def test_nothing_of_others_is_compared_or_merged(verbund: Verbund) -> None:
    await a_pair(verbund)
    await verbund.service.put_home(
        "foreign", "diakonie", municipality=OTHER, name="Altenheim St. Anna"
    )
    async with verbund.browser("open@town.example") as clerk:
        assert "foreign" not in (await clerk.get(PAGE)).text
        assert await merge(clerk, "anna", "foreign") == 404
        assert await merge(clerk, "foreign", "anna") == 404
        token = (await clerk.get(PAGE)).token
        for one, two in (("anna", "foreign"), ("foreign", "anna"), ("anna", ""), ("anna", "anna")):
            answer = await clerk.post(f"{PAGE}/differ", token=token, one=one, two=two)
            assert answer.status == 404, (one, two)
    assert await verbund.pool.fetchval("SELECT count(*) FROM not_the_same") == 0
    assert (await stored(verbund, "foreign")).profile.status is HomeStatus.OPEN
