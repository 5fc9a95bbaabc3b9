"""Walks the phone flow in the running program, from the mail to "reported", takes a picture of
every page on the way, and says how long two taps took: `scripts/pictures`."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Literal

import aiohttp
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from providers.links import make_token
from scripts.benchmarks.program import command, data_folder, serving
from vacancies.deployment import Deployment
from web.commands.administration import run_in_deployment

DOCS = Path(__file__).parents[1] / "docs" / "pictures"
PHONE: Any = {"width": 360, "height": 740}
SECRET = "a secret for pictures, of more than thirty letters"
HOME = {
    "name": "Seniorenzentrum St. Anna",
    "address": {"street": "Lange Straße 5", "postcode": "33330", "city": "Gütersloh"},
    "contact": {"phone": "05241 12345"},
    "capacity": {"long_term": 60, "short_term": 8},
}
OPEN = "for (const part of ['.row-more', '.more']) document.querySelector(part).open = true"


@dataclass
class Town:
    """The running program with one home, which somebody reports for."""

    url: str
    environ: Mapping[str, str]
    client: aiohttp.ClientSession
    membership: int

    async def report(self, count: int, age: timedelta = timedelta()) -> None:
        """As care software does."""
        body = {
            "observed_at": (datetime.now(UTC) - age).isoformat(),
            "vacancies": [
                {"care_form": "long_term", "count": 1},
                {"care_form": "short_term", "count": count},
            ],
        }
        async with self.client.put("/api/v1/homes/anna/vacancies", json=body) as answer:
            answer.raise_for_status()

    def link(self, age: timedelta = timedelta()) -> str:
        token = make_token(SECRET, self.membership, "anna", datetime.now(UTC) - age)
        return f"{self.url}/report/link/{token}"

    async def mail(self) -> str:
        """The reminder, as HTML."""
        environ = {**self.environ, "FREIPLATZ_PUBLIC_URL": self.url}
        await command(environ, "reminders", "send", "anna")
        return _body(max(self.mails(), key=lambda path: path.stat().st_mtime_ns), "html")

    def mails(self) -> set[Path]:
        return set((Path(self.environ["FREIPLATZ_DATA_DIR"]) / "mail").glob("*.eml"))


def _body(mail: Path, kind: Literal["html", "plain"]) -> str:
    message = message_from_bytes(mail.read_bytes(), policy=policy.default)
    part = message.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text


async def employ_long_ago(deployment: Deployment) -> None:
    """So that there can be links that are over."""
    await deployment.pool.execute("UPDATE membership SET links_from = now() - interval '30 days'")


@asynccontextmanager
async def town() -> AsyncIterator[Town]:
    async with data_folder() as folder:
        environ = {**folder, "FREIPLATZ_SECRET_KEY": SECRET}
        async with serving(environ) as server:
            slug = await command(environ, "provider", "add", "Caritas Musterstadt")
            key = await command(environ, "key", "create", slug)
            headers = {"Authorization": f"Bearer {key}"}
            async with aiohttp.ClientSession(server.url, headers=headers) as client:
                async with client.put("/api/v1/homes/anna", json=HOME) as answer:
                    answer.raise_for_status()
                add = ("staff", "add", "pat@example.org", "--provider", slug, "--home", "anna")
                membership = int(await command(environ, *add, "--name", "Pat"))
                os.environ["FREIPLATZ_DATA_DIR"] = environ["FREIPLATZ_DATA_DIR"]
                await asyncio.to_thread(run_in_deployment, employ_long_ago)
                found = Town(server.url, environ, client, membership)
                await found.report(0, timedelta(hours=20))
                yield found


async def two_taps(browser: Browser, place: Town, *, with_script: bool) -> float:
    """Seconds from the mail to "reported" on a phone with a slow network."""
    html = await place.mail()
    context = await browser.new_context(
        viewport=PHONE, has_touch=True, java_script_enabled=with_script
    )
    page = await context.new_page()
    await slow_down(context, page)
    await page.set_content(html)
    began = time.monotonic()
    await page.get_by_role("link", name="Kurzzeitpflege: 2 frei").tap()
    await page.locator(".send-main").tap()
    await page.get_by_text("Gemeldet um").first.wait_for()
    seconds = time.monotonic() - began
    await context.close()
    return seconds


async def slow_down(context: BrowserContext, page: Page) -> None:
    """A telephone at the edge of the network: as "Slow 4G" of Lighthouse, and a quarter of this
    machine's speed."""
    session = await context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    await session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 150,
            "downloadThroughput": 1_600_000 / 8,
            "uploadThroughput": 750_000 / 8,
        },
    )


