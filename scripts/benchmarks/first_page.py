"""The finder in headless Chromium: the server's time, bytes, and when list and map are there.

Beside it, from a process with the same server: the same HTML without its style and scripts,
packed beforehand. Two searches: the whole region, and 25 km around a town; the latter also on
an old phone with a bad connection, for which there are goals.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import aiohttp
from playwright.async_api import Browser

from scripts.benchmarks.bare_page import bare_page
from scripts.benchmarks.browser import (
    DESK,
    OLD_PHONE,
    PHONE,
    Device,
    Load,
    Visit,
    browser,
    visit,
    visit_bare,
)
from scripts.benchmarks.figures import Figure, Findings, figure
from scripts.benchmarks.program import command, data_folder, served

SEARCHES = {"region": "/", "25 km": "/?place=33330"}
REQUESTS = 20  # a run of the server's time is the median of so many
SERVER_MS = 50
# On the old phone.
LIST_MS = 3_000
FIRST_KB, BEFORE_MAP_KB, WITH_MAP_KB = 60, 150, 300


def _described(device: Device) -> str:
    return (
        f"The {device.name}: {device.width}×{device.height} pixels, a processor"
        f" {device.slower_cpu} times slower than this machine's, {device.latency_ms} ms of latency"
        f" and {device.kilobits / 1000:g} Mbit/s."
    )


_BESIDE = re.compile(rb"<link rel=\"(stylesheet|preload|modulepreload)\"[^>]*>|<script.*?</script>")


async def measure(homes: int, runs: int) -> Findings:
    found = Findings(notes=[_described(PHONE), _described(OLD_PHONE)])
    async with data_folder() as environ:
        await command(environ, "demo", "--homes", str(homes), "--seed", "1")
        async with served(environ) as url, browser() as chromium:
            found.versions["Chromium"] = chromium.version
            for search, path in SEARCHES.items():
                html = _BESIDE.sub(b"", await _page(url + path))
                folder = Path(environ["FREIPLATZ_DATA_DIR"]).parent
                async with bare_page(html, folder) as bare:
                    found.figures.append(await _server_times(search, url + path, bare, runs))
                    for device in (DESK, PHONE):
                        found.figures += await _visits(
                            chromium, search, url + path, bare, device, runs
                        )
            found.figures += await _on_the_train(chromium, url + SEARCHES["25 km"], runs)
    return found


async def _on_the_train(chromium: Browser, url: str, runs: int) -> list[Figure]:
    """What a finder must keep to that is used on a train: time, and bytes on the wire."""
    visits = [await visit(chromium, url, OLD_PHONE) for _ in range(runs)]

    def under(name: str, values: list[float], unit: str, most: float) -> Figure:
        goal, met = f"under {most:g} {unit}", median(values) < most
        return figure(f"25 km, old phone: {name}", values, [], unit, "", goal=goal, met=met)

    def kilobytes(chosen: Callable[[Visit], list[Load]]) -> list[float]:
        return [sum(load.transferred for load in chosen(v)) / 1000 for v in visits]

    def first(v: Visit) -> list[Load]:
        return [v.loads[0], *(load for load in _before_map(v) if load.url.endswith(".css"))]

    return [
        under("usable list", [v.list_ms for v in visits], "ms", LIST_MS),
        under("HTML and its style", kilobytes(first), "kB", FIRST_KB),
        under("all before the map", kilobytes(_before_map), "kB", BEFORE_MAP_KB),
        under("all with the map", kilobytes(lambda v: v.loads), "kB", WITH_MAP_KB),
    ]


def _before_map(v: Visit) -> list[Load]:
    return v.loads[: len(v.loads) - v.for_map]


async def _page(url: str) -> bytes:
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return await answer.read()


async def _server_times(search: str, url: str, bare: str, runs: int) -> Figure:
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(await _server_time(url))
        theirs.append(await _server_time(bare))
    name, against = f"server's time, {search}", "the bare page"
    goal = f"under {SERVER_MS} ms"
    return figure(name, ours, theirs, "ms", against, goal=goal, met=median(ours) < SERVER_MS)


async def _server_time(url: str) -> float:
    """Milliseconds from request to the last byte, packed, on a connection that is open."""
    times = []
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        for _ in range(REQUESTS + 1):
            began = time.perf_counter()
            async with client.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
                await answer.read()
            times.append((time.perf_counter() - began) * 1000)
    return median(times[1:])


async def _visits(
    chromium: Browser, search: str, url: str, bare: str, device: Device, runs: int
) -> list[Figure]:
    visits, theirs = [], []
    await visit(chromium, url, device)  # fonts, and what else a browser does once
    for _ in range(runs):
        visits.append(await visit(chromium, url, device))
        theirs.append(await visit_bare(chromium, bare, device))

    def timed(name: str, read: Callable[[Visit], float], beside: list[float]) -> Figure:
        against = "the bare page" if beside else ""
        return figure(
            f"{search}, {device.name}: {name}", [*map(read, visits)], beside, "ms", against
        )

    to_map = "map, from the tap" if device.is_phone else "map with all homes"
    figures = [
        timed("usable list", lambda v: v.list_ms, theirs),
        timed("live", lambda v: v.live_ms, []),
        timed(to_map, lambda v: v.map_ms, []),
        timed("scripts run", lambda v: v.script_ms, []),
        timed("blocked", lambda v: v.blocked_ms, []),
    ]
    return figures + (_bytes(search, url, visits) if device.is_phone else [])


def _bytes(search: str, url: str, visits: list[Visit]) -> list[Figure]:
    """Of the visits by phone, where the map is loaded only when it is asked for."""
    here = url.split("/?")[0].rstrip("/") + "/"

    def both(
        name: str, first: Callable[[Visit], int], last: Callable[[Visit], int]
    ) -> list[Figure]:
        parts = [v.loads[first(v) : last(v)] for v in visits]
        wire = [sum(load.transferred for load in part) / 1000 for part in parts]
        plain = [sum(load.decoded for load in part) / 1000 for part in parts]
        return [figure(f"{search}: {name}", wire, plain, "kB", "the same unpacked")]

    def asked(v: Visit) -> int:
        return len(v.loads) - v.for_map

    foreign = [float(sum(not load.url.startswith(here) for load in v.loads)) for v in visits]
    return [
        *both("HTML", lambda v: 0, lambda v: 1),
        *both("all until it is live", lambda v: 0, asked),
        *both("for the map besides", asked, lambda v: len(v.loads)),
        figure(f"{search}: requests", [float(len(v.loads)) for v in visits], [], "requests", ""),
        figure(
            f"{search}: requests to others",
            foreign,
            [],
            "requests",
            "",
            goal="0",
            met=max(foreign) == 0,
        ),
    ]
