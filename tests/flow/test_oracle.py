"""For any history: old snapshot + streamed events = fresh snapshot.

Board, audience and the frames of streams, driven through every order of reports, closures,
moves, time, joins, stalls, losses of connection and resumes that Hypothesis thinks of. The
expected state comes from `naive.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from tests.flow import naive
from vacancies.audience import Audience
from vacancies.board import Board
from vacancies.geo import BBox
from vacancies.listings import evaluate, local_date, public_listing
from vacancies.models import (
    AdmissionStop,
    CareForm,
    CareHome,
    Costs,
    Focus,
    Freshness,
    HomeStatus,
    Need,
    Origin,
    Ownership,
    Point,
    Profile,
    Room,
    Sex,
    SpokenLanguage,
    StopReason,
    Vacancy,
)
from vacancies.search import Query
from web import delivery, stream
from web.cursor import read_cursor
from web.frames import Frames
from web.places import Places
from web.transport import Listener, Told

START = datetime(2026, 3, 27, 10, tzinfo=UTC)  # two days before the clocks change
# Far enough apart that no home lies near the edge of any circle.
POINTS = [Point(51.9, 8.4), Point(51.95, 8.5), Point(52.3, 8.0), Point(48.1, 11.6)]
HOMES = ["a", "b", "c", "d", "e", "n/f"]
FOREIGN = {"n/f"}
NEIGHBOUR = Origin(slug="n", name="N", url="https://n.example", said=Freshness.FRESH)
ONE_FREE = (Vacancy(care_form=CareForm.LONG_TERM, count=1),)

days = st.dates(date(2026, 3, 25), date(2026, 5, 5))
lines = st.builds(
    Vacancy,
    care_form=st.sampled_from([CareForm.LONG_TERM, CareForm.SHORT_TERM]),
    count=st.integers(0, 3),
    sex=st.sampled_from(Sex),
    room=st.sampled_from(Room),
    care_grades=st.sampled_from([(), (2,), (3, 4)]),
    focuses=st.sampled_from([(), (Focus.DEMENTIA,)]),
    available_from=st.none() | days,
    available_until=st.none() | days,
)
profiles = st.builds(
    Profile,
    name=st.sampled_from(["Haus Abendruh", "Haus Linde"]),
    point=st.sampled_from(POINTS),
    capacity=st.sampled_from([{}, {CareForm.LONG_TERM: 20}, {CareForm.LONG_TERM: 80}]),
    municipality=st.sampled_from([None, "05754008", "09162000"]),
    costs=st.sampled_from(
        [Costs(), Costs(care_eur=900, training_eur=60, board_eur=800, investment_eur=500)]
    ),
    focuses=st.sampled_from([(), (Focus.PALLIATIVE,)]),
    needs=st.sampled_from([(), (Need.MRSA,)]),
    languages=st.sampled_from([(), (SpokenLanguage.TURKISH,), (SpokenLanguage.POLISH,)]),
    ownership=st.sampled_from([None, Ownership.PUBLIC, Ownership.PRIVATE]),
    admission_stop=st.none()
    | st.builds(AdmissionStop, reason=st.just(StopReason.STAFF), until=st.none() | days),
    status=st.sampled_from([HomeStatus.OPEN, HomeStatus.OPEN, HomeStatus.CLOSED]),
)
areas = st.builds(
    Query,
    centres=st.sampled_from([(POINTS[0],), (POINTS[0], POINTS[3])]),
    radius_km=st.sampled_from([3.0, 25.0]),
    include_full=st.booleans(),
    own_only=st.booleans(),
)
stays = st.builds(
    lambda first, length, nights: Query(
        available_by=first,
        available_until=first + timedelta(days=length),
        nights=None if nights is None else min(nights, length),
    ),
    days,
    st.integers(0, 30),
    st.none() | st.integers(1, 14),
)
queries = (
    areas
    | st.builds(
        Query,
        centres=st.sampled_from([(), (POINTS[0],), (POINTS[0], POINTS[3])]),
        radius_km=st.sampled_from([3.0, 25.0, 200.0]),
        care_forms=st.sampled_from(
            [(), (CareForm.LONG_TERM,), (CareForm.SHORT_TERM, CareForm.DAY)]
        ),
        sex=st.sampled_from([None, Sex.FEMALE]),
        room=st.sampled_from([None, Room.SINGLE]),
        care_grade=st.sampled_from([None, 3]),
        focuses=st.sampled_from([(), (Focus.DEMENTIA,)]),
        needs=st.sampled_from([(), (Need.MRSA,)]),
        available_by=st.none() | days,
        languages=st.sampled_from(
            [(), (SpokenLanguage.TURKISH,), (SpokenLanguage.TURKISH, SpokenLanguage.POLISH)]
        ),
        ownerships=st.sampled_from([(), (Ownership.PRIVATE,)]),
        municipality=st.sampled_from([None, "05"]),
        max_cost_eur=st.sampled_from([None, 2500.0]),
        include_full=st.booleans(),
        own_only=st.booleans(),
    )
    | stays
    | st.builds(
        Query,
        bbox=st.sampled_from([BBox(8, 51, 9, 52), BBox(11, 48, 12, 49)]),
        centres=st.sampled_from([(), (POINTS[0],), (POINTS[0], POINTS[3])]),
        include_full=st.booleans(),
    )
)


class Client:
    """What one viewer knows, and its stream, if any; also the connection of that. While it
    `stalls` a write fills the connection."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self.table: dict[str, tuple[int, dict[str, Any]]] = {}
        self.cursor: str | None = None
        self.stream: stream.Stream | None = None
        self.stalls = self.is_full = False

    def listen(self, listener: Listener[Told], who: Told) -> None:
        self.full: Callable[[], None] = partial(listener.full, who)
        self.drained: Callable[[], None] = partial(listener.drained, who)
        self.lost: Callable[[], None] = partial(listener.lost, who)

    def end(self) -> None:
        raise AssertionError("nobody asked for the end")

    def abort(self) -> None:
        raise AssertionError("delivery failed")

    def write(self, frames: Frames) -> None:
        assert not self.is_full, "written to although full"
        if self.stalls:
            self.is_full = True
            self.full()
        for frame in frames.body.decode().split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in frame.split("\n"))
            data = json.loads(fields["data"])
            before = int(self.cursor.rsplit("-", 1)[1]) if self.cursor else 0
            revision = int(fields["id"].rsplit("-", 1)[1])
            if fields["event"] == "reset":
                self.table.clear()
            else:
                assert revision >= before, "ids must not go back"
            if fields["event"] == "listing":
                properties = data["properties"]
                assert properties["revision"] == revision
                assert ("distance_km" in properties) == bool(self.query.centres)
                self.table[data["id"]] = (revision, properties["free"])
            elif fields["event"] == "gone":
                self.table.pop(data["id"], None)
            self.cursor = fields["id"]


