"""Whom people are sent to when no place is found."""

from __future__ import annotations

from vacancies.advice import (
    AdviceOffice,
    delete_advice_offices,
    office_for,
    select_advice_offices,
    upsert_advice_offices,
)
from vacancies.database import Pool
from vacancies.models import Address, Contact, Point

GUETERSLOH = Point(51.9069, 8.3785)


def office(name: str, latitude: float, area: str | None = None) -> AdviceOffice:
    return AdviceOffice(
        id=name,
        name=name,
        address=Address(street="Ring 1", postcode="33330", city="Gütersloh"),
        contact=Contact(phone="05241 1", website="https://example.org"),
        point=Point(latitude, 8.3785),
        area=area,
    )


NEAR, NEXT, FAR = office("near", 51.95), office("next", 52.1), office("far", 53.5)


def test_the_nearest_is_asked_if_it_is_near() -> None:
    assert office_for([FAR, NEXT, NEAR], GUETERSLOH) == NEAR
    assert office_for([FAR], GUETERSLOH) is None
    assert office_for([], GUETERSLOH) is None


def test_an_office_of_the_municipality_goes_before_a_nearer_one() -> None:
    district, land = office("district", 52.3, "05754"), office("land", 51.91, "05")
    offices = [NEAR, land, district]
    assert office_for(offices, GUETERSLOH, "05754008") == district
    assert office_for(offices, GUETERSLOH, "05111000") == land
    assert office_for(offices, GUETERSLOH, "09162000") == land  # the nearest of all
    distant = office("distant", 53.5, "05754")
    assert office_for([NEAR, distant], GUETERSLOH, "05754008") == distant


async def test_offices_are_kept_written_over_and_deleted(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await upsert_advice_offices(connection, [NEXT, NEAR])
        assert await select_advice_offices(connection) == [NEAR, NEXT]
        moved = office("near", 51.96, "05754")
        await upsert_advice_offices(connection, [moved])
        assert await select_advice_offices(connection) == [moved, NEXT]
        assert await delete_advice_offices(connection, ["near", "nobody"]) == 1
        assert await select_advice_offices(connection) == [NEXT]
