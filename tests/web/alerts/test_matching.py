"""Alerts match what live viewers see, whoever matches and whenever they are killed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from random import Random

import pytest
from msgspec.structs import replace

from tests.web.alerts.conftest import Bench, open_bench
from vacancies.actors import Actor
from vacancies.audience import Audience, Viewer
from vacancies.board import Change
from vacancies.commands import Describe, Report
from vacancies.deployment import Deployment
from vacancies.feed import Follower
from vacancies.geo import BBox
from vacancies.models import (
    CareForm,
    Costs,
    Focus,
    HomeStatus,
    Need,
    Point,
    Profile,
    Room,
    Sex,
    Vacancy,
)
from vacancies.provider import ensure_provider
from vacancies.search import Query
from web.alerts.matching import LEASE
from web.alerts.wishes import kept_search

HERE, NEAR, FAR = Point(51.9, 8.4), Point(51.95, 8.5), Point(48.1, 11.6)
QUERIES = (
    Query(centres=(HERE,), radius_km=25, care_forms=(CareForm.LONG_TERM,)),
    Query(centres=(HERE,), radius_km=3),
    Query(centres=(HERE, FAR), radius_km=25, care_forms=(CareForm.SHORT_TERM, CareForm.DAY)),
    Query(bbox=BBox(8, 51, 9, 52), sex=Sex.FEMALE),
    Query(centres=(NEAR,), room=Room.SINGLE, care_grade=3),
    Query(centres=(HERE,), focuses=(Focus.DEMENTIA,)),
    Query(needs=(Need.MRSA,)),
    Query(centres=(HERE,), available_by=date(2026, 12, 1)),
    Query(municipality="05", max_cost_eur=2500.0),
    Query(),
)


def some_lines(random: Random) -> tuple[Vacancy, ...]:
    return tuple(
        Vacancy(
            care_form=random.choice([CareForm.LONG_TERM, CareForm.SHORT_TERM]),
            count=random.randrange(3),
            sex=random.choice(list(Sex)),
            room=random.choice(list(Room)),
            care_grades=random.choice([(), (2,), (3, 4)]),
            focuses=random.choice([(), (Focus.DEMENTIA,)]),
            available_from=random.choice([None, date(2027, 3, 1)]),
        )
        for _ in range(random.randrange(3))
    )


def a_profile(random: Random) -> Profile:
    return Profile(
        name="Haus Linde",
        point=random.choice([HERE, NEAR, FAR]),
        capacity={CareForm.LONG_TERM: 80, CareForm.SHORT_TERM: 40},
        municipality=random.choice([None, "05754008", "09162000"]),
        costs=random.choice(
            [Costs(), Costs(care_eur=900, training_eur=60, board_eur=800, investment_eur=500)]
        ),
        focuses=random.choice([(), (Focus.PALLIATIVE,)]),
        needs=random.choice([(), (Need.MRSA,)]),
        status=random.choice([HomeStatus.OPEN, HomeStatus.OPEN, HomeStatus.CLOSED]),
    )


class Live:
    """What viewers of the same searches have on their screens, by the events they were sent."""

    def __init__(self, bench: Bench) -> None:
        self._audience = Audience(bench.board)
        self._viewers = {query: Viewer() for query in QUERIES}
        self.shown: dict[Query, set[str]] = {query: set() for query in QUERIES}
        for query, viewer in self._viewers.items():
            self._audience.join(viewer, query, None)
        self._board = bench.board

    def on_changes(self, changes: Sequence[Change], age_seconds: float | None) -> None:
        for watch in self._audience.notify(changes):
            shown = self.shown[watch.query]
            for news in watch.news.values():
                (shown.discard if news.gone else shown.add)(self._board.listing(news.slot).id)
            watch.news.clear()


@pytest.mark.parametrize("seed", range(3))
async def test_alerts_match_what_live_viewers_see(bench: Bench, seed: int) -> None:
    random, deployment = Random(seed), bench.deployment
    provider = await ensure_provider(deployment.pool, "Nord")
    alerts = {
        query: await bench.ask(kept_search(query), f"{n}@example.org")
        for n, query in enumerate(QUERIES)
    }
    live = Live(bench)
    bench.follower = Follower(
        deployment.pool, deployment.redis, bench.board, on_changes=live.on_changes
    )
    for home in "abcdef":
        await bench.home(home)
    await bench.match()
    had_matches = False
    for _ in range(25):
        for _ in range(random.randrange(1, 4)):
            home = random.choice("abcdef")
            command: Describe | Report = Report(
                home_id=home, vacancies=some_lines(random), actor=Actor()
            )
            if random.random() < 0.3:
                command = Describe(
                    home_id=home,
                    provider_id=provider.id,
                    provider=provider.slug,
                    profile=a_profile(random),
                    actor=Actor(),
                )
            await deployment.writer.submit([command])
        if random.random() < 0.2:  # another process has its turn
            await bench.follower.catch_up()
            bench.now += LEASE
            bench.matcher = bench.another_matcher()
        await bench.match()
        rows = await deployment.pool.fetch("SELECT alert_id, home_id FROM alert_home")
        matched: dict[str, set[str]] = {}
        for row in rows:
            matched.setdefault(row["alert_id"], set()).add(row["home_id"])
        for query, alert_id in alerts.items():
            assert alert_id is not None
            assert matched.get(alert_id, set()) == live.shown[query], query
            had_matches |= bool(live.shown[query])
    assert had_matches


async def test_only_one_process_matches(bench: Bench) -> None:
    await bench.home("a")
    alert_id = await bench.alert()
    other = bench.another_matcher()
    await bench.report("a", 1)
    await bench.follower.catch_up()
    await other.match_due()
    assert await bench.news(alert_id) == set(), "the lease is not its own"
    bench.now += LEASE
    await other.match_due()
    assert await bench.news(alert_id) == {"a"}
    await bench.report("a", 0)
    await bench.match()
    assert await bench.news(alert_id) == {"a"}, "now it is the other's"
    await other.match_due()
    assert await bench.news(alert_id) == set()


async def test_nothing_is_lost_while_nobody_matches(bench: Bench, deployment: Deployment) -> None:
    for home in "ab":
        await bench.home(home)
    await bench.report("b", 1)
    alert_id = await bench.alert()
    await bench.report("a", 1)
    await bench.report("b", 0)
    await bench.report("b", 2)
    async with open_bench(deployment) as later:
        later.now = bench.now + LEASE
        await later.match()
        assert await later.news(alert_id) == {"a"}, "b was free before and is free now"
        await later.report("b", 0)
        await later.match()
        await later.report("b", 1)
        await later.match()
        assert await later.news(alert_id) == {"a", "b"}


async def test_a_turn_that_was_taken_away_writes_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs between looking and writing, until another has taken over."""
    await bench.home("a")
    alert_id = await bench.alert()
    await bench.report("a", 1)
    await bench.follower.catch_up()
    other = bench.another_matcher()
    read = bench.matcher._read

    async def hang(rows: list[tuple[str, bytes]]) -> dict[str, Query]:
        bench.now += LEASE
        await other.match_due()
        await bench.deployment.pool.execute("UPDATE alert_home SET is_news = false")
        return await read(rows)

    monkeypatch.setattr(bench.matcher, "_read", hang)
    await bench.matcher.match_due()
    assert await bench.news(alert_id) == set()
    turn = "SELECT turn FROM alert_matching"
    before = await bench.deployment.pool.fetchval(turn)
    await other.match_due()
    assert await bench.deployment.pool.fetchval(turn) == before + 1


