"""Asking for a link over HTTP: nobody learns who is known, and nobody is flooded."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from providers.signin import MOST_LINKS_AN_HOUR
from tests.conftest import Service, served
from tests.waiting import until
from tests.web.staff import (
    ANNA,
    a_desk,
    a_person,
    mail_number,
    mails,
)
from vacancies.config import Settings
from web.signin import ASKING


def shape(text: str, email: str) -> str:
    """The page without what is different by chance, or was entered."""
    return re.sub(r"[0-9a-f]{64}", "TOKEN", text).replace(email, "EMAIL")


async def test_nobody_learns_who_is_known(service: Service) -> None:
    await a_person(service)
    stranger = "stranger@example.org"
    async with a_desk(service) as desk:
        known = await desk.submit("/signin", "/signin", email=ANNA)
        unknown = await desk.submit("/signin", "/signin", email=stranger)
        assert shape(known.text, ANNA) == shape(unknown.text, stranger)
        assert known.status == unknown.status == 200
        without = ("Date", "Content-Length", "Set-Cookie")
        heads = [
            {name: value for name, value in answer.headers.items() if name not in without}
            for answer in (known, unknown)
        ]
        assert heads[0] == heads[1]
        await mail_number(service, 1)
        await desk.submit("/signin", "/signin", email=ANNA)
        await mail_number(service, 2)
    assert [mail["To"] for mail in mails(service)] == [ANNA, ANNA]


async def test_the_answer_does_not_wait_for_what_is_known(service: Service) -> None:
    """Whether there is such a person is looked up when the answer is out: here it cannot be
    looked up at all, and the answer is the same."""
    await a_person(service)
    pool = service.state.deployment.pool
    async with a_desk(service) as desk, pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE staff IN ACCESS EXCLUSIVE MODE")
        sent = await desk.submit("/signin", "/signin", email=ANNA)
        assert sent.status == 200
        assert mails(service) == []


async def test_nobody_is_flooded(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        token = (await desk.get("/signin")).token
        calls = (desk.post("/signin", token=token, email=ANNA) for _ in range(20))
        answers = await asyncio.gather(*calls)
        assert {answer.status for answer in answers} == {200}
    await until(lambda: len(mails(service)) >= MOST_LINKS_AN_HOUR)
    await until(lambda: not service_tasks(service))
    assert len(mails(service)) == MOST_LINKS_AN_HOUR


def service_tasks(service: Service) -> list[asyncio.Task[Any]]:
    """What still runs in the background of the app, which shares our loop."""
    return [
        task
        for task in asyncio.all_tasks()
        if "add_background_task" in getattr(task.get_coro(), "__qualname__", "")
    ]


async def test_one_client_may_ask_so_often(service: Service) -> None:
    async with a_desk(service) as desk:
        token = (await desk.get("/signin")).token

        async def ask(number: int) -> int:
            forged = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}
            answer = await desk.post(
                "/signin", token=token, email=f"x{number}@example.org", headers=forged
            )
            return answer.status

        statuses = await asyncio.gather(*map(ask, range(ASKING.most + 10)))
        assert sorted(statuses) == [200] * ASKING.most + [429] * 10
        other = {"X-Forwarded-For": "203.0.113.10"}
        answer = await desk.post("/signin", token=token, email=ANNA, headers=other)
        assert answer.status == 200


@pytest.mark.parametrize("email", ["", "anna", "a@x.org\r\nBcc: b@x.org", "\x00@x.org"])
async def test_what_is_no_address_is_said(service: Service, email: str) -> None:
    async with a_desk(service) as desk:
        answer = await desk.submit("/signin", "/signin", email=email)
        assert answer.status == 422
        assert 'aria-invalid="true"' in answer.text
    assert mails(service) == []


async def test_it_goes_by_real_mail(settings: Settings, tmp_path: Path) -> None:
    box = tmp_path / "box"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(Mailbox(box), hostname="127.0.0.1", port=port)
    server.start()
    try:
        url = f"smtp://127.0.0.1:{port}/?from=freiplatz@example.org"
        async with served(replace(settings, smtp_url=url)) as service:
            await a_person(service)
            async with a_desk(service) as desk:
                await desk.submit("/signin", "/signin", email=ANNA)
                await until(lambda: len(list((box / "new").glob("*"))) == 1)
        (sent,) = (box / "new").glob("*")
        assert b"/signin/" in sent.read_bytes()
    finally:
        server.stop()


async def test_the_log_names_no_link_and_nobody(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    await a_person(service)
    pool = service.state.deployment.pool
    async with a_desk(service) as desk:
        await pool.execute("ALTER TABLE signin RENAME TO gone")
        await desk.submit("/signin", "/signin", email=ANNA)
        await until(lambda: not service_tasks(service))
        secret = "s" * 43
        assert (await desk.get(f"/signin/{secret}")).status == 500
    written = "".join(capfd.readouterr())
    assert "could not be made" in written
    assert "/signin/&lt;token&gt;" in written or "/signin/<token>" in written
    assert secret not in written
    assert ANNA not in written
