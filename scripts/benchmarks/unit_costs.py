"""What single steps cost on this machine, taken from the real code: processor seconds of one
core unless said otherwise. `scale.py` reckons with them."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from statistics import median

import msgspec
from msgspec.structs import replace

from providers.demo import made_up_region
from scripts.benchmarks.program import data_folder
from scripts.benchmarks.redis_costs import ring
from scripts.benchmarks.served_costs import BENCH_HOMES, serve
from vacancies.audience import Audience, Viewer
from vacancies.board import Board
from vacancies.commands import Describe, Report
from vacancies.config import load_settings
from vacancies.deployment import Deployment, open_deployment
from vacancies.feed import Announcement, encode_announcement
from vacancies.listings import public_listing
from vacancies.models import CareForm, CareHome, Listing, Point, Profile, Vacancy
from vacancies.provider import ensure_provider
from vacancies.search import Query

HOMES = (12_000, 50_000)
CHANGES = 1_000
SEARCHES = 200
MATCHED_VIEWERS = 10_000
USUAL_KM = (5.0, 50.0)
NOTHING_KM = (0.001, 0.002)


_decoder = msgspec.json.Decoder(Announcement)


@dataclass(frozen=True)
class UnitCosts:
    """`receive`, `join_on` and `search_on` are by the number of homes: a message decoded and on the
    board, what the board takes for a viewer who resumes, and for a search. Matching a change
    costs `match`, more for each viewer and for each match; if all homes report once, a viewer's
    search matches `homes_per_search`. `commit` and `per_report` are seconds of the clock:
    a batch of n takes commit + n · per_report."""

    receive: dict[int, float]
    join_on: dict[int, float]
    search_on: dict[int, float]
    home_bytes: float
    match: float
    match_per_viewer: float
    match_per_match: float
    homes_per_search: float
    frame: float
    frame_bytes: float
    join: float
    search: float
    report: float
    viewer_bytes: float
    worker_bytes: float
    commit: float
    per_report: float
    publish: float
    subscriber: float
    message_bytes: float
    hop: float  # seconds of the clock, publish → received


async def probe(seed: int) -> UnitCosts:
    """Everything once, about half a minute."""
    regions = {homes: _listings(homes, seed) for homes in HOMES}
    boards = {homes: _board(listings) for homes, listings in regions.items()}
    home_bytes = _home_bytes(regions[HOMES[0]])
    queries = {
        homes: list(_searches(regions[homes], 200, USUAL_KM, Random(seed))) for homes in HOMES
    }
    apply = {homes: _apply(boards[homes], regions[homes], seed) for homes in HOMES}
    matching = _matching(boards[HOMES[0]], regions[HOMES[0]], seed)
    async with data_folder() as environ:
        async with open_deployment(load_settings(environ)) as deployment:
            await _make_homes(deployment)
            written = await _write(deployment)
            message = encode_announcement(_news(regions[HOMES[0]][0]))
            publish, subscriber, read, hop = await ring(deployment.redis, message)
        served = await serve(environ)
    return UnitCosts(
        receive={homes: seconds + read for homes, seconds in apply.items()},
        home_bytes=home_bytes,
        join_on={homes: _join(boards[homes], queries[homes]) for homes in HOMES},
        search_on={homes: _search(boards[homes], queries[homes]) for homes in HOMES},
        **matching,
        **served,
        commit=written[0],
        per_report=written[1],
        publish=publish,
        subscriber=subscriber,
        message_bytes=len(message),
        hop=hop,
    )


def _listings(homes: int, seed: int) -> list[Listing]:
    now = datetime.now(UTC)
    return [
        public_listing(
            CareHome(
                id=home.id,
                provider_id=1,
                provider="bench",
                profile=home.profile,
                vacancies=home.vacancies or (),
                observed_at=now,
                evaluated_at=now,
                revision=number,
            )
        )
        for number, home in enumerate(made_up_region(homes, seed, now), 1)
    ]


def _board(listings: Sequence[Listing]) -> Board:
    board = Board("bench")
    board.apply(listings, len(listings))
    for slot in range(len(listings)):
        board.feature(slot)  # as on a worker that has answered searches
    return board


def _home_bytes(listings: Sequence[Listing]) -> float:
    """A home on the board of a web process, which gets it as a message."""
    messages = [encode_announcement(_news(listing)) for listing in listings]
    tracemalloc.start()
    board = _board([new for message in messages for new in _decoder.decode(message).listings or ()])
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(board) <= len(listings)
    return size / len(listings)


def _join(board: Board, queries: Sequence[Query]) -> float:
    """Viewers who were here some revisions ago."""
    audience = Audience(board)
    began = time.process_time()
    for query in queries:
        viewer = Viewer()
        audience.join(viewer, query, board.revision - 10)
        for _ in audience.catch_up(viewer):
            pass
    return (time.process_time() - began) / len(queries)


def _search(board: Board, queries: Sequence[Query]) -> float:
    board.search(queries[0])  # what is made once
    began = time.process_time()
    for query in queries:
        board.search(query)
    return (time.process_time() - began) / len(queries)


def _searches(
    listings: Sequence[Listing], viewers: int, radius_km: tuple[float, float], random: Random
) -> Iterator[Query]:
    """Circles around homes, where people live; small ones are as frequent as large ones."""
    low, high = radius_km
    for _ in range(viewers):
        yield Query(
            centres=(random.choice(listings).profile.point,),
            radius_km=low * (high / low) ** random.random(),
            care_forms=(random.choice([CareForm.LONG_TERM, *CareForm]),),
        )


def _news(listing: Listing) -> Announcement:
    return Announcement(first=listing.revision, last=listing.revision, listings=(listing,))


def _changed(board: Board, listings: Sequence[Listing], seed: int) -> list[Listing]:
    """Other counts for homes chosen by chance, in the revisions that follow."""
    chosen = Random(seed).choices(range(len(listings)), k=CHANGES)
    found = []
    for revision, slot in enumerate(chosen, board.revision + 1):
        lines = tuple(replace(line, count=revision % 4) for line in board.listing(slot).vacancies)
        free = {line.care_form: line.count for line in lines if line.count}
        found.append(replace(board.listing(slot), revision=revision, vacancies=lines, free=free))
    return found


def _apply(board: Board, listings: Sequence[Listing], seed: int) -> float:
    messages = [encode_announcement(_news(new)) for new in _changed(board, listings, seed)]
    began = time.process_time()
    for message in messages:
        news = _decoder.decode(message)
        board.apply(news.listings or (), news.last)
    return (time.process_time() - began) / CHANGES


def _matching(board: Board, listings: Sequence[Listing], seed: int) -> dict[str, float]:
    """Three audiences: one viewer, many who match nothing, many as they are."""
    random = Random(seed)

    def notify(viewers: int, radius_km: tuple[float, float]) -> tuple[float, float]:
        """(seconds, matches) a change."""
        audience = Audience(board)
        for query in _searches(listings, viewers, radius_km, random):
            audience.join(Viewer(), query, board.revision)
        batches = [board.apply([new], new.revision) for new in _changed(board, listings, seed)]
        began = time.process_time()
        matches = sum(len(audience.notify(changes)) for changes in batches)
        return (time.process_time() - began) / CHANGES, matches / CHANGES

    alone, _ = notify(1, NOTHING_KM)
    beside, few = notify(MATCHED_VIEWERS, NOTHING_KM)
    real, many = notify(MATCHED_VIEWERS, USUAL_KM)
    per_match = max(0.0, (real - beside) / max(many - few, 1e-9))
    return {
        "match": alone,
        "match_per_viewer": max(0.0, beside - alone - few * per_match) / MATCHED_VIEWERS,
        "match_per_match": per_match,
        "homes_per_search": many / MATCHED_VIEWERS * len(listings),
    }


async def _make_homes(deployment: Deployment) -> None:
    provider = await ensure_provider(deployment.pool, "Bench")
    profile = Profile(name="Haus Muster", point=Point(51.9, 8.4), capacity={CareForm.LONG_TERM: 90})
    describe = [
        Describe(home_id=f"b{n}", provider_id=provider.id, provider=provider.slug, profile=profile)
        for n in range(BENCH_HOMES)
    ]
    await deployment.writer.submit(describe)


async def _write(deployment: Deployment) -> tuple[float, float]:
    """(a commit, each report in it), by batches of one and of many."""

    async def seconds(batch: int, times: int) -> float:
        took = []
        for turn in range(times):
            line = Vacancy(care_form=CareForm.LONG_TERM, count=1 + turn % 9)
            began = time.perf_counter()
            await asyncio.gather(
                *(
                    deployment.writer.submit([Report(home_id=f"b{n}", vacancies=(line,))])
                    for n in range(batch)
                )
            )
            took.append(time.perf_counter() - began)
        return median(took)

    one, many = await seconds(1, 40), await seconds(BENCH_HOMES, 8)
    per_report = max(0.0, many - one) / (BENCH_HOMES - 1)
    return one - per_report, per_report
