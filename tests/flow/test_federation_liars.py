"""A neighbour that is slow, broken or lies harms nothing: homes of ours and their viewers stay
right, and what it said wrongly is left out and counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from providers.federation import intake, stream
from tests.conftest import Service
from tests.flow.liar import CURSOR, HEAD, Answer, Write, event, feature, lying, told
from tests.flow.neighbours import (
    follow,
    has_trouble,
    origin,
    places,
    state_of,
    stays_right,
    watching,
)
from tests.flow.viewer import Viewer
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("impatient")

READY = event("ready", {"revision": 1})
NO_STREAM = "It sends something that is no stream of Freiplatz."
SILENT = "It keeps silent."
BROKEN = "It does not answer, or broke off."


@asynccontextmanager
async def following_a_liar(service: Service, answer: Answer) -> AsyncIterator[Viewer]:
    async with lying(answer) as url, watching(service) as viewer:
        await follow(service, url, "Liar")
        yield viewer


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is noticed soon."""
    patience = replace(stream.PATIENCE, head=0.5, silence=0.5, whole=1.5)
    monkeypatch.setattr(stream, "PATIENCE", patience)


async def endless_line(write: Write) -> None:
    await write(HEAD + b"data: ")
    while True:
        await write(b"x" * 65536)


async def gigantic_event(write: Write) -> None:
    await write(HEAD + event("listing", '"' + "x" * 50_000_000 + '"'))


async def many_data_lines(write: Write) -> None:
    await write(HEAD + b"event: listing\n" + b"data: {}\n" * 100_000)


async def hangs_up(write: Write) -> None:
    pass


async def breaks_off(write: Write) -> None:
    await write(HEAD.replace(b"Connection", b"Content-Length: 999999\r\nConnection") + b"event: li")


async def never_answers(write: Write) -> None:
    await asyncio.Event().wait()


# An endless sender's pace, so that it leaves the loop to the reader; nothing is waited for.
PACE_SECONDS = 0.01


async def endless_head(write: Write) -> None:
    await write(b"HTTP/1.1 200 OK\r\n")
    while True:
        await write(b"X-More: 1\r\n")
        await asyncio.sleep(PACE_SECONDS)


async def drips(write: Write) -> None:
    """Always something, never an event."""
    await write(HEAD)
    while True:
        await write(b": still there\n\n")
        await asyncio.sleep(PACE_SECONDS)


async def never_ready(write: Write) -> None:
    await write(HEAD)
    while True:
        await write(event("heartbeat"))
        await asyncio.sleep(PACE_SECONDS)


async def page(write: Write) -> None:
    await write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<h1>Welcome</h1>")


async def packed(write: Write) -> None:
    await write(HEAD.replace(b"Connection", b"Content-Encoding: gzip\r\nConnection") + b"\x1f\x8b")


async def failing(write: Write) -> None:
    await write(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (endless_line, NO_STREAM),
        (gigantic_event, NO_STREAM),
        (many_data_lines, NO_STREAM),
        (hangs_up, BROKEN),
        (breaks_off, BROKEN),
        (never_answers, SILENT),
        (endless_head, (SILENT, BROKEN)),
        (drips, SILENT),
        (told(), SILENT),
        (never_ready, "It does not come to an end with telling what it has."),
        (page, "It answers with something that is no stream of Freiplatz."),
        (packed, "It answers with something that is no stream of Freiplatz."),
        (failing, "It answers with status 500."),
    ],
)
async def test_a_stream_that_is_none_is_given_up(
    service: Service, answer: Answer, trouble: str | tuple[str, ...]
) -> None:
    async with following_a_liar(service, answer) as viewer:
        await until(lambda: has_trouble(service, trouble))
        await stays_right(service, viewer)
        assert set(viewer.table) == {"own"}


async def test_nobody_is_followed_to_another_address(service: Service) -> None:
    called = []

    async def target(write: Write) -> None:
        called.append(True)

    async with lying(target) as inside:

        async def redirect(write: Write) -> None:
            await write(
                f"HTTP/1.1 307 There\r\nLocation: {inside}/\r\nContent-Length: 0\r\n\r\n".encode()
            )

        async with following_a_liar(service, redirect) as viewer:
            trouble = "It sends us elsewhere. Add it by the address where it is."
            await until(lambda: has_trouble(service, trouble))
            await stays_right(service, viewer)
    assert not called


async def test_wrong_homes_are_left_out_and_right_ones_taken(service: Service) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    wrong = [
        feature("ocean", point=[-30.0, 40.0]),
        feature("third", origin={"name": "Third", "url": "https://third.example"}),
        feature("../own"),
        feature("guetersloh/own"),
        feature("tomorrow", observed_at=ahead),
        feature("crowded", capacity={"long_term": 1}, vacancies=[
            {"care_form": "long_term", "count": 2}
        ]),
        {"type": "Feature", "id": "bare"},
        ["not", "an", "object"],
        "{",
    ]  # fmt: skip
    events = [event("listing", each) for each in [*wrong, feature("right")]]
    async with following_a_liar(service, told(*events, event("future_event"), READY)) as viewer:
        await viewer.until(lambda: places(viewer, "liar/right") == {"long_term": 1})
        await stays_right(service, viewer)
        await until(lambda: refused(service, len(wrong)))
        assert set(viewer.table) == {"own", "liar/right"}
        assert (await state_of(service)).trouble == ""


async def refused(service: Service, count: int) -> bool:
    return (await state_of(service)).refused == count


async def some_refused(service: Service) -> bool:
    state = await state_of(service)
    return state.refused > 100 and state.refused_why == "It has more than 20 homes."


