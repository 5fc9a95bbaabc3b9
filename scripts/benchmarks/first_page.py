"""The finder with thousands of homes in headless Chromium: when list and map are there."""

from __future__ import annotations

import os
import shutil
import time

import aiohttp
from playwright.async_api import Browser, async_playwright

from scripts.benchmarks.figures import Findings, figure
from scripts.benchmarks.program import command, data_folder, served

VIEWPORT = {"width": 1280, "height": 800}


def chromium() -> str:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit("No Chromium was found. On Debian: apt-get install chromium")
    return found


async def measure(homes: int, runs: int) -> Findings:
    listed, mapped, server, foreign = [], [], [], 0
    async with data_folder() as environ:
        await command(environ, "demo", "--homes", str(homes), "--seed", "1")
        async with served(environ) as url, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium(),
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            for _ in range(runs):
                server.append(await _server_time(url))
                seconds, elsewhere = await _visit(browser, url)
                listed.append(seconds[0] * 1000)
                mapped.append(seconds[1] * 1000)
                foreign += elsewhere
            await browser.close()
    return Findings(
        [
            figure(f"list with {homes} homes", listed, server, "ms", "the server's time alone"),
            figure(
                f"map with {homes} homes",
                mapped,
                server,
                "ms",
                "the server's time alone",
                goal="about 2 s",
                met=max(mapped) < 2_500,
            ),
            figure(
                "requests to other origins",
                [float(foreign)],
                [],
                "",
                "",
                goal="0",
                met=foreign == 0,
            ),
        ]
    )


async def _server_time(url: str) -> float:
    async with aiohttp.ClientSession() as client:
        began = time.perf_counter()
        async with client.get(url + "/") as answer:
            await answer.read()
        return (time.perf_counter() - began) * 1000


async def _visit(browser: Browser, url: str) -> tuple[tuple[float, float], int]:
    """((seconds to the list, seconds to the marks of all homes), foreign requests)."""
    context = await browser.new_context(viewport=VIEWPORT)  # type: ignore[arg-type]
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    began = time.perf_counter()
    await page.goto(url + "/", wait_until="commit")
    await page.wait_for_selector("article")
    listed = time.perf_counter() - began
    await page.wait_for_selector(".leaflet-marker-icon")
    mapped = time.perf_counter() - began
    await page.wait_for_function("document.querySelectorAll('.leaflet-marker-icon').length > 1")
    await context.close()
    return (listed, mapped), sum(not a.startswith((url, "data:")) for a in asked)
