"""Pictures of the report page, step by step, as a phone shows it: `scripts/pictures`."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

import aiohttp
from playwright.async_api import async_playwright

from scripts.benchmarks.program import command, data_folder, serving

DOCS = Path(__file__).parents[1] / "docs"
PHONE = {"width": 360, "height": 740}
HOME = {
    "name": "Seniorenzentrum St. Anna",
    "address": {"street": "Lange Straße 5", "postcode": "33330", "city": "Gütersloh"},
    "contact": {"phone": "05241 12345"},
    "capacity": {"long_term": 60, "short_term": 8},
}


async def take(folder: Path) -> None:
    """Report once over the API, then open a link, report, and take it back."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is needed: apt-get install chromium")
    async with data_folder() as environ, serving(environ) as server:
        slug = await command(environ, "provider", "add", "Caritas Musterstadt")
        headers = {"Authorization": f"Bearer {await command(environ, 'key', 'create', slug)}"}
        async with aiohttp.ClientSession(server.url, headers=headers) as client:
            for path, body in (
                ("/api/v1/homes/anna", HOME),
                (
                    "/api/v1/homes/anna/vacancies",
                    {"vacancies": [{"care_form": "long_term", "count": 1}]},
                ),
            ):
                async with client.put(path, json=body) as answer:
                    answer.raise_for_status()
        add = ("staff", "add", "pat@example.org", "--provider", slug, "--home", "anna")
        link = await command(environ, "staff", "link", await command(environ, *add))
        address = server.url + "/report/" + link.partition("/report/")[2]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox"]
            )
            page = await browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
            await page.goto(address)
            await page.screenshot(path=folder / "report-phone.png", full_page=True)
            await page.goto(address + "?short_term=2")
            await page.screenshot(path=folder / "report-phone-link.png")
            await page.get_by_role("button", name="Diese Zahlen melden").click()
            await page.locator("#done").wait_for()
            await page.screenshot(path=folder / "report-phone-done.png")
            await browser.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(take(folder))
        for picture in sorted(folder.glob("*.png")):
            shutil.copy(picture, DOCS / picture.name)
            print(f"docs/{picture.name}")


if __name__ == "__main__":
    main()
