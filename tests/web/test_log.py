"""No personal data in the log: whatever people do, and whatever goes wrong meanwhile."""

from __future__ import annotations

import ast
import asyncio
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog

from tests.conftest import Service, served
from tests.web.carer import carer_of
from tests.web.staff import Desk, a_desk, a_person, link_in, mail_number, mails, sign_in
from vacancies.config import Settings
from web.commands.log import configure_log

ROOT = Path(__file__).parents[2]
NAME, PERSON, STREET = "Haus Zwetschgenkern", "Wilhelmine Quittenbaum", "Pflaumenallee"
EMAIL, OTHER_EMAIL = "wilhelmine.quittenbaum@example.org", "zwetschge@example.org"
PHONE, SEARCH, PASSWORD = "05241 987650", "Mispelweg 7, 33330 Gütersloh", "p4ssw0rt-mirabelle"
ADDRESS = "203.0.113.77"  # of a client, as a proxy tells it (RFC 5737)
HERE = "127.0.0.77"  # of a client, as the socket tells it
WORDS = ("zwetschge", "quittenbaum", "pflaumenallee", "987650", "mispelweg", "mirabelle")
# What a field of a log call may be called. A new one is a decision: can it ever be about a person?
FIELDS = """
alert calls code constraint day days epoch error expected failed final gone home homes how
invitations limit missing municipality neighbour number path pause_seconds portal reason
recipient remedy revision route sent step steps tries webhook what where why worker
"""
LOG_CALL = re.compile(r"\(?log\.(debug|info|warning|error|exception|critical)\b")
OWN_WORDS = re.compile(r"\bstr\((?!path|made\.day)|repr\(|\.args\b|email|address")


