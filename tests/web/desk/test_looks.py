"""Pages in the look of a municipality: below its path, and under its own host name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape

import aiohttp
import pytest
from click.testing import CliRunner, Result
from playwright.async_api import Browser

from tests.conftest import Service, served
from tests.web.conftest import DESK, live, opened
from tests.web.desk.verbund import TOWN, Verbund
from vacancies.config import Settings
from vacancies.errors import InvalidInput
from vacancies.looks import LARGEST_LOGO_BYTES, record_addresses
from web.__main__ import main
from web.looks import is_readable
from web.origin import host_of

HOST = "pflege.guetersloh.example"
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20
SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"


@pytest.fixture
async def dressed(verbund: Verbund) -> Verbund:
    """Gütersloh has everything of its own but a host name."""
    await record_addresses(verbund.pool, TOWN, "guetersloh", None)
    async with verbund.browser("open@town.example") as admin:
        page = f"/desk/{TOWN}/settings"
        sent = await admin.upload(
            f"{page}/look",
            (await admin.get(page)).token,
            accent="#ffee00",
            greeting="Willkommen in <Gütersloh>",
            imprint="Stadt Gütersloh\nBerliner Straße 70\n\nVertreten durch die Stadt",
            privacy="Fragen an datenschutz@guetersloh.example",
        )
        assert sent.status == 303, sent.text
        form = {"fresh_hours": "48", "ageing_hours": "96", "municipality_email": "amt@gt.example"}
        assert (await admin.submit(page, f"{page}/policy", **form)).status == 303
    return verbund


async def get(service: Service, path: str, host: str | None = None) -> tuple[int, str, str]:
    """Status, text, and where it leads."""
    headers = {"Accept": "text/html"} | ({"Host": host} if host else {})
    async with service.client.get(
        service.url + path, headers=headers, allow_redirects=False
    ) as answer:
        return answer.status, await answer.text(), answer.headers.get("Location", "")


async def test_the_pages_of_a_municipality_stand_below_its_path(dressed: Verbund) -> None:
    status, page, _ = await get(dressed.service, "/guetersloh")
    assert status == 200
    assert "Willkommen in &lt;Gütersloh&gt;" in page
    assert "Haus Gütersloh" in page
    assert "Haus Halle" not in page, "it begins with its own homes"
    assert "/embed/accent.css?accent=ffee00" in page
    # Every way on stays in the look, but for what has none.
    ways = {unescape(way) for way in re.findall(r'href="(/[^"]*)"', page)}
    assert {"/guetersloh/imprint", "/guetersloh/homes/home"} <= {
        way.partition("?")[0] for way in ways
    }
    outside = {way for way in ways if not way.startswith("/guetersloh")}
    allowed = ("/assets/", "/api/", "/embed/", "/opendata/", "/basemap")
    assert not [way for way in outside if not way.startswith(allowed)], outside
    for way in ways - outside:
        assert (await get(dressed.service, way))[0] == 200, way
    # Whoever searches elsewhere finds what is there.
    assert "Haus Halle" in (await get(dressed.service, "/guetersloh?include_full=true"))[1]
    assert "Willkommen" not in (await get(dressed.service, "/"))[1]


async def test_its_words_stand_on_its_legal_pages(dressed: Verbund) -> None:
    _, page, _ = await get(dressed.service, "/guetersloh/imprint")
    assert "Stadt Gütersloh<br>Berliner Straße 70</p>" in page
    assert (
        "datenschutz@guetersloh.example" in (await get(dressed.service, "/guetersloh/privacy"))[1]
    )
    assert "Berliner Straße" not in (await get(dressed.service, "/imprint"))[1]
    _, english, _ = await get(dressed.service, "/guetersloh/imprint?lang=en")
    assert '<p class="lines" lang="de">Stadt Gütersloh' in english
    assert 'href="/guetersloh/imprint"' in english, "the same page in German"


async def test_a_form_is_sent_in_the_look(dressed: Verbund) -> None:
    _, page, _ = await get(dressed.service, "/guetersloh/homes/home/wrong")
    found = re.search(r'<form[^>]*method="post"[^>]*action="([^"]*)"', page)
    assert found is not None, page
    assert found[1].startswith("/guetersloh/homes/home/wrong")


async def test_the_policy_of_the_settings_holds(dressed: Verbund) -> None:
    row = await dressed.pool.fetchrow("SELECT * FROM reporting_policy WHERE prefix = $1", TOWN)
    assert row is not None
    assert (row["fresh_hours"], row["ageing_hours"]) == (48, 96)
    assert row["municipality_email"] == "amt@gt.example"


@pytest.mark.parametrize(
    "wrong",
    [
        {"fresh_hours": "0", "ageing_hours": "5"},
        {"fresh_hours": "10", "ageing_hours": "5"},
        {"fresh_hours": "x", "ageing_hours": "5"},
        {"fresh_hours": "5", "ageing_hours": "9", "municipality_email": "nobody"},
        {},
    ],
)
async def test_a_wrong_policy_changes_nothing(dressed: Verbund, wrong: dict[str, str]) -> None:
    async with dressed.browser("open@town.example") as admin:
        page = f"/desk/{TOWN}/settings"
        answer = await admin.submit(page, f"{page}/policy", **wrong)
        assert answer.status == 422
        assert 'role="alert"' in answer.text
    assert (
        await dressed.pool.fetchval(
            "SELECT fresh_hours FROM reporting_policy WHERE prefix = $1", TOWN
        )
        == 48
    )


async def test_a_logo_is_a_picture_and_nothing_else(dressed: Verbund) -> None:
    async with dressed.browser("open@town.example") as admin:
        page = f"/desk/{TOWN}/settings"

        async def choose(logo: bytes | None, **fields: str) -> int:
            form = aiohttp.FormData(default_to_multipart=True)
            fields = {"form_token": (await admin.get(page)).token, "accent": "#112233", **fields}
            for name, value in fields.items():
                form.add_field(name, value)
            if logo is not None:
                form.add_field("logo", logo, filename="x")
            url, sent = f"{admin.url}{page}/look", {"Origin": admin.url}
            async with admin.client.post(
                url, data=form, headers=sent, allow_redirects=False
            ) as answer:
                return answer.status

        for wrong in (b"<html><svg>", b"GIF89a", PNG + b"x" * LARGEST_LOGO_BYTES, b"x"):
            assert await choose(wrong) == 422
        assert await choose(PNG) == 303
        _, shown, _ = await get(dressed.service, "/guetersloh")
        found = re.search(r'<img class="brand-logo" src="([^"]*)" alt="Gütersloh"', shown)
        assert found is not None, shown
        async with dressed.service.client.get(dressed.service.url + found[1]) as answer:
            assert (await answer.read(), answer.content_type) == (PNG, "image/png")
        assert await choose(SVG) == 303
        async with dressed.service.client.get(dressed.service.url + found[1]) as answer:
            assert answer.content_type == "image/svg+xml"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert await choose(None, no_logo="1") == 303
        assert (await get(dressed.service, f"/looks/{TOWN}/logo"))[0] == 404


@pytest.fixture
async def hosted(settings: Settings) -> AsyncIterator[Verbund]:
    """With a public address, and a host name for Gütersloh."""
    known = replace(settings, public_url="https://freiplatz.example")
    async with served(known) as service:
        verbund = Verbund(service)
        await verbund.join(TOWN, "Gütersloh")
        await service.put_home("home", municipality=TOWN, name="Haus Gütersloh")
        await record_addresses(verbund.pool, TOWN, None, HOST)
        service.state.looks.forget()
        yield verbund


async def test_under_its_host_name_pages_are_read_and_nothing_else(hosted: Verbund) -> None:
    service = hosted.service
    status, page, _ = await get(service, "/?include_full=true", HOST)
    assert status == 200
    assert "Haus Gütersloh" in page
    for path in ("/homes/home", "/imprint", "/shortlist", "/api/v1/vacancies"):
        assert (await get(service, path, HOST))[0] == 200, path
    # All else is under the public address.
    for path in (
        "/signin",
        "/desk/",
        "/account",
        "/homes/home/wrong",
        "/alerts/new?x=1",
        "/report/x",
    ):
        assert (await get(service, path, HOST))[::2] == (302, f"https://freiplatz.example{path}")
    for path in ("/signin", "/homes/home/feedback", "/api/v1/reports"):
        async with service.client.post(service.url + path, headers={"Host": HOST}) as answer:
            assert answer.status == 403
    ways = set(re.findall(r'(?:href|action)="(/[^"]*)"', page))
    assert "/guetersloh" not in "".join(ways)
    for way in ways:
        assert (await get(service, unescape(way), HOST))[0] == 200, way
    # Forms would be refused there: their pages are elsewhere.
    assert 'method="post"' not in (await get(service, "/homes/home", HOST))[1]
    assert (
        "https://freiplatz.example/homes/home/wrong" in (await get(service, "/homes/home", HOST))[1]
    )


def test_homes_of_neighbours_are_read_there_too() -> None:
    assert is_readable("/homes/a")
    assert is_readable("/homes/bielefeld/a")
    for path in ("/homes/", "/homes/a/wrong", "/homes/a/trail", "/homes/a/b/c", "/homesa"):
        assert not is_readable(path), path


async def test_an_unknown_host_has_no_look(hosted: Verbund) -> None:
    assert (await get(hosted.service, "/signin", "evil.example"))[0] == 200
    assert (await get(hosted.service, "/signin", "freiplatz.example"))[0] == 200
    assert host_of("https://freiplatz.example") == "freiplatz.example"


async def test_the_stream_runs_under_the_host_name(hosted: Verbund) -> None:
    url = f"{hosted.service.url}/api/v1/vacancies/stream?include_full=true"
    async with hosted.service.client.get(url, headers={"Host": HOST}) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"


async def invoke(verbund: Verbund, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    settings = verbund.service.state.settings
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))
    if settings.public_url:
        monkeypatch.setenv("FREIPLATZ_PUBLIC_URL", settings.public_url)
    command = ["municipality", "address", TOWN, *arguments]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def test_addresses_are_given_by_the_operator(
    verbund: Verbund, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = await invoke(verbund, monkeypatch, "--path", "guetersloh")
    assert "/guetersloh" in done.output
    for wrong in ("desk", "homes", "imprint", "api", "opendata", "Upper", "a/b", "x"):
        done = await invoke(verbund, monkeypatch, "--path", wrong)
        assert done.exit_code == 1, done.output
    assert "PUBLIC_URL" in (await invoke(verbund, monkeypatch, "--host", HOST)).output
    stored = await verbund.pool.fetchval("SELECT path FROM municipality_look")
    assert stored == "guetersloh"
    assert (await invoke(verbund, monkeypatch, "--none")).exit_code == 0
    assert await verbund.pool.fetchval("SELECT path FROM municipality_look") is None


async def test_two_never_have_the_same_address(verbund: Verbund) -> None:
    await record_addresses(verbund.pool, TOWN, "guetersloh", HOST)

    with pytest.raises(InvalidInput):
        await record_addresses(verbund.pool, "05754012", "guetersloh", None)
    with pytest.raises(InvalidInput):
        await record_addresses(verbund.pool, "05754012", None, HOST)


@pytest.mark.browser
async def test_cards_that_the_client_makes_stay_in_the_look(
    dressed: Verbund, browser: Browser
) -> None:
    """A home that reports while somebody looks gets its card from the client."""
    await dressed.service.report("home", provider="caritas")
    address = "/guetersloh?lang=en"
    async with opened(browser, dressed.service, address, DESK) as page:
        await live(page)
        await dressed.service.report("home", {"count": 3}, provider="caritas")
        await page.locator("#news:not([hidden])").click()
        card = page.locator('.card[data-home="home"]')
        name = card.locator('[data-part="name"]')
        assert await name.get_attribute("href") == "/guetersloh/homes/home?lang=en"
        await card.locator("[data-remember]").click()
        header = page.locator('header a[href^="/guetersloh/shortlist"]')
        await header.click()
        await page.wait_for_url("**/guetersloh/shortlist?*home=home*")
        await page.locator('a[href="/guetersloh/homes/home?lang=en"]').first.click()
        await page.wait_for_url("**/guetersloh/homes/home?lang=en")
