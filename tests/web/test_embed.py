"""The finder in a frame of another site, over HTTP: who may frame it, and in which colour."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import Service, served
from tests.web.staff import a_desk, a_person, sign_in
from tests.web.test_pages import cards, sentence, some_homes
from vacancies.config import Settings
from web.app import create_app
from web.contrast import DARK, LIGHT, accent_in, code, contrast, parse_colour

TOWN = "https://www.guetersloh.de"
SEARCH = "/embed?place=33330&care_form=short_term"
GREEN = "&accent=%230a6e4f"


async def get(service: Service, path: str, status: int = 200) -> str:
    async with service.client.get(service.url + path) as answer:
        assert answer.status == status, await answer.text()
        assert "Set-Cookie" not in answer.headers
        return await answer.text()


async def ancestors(service: Service, path: str) -> str:
    async with service.client.get(service.url + path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert ("X-Frame-Options" in answer.headers) is not path.startswith("/embed")
        return policy.rpartition("frame-ancestors ")[2]


def links(html: str) -> list[str]:
    """The start tags of all links, those of the client's templates too."""
    return [unescape(tag) for tag in re.findall(r"<a\b[^>]*>", html)]


def address(tag: str) -> str:
    found = re.search(r'href="([^"]*)"', tag)
    return found[1] if found else ""


# ---- who may frame it ----


async def test_no_page_but_the_one_for_frames_can_be_framed(settings: Settings) -> None:
    """Every route, as somebody who is signed in, while any site may embed."""
    async with served(replace(settings, embed_origins=("*",))) as service:
        await a_person(service, home="1")
        await a_person(service)
        rules = list(create_app(service.state.deployment).url_map.iter_rules())
        shown = {str(rule) for rule in rules if "GET" in (rule.methods or ())}
        pages, frameable = set(), set()
        async with a_desk(service) as desk:
            await sign_in(service, desk)
            for rule in shown:
                answer = await desk.get(re.sub(r"<[^>]+>", "1", rule))
                if not answer.headers["Content-Type"].startswith("text/html"):
                    continue
                pages.add(rule)
                policy = answer.headers["Content-Security-Policy"]
                old = answer.headers.get("X-Frame-Options")
                if not policy.endswith("frame-ancestors 'none'") or old != "DENY":
                    frameable.add(rule)
    assert {"/", "/signin", "/account", "/people", "/report/home/<home_id>"} <= pages
    assert frameable == {"/embed"}


async def test_only_the_named_sites_may_frame_it(settings: Settings) -> None:
    origins = (TOWN, "https://*.example.de:8443")
    async with served(replace(settings, embed_origins=origins)) as service:
        for path in ("/embed", SEARCH, "/embed?place=Xyzzyhausen", "/embed?accent=red"):
            assert await ancestors(service, path) == " ".join(origins)
        assert await ancestors(service, "/") == "'none'"
        assert await ancestors(service, "/nowhere") == "'none'"


async def test_nobody_may_unless_the_operator_says_who(service: Service) -> None:
    assert await ancestors(service, "/embed") == "'none'"


async def test_a_frame_asks_for_nothing_of_the_device(service: Service) -> None:
    async with service.client.get(service.url + SEARCH) as answer:
        assert answer.headers["Permissions-Policy"].startswith("geolocation=()")
        assert answer.headers["X-Robots-Tag"] == "noindex"


# ---- what it shows ----


async def test_it_is_the_finder_without_our_header_and_footer(service: Service) -> None:
    await some_homes(service)
    framed, whole = await get(service, SEARCH), await get(service, SEARCH.replace("embed", ""))
    assert cards(framed) == cards(whole) != []
    assert sentence(framed) == sentence(whole)
    for part in ('class="top"', 'class="foot"'):
        assert part in whole
        assert part not in framed
    assert "In voller Größe öffnen" in framed


async def test_a_search_stays_in_the_frame_and_all_else_leaves_it(service: Service) -> None:
    """Without a script: links to the search keep the frame and its colour, the form too; every
    other link opens a tab of its own."""
    await some_homes(service)
    pages = [
        await get(service, SEARCH + "&include_full=true&lang=en" + GREEN),
        await get(service, "/embed?place=33330&care_form=hospice&lang=en" + GREEN),
        await get(service, "/embed?place=Neustadt&lang=en" + GREEN, 422),
        await get(service, "/embed?place=Xyzzyhausen&lang=en" + GREEN, 404),
    ]
    inside = 0
    for html in pages:
        assert 'action="/embed"' in html
        assert '<input type="hidden" name="accent" value="0a6e4f">' in html
        assert '<input type="hidden" name="lang" value="en">' in html
        for tag in links(html):
            parts = urlsplit(address(tag))
            if parts.path == "/embed":
                args = parse_qs(parts.query)
                assert (args["accent"], args["lang"]) == (["0a6e4f"], ["en"]), tag
                assert "target=" not in tag
                inside += 1
            elif "name" in tag or (parts.scheme != "tel" and address(tag)[:1] not in ("", "#")):
                assert 'target="_blank"' in tag, tag
                assert 'rel="no' in tag, tag
    assert inside >= 8


async def test_the_whole_finder_opens_with_the_same_search(service: Service) -> None:
    html = await get(service, SEARCH + "&focus=dementia&lang=en" + GREEN)
    whole = next(tag for tag in links(html) if address(tag).startswith("/?"))
    args = parse_qs(urlsplit(address(whole)).query)
    assert args == {
        "place": ["33330"],
        "care_form": ["short_term"],
        "focus": ["dementia"],
        "lang": ["en"],
    }
    assert 'target="_blank" rel="noopener"' in whole


async def test_a_long_list_goes_on_in_the_frame(service: Service) -> None:
    for number in range(12):
        await service.put_home(f"h{number:02}")
        await service.report(f"h{number:02}", {"care_form": "long_term", "count": 1})
    first = await get(service, "/embed?accent=0a6e4f")
    more = next(address(tag) for tag in links(first) if "after=" in tag)
    second = await get(service, more)
    assert (len(cards(first)), len(cards(second))) == (10, 2)
    assert set(cards(first)) | set(cards(second)) == {f"h{number:02}" for number in range(12)}
    assert "0a6e4f" in more


# ---- its colour ----


def tokens(css: str) -> list[dict[str, str]]:
    """The colours, light and dark."""
    return [
        dict(re.findall(r"--kern-color-action-([a-z-]+):(#[0-9a-f]{6})", block))
        for block in css.split("@media")
    ]


async def test_the_page_wears_the_colour_it_was_asked_for_in(service: Service) -> None:
    for accent in ("%230a6e4f", "0A6E4F"):
        html = await get(service, f"/embed?accent={accent}")
        assert '<link rel="stylesheet" href="/embed/accent.css?accent=0a6e4f">' in html
    assert "accent.css" not in await get(service, "/embed")
    assert "accent.css" not in await get(service, "/?accent=0a6e4f")


@pytest.mark.parametrize("wanted", ["0a6e4f", "ffdd00", "000000", "ffffff", "808080", "e2001a"])
async def test_its_style_is_readable_whatever_was_asked_for(service: Service, wanted: str) -> None:
    css = await get(service, f"/embed/accent.css?accent={wanted}")
    colour = parse_colour(wanted)
    assert colour is not None
    for found, scheme in zip(tokens(css), (LIGHT, DARK), strict=True):
        assert found["default"] == code(accent_in(colour, scheme).colour)
        text = parse_colour(found["on-default"])
        for name in ("default", "state-indicator-shade-hover", "state-indicator-shade-active"):
            ground = parse_colour(found[name])
            assert text is not None
            assert ground is not None
            assert contrast(text, ground) >= 4.5, name


@pytest.mark.parametrize("wrong", ["red", "0a6", "%230a6e4f;}", "url(x)", "%0a", "0a6e4f 0a6e4f"])
async def test_what_is_no_colour_is_refused(service: Service, wrong: str) -> None:
    html = await get(service, f"/embed?accent={wrong}", 400)
    assert "accent" in html
    assert "accent.css" not in html
    assert not any("accent=" in tag for tag in links(html)), "the way on is without it"
    async with service.client.get(f"{service.url}/embed/accent.css?accent={wrong}") as answer:
        assert (answer.status, answer.content_type) == (400, "text/plain")
        assert await answer.text() == "accent must look like #0a6e4f.\n"


async def test_styles_and_the_script_can_be_kept_for_an_hour(service: Service) -> None:
    for path, kind in (
        ("/embed/accent.css?accent=0a6e4f", "text/css"),
        ("/embed.js", "text/javascript"),
    ):
        async with service.client.get(service.url + path) as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            assert answer.headers["Cache-Control"] == "public, max-age=3600"


async def test_any_site_can_load_the_script_which_is_small(service: Service) -> None:
    async with service.client.get(service.url + "/embed.js") as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        script = await answer.text()
    assert "freiplatz-finder" in script
    assert len(script.encode()) < 3_000
    assert not re.search(r"\bimport[ {\"(]", script), "it must stand alone"


async def test_a_demonstration_says_so_in_a_frame_too(service: Service) -> None:
    service.state.demo = True
    assert "erfundene Heime" in await get(service, SEARCH)
    service.state.demo = False
    assert "erfundene Heime" not in await get(service, SEARCH)