async def test_it_closes_its_own_homes_only(service: Service) -> None:
    await service.put_home("own")
    ids = ["own", "../own", "liar/mine", "/own", "", "unknown"]
    gone = [event("gone", {"id": home_id}) for home_id in ids]
    mine = event("listing", feature("mine"))
    last = event("listing", feature("last"))
    async with following_a_liar(service, told(mine, READY, *gone, last)) as viewer:
        await viewer.until(lambda: "liar/last" in viewer.table)
        assert set(viewer.table) == {"own", "liar/mine", "liar/last"}
        await stays_right(service, viewer)


async def test_an_id_of_ours_there_is_another_home(service: Service) -> None:
    await service.put_home("own", name="Haus Eigen")
    answer = told(event("listing", feature("own", name="Haus Fremd")), READY)
    async with following_a_liar(service, answer) as viewer:
        await viewer.until(lambda: "liar/own" in viewer.table)
        await stays_right(service, viewer)
        assert "origin" not in viewer.table["own"]["properties"]
        assert origin(viewer, "liar/own")["name"] == "Liar"


async def test_a_million_homes_are_too_many(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_HOMES", 20)

    async def endless(write: Write) -> None:
        await write(HEAD)
        for number in range(1_000_000):
            await write(event("listing", feature(f"h{number}")))

    async with following_a_liar(service, endless) as viewer:
        await until(lambda: some_refused(service))
        await stays_right(service, viewer)
        foreign = [home_id for home_id in viewer.table if home_id.startswith("liar/")]
        assert len(foreign) == 20
        pool = service.state.deployment.pool
        assert await pool.fetchval("SELECT count(*) FROM care_home") == 21


async def test_who_tells_too_much_is_read_slowly(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not reading makes the sender wait: what it could send meanwhile lies in its own memory."""
    monkeypatch.setattr(stream, "BURST_EVENTS", 100)
    monkeypatch.setattr(stream, "EVENTS_PER_SECOND", 0.001)
    sent = 0

    async def flood(write: Write) -> None:
        nonlocal sent
        await write(HEAD + READY)
        while True:
            await write(event("listing", feature("same", vacancies=[
                {"care_form": "long_term", "count": sent % 7}
            ])))  # fmt: skip
            sent += 1

    async with following_a_liar(service, flood) as viewer:
        before = -1
        while sent != before:  # until all that lies between us is full
            before = sent
            await stays_right(service, viewer)
        told_of = [each for each in viewer.events if each.data.get("id") == "liar/same"]
        assert len(told_of) < 1_000


async def test_what_cannot_be_read_any_more_counts_as_not_known(service: Service) -> None:
    go_on = asyncio.Event()

    async def answer(write: Write) -> None:
        await write(HEAD + event("listing", feature("anna")) + READY)
        await go_on.wait()
        go_on.clear()
        await write(event("listing", feature("anna", point=[-30.0, 40.0])))
        await go_on.wait()
        await write(event("listing", feature("anna", vacancies=[
            {"care_form": "day", "count": 2}
        ])))  # fmt: skip
        await asyncio.Event().wait()

    async with following_a_liar(service, answer) as viewer:
        await viewer.until(lambda: places(viewer, "liar/anna") == {"long_term": 1})
        go_on.set()
        await viewer.until(lambda: places(viewer, "liar/anna") == {})
        found = viewer.table["liar/anna"]
        assert found["properties"]["freshness"] == "stale"
        assert found["geometry"]["coordinates"] == [8.38, 51.9]
        go_on.set()
        await viewer.until(lambda: places(viewer, "liar/anna") == {"day": 2})
        assert viewer.table["liar/anna"]["properties"]["freshness"] == "fresh"


async def test_after_a_reset_what_does_not_come_again_is_gone(service: Service) -> None:
    go_on = asyncio.Event()

    async def answer(write: Write) -> None:
        homes = event("listing", feature("anna")) + event("listing", feature("berta"))
        await write(HEAD + homes + READY)
        await go_on.wait()
        await write(event("reset") + event("listing", feature("berta")) + READY)
        await asyncio.Event().wait()

    async with following_a_liar(service, answer) as viewer:
        await viewer.until(lambda: set(viewer.table) == {"liar/anna", "liar/berta"})
        go_on.set()
        await viewer.until(lambda: set(viewer.table) == {"liar/berta"})


async def test_a_home_is_no_fresher_than_its_neighbour_says(service: Service) -> None:
    old = (datetime.now(UTC) - timedelta(hours=30)).isoformat()
    older = (datetime.now(UTC) - timedelta(hours=80)).isoformat()
    homes = [
        feature("stale", freshness="stale", vacancies=[], confirmed_at=old, observed_at=old),
        feature("ageing", observed_at=old),
        feature("boasting", observed_at=older),  # "fresh", says the neighbour
    ]
    events = [event("listing", each) for each in homes]
    async with following_a_liar(service, told(*events, READY)) as viewer:
        await viewer.until(lambda: len(viewer.table) == 3)
        said = {k: v["properties"]["freshness"] for k, v in viewer.table.items()}
        assert said == {"liar/stale": "stale", "liar/ageing": "ageing", "liar/boasting": "stale"}
        assert places(viewer, "liar/boasting") == {}
        assert places(viewer, "liar/ageing") == {"long_term": 1}


async def test_it_goes_on_where_it_was(service: Service) -> None:
    """A stream that ends regularly is resumed; one that never told all begins anew."""
    asked: list[str] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        found = [line for line in head.split("\r\n") if line.lower().startswith("last-event-id")]
        asked.append(found[0].partition(": ")[2] if found else "")
        body = event("listing", feature("anna")) + (READY if len(asked) > 1 else b"")
        writer.write(HEAD + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await follow(service, url, "Liar")
        await until(lambda: len(asked) > 3)
    assert asked[:4] == ["", "", CURSOR, CURSOR]
