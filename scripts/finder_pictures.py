"""Takes the pictures of docs/finder.md: the main pages for those who search, on a phone and at a
desk, from the running program with a demo region: `scripts/pictures`."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from scripts.benchmarks.program import command, data_folder, served

DOCS = Path(__file__).parents[1] / "docs"
DEVICES: dict[str, Any] = {
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True},
    "desk": {"viewport": {"width": 1280, "height": 800}},
}
SEARCH = "/?place=33330"

Steps = Callable[[Page], Awaitable[None]]


async def nothing(page: Page) -> None:
    """The page as it opens."""


async def live(page: Page) -> None:
    await page.locator("#live[data-state=live]").wait_for()
    if await page.locator("#map-section").is_visible():
        await page.locator("#map .town").first.wait_for()
        if await page.locator("#cards .card").count():
            await page.locator("#map .mark").first.wait_for()


async def on_the_map(page: Page) -> None:
    await live(page)
    if await page.locator("#switch").is_visible():
        await page.locator("[data-view=map]").click()
    await page.locator("#map .mark").first.wait_for()
    await page.locator("#map .mark-fresh").first.click()
    await page.locator("#sheet-cards .card").first.wait_for()


async def filters(page: Page) -> None:
    await live(page)
    await page.locator(".drop:nth-of-type(2) > summary").click()
    await page.locator("#f-focus-dementia").scroll_into_view_if_needed()


async def suggestions(page: Page) -> None:
    await live(page)
    await page.locator("#f-place").press_sequentially("Neuenk")
    await page.locator("[role=option]").first.wait_for()


async def home(page: Page) -> None:
    await page.locator(".card-name a").first.click()
    await page.locator(".home-page").wait_for()
    await page.locator("#live[data-state=live]").wait_for()


async def costs(page: Page) -> None:
    await home(page)
    await page.locator("#costs").scroll_into_view_if_needed()
    await page.evaluate("document.querySelector('#costs').scrollIntoView()")


async def shortlist(page: Page) -> None:
    await live(page)
    for button in (await page.locator("#cards [data-remember]").all())[:3]:
        await button.click()
    await page.locator("#shortlist-link").click()
    await page.locator("[data-note=status]").first.wait_for()


@dataclass(frozen=True)
class Picture:
    """What docs/finder.md says of a page, and the way to it."""

    name: str
    path: str
    text: str
    steps: Steps = nothing


PICTURES = (
    Picture("start", "/", "**The start.** All that is free in the region, at once.", live),
    Picture("suggestions", "/", "**A place**, also mistyped, or one of eleven.", suggestions),
    Picture("list", SEARCH, "**The answer first**, then the list, nearest first.", live),
    Picture("map", SEARCH, "**The map** is the list's picture; a mark shows its card.", on_the_map),
    Picture("filters", SEARCH, "**Each choice says what it leaves** before it is made.", filters),
    Picture(
        "nothing",
        "/?place=33330&care_form=hospice&radius_km=5",
        "**No dead end**: how far, what else, and who advises for nothing.",
        live,
    ),
    Picture("home", SEARCH, "**A home**: how old its word is, and the call.", home),
    Picture("costs", SEARCH, "**What one pays oneself**, by care grade and year.", costs),
    Picture("shortlist", SEARCH, "**The shortlist**, to call one after the other.", shortlist),
    Picture(
        "alert",
        "/alerts/new?place=33330&care_form=short_term",
        "**To be told**, without an account.",
    ),
    Picture("simple", SEARCH + "&lang=de-simple", "**Leichte Sprache.**", live),
)


async def take(browser: Browser, url: str, folder: Path) -> None:
    for device, options in DEVICES.items():
        for number, picture in enumerate(PICTURES, start=1):
            # Or a map that glides is caught on its way.
            context = await browser.new_context(reduced_motion="reduce", **options)
            page = await context.new_page()
            await page.goto(url + picture.path)
            await picture.steps(page)
            await page.screenshot(path=folder / f"finder-{number}-{picture.name}-{device}.png")
            await context.close()


def document() -> str:
    """The page around the pictures."""
    rows = [
        f"| ![On a phone](pictures/finder-{number}-{p.name}-phone.png)"
        f" | {p.text}<br>![At a desk](pictures/finder-{number}-{p.name}-desk.png) |"
        for number, p in enumerate(PICTURES, start=1)
    ]
    return "\n".join(
        (
            "# The finder, in pictures",
            "",
            "What families and social workers see, on a phone (360 pixels wide) and at a desk",
            "(1280). `scripts/pictures finder` takes these pictures from the running program with",
            "the demo region, and writes this page.",
            "",
            "| | |",
            "|---|---|",
            *rows,
            "",
        )
    )


async def run(folder: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is needed: apt-get install chromium")
    async with data_folder() as environ:
        await command(environ, "demo", "--homes", "300", "--seed", "1")
        async with served(environ) as url, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox"]
            )
            await take(browser, url, folder)
            await browser.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(run(folder))
        for picture in sorted(folder.glob("*.png")):
            shutil.copy(picture, DOCS / "pictures" / picture.name)
            print(f"docs/pictures/{picture.name}")
    (DOCS / "finder.md").write_text(document())


if __name__ == "__main__":
    main()
