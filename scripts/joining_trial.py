"""Tries the page docs/join.md out: municipalities that take part from nothing, in a browser, as
their admins would, with files as offices publish them. Prints how long each step took.

    scripts/joining --boundaries kreise.geojson --homes homes.csv 05754="Kreis Gütersloh" …

The times are those of the machine, from the press of a button to the page that follows: reading and
typing come on top.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from scripts.benchmarks.browser import chromium
from scripts.benchmarks.program import Server, command, data_folder, serving

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


class Trial:
    """The service, and what was measured: (municipality, step, seconds, what was seen)."""

    def __init__(self, environ: dict[str, str], server: Server, browser: Browser) -> None:
        self.environ = environ
        self.url = server.url.replace("127.0.0.1", "localhost")
        self.browser = browser
        self.rows: list[tuple[str, str, float, str]] = []

    @asynccontextmanager
    async def step(self, who: str, name: str) -> AsyncIterator[list[str]]:
        """Measures what happens inside; what is put into the list is what was seen."""
        seen: list[str] = []
        began = time.perf_counter()
        yield seen
        self.rows.append((who, name, time.perf_counter() - began, "; ".join(seen)))

    def mails(self) -> list[Path]:
        folder = Path(self.environ["FREIPLATZ_DATA_DIR"]) / "mail"
        return sorted(folder.glob("[!.]*.eml"), key=lambda path: path.stat().st_mtime_ns)

    async def link_in_mail_to(self, address: str, before: int) -> str:
        """The path of the link in the mail to `address` that comes after `before` others."""
        async with asyncio.timeout(30):
            while True:
                for path in self.mails()[before:]:
                    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
                    part = mail.get_body(("plain",))
                    text = part.get_content() if part else ""
                    found = re.search(r"https?://[^/\s]+(/signin/\S+)", text)
                    if mail["To"] == address and found:
                        return found[1]
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def page(self, viewport: dict[str, int] = DESK) -> AsyncIterator[Page]:
        context = await self.browser.new_context(viewport=viewport)  # type: ignore[arg-type]
        yield await context.new_page()
        await context.close()

    async def sign_in(self, page: Page, address: str) -> None:
        before = len(self.mails())
        await page.goto(f"{self.url}/signin")
        await page.locator("#f-email").fill(address)
        await page.locator("form.entry button").click()
        await page.goto(self.url + await self.link_in_mail_to(address, before))
        await page.locator(".big").click()
        await page.locator("h1").wait_for()


async def join(trial: Trial, key: str, name: str, boundaries: Path, homes: Path) -> None:
    admin = f"admin@{key}.example"
    async with trial.step(name, "0. The operator lets it in") as seen:
        await command(trial.environ, "municipality", "add", key, "--name", name)
        seen.append(await command(trial.environ, "desk", "add", key, admin))
    async with trial.page() as page:
        desk = f"{trial.url}/desk/{key}"
        async with trial.step(name, "1. Sign in") as seen:
            await trial.sign_in(page, admin)
            seen.append(await page.locator("h1").inner_text())
        async with trial.step(name, "2. Boundary") as seen:
            await page.goto(f"{desk}/boundary")
            await page.locator("#f-file").set_input_files(boundaries)
            await page.locator("#f-source").fill("© GeoBasis-DE / BKG (dl-de/by-2-0)")
            await page.locator("form.entry button").click()
            await page.locator("svg.outline").wait_for()
            seen.append("the outline is shown")
        async with trial.step(name, "3. People") as seen:
            await page.goto(f"{desk}/people")
            await page.locator("#f-email").fill(f"second@{key}.example")
            await page.locator("#f-role").select_option("admin")
            await page.locator("form.entry button").click()
            await page.get_by_text(f"second@{key}.example").first.wait_for()
            seen.append("a second admin is invited")
        await _take_list(trial, page, name, desk, homes)
        await _invite(trial, page, name, desk)
        async with trial.step(name, "6. Check") as seen:
            await page.goto(f"{desk}/join")
            seen.append(await page.locator(".kern-body--large").inner_text())


async def _take_list(trial: Trial, page: Page, name: str, desk: str, homes: Path) -> None:
    async with trial.step(name, "4. Homes: look at the list") as seen:
        await page.goto(f"{desk}/list")
        await page.locator("#f-file").set_input_files(homes)
        await page.locator("form.entry button").click()
        await page.locator(".columns-of-list").wait_for()
        seen += await _counts(page)
    async with trial.step(name, "4. Homes: take it") as seen:
        await page.locator(".big").click()
        await page.locator('a[href$="/join"].kern-btn').wait_for()
        seen += await _counts(page)


async def _counts(page: Page) -> list[str]:
    rows = await page.locator("ul.rows").first.locator("li").all_inner_texts()
    return [" ".join(row.split()) for row in rows]


async def _invite(trial: Trial, page: Page, name: str, desk: str) -> None:
    """The list has no e-mail addresses: letters. One home answers, from a phone."""
    async with trial.step(name, "5. Invite homes: letters") as seen:
        await page.goto(f"{desk}/invitations")
        await page.locator('button[value="unreachable"]').click()
        await page.locator(".letter-sheet").first.wait_for()
        sheets = await page.locator(".letter-sheet").count()
        code = await page.locator(".code-in-groups").first.inner_text()
        seen.append(f"{sheets} letters")
    address = f"haus@{desk.rpartition('/')[2]}.example"
    answering = trial.step(name, "5. A home answers its letter")
    async with trial.page(PHONE) as phone, answering as seen:
        before = len(trial.mails())
        await phone.goto(f"{trial.url}/letter/{code.replace(' ', '')}")
        await phone.locator('input[type="email"]').fill(address)
        await phone.locator("main form button").first.click()
        await phone.locator("h1").wait_for()
        await phone.goto(trial.url + await trial.link_in_mail_to(address, before))
        await phone.locator(".big").click()
        await phone.wait_for_url("**/report/home/**")
        seen.append(await phone.locator("h1").inner_text())


def table(rows: list[tuple[str, str, float, str]]) -> str:
    """Steps by municipality, in seconds."""
    who = list(dict.fromkeys(row[0] for row in rows))
    steps = list(dict.fromkeys(row[1] for row in rows))
    seconds = {(name, step): taken for name, step, taken, _ in rows}
    lines = [f"| step | {' | '.join(who)} |", f"|---|{'---|' * len(who)}"]
    for step in steps:
        cells = [f"{seconds[name, step]:.1f} s" for name in who]
        lines.append(f"| {step} | {' | '.join(cells)} |")
    sums = [f"{sum(row[2] for row in rows if row[0] == name):.1f} s" for name in who]
    return "\n".join([*lines, f"| all | {' | '.join(sums)} |"])


async def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/joining", description=__doc__)
    parser.add_argument("--boundaries", type=Path, required=True, help="GeoJSON with all areas")
    parser.add_argument("--homes", type=Path, required=True, help="a list of homes, of any shape")
    parser.add_argument("municipality", nargs="+", metavar="KEY=NAME")
    given = parser.parse_args()
    async with (
        data_folder() as environ,
        serving(environ) as server,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"]
        )
        trial = Trial(environ, server, browser)
        for each in given.municipality:
            key, _, name = each.partition("=")
            await join(trial, key, name or key, given.boundaries, given.homes)
            print(f"{name}:")
            for who, step, seconds, seen in trial.rows:
                if who == name:
                    print(f"  {step}: {seconds:.1f} s; {seen}")
        print("\n" + table(trial.rows))
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
