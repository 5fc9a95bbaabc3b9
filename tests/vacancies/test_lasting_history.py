"""Pairs of reports as Postgres counts them, against the same counted plainly in Python."""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from vacancies.command import Command
from vacancies.commands import Amend, Confirm, Describe, Report, Undo
from vacancies.database import Pool
from vacancies.lasting import EDGES_HOURS, Cell, size_of
from vacancies.lasting_history import select_cells
from vacancies.listings import local_date
from vacancies.models import AdmissionStop, CareForm, Point, Profile, StopReason, Vacancy
from vacancies.provider import ensure_provider
from vacancies.writer import Writer

NOW = datetime(2026, 11, 9, 7, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Told:
    """A row of the history."""

    kind: str
    observed_at: datetime | None
    reported_at: datetime
    lines: list[dict[str, Any]]
    amended: dict[str, Any] | None = None


History = dict[str, list[Told]]


def naive(history: History, capacity: dict[str, dict[str, int]], now: datetime) -> set[Cell]:
    kept = {home: _kept(told, now) for home, told in history.items()}
    usual = {}
    for home, said in kept.items():
        gaps = [_gap(a, b) for (a, _), (b, _) in pairwise(said)]
        if len(gaps := [gap for gap in gaps if gap > timedelta()]) >= 5:
            usual[home] = timedelta(seconds=median(gap.total_seconds() for gap in gaps))
    if not usual:
        return set()
    since = min(said[0][0].observed_at for home, said in kept.items() if home in usual)
    split = since + (now - since) * 0.7
    counted: dict[tuple[Any, ...], list[tuple[str, bool]]] = defaultdict(list)
    for home in usual:
        size = size_of(sum(capacity[home].values()))
        for start, end in _pairs(kept[home], _stops(history[home])):
            until = end.observed_at if end else now
            gap = until - start.observed_at
            if gap <= timedelta() or (end is None and gap <= usual[home] * 3.5):
                continue
            timing = _timing(gap, usual[home], end is None)
            number = bisect_right(EDGES_HOURS, gap / HOUR) - 1
            for form in {line["care_form"] for line in start.lines}:
                places = _free(start.lines, form, local_date(until))
                if places > 0:
                    still = end is not None and _free(end.lines, form, local_date(until)) > 0
                    part = _part(start.observed_at, until, split, now)
                    key = (form, size, min(places, 3), part, timing, number)
                    counted[key].append((home, still))
    return {
        Cell._make(
            (
                *key,
                len(pairs),
                sum(still for _, still in pairs),
                len({home for home, _ in pairs}),
            )
        )
        for key, pairs in counted.items()
    }


def _gap(start: Told, end: Told) -> timedelta:
    assert start.observed_at is not None
    assert end.observed_at is not None
    return end.observed_at - start.observed_at


def _pairs(kept: list[tuple[Told, Any]], stops: list[datetime]) -> Iterator[tuple[Any, Any]]:
    """What was said and what came next, if anything; nothing that an admission stop hid."""
    for (start, stop), following in zip(kept, [*kept[1:], None], strict=True):
        end, next_stop = following or (None, None)
        until = end.reported_at if end else start.reported_at
        if stop is next_stop is None and not any(start.reported_at < t < until for t in stops):
            yield start, end


def _part(start: datetime, until: datetime, split: datetime, now: datetime) -> str:
    if start >= max(split, now - timedelta(days=7)):
        return "newest"
    if start >= split:
        return "newer"
    return "older" if until < split else "between"


def _timing(gap: timedelta, usual: timedelta, is_open: bool) -> str:
    if gap < usual * 0.8:
        return "early"
    if gap <= usual * 3.5:
        return "due"
    return "lapsed" if is_open else "late"


def _kept(told: Sequence[Told], now: datetime) -> list[tuple[Any, Any]]:
    """What was said and not taken back or corrected at once, each with the stop that held."""
    recent = [t for t in told if now - timedelta(days=180) <= t.reported_at <= now]
    said: list[tuple[Told, Any]] = []
    stop = None
    for each in recent:
        if each.kind == "amendment":
            if "admission_stop" in (each.amended or {}):
                stop = (each.amended or {})["admission_stop"]
        else:
            said.append((each, stop))
    kept = []
    for index, (each, stop) in enumerate(said):
        following = said[index + 1][0] if index + 1 < len(said) else None
        if each.kind == "undo" or (following and following.kind == "undo"):
            continue
        if following and following.reported_at - each.reported_at < timedelta(minutes=2):
            continue
        kept.append((each, stop))
    return kept


def _stops(told: Sequence[Told]) -> list[datetime]:
    """When admission stops began or ended."""
    return [t.reported_at for t in told if "admission_stop" in (t.amended or {})]


def _free(lines: list[dict[str, Any]], form: str, day: date) -> int:
    return sum(
        line["count"]
        for line in lines
        if line["care_form"] == form
        and line["count"] > 0
        and date.fromisoformat(line.get("available_until") or "9999-12-31") >= day
    )


def made_up(dice: random.Random) -> list[Told]:
    """Daily reports of one home, with all that can happen to them."""
    at = NOW - timedelta(days=dice.choice([30, 120, 200]), hours=dice.random() * 24)
    told: list[Told] = []
    while at < NOW - timedelta(days=dice.choice([0, 0, 9])):
        kind = dice.choices(
            ["report", "confirmation", "amendment", "slip", "undone"], [8, 5, 1, 1, 1]
        )[0]
        observed = at - dice.choice([0, 0, 0, 5]) * HOUR
        said = [t for t in told if t.kind != "amendment"]
        if said and said[-1].observed_at is not None:
            observed = max(observed, said[-1].observed_at)
        if kind == "amendment":
            stop = dice.choice([None, {"reason": "staff", "until": None}])
            changes: dict[str, Any] = dice.choice(
                [{"admission_stop": stop}, {"waiting_list": "open"}]
            )
            last = said[-1] if said else Told("", None, at, [])
            told.append(Told(kind, last.observed_at, at, last.lines, changes))
        elif kind == "confirmation" and said:
            told.append(Told(kind, observed, at, said[-1].lines))
        else:
            told.append(Told("report", observed, at, _lines(dice, at)))
            if kind == "slip":
                at += timedelta(seconds=dice.choice([30, 119, 120, 121]))
                told.append(Told("report", max(at, observed), at, _lines(dice, at)))
            elif kind == "undone":
                at += timedelta(seconds=dice.choice([40, 400]))
                before = said[-1] if said else Told("", None, at, [])
                told.append(Told("undo", before.observed_at, at, before.lines))
        at += dice.choices([24, 24.3, 12, 72, 100, 0.02], [9, 6, 2, 2, 1, 1])[0] * HOUR
    return told


def _lines(dice: random.Random, at: datetime) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for _ in range(dice.choice([0, 1, 1, 2, 3])):
        form = dice.choice(["long_term", "long_term", "short_term"])
        line: dict[str, Any] = {"care_form": form, "count": dice.choice([0, 1, 1, 2, 4])}
        if dice.random() < 0.2:
            day = local_date(at) + timedelta(days=dice.choice([-1, 0, 1, 5]))
            line["available_until"] = day.isoformat()
        lines.append(line)
    return lines


async def store(pool: Pool, history: History, capacity: dict[str, dict[str, int]]) -> None:
    provider = await ensure_provider(pool, "Caritas")
    async with pool.acquire() as connection:
        for home in history:
            await connection.execute(
                "INSERT INTO care_home (id, provider_id, name, latitude, longitude,"
                " point_precision, capacity, moved_revision)"
                " VALUES ($1, $2, $1, 51, 8, 'exact', $3, 0)",
                home,
                provider.id,
                json.dumps(capacity[home]),
            )
        entries = sorted(
            (t.reported_at, n, home) for home, told in history.items() for n, t in enumerate(told)
        )
        await connection.copy_records_to_table(
            "report",
            columns=[
                "home_id",
                "revision",
                "kind",
                "observed_at",
                "reported_at",
                "vacancies",
                "amended",
            ],
            records=[
                (
                    home,
                    revision,
                    (told := history[home][number]).kind,
                    told.observed_at,
                    told.reported_at,
                    json.dumps(told.lines),
                    None if told.amended is None else json.dumps(told.amended),
                )
                for revision, (_, number, home) in enumerate(entries)
            ],
        )


async def cells(pool: Pool, now: datetime = NOW) -> set[Cell]:
    async with pool.acquire() as connection, connection.transaction():
        found = await select_cells(connection, now)
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize("seed", range(4))
async def test_postgres_counts_the_pairs_as_python_does(pool: Pool, seed: int) -> None:
    dice = random.Random(seed)
    homes = [f"h{number}" for number in range(25)]
    history = {home: made_up(dice) for home in homes}
    sizes = [{}, {"long_term": 29}, {"long_term": 20, "day": 10}, {"long_term": 80}]
    capacity = {home: dice.choice(sizes) for home in homes}
    await store(pool, history, capacity)
    found = await cells(pool)
    assert found == naive(history, capacity, NOW)
    assert {cell.timing for cell in found} == {"early", "due", "late", "lapsed"}
    assert {cell.part for cell in found} == {"older", "between", "newer", "newest"}


async def test_nothing_was_said(pool: Pool) -> None:
    assert await cells(pool) == set()


async def test_what_the_writer_writes_is_understood(pool: Pool, writer: Writer) -> None:
    """Eight days as the commands store them, of which the clock alone is made up."""
    provider = await ensure_provider(pool, "Caritas")
    one = (Vacancy(care_form=CareForm.DAY, count=1),)
    stop = AdmissionStop(reason=StopReason.STAFF)
    profile = Profile(name="h", point=Point(51.9, 8.4), capacity={CareForm.DAY: 12})
    home_id, provider_id, slug = "h", provider.id, provider.slug
    before = datetime.now(UTC)
    commands: list[Command] = [
        Describe(home_id=home_id, provider_id=provider_id, provider=slug, profile=profile),
        Report(home_id=home_id, vacancies=one),  # day 0
        Confirm(home_id=home_id),  # day 1: still
        Report(home_id=home_id, vacancies=()),  # day 2: taken back at once
        Undo(home_id=home_id, vacancies=one, said_at=before),
        Confirm(home_id=home_id),  # day 3: still, two days after the last word
        Report(home_id=home_id, vacancies=()),  # day 4: gone
        Report(home_id=home_id, vacancies=one),  # day 5
        Amend(home_id=home_id, changes={"admission_stop": stop}),  # the place is not shown
        Confirm(home_id=home_id),  # day 6
        Amend(home_id=home_id, changes={"admission_stop": None}),
        Confirm(home_id=home_id),  # day 7
        Confirm(home_id=home_id),  # day 8: still
    ]
    for command in commands:
        settled = await writer.submit([command])
        assert settled.outcomes[0].error is None
    hours = [0, 24, 48, 48.01, 72, 96, 120, 125, 144, 150, 168, 192]
    await pool.execute(
        "UPDATE report SET observed_at = $2::timestamptz + hour * interval '1 hour',"
        " reported_at = $2::timestamptz + hour * interval '1 hour' FROM"
        " (SELECT hour, row_number() OVER () AS n FROM unnest($1::float8[]) AS hour) AS at,"
        " (SELECT id, row_number() OVER (ORDER BY revision) AS m FROM report) AS numbered"
        " WHERE n = m AND report.id = numbered.id",
        [float(hour) for hour in hours],
        NOW - 9 * 24 * HOUR,
    )
    found = await cells(pool)
    pairs: dict[int, tuple[int, int]] = {}
    for cell in found:
        assert cell[:3] == ("day", "small", 1)
        assert cell.timing == "due"
        many, still = pairs.get(cell.bin, (0, 0))
        pairs[cell.bin] = (many + cell.pairs, still + cell.still_free)
    # 0 to 1 and 7 to 8 still, 3 to 4 gone; 1 to 3 still; nothing around the stop.
    assert pairs == {EDGES_HOURS.index(20): (3, 2), EDGES_HOURS.index(44): (1, 1)}
