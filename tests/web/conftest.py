"""What the tests in a browser share: a real Chromium, and pages that are watched."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.conftest import Service

CLIENT = Path(__file__).parents[2] / "web" / "client"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
SEARCH = "/?place=33330&care_form=short_term"


@dataclass
class Watched:
    """What a page must not do."""

    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    assert (CLIENT / "dist" / "manifest.json").exists(), "build the client first: npm run build"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser,
    service: Service,
    path: str,
    viewport: dict[str, int],
    *,
    may_fail: bool = False,
    **options: Any,
) -> AsyncIterator[Page]:
    """The page at `path`; fails if it asks another origin, or has an error of its own (with
    `may_fail` the browser may note that it was answered with one, or not at all)."""
    context = await browser.new_context(viewport=viewport, **options)  # type: ignore[arg-type]
    page, watched = await context.new_page(), Watched()
    page.on(
        "request",
        lambda request: (
            watched.foreign.append(request.url)
            if not request.url.startswith((service.url, "data:", f"blob:{service.url}"))
            else None
        ),
    )
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on(
        "console",
        lambda message: watched.errors.append(message.text) if message.type == "error" else None,
    )
    await page.goto(service.url + path)
    try:
        yield page
    finally:
        await context.close()
    if may_fail:
        watched.errors = [text for text in watched.errors if "Failed to load" not in text]
    assert watched == Watched()


async def a_home(service: Service, home: str, count: int, north: float = 0.0, **more: Any) -> None:
    await service.put_home(
        home,
        coordinates={"latitude": 51.9 + north, "longitude": 8.38},
        contact={"phone": "05241 12345"},
        **more,
    )
    await service.report(home, {"care_form": "short_term", "count": count})


async def violations(page: Page) -> list[dict[str, Any]]:
    """The rules of axe-core that the page breaks: what, how badly, and where. The page must have
    been `opened` with `bypass_csp`."""
    await page.evaluate((CLIENT / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = await page.evaluate("axe.run()")
    return [
        {
            "rule": rule["id"],
            "impact": rule["impact"],
            "at": [node["html"][:150] for node in rule["nodes"]],
        }
        for rule in found["violations"]
    ]


async def live(page: Page) -> None:
    await expect(page.locator("#live")).to_have_attribute("data-state", "live")
