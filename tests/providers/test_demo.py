"""The demo: deterministic, in proportion, every state in it, and alive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import phonenumbers
import pytest

from providers.demo import CENTRE, made_up_region
from providers.demo_homes import State
from providers.demo_live import LiveHome, changed_lines, select_live_homes
from tests.conftest import Service
from vacancies.commands import check_capacity
from vacancies.deployment import Deployment
from vacancies.errors import ExceedsCapacity
from vacancies.homes import select_homes
from vacancies.listings import public_listing
from vacancies.models import CareForm, Freshness, Vacancy
from vacancies.provider import select_providers
from web.commands.demo import NotADemo, fill_demo, keep_alive

NOW = datetime(2025, 3, 3, 9, tzinfo=UTC)


def test_the_same_seed_gives_the_same_region() -> None:
    assert list(made_up_region(60, 7, NOW)) == list(made_up_region(60, 7, NOW))
    assert list(made_up_region(60, 7, NOW)) != list(made_up_region(60, 8, NOW))


@pytest.mark.parametrize("homes", [1, 2, 7, 30, 300])
@pytest.mark.parametrize("seed", [1, 2])
def test_shape(homes: int, seed: int) -> None:
    region = list(made_up_region(homes, seed, NOW))
    assert len({home.id for home in region}) == homes
    assert len({home.profile.point for home in region}) == homes
    for home in region:
        assert home.vacancies is None or home.observed_at is not None
        assert home.observed_at is None or home.observed_at <= NOW
        check_capacity(home.vacancies or (), home.profile.capacity)
        number = phonenumbers.parse(home.profile.contact.phone or "", None)
        assert phonenumbers.is_possible_number(number)


def test_wrong_sizes() -> None:
    for homes in (0, -1, 10**6):
        with pytest.raises(ValueError, match="1 to 50,000"):
            next(made_up_region(homes, 1, NOW))


def test_every_state_in_thirty_homes() -> None:
    for seed in range(5):
        region = list(made_up_region(30, seed, NOW))
        assert {home.state for home in region} == set(State)
        lines = [line for home in region for line in home.vacancies or ()]
        assert any(line.available_from for line in lines)
        assert any(home.profile.admission_stop for home in region)
        assert any(home.profile.costs.total_eur() for home in region)


def test_proportions() -> None:
    region = list(made_up_region(1_000, 1, NOW))
    large = sum(sum(home.profile.capacity.values()) > 30 for home in region)
    assert 660 <= large <= 760
    assert 120 <= len({home.provider for home in region}) <= 340  # three to eight homes each
    assert sum(CareForm.LONG_TERM in home.profile.capacity for home in region) > 700
    free = [home for home in region if home.state is State.FREE]
    few = sum(sum(line.count for line in home.vacancies or ()) <= 3 for home in free)
    assert few > 0.7 * len(free)
    assert any(line.available_until for home in free for line in home.vacancies or ())


def test_a_small_region_is_near_its_centre() -> None:
    for home in made_up_region(300, 1, NOW):
        assert abs(home.profile.point.latitude - CENTRE.latitude) < 0.7
        assert abs(home.profile.point.longitude - CENTRE.longitude) < 1.1


def test_live_changes_are_small_and_allowed() -> None:
    random = Random(1)
    home = LiveHome("h", "p", {CareForm.LONG_TERM: 4})
    for _ in range(2_000):
        before = sum(line.count for line in home.lines)
        home.lines = changed_lines(home, random)
        assert abs(sum(line.count for line in home.lines) - before) <= 1
        check_capacity(home.lines, home.capacity)
    with pytest.raises(ExceedsCapacity):
        check_capacity([Vacancy(care_form=CareForm.LONG_TERM, count=5)], home.capacity)


async def test_fill(deployment: Deployment) -> None:
    await fill_demo(deployment, 230, 1, lambda _: None)
    assert await deployment.is_demo()
    ids = [home.id for home in made_up_region(230, 1, NOW)]
    homes = await select_homes(deployment.pool, ids)
    assert len(homes) == 230
    listings = [public_listing(home) for home in homes]
    assert {listing.freshness for listing in listings} == set(Freshness)
    assert any(listing.admission_stop for listing in listings)
    assert any(listing.free for listing in listings)
    assert sum(len(provider.homes) for provider in await select_providers(deployment.pool)) == 230


async def test_only_into_an_empty_database(deployment: Deployment) -> None:
    await fill_demo(deployment, 5, 1, lambda _: None)
    with pytest.raises(NotADemo):
        await fill_demo(deployment, 5, 2, lambda _: None)
    assert await deployment.pool.fetchval("SELECT count(*) FROM care_home") == 5


async def test_live(service: Service) -> None:
    deployment = service.state.deployment
    with pytest.raises(NotADemo):
        await keep_alive(deployment, service.url, most=1)
    await fill_demo(deployment, 60, 1, lambda _: None)
    silent = "SELECT home_id, vacancies FROM home_state WHERE coalesce(reported_at - observed_at"
    silent += " > interval '24 hours', true) ORDER BY home_id"
    before = await deployment.pool.fetch(silent)
    head = await deployment.pool.fetchval("SELECT revision FROM revision_head")
    assert await keep_alive(deployment, service.url, most=40) == 40
    assert await deployment.pool.fetchval("SELECT revision FROM revision_head") > head
    assert await deployment.pool.fetch(silent) == before
    assert len(before) > 5
    keys = "SELECT count(*) FROM api_key WHERE revoked_at IS NULL"
    assert await deployment.pool.fetchval(keys) == 0


async def test_live_after_a_long_pause(service: Service) -> None:
    deployment = service.state.deployment
    await fill_demo(deployment, 60, 1, lambda _: None)
    await deployment.pool.execute(
        "UPDATE home_state SET observed_at = observed_at - interval '5 days',"
        " reported_at = reported_at - interval '5 days'"
    )
    await keep_alive(deployment, service.url, most=1)
    homes = await select_live_homes(deployment.pool)
    assert len(homes) > 30
    limit = datetime.now(UTC) - timedelta(hours=1)
    assert all(home.said_at is not None and home.said_at > limit for home in homes)
