"""The report page on a phone, with its client, as tests see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page

from tests.conftest import Service
from tests.waiting import until
from tests.web.carer import Carer
from tests.web.conftest import PHONE
from vacancies.reports import Told, select_told

KEPT = """async () => {
  await navigator.serviceWorker.ready;
  const [page, files] = await Promise.all(['report-pages', 'report-files'].map(
    async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
  const needed = performance.getEntriesByType('resource').map(({ name }) => name)
    .filter((name) => name.includes('/assets/'));
  return page.includes(location.href.split('#')[0]) && needed.every((name) => files.includes(name));
}"""


@asynccontextmanager
async def reporting(
    browser: Browser, service: Service, path: str, **options: Any
) -> AsyncIterator[tuple[BrowserContext, Page]]:
    """A phone on the page, which its service worker has kept by now; no script may fail."""
    given: dict[str, Any] = {"viewport": PHONE, "has_touch": True} | options
    context = await browser.new_context(**given)
    page, errors = await context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(service.url + path)
    await until(lambda: _is_kept(page))
    try:
        yield context, page
    finally:
        await context.close()
    assert errors == []


async def _is_kept(page: Page) -> bool:
    return bool(await page.evaluate(KEPT))


def main_button(page: Page) -> Locator:
    return page.locator(".send-main")


async def told(carer: Carer, home_id: str = "a") -> list[Told]:
    """What people have said of the home, newest first: reports of programs are left out."""
    found = await select_told(carer.service.state.deployment.pool, home_id, 20)
    return [entry for entry in found if entry.staff_id is not None]


async def waits(page: Page) -> int:
    """How many reports this device keeps."""
    count: int = await page.evaluate("""() => new Promise((resolve) => {
      const request = indexedDB.open('freiplatz-reports', 1);
      request.onsuccess = () => {
        const all = request.result.transaction('waiting').objectStore('waiting').count();
        all.onsuccess = () => { request.result.close(); resolve(all.result); };
      };
    })""")
    return count


async def reload_offline(context: BrowserContext, page: Page) -> None:
    """Reload without a network. Some versions of Chromium then tell the page that there is one
    (`navigator.onLine`), though nothing gets through; Playwright says it once only."""
    await page.reload()
    if await page.evaluate("navigator.onLine"):
        session = await context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )
