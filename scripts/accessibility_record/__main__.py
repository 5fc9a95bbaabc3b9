"""Looks at every page as different people do, and writes the record: `scripts/accessibility`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from scripts.accessibility_record.checks import AXE, broken_rules, too_wide
from scripts.accessibility_record.document import document
from scripts.accessibility_record.pages import VIEWS, View
from scripts.accessibility_record.record import GROUPS, Finding, Reader
from scripts.accessibility_record.town import Town, sign_in, town
from scripts.accessibility_record.visit import Visit
from scripts.accessibility_record.walk import Walk, walk

DOCUMENT = Path(__file__).parents[2] / "docs" / "accessibility.md"
MIRROR = "document.documentElement.dir = 'rtl'"


async def look(
    browser: Browser, place: Town, session: Any, view: View, reader: Reader, pictures: Path | None
) -> Finding:
    """One page, as one reader meets it."""
    context = await browser.new_context(
        viewport={"width": reader.width, "height": reader.height},
        bypass_csp=True,
        # The page that scrolls to what has the focus is there at once.
        reduced_motion="reduce",
        storage_state=session if view.is_inside else None,
    )
    page = await context.new_page()
    try:
        await view.steps(Visit(place, page, reader.language))
        if reader.is_right_to_left:
            await page.evaluate(MIRROR)
        await _picture(page, pictures, f"{view.name} {reader.key}")
        wide = await too_wide(page)
        violations, undecided = await broken_rules(page)
        # Last: what is unfolded over the page closes behind the focus.
        walked = await walk(page, view.start) if reader.walks else Walk()
        return Finding(view, reader, violations, undecided, wide, walked)
    except Exception as error:
        error.add_note(f"on the page “{view.name}”, {reader.key}")
        raise
    finally:
        await context.close()


async def _picture(page: Page, folder: Path | None, name: str) -> None:
    if folder is not None:
        file = re.sub(r"\W+", "-", name.lower()).strip("-")
        await page.screenshot(path=folder / f"{file}.png", full_page=True)


async def look_at(views: tuple[View, ...], pictures: Path | None) -> list[Finding]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    chromium = chromium or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is needed: apt-get install chromium")
    findings = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for readers in GROUPS:
            async with town() as place:
                findings += await _look_with(browser, place, views, readers, pictures)
        await browser.close()
    return findings


async def _look_with(
    browser: Browser,
    place: Town,
    views: tuple[View, ...],
    readers: tuple[Reader, ...],
    pictures: Path | None,
) -> list[Finding]:
    inside = await browser.new_context()
    await sign_in(place, await inside.new_page())
    session = await inside.storage_state()
    findings = []
    for view in views:
        for reader in readers:
            found = await look(browser, place, session, view, reader, pictures)
            findings.append(found)
            print(f"{view.name}, {reader.key}: {len(found.faults) or 'no'} faults", flush=True)
            for fault in found.faults:
                print(f"  {fault}", flush=True)
    return findings


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/accessibility")
    parser.add_argument("--only", default="", help="pages with this in their name; no record")
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of each page")
    chosen = parser.parse_args()
    views = tuple(view for view in VIEWS if chosen.only.lower() in view.name.lower())
    findings = asyncio.run(look_at(views, chosen.pictures))
    if views == VIEWS:
        axe = json.loads((AXE.parent / "package.json").read_text())["version"]
        found = {(finding.view, finding.reader): finding for finding in findings}
        DOCUMENT.write_text(document(found, views, axe))
        print(f"docs/{DOCUMENT.name}")
    raise SystemExit(1 if any(finding.faults for finding in findings) else 0)


if __name__ == "__main__":
    main()
