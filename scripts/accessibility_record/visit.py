"""How a page is reached that is to be looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from playwright.async_api import Page

from scripts.accessibility_record.town import Town

Steps = Callable[["Visit"], Awaitable[None]]


@dataclass(frozen=True)
class Visit:
    """A page of the browser that is to show something of the town, in that language."""

    place: Town
    page: Page
    language: str

    async def go(self, path: str) -> None:
        mark = "&" if "?" in path else "?"
        await self.page.goto(f"{self.place.url}{path}{mark}lang={self.language}")
        await self.page.wait_for_load_state("load")


def at(path: str) -> Steps:
    async def steps(visit: Visit) -> None:
        await visit.go(path)

    return steps


def linked(name: str, more: str = "", age: timedelta = timedelta()) -> Steps:
    """The page of a one-tap link of that member."""

    async def steps(visit: Visit) -> None:
        await visit.go(visit.place.link(name, age=age) + more)

    return steps


def unfolded(before: Steps, selector: str = "summary") -> Steps:
    async def steps(visit: Visit) -> None:
        await before(visit)
        for summary in await visit.page.locator(selector).all():
            await summary.click()

    return steps


def shown(path: str, selector: str) -> Steps:
    """A page that is there once its script has drawn something."""

    async def steps(visit: Visit) -> None:
        await visit.go(path)
        await visit.page.locator(selector).first.wait_for()

    return steps


async def follow(visit: Visit, selector: str) -> None:
    async with visit.page.expect_navigation():
        await visit.page.locator(selector).first.click()