async def take_report(page: Page, place: Town, folder: Path) -> None:
    """Mail, page, done, taken back, details."""
    await page.set_content(await place.mail())
    await page.screenshot(path=folder / "1-mail.png", full_page=True)
    await page.get_by_role("link", name="Kurzzeitpflege: 2 frei").tap()
    await page.screenshot(path=folder / "2-confirm.png")
    await page.locator(".send-main").tap()
    await page.locator("#outcome[data-kind=good]").wait_for()
    await page.screenshot(path=folder / "3-reported.png")
    await page.get_by_role("button", name="Rückgängig").tap()
    await page.locator("#done").wait_for()
    await page.screenshot(path=folder / "4-taken-back.png")
    await page.goto(place.link())
    await page.evaluate(OPEN)
    await page.screenshot(path=folder / "5-everything.png", full_page=True)


async def take_offline(page: Page, place: Town, folder: Path) -> None:
    """Without a network, and overtaken meanwhile."""
    await page.goto(place.link())
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Ein Platz mehr: Kurzzeitpflege").tap()
    await page.locator(".send-main").tap()
    await page.locator("#outcome[data-kind=waits]").wait_for()
    await page.screenshot(path=folder / "6-offline.png", full_page=True)
    await place.report(3)
    await page.context.set_offline(False)
    await page.locator("#outcome[data-kind=asks]").wait_for()
    await page.screenshot(path=folder / "7-overtaken.png", full_page=True)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Gespeichertes lassen").tap()


async def take_slip(page: Page, place: Town, folder: Path) -> None:
    """A number that looks like a slip."""
    await page.goto(place.link())
    await page.fill("#count-long_term", "33")
    await page.locator(".send-main").tap()
    await page.locator("#outcome[data-kind=asks]").wait_for()
    await page.screenshot(path=folder / "8-slip.png", full_page=True)
    await page.get_by_role("button", name="Zahlen ändern").tap()


async def take_signed_in(page: Page, place: Town, folder: Path) -> None:
    """Signing in by a mail, one's account, and what was reported."""
    await page.goto(place.url + "/signin")
    await page.fill("#f-email", "pat@example.org")
    await page.screenshot(path=folder / "11-sign-in.png", full_page=True)
    before = place.mails()
    async with page.expect_navigation():
        await page.get_by_role("button", name="Link senden").tap()
    await page.screenshot(path=folder / "12-sent.png")
    # A file announces itself to nobody.
    while not (new := place.mails() - before):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    (address,) = re.findall(r"http\S+/signin/\S+", _body(new.pop(), "plain"))
    await page.goto(address)
    await page.screenshot(path=folder / "13-redeem.png")
    async with page.expect_navigation():
        await page.locator("main form button").tap()
    await page.screenshot(path=folder / "14-signed-in.png")
    await page.goto(place.url + "/account")
    await page.screenshot(path=folder / "15-account.png", full_page=True)
    await page.goto(place.url + "/homes/anna/trail")
    await page.screenshot(path=folder / "16-trail.png", full_page=True)


async def take_others(page: Page, place: Town, folder: Path) -> None:
    """An old link, and another language."""
    await page.goto(place.link(timedelta(days=3)))
    await page.screenshot(path=folder / "9-expired.png")
    await page.goto(place.link() + "?lang=ar")
    await page.screenshot(path=folder / "10-arabic.png")


async def take(folder: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is needed: apt-get install chromium")
    async with town() as place, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = await browser.new_context(viewport=PHONE, has_touch=True)
        page = await context.new_page()
        for steps in (take_report, take_offline, take_slip, take_others, take_signed_in):
            await steps(page, place, folder)
        for with_script in (True, False):
            seconds = await two_taps(browser, place, with_script=with_script)
            what = "with" if with_script else "without"
            print(f"From the mail to reported {what} JavaScript: 2 taps, {seconds:.1f} s")
        await browser.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(take(folder))
        for picture in sorted(folder.glob("*.png")):
            shutil.copy(picture, DOCS / picture.name)
            print(f"docs/pictures/{picture.name}")


if __name__ == "__main__":
    main()