@pytest.fixture
def _handlers() -> Iterator[None]:
    """Commands set up Python's `logging` for their whole process, which here is that of all."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before, level


pytestmark = pytest.mark.usefixtures("_handlers")


def planted(text: str, *secrets: str) -> list[str]:
    """The lines of a log in which something stands that must not."""
    wanted = [*WORDS, EMAIL, OTHER_EMAIL, ADDRESS, HERE, *secrets]
    return [line for line in text.splitlines() if any(each in line.lower() for each in wanted)]


async def test_whatever_people_do(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    configure_log()
    async with served(replace(settings, contact_email=OTHER_EMAIL)) as service:
        secrets = await _everything(service)
        await _with_a_database_that_refuses(service, secrets)
        assert len(mails(service)) > 4
    said = capfd.readouterr().err
    for event in ("mail was written to a file", "unexpected error", "commit failed"):
        assert event in said, "or the test looks at a log without anything in it"
    assert "a link to sign in could not be made" in said
    assert planted(said, *(each.lower() for each in secrets)) == []


async def _everything(service: Service) -> list[str]:
    """Report, sign in, ask for alerts, complain, mistype; returns what is secret of it."""
    profile: dict[str, Any] = {
        "name": NAME,
        "address": {"street": f"{STREET} 3", "postcode": "33330", "city": "Gütersloh"},
        "contact": {"phone": PHONE, "person": PERSON, "email": EMAIL},
    }
    await service.put_home("a", **profile)
    await service.report("a", {"count": 1, "note": PERSON})
    key = await service.key()
    await service.call("PUT", "/api/v1/homes/a", {**profile, "name": [NAME]}, key=key)
    await service.call("PUT", "/api/v1/homes/a/vacancies", {"vacancies": NAME}, key=key + "x")
    await service.call("GET", "/api/v1/places", params={"q": SEARCH})
    await service.call("GET", f"/api/v1/homes/{NAME}")
    await a_person(service, EMAIL)
    connector = aiohttp.TCPConnector(local_addr=(HERE, 0))
    jar = aiohttp.CookieJar(unsafe=True)
    headers = {"X-Forwarded-For": ADDRESS, "User-Agent": PASSWORD, "Referer": f"http://{EMAIL}/"}
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=jar, headers=headers
    ) as client:
        desk = Desk(service.url, client)
        await sign_in(service, desk, EMAIL)
        link = link_in(await mail_number(service, 1))
        for page in ("/account", "/people", f"/?place={SEARCH}", f"/{NAME}?{PASSWORD}"):
            await desk.get(page)
        await _ask_for_an_alert(desk)
        wrong, barrier = "/homes/a/wrong", "/accessibility/report"
        for done in (
            await desk.submit("/people", "/people/invite", email=OTHER_EMAIL, home="all"),
            await desk.submit(wrong, wrong, matter="other", said=PERSON, email=OTHER_EMAIL),
            await desk.submit(barrier, barrier, said=PASSWORD, email=EMAIL),
        ):
            assert done.status in (200, 303), done.text
        one_tap = (await carer_of(service, "a", EMAIL)).link()
        await desk.get(one_tap)
        await desk.get(one_tap[:-3])
        await desk.post("/signin", email=PASSWORD)
        cookies = [cookie.value for cookie in jar]
    tokens = [link.rpartition("/")[2].partition("?")[0], one_tap.rpartition("/")[2], key, *cookies]
    assert all(len(token) > 20 for token in tokens)
    return tokens


async def _ask_for_an_alert(desk: Desk) -> None:
    opened = await desk.get("/alerts/new?place=33330&care_form=short_term")
    found = re.search(r'name="search" value="([^"]*)"', opened.text)
    assert found is not None
    await desk.post("/alerts/new", email=EMAIL, search=found[1].replace("&amp;", "&"))


async def _with_a_database_that_refuses(service: Service, secrets: list[str]) -> None:
    """Postgres then tells the whole row that it does not take."""
    pool = service.state.deployment.pool
    for table in ("care_home", "correction", "signin"):
        await pool.execute(f"ALTER TABLE {table} ADD CHECK (false) NOT VALID")
    home = {"name": NAME, "coordinates": {"latitude": 51.9, "longitude": 8.38}}
    status, _, _ = await service.call("PUT", "/api/v1/homes/b", home, key=secrets[2])
    assert status == 503
    async with a_desk(service) as desk:
        path = "/homes/a/wrong"
        failed = await desk.submit(path, path, matter="other", said=PERSON)
        assert failed.status == 500
        await desk.submit("/signin", "/signin", email=EMAIL)


async def test_of_an_error_the_kind_and_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log()
    log = structlog.get_logger()
    try:
        try:
            raise KeyError(EMAIL)
        except KeyError as error:
            raise ValueError(f"{PERSON} is no number") from error
    except ValueError as error:
        log.exception("it failed")
        log.error("it failed", exc_info=error)
        logging.getLogger("library").exception("%s cannot be reached", EMAIL)
        logging.getLogger("library").error(f"no {EMAIL}")  # noqa: G004 (libraries do)

    async def fail() -> None:
        raise ValueError(PERSON)

    forgotten = asyncio.create_task(fail())
    await asyncio.wait([forgotten])
    del forgotten  # asyncio says that nobody has looked at it, and at what
    said = capsys.readouterr().err
    assert said.count('error="ValueError from KeyError"') == 3
    assert "library=library" in said
    assert "library=asyncio" in said
    assert "where=tests/web/test_log.py:" in said.replace('"', "")
    assert planted(said) == []
    assert planted(f"{said}\nand {PERSON}") == [f"and {PERSON}"], "or it would find nothing at all"
    assert all(line.startswith("timestamp=") for line in said.splitlines()), "one line an event"


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    for path in [ROOT / "web", ROOT / "providers", ROOT / "vacancies"]:
        for file in sorted(path.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and LOG_CALL.match(ast.unparse(node.func)):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def test_log_calls_say_what_happened_in_fixed_words() -> None:
    """Values stand in named fields, and those are known; an error's own words do not."""
    calls = list(log_calls())
    assert len(calls) > 50
    for place, call in calls:
        assert [isinstance(event, ast.Constant) for event in call.args] == [True], place
        for field in call.keywords:
            assert field.arg in FIELDS.split(), f"{place}: {field.arg}"
            text = ast.unparse(field.value)
            assert not OWN_WORDS.search(text), f"{place}: {text}"
