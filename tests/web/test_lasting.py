"""How likely a place is still free, as readers see it: nothing without curves, else a line."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result
from playwright.async_api import Browser, expect

from tests.conftest import Service, served
from tests.web.conftest import DESK, SEARCH, live, opened
from tests.web.test_pages import get, text
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.lasting import Curves, Step
from vacancies.lasting_fit import fit_if_due, record_steps, select_steps
from vacancies.models import CareForm, Freshness, Listing, Point, Profile
from web.__main__ import main
from web.language import choose
from web.lasting import Line, lasting_lines

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SHORT = {"care_form": "short_term", "count": 2}
CARD_LINE = r'<p class="card-more" data-part="lasting"(.*?)</p>'


def step(share: float, from_hours: float = 0, until_hours: float = 28, places: int = 2) -> Step:
    """What is shown of homes of unknown size with two places in short-term care."""
    return Step(
        care_form=CareForm.SHORT_TERM.value,
        size="unknown",
        free_places=places,
        from_hours=from_hours,
        until_hours=until_hours,
        share=share,
        pairs=500,
        homes=40,
        expected=share,
        checked=200,
        still_free=160,
        refusal=None,
    )


async def put_curves(service: Service, *steps: Step) -> None:
    """As another process would fit them; this one reads them."""
    pool = service.state.deployment.pool
    async with pool.acquire() as connection, connection.transaction():
        await record_steps(connection, list(steps), datetime.now(UTC))
    await service.state.lasting.refresh(pool)


def lines(*steps: Step, age_hours: float = 1, free: int = 2, code: str | None = None) -> list[Line]:
    listing = Listing(
        id="h",
        provider="p",
        revision=1,
        moved_revision=1,
        profile=Profile(name="h", point=Point(51.9, 8.4)),
        freshness=Freshness.FRESH,
        free={CareForm.SHORT_TERM: free} if free else {},
    )
    said_at = NOW - timedelta(hours=age_hours)
    return lasting_lines(listing, said_at, choose(code), NOW, Curves(steps))


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "Sehr wahrscheinlich noch frei (mehr als 9 von 10)"),
        (0.94, "Sehr wahrscheinlich noch frei (etwa 9 von 10)"),
        (0.85, "Sehr wahrscheinlich noch frei (etwa 8 von 10)"),
        (0.84, "Eher noch frei (etwa 8 von 10)"),
        (0.6, "Eher noch frei (etwa 6 von 10)"),
        (0.59, "Unsicher, bitte rufen Sie an (etwa 6 von 10)"),
        (0.04, "Unsicher, bitte rufen Sie an (weniger als 1 von 10)"),
    ],
)
def test_a_share_in_words(share: float, said: str) -> None:
    (line,) = lines(step(share))
    assert line.text == said
    assert line.named_text == said.replace("(", "(Kurzzeitpflege: ")
    assert datetime.fromisoformat(line.until) == NOW + timedelta(hours=27)


def test_a_younger_report_is_at_least_as_likely() -> None:
    later = step(0.88, 20, 28)
    (line,) = lines(later, age_hours=2)
    assert line.text == "Sehr wahrscheinlich noch frei (mindestens 8 von 10)"
    assert datetime.fromisoformat(line.until) == NOW + timedelta(hours=18)
    (line,) = lines(later, age_hours=20, code="en")
    assert line.text == "Very likely still free (about 9 of 10)"


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert lines() == []
    assert lines(step(0.9), free=0) == []
    assert lines(step(0.9), free=1) == []
    assert lines(step(0.9), age_hours=28) == []
    assert lines(step(0.9)._replace(refusal="few_pairs")) == []
    # "At least 5 of 10" of a report of this minute would only frighten.
    assert lines(step(0.55, 20, 28), age_hours=1) == []
    assert len(lines(step(0.55, 20, 28), age_hours=21)) == 1


async def test_cards_and_pages_say_it_only_with_curves(service: Service) -> None:
    await service.put_home("a")
    await service.report("a", SHORT)
    for path in (SEARCH, "/homes/a"):
        assert "noch frei" not in text((await get(service, path))[1])
    assert "noch frei" not in (await get(service, SEARCH))[1]
    await put_curves(service, step(0.9))
    _, html = await get(service, SEARCH)
    card, template = re.findall(CARD_LINE, html)
    assert card.endswith(">Sehr wahrscheinlich noch frei (etwa 9 von 10)")
    assert "data-until=" in card
    assert "hidden" not in card
    assert template == " hidden>"
    body = text((await get(service, "/homes/a"))[1])
    assert "Sehr wahrscheinlich noch frei (Kurzzeitpflege: etwa 9 von 10)" in body
    assert "Woher wissen wir das?" in body
    await service.report("a")
    assert "von 10" not in text((await get(service, "/homes/a"))[1])


async def test_a_card_names_the_form_if_there_are_several(service: Service) -> None:
    await service.put_home("a")
    await service.report("a", {"count": 1}, SHORT)
    await put_curves(service, step(0.9), step(0.7)._replace(care_form="long_term", free_places=1))
    _, html = await get(service, "/?place=33330")
    assert ">Eher noch frei (Dauerpflege: etwa 7 von 10)</p>" in html
    _, html = await get(service, SEARCH)  # what was searched for comes first
    assert ">Sehr wahrscheinlich noch frei (Kurzzeitpflege: etwa 9 von 10)</p>" in html
    body = text((await get(service, "/homes/a"))[1])
    assert "Dauerpflege: etwa 7 von 10" in body
    assert "Kurzzeitpflege: etwa 9 von 10" in body


async def test_a_demo_says_nothing_whatever_is_stored(service: Service) -> None:
    await service.put_home("a")
    await service.report("a", SHORT)
    await service.state.deployment.pool.execute("UPDATE deployment SET demo = true")
    await put_curves(service, step(0.9))
    assert "von 10" not in (await get(service, SEARCH))[1]
    assert "von 10" not in (await get(service, "/homes/a"))[1]


async def test_a_process_that_starts_has_the_curves(settings: Settings, pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await record_steps(connection, [step(0.9)], datetime.now(UTC))
    async with served(settings) as service:
        await service.put_home("a")
        await service.report("a", SHORT)
        async with asyncio.timeout(20):
            while "von 10" not in (await get(service, "/homes/a"))[1]:
                pass
    # A day is not over: nobody has fitted anew, and found nothing.
    assert await select_steps(pool) == [step(0.9)]


async def test_one_process_fits_once_a_day(pool: Pool) -> None:
    assert sorted(await asyncio.gather(*(fit_if_due(pool) for _ in range(4)))) == [
        *[False] * 3,
        True,
    ]
    assert not await fit_if_due(pool)
    await pool.execute("UPDATE lasting_fit SET fitted_at = now() - interval '25 hours'")
    assert await fit_if_due(pool)


@pytest.fixture
def deployed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["lasting", *arguments])


async def store_reports(pool: Pool, homes: int = 12, days: int = 60) -> None:
    """Daily reports of one free place, of which every tenth day finds it gone."""
    await pool.execute("INSERT INTO provider (slug, name) VALUES ('caritas', 'Caritas')")
    await pool.execute(
        "INSERT INTO care_home (id, provider_id, name, latitude, longitude, point_precision,"
        " capacity, moved_revision) SELECT 'h' || n, p.id, 'Haus', 51, 8, 'exact',"
        " '{\"day\": 40}', 0 FROM provider p, generate_series(1, $1) AS n",
        homes,
    )
    await pool.execute(
        "INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies)"
        " SELECT 'h' || n, row_number() OVER (ORDER BY day, n), 'report', at, at,"
        " CASE WHEN (day + n) % 10 = 0 THEN '[]'::json ELSE $3::json END"
        " FROM generate_series(1, $1) AS n, generate_series(1, $2) AS day,"
        " LATERAL (SELECT now() - make_interval(days => $2 - day) AS at) moment",
        homes,
        days,
        '[{"care_form": "day", "count": 1}]',
    )


async def test_the_command_fits_and_shows(deployed: None, pool: Pool) -> None:
    result = await invoke("show")
    assert result.exit_code == 1
    assert "freiplatz lasting fit" in result.output
    await store_reports(pool)
    done = json.loads((await invoke("fit", "--json")).stdout)
    assert done == {"steps": 1, "shown": 1}
    (found,) = json.loads((await invoke("show", "--json")).stdout)["steps"]
    assert (found["care_form"], found["size"], found["free_places"]) == ("day", "medium", 1)
    # Of nine days with a place free eight are followed by another one.
    assert found["share"] == pytest.approx(8 / 9, abs=0.01)
    assert found["homes"] == 12
    line = (await invoke("show")).stdout.splitlines()[1]
    assert re.search(r"day +medium +1 free +20–28 +h +0\.89 .* shown$", line)
    await pool.execute("UPDATE deployment SET demo = true")
    result = await invoke("fit", "--json")
    assert json.loads(result.stdout) == {"steps": 0, "shown": 0}
    assert "demo" in result.stderr
    assert await select_steps(pool) == []


@pytest.mark.browser
async def test_the_line_goes_with_what_it_was_said_of(service: Service, browser: Browser) -> None:
    for home in ("a", "b"):
        await service.put_home(home)
        await service.report(home, SHORT)
    await put_curves(service, step(0.9))
    async with opened(browser, service, SEARCH, DESK) as page:
        await live(page)
        line = page.locator('#cards [data-home="a"] [data-part=lasting]')
        await expect(line).to_have_text("Sehr wahrscheinlich noch frei (etwa 9 von 10)")
        await service.report("a", {**SHORT, "count": 1})
        await expect(line).to_be_hidden()
        await expect(page.locator('#cards [data-home="b"] [data-part=lasting]')).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize(("path", "line"), [(SEARCH, "#cards"), ("/homes/a", "main")])
async def test_the_line_is_hidden_when_the_report_is_too_old_for_it(
    service: Service, browser: Browser, path: str, line: str
) -> None:
    await service.put_home("a")
    await service.report("a", SHORT)
    await put_curves(service, step(0.9))
    context = await browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.clock.install()
    await page.goto(service.url + path)
    said = page.locator(f"{line} [data-part=lasting]")
    await expect(said).to_be_visible()
    await page.clock.fast_forward("27:00:00")
    await expect(said).to_be_visible()
    await page.clock.fast_forward("01:01:00")
    await expect(said).to_be_hidden()
    await context.close()
