"""One visit of the finder in headless Chromium: what it took, and what it loaded."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, CDPSession, Page, async_playwright

# Runs in the page and looks once a frame: what a reader could see and touch by then.
WATCH = """(() => {
  const seen = (window.seen = {blocked: 0});
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) seen.blocked += task.duration - 50;
  }).observe({type: "longtask", buffered: true});
  const now = (name, there) => { if (!(name in seen) && there) seen[name] = performance.now(); };
  const answers = (link) => {
    if (!link) return false;
    const box = link.getBoundingClientRect();
    if (box.height === 0 || box.top >= innerHeight) return box.height > 0;
    return link.contains(document.elementFromPoint(box.left + 4, box.top + 4));
  };
  const frame = () => {
    now("list", answers(document.querySelector(".card-name a")));
    now("live", document.querySelector("#live[data-state=live]"));
    now("map", document.documentElement.dataset.loaded && document.querySelector("#map .mark"));
    now("towns", document.querySelector("#map .land") && document.querySelector("#map .town"));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})()"""


@dataclass(frozen=True)
class Device:
    """A screen, and what is slower than on this machine (nothing, if 0)."""

    name: str
    width: int
    height: int
    is_phone: bool = False
    slower_cpu: int = 0
    latency_ms: int = 0
    kilobits: int = 0


DESK = Device("desktop", 1280, 800)
# What Chromium's own tools call "Fast 3G", and a processor of the middle range.
PHONE = Device("phone", 390, 844, True, 4, 150, 1_600)
# An old telephone at the edge of the net, on a train: what must still be of use.
OLD_PHONE = Device("old phone", 360, 740, True, 4, 400, 400)


@dataclass
class Load:
    """A request, and what came back: bytes on the wire, and unpacked."""

    url: str
    transferred: int = 0
    decoded: int = 0


@dataclass(frozen=True)
class Visit:
    """Milliseconds since the navigation began, on a phone those to the map since the tap.
    `blocked_ms`: how long the page would not have reacted, over all tasks above 50 ms.
    The last of `loads` are `for_map` requests that began after the tap."""

    list_ms: float
    live_ms: float
    map_ms: float
    blocked_ms: float
    script_ms: float
    loads: list[Load]
    for_map: int


def chromium() -> str:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit("No Chromium was found. On Debian: apt-get install chromium")
    return found


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield found
        await found.close()


@asynccontextmanager
async def opened(
    browser: Browser, device: Device, watch: str = WATCH
) -> AsyncIterator[tuple[Page, CDPSession]]:
    """A page with nothing in its cache, on that device; `watch` runs in it first."""
    context = await browser.new_context(
        viewport={"width": device.width, "height": device.height},
        is_mobile=device.is_phone,
        has_touch=device.is_phone,
        bypass_csp=True,  # Playwright's waiting evaluates strings
    )
    page = await context.new_page()
    tools = await context.new_cdp_session(page)
    await tools.send("Network.enable")
    await tools.send("Performance.enable")
    if device.kilobits:
        bytes_a_second = device.kilobits * 1000 / 8
        line = {"downloadThroughput": bytes_a_second, "uploadThroughput": bytes_a_second / 2}
        line |= {"offline": False, "latency": device.latency_ms}
        await tools.send("Network.emulateNetworkConditions", line)
    if device.slower_cpu:
        await tools.send("Emulation.setCPUThrottlingRate", {"rate": device.slower_cpu})
    await page.add_init_script(watch)
    yield page, tools
    await context.close()


class _Loads:
    """Every request from now on, in the order in which they began; the stream never ends."""

    def __init__(self, tools: CDPSession) -> None:
        self._by_id: dict[str, Load] = {}
        self._open: set[str] = set()
        self.ended = asyncio.Event()  # all that has begun
        tools.on("Network.requestWillBeSent", self._begin)
        tools.on("Network.dataReceived", self._take)
        tools.on("Network.loadingFinished", self._end)

    def all(self) -> list[Load]:
        return list(self._by_id.values())

    def _begin(self, event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        if url.startswith("data:"):
            return
        self._by_id[event["requestId"]] = Load(url)
        if "/stream?" not in url:
            self._open.add(event["requestId"])
            self.ended.clear()

    def _take(self, event: dict[str, Any]) -> None:
        if load := self._by_id.get(event["requestId"]):
            load.decoded += event["dataLength"]

    def _end(self, event: dict[str, Any]) -> None:
        if load := self._by_id.get(event["requestId"]):
            load.transferred = int(event["encodedDataLength"])
        self._open.discard(event["requestId"])
        if not self._open:
            self.ended.set()


async def visit(browser: Browser, url: str, device: Device) -> Visit:
    """The finder at `url` until it is live and its map shows all homes."""
    async with opened(browser, device) as (page, tools):
        loads = _Loads(tools)
        await page.goto(url, wait_until="commit")
        await _seen(page, ("list", "live"))
        before, tapped = len(loads.all()), 0.0
        if device.is_phone:
            tapped = await page.evaluate(
                "() => { document.querySelector('[data-view=map]').click();"
                " return performance.now(); }"
            )
        seen = await _seen(page, ("list", "live", "map", "towns"))
        await loads.ended.wait()
        metrics = (await tools.send("Performance.getMetrics"))["metrics"]
        script = next(m["value"] for m in metrics if m["name"] == "ScriptDuration")
        return Visit(
            list_ms=seen["list"],
            live_ms=seen["live"],
            map_ms=seen["map"] - tapped,
            blocked_ms=seen["blocked"],
            script_ms=script * 1000,
            loads=loads.all(),
            for_map=len(loads.all()) - before,
        )


async def visit_bare(browser: Browser, url: str, device: Device) -> float:
    """Milliseconds to the first card of a page that has cards and nothing else."""
    async with opened(browser, device) as (page, _):
        await page.goto(url, wait_until="commit")
        return (await _seen(page, ("list",)))["list"]


async def _seen(page: Page, names: Iterable[str]) -> dict[str, float]:
    condition = " && ".join(f"'{name}' in window.seen" for name in names)
    await page.wait_for_function(f"window.seen && {condition}", timeout=120_000)
    seen: dict[str, float] = await page.evaluate("window.seen")
    return seen