async def test_a_restore_begins_anew(bench: Bench) -> None:
    for home in "ab":
        await bench.home(home)
    alert_id = await bench.alert()
    await bench.report("a", 1)
    await bench.match()
    pool = bench.deployment.pool
    await pool.execute("UPDATE deployment SET epoch = md5(epoch)")
    await pool.execute("INSERT INTO alert_home VALUES ($1, 'gone', true)", alert_id)
    await bench.report("b", 1)
    await bench.match()
    assert await bench.news(alert_id) == {"a", "b"}


async def test_an_alert_of_another_secret_key_holds_up_nobody(bench: Bench) -> None:
    await bench.home("a")
    await bench.deployment.pool.execute("UPDATE alert SET sealed = 'nonsense'")
    broken, alert_id = await bench.ask(email="x@example.org"), await bench.alert()
    await bench.deployment.pool.execute(
        "UPDATE alert SET sealed = '\\x00', is_matched = false WHERE id = $1", broken
    )
    await bench.report("a", 1)
    await bench.match()
    assert await bench.news(alert_id) == {"a"}


async def test_how_much_matching_costs(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """10,000 alerts, and an evening on which 200 homes report: printed, not asserted."""
    homes = [f"h{number}" for number in range(200)]
    random = Random(1)
    for home in homes:
        point = Point(51.5 + random.random(), 7.5 + 2 * random.random())
        await bench.home(home, point=point)
    forms, searches = list(CareForm), []
    for _ in range(10_000):
        centre = Point(51.5 + random.random(), 7.5 + 2 * random.random())
        query = replace(QUERIES[0], centres=(centre,), care_forms=(random.choice(forms[:3]),))
        searches.append(query)
    await bench.match()
    async with bench.deployment.pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO alert (id, channel, reader, sealed, language, quiet_from_minute,"
            " quiet_until_minute, most_a_day, created_at, expires_at, is_matched, state,"
            " confirmed_at) SELECT lpad(to_hex(n), 16, '0'), 'mail', int4send(n::int4), '', 'de',"
            " 0, 0, 3, now(), 'infinity', true, 'active', now() FROM generate_series(0, 9999) n"
        )
    bench.matcher._enter({f"{number:016x}": query for number, query in enumerate(searches)})
    for home in homes:
        await bench.report(home, 1)
    await bench.follower.catch_up()
    began = time.perf_counter()
    await bench.matcher.match_due()
    seconds = time.perf_counter() - began
    told = await bench.deployment.pool.fetchval("SELECT count(*) FROM alert_home WHERE is_news")
    with capsys.disabled():
        print(f"\n200 homes became free, 10,000 alerts: {seconds:.2f} s, {told} are news")
    assert told > 0
