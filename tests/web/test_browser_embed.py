"""The finder on the site of a town: a second origin, with the custom element and a plain frame."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Frame, Page, expect

from tests.conftest import Service, served
from tests.web.conftest import CLIENT, DESK, PHONE, a_home
from vacancies.config import Settings
from web.contrast import DARK, LIGHT, code, contrast, parse_colour

pytestmark = pytest.mark.browser

# As strict as a town's site can be and still have the finder; docs/embedding.md says the same.
POLICY = "default-src 'none'; script-src {url} 'self'; frame-src {url}"
ELEMENT = """<!doctype html><html lang="de"><meta name="viewport" content="width=device-width">
<title>Stadt</title><h1>Stadt</h1><script src="/heard.js"></script>
<script type="module" src="{url}/embed.js"></script>
<freiplatz-finder place="33330" care-form="short_term" radius-km="25" accent="#0a6e4f">
<a href="{url}/?place=33330">Freie Plätze bei Freiplatz</a></freiplatz-finder><p>Ende</p></html>"""
PLAIN = """<!doctype html><html lang="de"><title>Stadt</title>
<iframe src="{url}/embed?place=33330" title="Freie Plätze" width="340" height="600"></iframe>
</html>"""
# All that the page around gets to hear, as text: messages, and events of the element.
HEARD = """window.heard = []; window.counts = [];
addEventListener("message", (event) => heard.push(JSON.stringify(event.data)));
addEventListener("freiplatz-results", (event) => counts.push(JSON.stringify(event.detail)));"""


@dataclass
class Town:
    """The site of a town, and what the browser said about it."""

    url: str
    service: Service
    context: BrowserContext
    console: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def open(self, path: str) -> Page:
        page = await self.context.new_page()
        page.on("console", lambda message: self.console.append(f"{message.type} {message.text}"))
        page.on("pageerror", lambda error: self.console.append(f"error {error}"))
        page.on("request", lambda request: self.asked.append(request.url))
        await page.goto(self.url + path)
        return page

    async def frame(self, page: Page) -> Frame:
        """The finder inside, once it is live."""
        inside = page.frame_locator("iframe").locator("#live")
        await expect(inside).to_have_attribute("data-state", "live", timeout=30_000)
        return next(frame for frame in page.frames if "/embed?" in frame.url)


@asynccontextmanager
async def a_site(pages: dict[str, str], port: int, policy: str) -> AsyncIterator[str]:
    """A real server of another origin than Freiplatz."""

    async def show(request: web.Request) -> web.Response:
        kind = "text/javascript" if request.path.endswith(".js") else "text/html"
        headers = {"Content-Security-Policy": policy}
        return web.Response(text=pages[request.path], content_type=kind, headers=headers)

    app = web.Application()
    app.router.add_routes([web.get(path, show) for path in pages])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def a_town(
    settings: Settings, browser: Browser, *, is_allowed: bool = True, **options: Any
) -> AsyncIterator[Town]:
    port = unused_port()
    origins = (f"http://127.0.0.1:{port}",) if is_allowed else ("https://www.example.org",)
    async with served(replace(settings, embed_origins=origins)) as service:
        await a_home(service, "a", 1)
        await a_home(service, "b", 1, 0.05)
        pages = {"/element": ELEMENT, "/plain": PLAIN}
        pages = {path: html.replace("{url}", service.url) for path, html in pages.items()}
        policy = POLICY.replace("{url}", service.url)
        async with a_site({**pages, "/heard.js": HEARD}, port, policy) as url:
            options.setdefault("viewport", DESK)
            context = await browser.new_context(**options)
            yield Town(url, service, context)
            await context.close()


async def test_a_town_shows_the_list_and_it_is_live(settings: Settings, browser: Browser) -> None:
    async with a_town(settings, browser) as town:
        page = await town.open("/element")
        frame = await town.frame(page)
        names = frame.locator("#cards [data-part=name]")
        await expect(names).to_have_text(["Haus a", "Haus b"])
        await expect(page.locator("freiplatz-finder > a")).to_be_hidden()

        await town.service.report("a", {"care_form": "short_term", "count": 7})
        await expect(frame.locator('[data-home="a"] .offer')).to_contain_text("7 frei")
        await a_home(town.service, "c", 2, 0.01)
        await expect(frame.locator("#news")).to_have_text("2 neue Plätze anzeigen")
        await frame.locator("#news").click()
        await expect(names).to_have_text(["Haus a", "Haus c", "Haus b"])
        await page.wait_for_function("counts.at(-1) === '{\"count\":3}'")

        assert [text for text in town.console if text.startswith("error")] == []
        assert {url.split("/")[2] for url in town.asked if not url.startswith("data:")} == {
            town.url.partition("//")[2],
            town.service.url.partition("//")[2],
        }
        assert await town.context.cookies() == []
        kept = "[localStorage.length, sessionStorage.length, document.cookie]"
        assert await frame.evaluate(kept) == [0, 0, ""]


async def test_the_frame_is_as_high_as_the_list(settings: Settings, browser: Browser) -> None:
    async with a_town(settings, browser) as town:
        for viewport in (DESK, PHONE):
            page = await town.open("/element")
            await page.set_viewport_size(viewport)  # type: ignore[arg-type]
            frame = await town.frame(page)
            same = "(h) => Math.ceil(document.body.getBoundingClientRect().height) === h"
            box = page.locator("iframe")
            await page.wait_for_function(
                "() => JSON.parse(heard.findLast((text) => text.includes('height'))).value + 'px'"
                " === document.querySelector('freiplatz-finder').shadowRoot"
                ".querySelector('iframe').style.height"
            )
            height = await box.evaluate("(it) => it.clientHeight")
            await frame.wait_for_function(same, arg=await box.evaluate("(it) => it.clientHeight"))
            assert await frame.evaluate("document.documentElement.scrollWidth") <= min(
                viewport["width"], await box.evaluate("(it) => it.clientWidth")
            )
            await frame.locator("#switch button[data-view=map]").click()
            await frame.locator("#map .mark-anchor").first.wait_for()
            await expect(frame.locator("#cards")).to_be_hidden()
            await frame.locator("#switch button[data-view=list]").click()
            await frame.wait_for_function(same, arg=height)
            await page.close()


async def test_the_site_hears_two_numbers_and_nothing_else(
    settings: Settings, browser: Browser
) -> None:
    async with a_town(settings, browser) as town:
        page = await town.open("/element")
        await town.frame(page)
        await page.wait_for_function("counts.length > 0 && heard.length > 1")
        heard = await page.evaluate("heard")
        pattern = r'\{"freiplatz":"(height|homes)","value":[0-9]+\}'
        assert [text for text in heard if not re.fullmatch(pattern, text)] == []
        assert set(await page.evaluate("counts")) == {'{"count":2}'}


async def test_the_element_believes_nobody_but_its_frame(
    settings: Settings, browser: Browser
) -> None:
    async with a_town(settings, browser) as town:
        page = await town.open("/element")
        frame = await town.frame(page)
        await page.wait_for_function("counts.length > 0")
        height = await page.locator("iframe").evaluate("(it) => it.style.height")
        # From the page itself; and from the frame, what is no number.
        await page.evaluate("postMessage({ freiplatz: 'height', value: 7 }, '*')")
        for value in ('"9000px"', "-5", "0.5", "NaN", "null", "[700]", "{}"):
            await frame.evaluate(
                f"parent.postMessage({{ freiplatz: 'height', value: {value} }}, '*')"
            )
            await frame.evaluate(
                f"parent.postMessage({{ freiplatz: 'homes', value: {value} }}, '*')"
            )
        for message in ("null", "'height'", "{ value: 7 }", "{ freiplatz: 'src', value: 7 }"):
            await frame.evaluate(f"parent.postMessage({message}, '*')")
        # Messages keep their order: after this one all others have been heard.
        await frame.evaluate("parent.postMessage({ freiplatz: 'homes', value: 41 }, '*')")
        await page.wait_for_function("counts.at(-1) === '{\"count\":41}'")
        assert await page.locator("iframe").evaluate("(it) => it.style.height") == height
        assert set(await page.evaluate("counts")) == {'{"count":2}', '{"count":41}'}


async def test_attributes_that_change_change_the_search(
    settings: Settings, browser: Browser
) -> None:
    async with a_town(settings, browser) as town:
        page = await town.open("/element")
        await town.frame(page)
        steps = await page.evaluate("history.length")
        await page.evaluate("""() => {
            const finder = document.querySelector("freiplatz-finder");
            finder.setAttribute("care-form", "hospice, long_term");
            finder.setAttribute("lang", "en");
            finder.removeAttribute("radius-km");
            finder.setAttribute("label", "Free places");
        }""")
        answer = page.frame_locator("iframe").locator("#answer")
        await expect(answer).to_contain_text("No free place in long-term care or hospice")
        (src,) = [frame.url for frame in page.frames if frame.parent_frame]
        query = "place=33330&lang=en&accent=%230a6e4f&care_form=hospice&care_form=long_term"
        assert src == f"{town.service.url}/embed?{query}"
        assert await page.get_attribute("iframe", "title") == "Free places"
        assert await page.evaluate("history.length") == steps
        await page.wait_for_function("counts.at(-1) === '{\"count\":0}'")


async def test_a_search_in_the_frame_keeps_its_colour(settings: Settings, browser: Browser) -> None:
    for scheme, number, found in (("light", 0, LIGHT), ("dark", 1, DARK)):
        async with a_town(settings, browser, color_scheme=scheme) as town:
            page = await town.open("/element")
            frame = await town.frame(page)
            await frame.fill("#f-place", "Bielefeld")
            await frame.click(".go")
            await expect(page.frame_locator("iframe").locator("#answer")).to_contain_text(
                "Bielefeld"
            )
            frame = await town.frame(page)
            assert "/embed?" in frame.url
            colours = await frame.evaluate("""() => {
                const canvas = document.createElement("canvas").getContext("2d");
                const seen = (selector) => {
                    canvas.fillStyle = getComputedStyle(document.querySelector(selector))
                        .backgroundColor;
                    canvas.fillRect(0, 0, 1, 1);
                    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
                };
                return [".call", ".search", "body"].map(seen);
            }""")
            accent, *grounds = [tuple(colour) for colour in colours]
            assert sorted(grounds) == sorted(found.grounds), "contrast.py knows other grounds"
            assert all(contrast(accent, ground) >= 4.5 for ground in grounds)
            assert number or code(accent) == "#0a6e4f"
            assert parse_colour(code(accent)) == accent


async def test_who_is_not_on_the_list_gets_a_link_only(
    settings: Settings, browser: Browser
) -> None:
    """The browser itself refuses: element and plain frame stay empty, the link stays."""
    async with a_town(settings, browser, is_allowed=False) as town:
        page = await town.context.new_page()
        for path in ("/element", "/plain"):
            async with page.expect_console_message(is_refusal):
                await page.goto(town.url + path)
            await expect(page.frame_locator("iframe").locator("#answer")).to_have_count(0)
            if path == "/element":
                await expect(page.locator("freiplatz-finder > a")).to_be_visible()
                assert await page.evaluate("[heard, counts]") == [[], []]


async def test_no_other_page_can_be_framed(settings: Settings, browser: Browser) -> None:
    async with a_town(settings, browser) as town:
        page = await town.open("/plain")
        await town.frame(page)
        for path in ("/", "/signin", "/homes/a", "/report/start"):
            async with page.expect_console_message(is_refusal):
                await page.evaluate(
                    "(src) => { document.querySelector('iframe').src = src }",
                    town.service.url + path,
                )
            await expect(page.frame_locator("iframe").locator("main")).to_have_count(0)


def is_refusal(message: ConsoleMessage) -> bool:
    return message.type == "error" and "frame-ancestors" in message.text


async def test_a_plain_frame_works_without_any_script(settings: Settings, browser: Browser) -> None:
    async with a_town(settings, browser, java_script_enabled=False) as town:
        page = await town.open("/plain")
        frame = page.frame_locator("iframe")
        await expect(frame.locator("#cards [data-part=name]")).to_have_text(["Haus a", "Haus b"])
        await frame.locator("#f-place").fill("Neustadt")
        await frame.locator(".go").click()
        await frame.locator(".steps a").first.click()
        await expect(frame.locator("#answer")).to_contain_text("Neustadt")
        async with town.context.expect_page() as opened:
            await frame.locator(".framed-line a").click()
        whole = await opened.value
        assert whole.url.startswith(town.service.url + "/?")
        assert "&place=Neustadt" in whole.url


async def test_the_whole_finder_opens_free_of_the_frame(
    settings: Settings, browser: Browser
) -> None:
    async with a_town(settings, browser) as town:
        page = await town.open("/element")
        frame = await town.frame(page)
        async with town.context.expect_page() as opened:
            await frame.locator("#cards [data-part=name]").first.click()
        home = await opened.value
        await home.wait_for_load_state("load")
        assert home.url == f"{town.service.url}/homes/a"
        assert await home.evaluate("[window.origin, window.opener]") == [town.service.url, None]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_it_in_the_frame(
    settings: Settings, browser: Browser, scheme: Any
) -> None:
    axe = (CLIENT / "node_modules" / "axe-core" / "axe.min.js").read_text()
    async with a_town(settings, browser, color_scheme=scheme, bypass_csp=True) as town:
        for viewport in (PHONE, DESK):
            page = await town.open("/element")
            await page.set_viewport_size(viewport)  # type: ignore[arg-type]
            frame = await town.frame(page)
            await frame.evaluate(axe)
            found = await frame.evaluate("axe.run().then((result) => result.violations)")
            assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []
            await page.close()