@contextmanager
def in_small_steps(are_small: bool) -> Iterator[None]:
    """Let delivery do less at once, so that backlogs and rounds are cut anywhere."""
    with pytest.MonkeyPatch.context() as patch:
        if are_small:
            patch.setattr(stream, "WRITE_BYTES", 1)
            patch.setattr(delivery, "WRITES_AT_ONCE", 1)
            patch.setattr(delivery, "CATCH_UPS_AT_ONCE", 1)
        yield


class Region(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.now = START
        self.head = 0
        self.homes: dict[str, CareHome] = {}
        self.board = Board("0" * 12)
        self.delivery = delivery.Delivery(self.board, Audience(self.board))
        self.clients: list[Client] = []
        for number, home in enumerate(HOMES):
            profile = Profile(name=f"Haus {home}", point=POINTS[number % 3])
            self.describe(home, profile)
            self.report({home: list(ONE_FREE)})

    def teardown(self) -> None:
        """In the end all come back and read all."""
        if hasattr(self, "runner"):
            for client in self.clients:
                if client.stream is None:
                    self.connect(client)
                self.stall(client, False)
            while self.delivery.step():
                pass
            assert all(not client.stream.is_behind for client in self.clients if client.stream)
            self.who_has_read_all_sees_what_a_fresh_search_shows()
            self.runner.close()

    def commit(self, *homes: CareHome) -> None:
        """What the writer does, without the database."""
        stamped = []
        for home in homes:
            self.head += 1
            before = self.homes.get(home.id)
            moved = before is None or before.profile.point != home.profile.point
            home = evaluate(home, self.now)
            home = replace(
                home,
                revision=self.head,
                moved_revision=self.head if moved or before is None else before.moved_revision,
            )
            self.homes[home.id] = home
            stamped.append(home)
        changes = self.board.apply(map(public_listing, stamped), self.head)
        self.delivery.on_changes(changes)

    @rule(home=st.sampled_from(HOMES), profile=profiles)
    def describe(self, home: str, profile: Profile) -> None:
        stored = self.homes.get(home) or CareHome(
            id=home,
            provider_id=1,
            provider="p",
            profile=profile,
            origin=NEIGHBOUR if home in FOREIGN else None,
            evaluated_at=self.now,
        )
        closed_at = None if profile.status is HomeStatus.OPEN else self.now
        self.commit(replace(stored, profile=profile, closed_at=closed_at))

    @rule(reports=st.dictionaries(st.sampled_from(HOMES), st.lists(lines, max_size=3), max_size=3))
    def report(self, reports: dict[str, list[Vacancy]]) -> None:
        changed = [
            replace(self.homes[home], vacancies=tuple(found), observed_at=self.now)
            for home, found in reports.items()
            if home in self.homes
        ]
        self.commit(*changed)

    @rule(home=st.sampled_from(HOMES), point=st.sampled_from(POINTS))
    def move(self, home: str, point: Point) -> None:
        self.describe(home, replace(self.homes[home].profile, point=point))

    @rule(hours=st.sampled_from([1, 13, 24, 80]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        due = [
            home
            for home in self.homes.values()
            if home.next_transition_at is not None and home.next_transition_at <= self.now
        ]
        self.commit(*due)

    @rule(query=queries, snapshot_first=st.booleans())
    def join(self, query: Query, snapshot_first: bool) -> None:
        client = Client(query)
        if snapshot_first:
            client.table = self.fresh(query)
            client.cursor = f"{query.fingerprint()}-{self.board.epoch}-{self.board.revision}"
        self.clients.append(client)
        self.connect(client)

    def connect(self, client: Client) -> None:
        cursor = read_cursor(client.cursor) if client.cursor else None
        client.stream = stream.Stream(client, 0.0, Places(1, 1).take(None))
        client.is_full = False
        self.delivery.open(client.stream, client.query, cursor.revision if cursor else None)

    @rule(small=st.booleans())
    def step(self, small: bool) -> None:
        with in_small_steps(small):
            self.delivery.step()

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), stalls=st.booleans())
    def reads_slowly(self, data: st.DataObject, stalls: bool) -> None:
        self.stall(data.draw(st.sampled_from(self.clients)), stalls)

    def stall(self, client: Client, stalls: bool) -> None:
        client.stalls = stalls
        if client.is_full and not stalls:
            client.is_full = False
            client.drained()

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), leaves=st.booleans())
    def lose_connection(self, data: st.DataObject, leaves: bool) -> None:
        client = data.draw(st.sampled_from(self.clients))
        if client.stream is not None:
            client.lost()
            client.stream = None
        if leaves:
            self.clients.remove(client)

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.clients))
        if client.stream is None:
            self.connect(client)

    @rule()
    def restored_from_backup(self) -> None:
        """Another epoch: the board is loaded anew, all viewers are reset."""
        if self.board.epoch == "1" * 12:
            return
        fresh = Board("1" * 12)
        fresh.apply(map(public_listing, self.homes.values()), self.head)
        self.board.become(fresh)
        for client in self.clients:
            if client.stream is None:
                client.cursor, client.table = None, {}  # the server answers an old epoch so
        self.delivery.on_restart()

    @invariant()
    def who_has_read_all_sees_what_a_fresh_search_shows(self) -> None:
        for client in getattr(self, "clients", []):
            shown = client.stream
            if shown is None or shown.is_behind or (shown.watch and shown.watch.news):
                continue  # away, behind, or not told yet
            fresh = self.fresh(client.query)
            assert client.table == fresh
            assert client.table == naive.expected(
                map(public_listing, self.homes.values()), client.query
            )

    def fresh(self, query: Query) -> dict[str, tuple[int, dict[str, Any]]]:
        """All pages of a search."""
        found: dict[str, tuple[int, dict[str, Any]]] = {}
        after = None
        distances = []
        while True:
            page = self.board.search(query, 2, after)
            for hit in page.hits:
                free = {str(form): n for form, n in hit.listing.free.items()}
                found[hit.listing.id] = (hit.listing.revision, free)
                if hit.distance_km is not None:
                    true_km = naive.distance_km(hit.listing, query)
                    assert abs(hit.distance_km - true_km) <= max(0.01, 0.005 * true_km)
                    distances.append(hit.distance_km)
            after = page.next
            if after is None:
                assert page.total == len(found)
                assert distances == sorted(distances)
                return found


Region.TestCase.settings = hypothesis_settings(
    max_examples=200, stateful_step_count=40, deadline=None
)
TestRegion = Region.TestCase


def test_the_time_in_this_story_crosses_the_change_of_the_clocks() -> None:
    assert local_date(START) == date(2026, 3, 27)
