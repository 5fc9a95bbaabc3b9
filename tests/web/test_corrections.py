""" "This is wrong": the form for readers, the mail, the command, and what is kept."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Service, served
from tests.waiting import until
from tests.web.test_pages import get, text
from vacancies.config import Settings
from vacancies.corrections import (
    MOST_OPEN,
    Matter,
    delete_old_corrections,
    insert_correction,
    record_done,
    select_corrections,
)
from vacancies.database import Pool
from web.__main__ import main
from web.corrections import TELLING

PATH = "/homes/a/wrong"
OPERATOR = "pflege@kreis.example"


@pytest.fixture
async def told(settings: Settings) -> AsyncIterator[Service]:
    """A service whose operator gets mail."""
    async with served(replace(settings, contact_email=OPERATOR)) as service:
        await service.put_home("a", name="St. Anna")
        yield service


async def token(service: Service, path: str = PATH) -> str:
    _, html = await get(service, path)
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', html)
    assert found is not None
    return found[1]


async def send(
    service: Service, path: str = PATH, origin: str | None = None, **fields: str
) -> tuple[int, str, str]:
    """(status, HTML, where it leads); a form of ours unless told otherwise."""
    fields.setdefault("form_token", await token(service, PATH))
    headers = {"Origin": origin or service.url, "Accept": "text/html"}
    async with service.client.post(
        service.url + path, data=fields, headers=headers, allow_redirects=False
    ) as answer:
        assert "Set-Cookie" not in answer.headers
        return answer.status, await answer.text(), answer.headers.get("Location", "")


async def mail_in(folder: Path) -> EmailMessage:
    found: list[Path] = []

    def has_come() -> bool:
        found[:] = sorted((folder / "mail").glob("[!.]*.eml"))
        return bool(found)

    await until(has_come)
    (only,) = found
    return message_from_bytes(only.read_bytes(), policy=policy.default)


async def test_a_correction_is_stored_and_mailed(told: Service) -> None:
    before = told.state.board.get("a")
    async with told.client.get(told.url + PATH) as answer:
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
    said = "Richtig ist 05241 999.\r\n\x00Gruß\u202e"
    status, _, leads = await send(told, matter="phone", said=said, email="Eva@Example.org")
    assert (status, leads) == (303, "/homes/a/wrong?sent=1")
    assert "Vielen Dank" in text((await get(told, leads))[1])
    (found,) = await select_corrections(told.state.deployment.pool)
    assert (found.home_id, found.home_name, found.matter) == ("a", "St. Anna", Matter.PHONE)
    assert (found.said, found.email) == ("Richtig ist 05241 999.\nGruß", "eva@example.org")
    mail = await mail_in(told.state.settings.data_dir)
    assert (mail["To"], mail["Reply-To"]) == (OPERATOR, "eva@example.org")
    assert mail["Subject"] == f"Korrektur Nr. {found.id}: St. Anna"
    content = mail.get_content()
    assert "> Richtig ist 05241 999.\n> Gruß" in content
    assert "Die Telefonnummer stimmt nicht" in content
    assert f"freiplatz corrections done {found.id}" in content
    assert told.state.board.get("a") == before, "nothing of the entry has changed"


async def test_without_an_address_it_is_only_stored(service: Service) -> None:
    await service.put_home("a")
    status, _, _ = await send(service, matter="gone")
    assert status == 303
    (found,) = await select_corrections(service.state.deployment.pool)
    assert (found.matter, found.said, found.email) == (Matter.GONE, "", None)
    assert not (service.state.settings.data_dir / "mail").exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "matter"),
        ({"matter": "everything"}, "matter"),
        ({"matter": "other"}, "said"),
        ({"matter": "other", "said": " \u200b\n "}, "said"),
        ({"matter": "phone", "said": "x" * 501}, "said"),
        ({"matter": "phone", "email": "eva@"}, "email"),
        ({"matter": "phone", "email": "eva@example.org\nBcc: x@example.org"}, "email"),
    ],
)
async def test_what_is_wrong_with_the_form_is_said(
    told: Service, fields: dict[str, str], field: str
) -> None:
    status, html, _ = await send(told, **fields)
    assert status == 422
    assert f'id="e-{field}" role="alert"' in html
    assert f'value="{fields.get("email", "").partition(chr(10))[0]}' in html, "typed once is enough"
    assert await select_corrections(told.state.deployment.pool) == []


async def test_five_hundred_letters_are_enough_and_fit(told: Service) -> None:
    status, _, _ = await send(told, matter="other", said="ä" * 498 + "\r\nz")
    assert status == 303
    (found,) = await select_corrections(told.state.deployment.pool)
    assert len(found.said) == 500


async def test_what_is_typed_stays_text(told: Service) -> None:
    hostile = "</textarea><script>alert(1)</script>"
    status, html, _ = await send(told, matter="x", said=hostile, email='"><img src=x>')
    assert status == 422
    assert "<script>alert" not in html
    assert "<img" not in html


async def test_only_our_own_pages_can_send_it(told: Service) -> None:
    good = await token(told)
    for bad in ("", "0" * 64, good[:-1], good[::-1], "ä", f"{'f' * 8}{good[8:]}", f"-{good[1:]}"):
        status, _, _ = await send(told, matter="phone", form_token=bad)
        assert status == 403, bad
    for origin in ("https://evil.example", "null"):
        status, _, _ = await send(told, matter="phone", form_token=good, origin=origin)
        assert status == 403, origin
    assert await select_corrections(told.state.deployment.pool) == []


async def test_homes_that_are_not_there(told: Service) -> None:
    good = await token(told)
    await told.put_home("b", status="closed")
    for home, expected in (("nowhere", 404), ("b", 410)):
        status, _ = await get(told, f"/homes/{home}/wrong")
        assert status == expected
        status, _, _ = await send(told, f"/homes/{home}/wrong", matter="phone", form_token=good)
        assert status == expected


async def test_one_network_can_send_only_so_many(told: Service) -> None:
    good = await token(told)
    for _ in range(TELLING.most):
        assert (await send(told, matter="phone", form_token=good))[0] == 303
    status, html, _ = await send(told, matter="phone", form_token=good)
    assert status == 429
    assert "Versuchen Sie es in einer Stunde wieder." in text(html)
    assert len(await select_corrections(told.state.deployment.pool)) == TELLING.most


# ---- what is kept ----


async def test_no_home_fills_the_table(service: Service, pool: Pool) -> None:
    await service.put_home("a")
    await service.put_home("b")
    async with pool.acquire() as connection:
        for _ in range(MOST_OPEN):
            assert await insert_correction(connection, "a", Matter.GONE, "", None)
        assert await insert_correction(connection, "a", Matter.GONE, "", None) is None
        first = await insert_correction(connection, "b", Matter.GONE, "", None)
        assert first is not None
    assert (await send(service, matter="gone"))[0] == 303, "the reader is thanked all the same"
    (oldest, *_) = await select_corrections(pool)
    assert await record_done(pool, oldest.id)
    async with pool.acquire() as connection:
        assert await insert_correction(connection, "a", Matter.GONE, "", None), "room again"


async def test_what_is_done_goes_after_ninety_days(service: Service, pool: Pool) -> None:
    await service.put_home("a")
    async with pool.acquire() as connection:
        numbers = [await insert_correction(connection, "a", Matter.OTHER, "x", None) for _ in "abc"]
    old, young, waiting = (number or 0 for number in numbers)
    for number, days in ((old, 91), (young, 89)):
        assert await record_done(pool, number)
        await pool.execute(
            "UPDATE correction SET done_at = now() - $2::interval WHERE id = $1",
            number,
            timedelta(days=days),
        )
    assert not await record_done(pool, 10**12)
    await pool.execute("UPDATE correction SET created_at = now() - interval '2 years'")
    await delete_old_corrections(pool)
    left = await select_corrections(pool, include_done=True)
    assert [each.id for each in left] == [young, waiting]


# ---- the command ----


async def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, *args: str) -> Result:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))
    return await asyncio.to_thread(CliRunner().invoke, main, ["corrections", *args])


async def test_the_command_lists_and_closes(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.put_home("a", name="St. Anna")
    await send(service, matter="other", said="Die Straße\nheißt anders.", email="eva@example.org")
    settings = service.state.settings
    shown = await run(settings, monkeypatch, "list")
    for words in ("other", "St. Anna", "heißt anders.", "from eva@example.org"):
        assert words in shown.stdout
    found: list[dict[str, Any]] = json.loads(
        (await run(settings, monkeypatch, "list", "--json")).stdout
    )
    number = str(found[0]["id"])
    assert (found[0]["home_id"], found[0]["done_at"]) == ("a", None)
    assert (await run(settings, monkeypatch, "done", number)).exit_code == 0
    assert json.loads((await run(settings, monkeypatch, "list", "--json")).stdout) == []
    (done,) = json.loads((await run(settings, monkeypatch, "list", "--all", "--json")).stdout)
    assert done["done_at"]
    missing = await run(settings, monkeypatch, "done", "999999")
    assert missing.exit_code == 1
    assert "There is no correction 999999." in missing.output
