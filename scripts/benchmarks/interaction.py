"""How soon the finder answers a hand: open a filter, change to the map, zoom, choose, ask for more,
and all of that while reports come in. In headless Chromium, on a slow desktop and a slow phone.

What is measured is what the browser itself says of each interaction (Event Timing): from the
press to the next picture, to 8 ms. The worst of them all is what people remember.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import chain, cycle

from playwright.async_api import Browser, Locator, Page

from scripts.benchmarks.browser import DESK, PHONE, Device, browser, opened
from scripts.benchmarks.figures import Figure, Findings, figure, percentile
from scripts.benchmarks.homes import Region, region
from scripts.benchmarks.program import data_folder, served

SLOWER_CPU = 4
TIMES = 10  # each interaction, in each run
AT_ONCE = 500
BURST = 50  # reports that come in at once
GOAL_MS = 100
DEVICES = (
    replace(DESK, slower_cpu=SLOWER_CPU),
    replace(PHONE, slower_cpu=SLOWER_CPU, latency_ms=0, kilobits=0),
)
# Every event of an interaction that took a picture, by what was being done.
WATCH = """(() => {
  window.took = {};
  window.doing = "";
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.interactionId) (window.took[window.doing] ??= []).push(entry.duration);
    }
  }).observe({type: "event", durationThreshold: 16, buffered: true});
})()"""
SETTLED = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"

# Where a mark can be pressed that lies around the middle of the map.
MIDDLE_MARK = """(() => {
  const map = document.querySelector("#map").getBoundingClientRect();
  for (const mark of document.querySelectorAll("#map .mark")) {
    const box = mark.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const off = [(x - map.x) / map.width - 0.5, (y - map.y) / map.height - 0.5];
    if (Math.hypot(...off) < 0.35 && mark.contains(document.elementFromPoint(x, y))) return [x, y];
  }
  return null;
})()"""

Doing = Callable[["_Hand"], Awaitable[None]]


class _Hand:
    """Somebody at the page, on that device."""

    def __init__(self, page: Page, device: Device, news: Region) -> None:
        self.page = page
        self.device = device
        self.news = news
        self._turn = cycle(range(2))

    async def press(self, target: Locator) -> None:
        """By a finger or a mouse; then wait for the picture."""
        if self.device.is_phone:
            await target.tap()
        else:
            await target.click()
        await self.page.evaluate(SETTLED)

    async def filters(self) -> None:
        summary = self.page.locator("details.drop > summary").first
        await self.press(summary)
        await self.press(summary)

    async def switch(self) -> None:
        if self.device.is_phone:
            await self.press(self.page.locator("[data-view=list]").last)
            await self.press(self.page.locator("button[data-view=map]"))

    async def zoom(self) -> None:
        zoomed = ("in", "out")[next(self._turn)]
        button = self.page.locator(f".leaflet-control-zoom-{zoomed}")
        for _ in range(2):
            await self.press(button)

    async def choose(self) -> None:
        """A mark in the middle of the map, one home or many; the sheet is closed again."""
        at = await self.page.evaluate(MIDDLE_MARK)
        if at is None:
            return
        if self.device.is_phone:
            await self.page.touchscreen.tap(*at)
        else:
            await self.page.mouse.click(*at)
        await self.page.evaluate(SETTLED)
        close = self.page.locator("#sheet-close")
        if await close.is_visible():
            await self.press(close)

    async def more(self) -> None:
        if self.device.is_phone:
            await self.press(self.page.locator("button[data-view=list]"))
        cards = self.page.locator("#cards > li")
        before = await cards.count()
        await self.press(self.page.locator("#more a"))
        # Not `expect`: while it waits it describes the page, for seconds, on the same processor.
        await cards.nth(before).wait_for(state="attached", timeout=30_000)
        if self.device.is_phone:
            await self.press(self.page.locator("button[data-view=map]"))

    async def burst(self) -> None:
        """Presses while reports come in: their work must not stand in the way."""
        reports = asyncio.gather(*(self.news.report() for _ in range(BURST)))
        for _ in range(3):
            await self.filters()
        await reports


DOINGS: dict[str, Doing] = {
    "open a filter": _Hand.filters,
    "list to map and back": _Hand.switch,
    "show more": _Hand.more,
    "zoom the map": _Hand.zoom,
    "choose a mark": _Hand.choose,
    f"while {BURST} reports come in": _Hand.burst,
}


async def measure(homes: int, runs: int) -> Findings:
    note = (
        f"{homes:,} homes, a processor {SLOWER_CPU} times slower than this machine's."
        " From the press to the next picture, as the browser counts it; what took less than"
        " 16 ms is left out. Medians over the runs of each run's median, 98th percentile and"
        " worst."
    )
    found = Findings(notes=[note])
    async with data_folder() as environ, region(environ, homes) as news:
        for first in range(0, homes, AT_ONCE):
            await asyncio.gather(*(news.report() for _ in range(first, first + AT_ONCE)))
        async with served(environ) as url, browser() as chromium:
            found.versions["Chromium"] = chromium.version
            for device in DEVICES:
                taken = [await _run(chromium, url, device, news) for _ in range(runs)]
                found.figures += _figures(device, taken)
    return found


async def _run(chromium: Browser, url: str, device: Device, news: Region) -> dict[str, list[float]]:
    """Milliseconds of each interaction, by what was being done."""
    async with opened(chromium, device, WATCH) as (page, _):
        await page.goto(url)
        await page.wait_for_selector("#live[data-state=live]", timeout=120_000)
        hand = _Hand(page, device, news)
        if device.is_phone:
            await hand.press(page.locator("button[data-view=map]"))
        await page.wait_for_selector("#map .mark", timeout=120_000)
        for name, doing in DOINGS.items():
            await page.evaluate("(name) => { window.doing = name; }", name)
            for _ in range(TIMES):
                await doing(hand)
            # Entries come some pictures later.
            await page.wait_for_timeout(500)
        taken: dict[str, list[float]] = await page.evaluate("window.took")
        return taken


def _figures(device: Device, runs: list[dict[str, list[float]]]) -> list[Figure]:
    figures = []
    for name in [*DOINGS, "all"]:
        each = [list(chain(*run.values())) if name == "all" else run.get(name, []) for run in runs]
        each = [times for times in each if times]
        if not each:
            continue  # nothing of it took 16 ms, or it is not on this device
        for what, share in (("p50", 0.5), ("p98", 0.98), ("worst", 1.0)):
            values = [percentile(times, share) for times in each]
            is_goal = name == "all" and what == "p98"
            figures.append(
                figure(
                    f"{device.name}: {name}, {what}",
                    values,
                    [],
                    "ms",
                    "",
                    goal=f"about {GOAL_MS} ms" if is_goal else "",
                    met=max(values) <= GOAL_MS * 1.2 if is_goal else None,
                )
            )
    return figures
