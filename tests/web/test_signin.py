"""Signing in by mail over HTTP: once, in one browser, and nobody learns who is known."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from providers.sessions import hash_secret, start_session
from providers.signin import MOST_LINKS_AN_HOUR
from tests.conftest import Service, served
from tests.waiting import until
from tests.web.staff import (
    ANNA,
    BERT,
    a_desk,
    a_person,
    link_in,
    mail_number,
    mails,
    sign_in,
)
from vacancies.config import Settings
from web.signin import ASKING


async def test_from_the_address_to_the_account(service: Service) -> None:
    await a_person(service, home="a")
    async with a_desk(service) as desk:
        sent = await desk.submit("/signin", "/signin", email=f" {ANNA.upper()} ")
        assert sent.status == 200
        mail = await mail_number(service, 1)
        assert mail["To"] == ANNA
        assert mail["Auto-Submitted"] == "auto-generated"
        path = link_in(mail)
        redeemed = await desk.submit(path, path)
        assert (redeemed.status, redeemed.headers["Location"]) == (303, "/account")
        (cookie,) = [c for c in redeemed.cookies if c.startswith("freiplatz=")]
        for attribute in ("HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=2592000"):
            assert attribute in cookie
        assert "Secure" not in cookie  # http within this machine
        account = await desk.get("/account")
        assert account.status == 200
        assert ANNA in account.text
        assert "Haus a" in account.text
        assert account.headers["Cache-Control"] == "no-store"
        assert "Content-Encoding" not in account.headers


async def test_behind_https_the_cookie_is_ours_alone(settings: Settings) -> None:
    async with served(replace(settings, public_url="https://freiplatz.example")) as service:
        staff = await a_person(service)
        async with a_desk(service) as desk:
            page = await desk.get("/signin")
            (cookie,) = page.cookies
            assert cookie.startswith("__Host-freiplatz-browser=")
            for attribute in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
                assert attribute in cookie
            assert "Domain" not in cookie
            value = cookie.partition(";")[0]
            headers = {"Cookie": value}
            refused = await desk.post("/signin", token=page.token, email=ANNA, headers=headers)
            assert refused.status == 403, "the address behind the proxy is not our origin"
            origin = "https://freiplatz.example"
            await desk.post("/signin", token=page.token, email=ANNA, headers=headers, origin=origin)
            mail = await mail_number(service, 1)
            assert "\nhttps://freiplatz.example/signin/" in mail.get_content()
            session = await start_session(service.state.deployment.pool, staff.id, "")
            for name, status in (("freiplatz", 303), ("__Host-freiplatz", 200)):
                async with service.client.get(
                    f"{service.url}/account",
                    headers={"Cookie": f"{name}={session}"},
                    allow_redirects=False,
                ) as answer:
                    assert answer.status == status


async def test_without_https_nobody_signs_in_from_elsewhere(settings: Settings) -> None:
    async with served(replace(settings, public_url="http://freiplatz.example")) as service:
        await a_person(service)
        async with a_desk(service) as desk:
            page = await desk.get("/signin")
            assert page.status == 503
            assert "FREIPLATZ_PUBLIC_URL" in page.text
    async with served(settings) as service:
        elsewhere = {"Host": "freiplatz.example"}
        async with service.client.get(f"{service.url}/signin", headers=elsewhere) as answer:
            assert answer.status == 503


async def test_a_link_is_good_once(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await desk.submit("/signin", "/signin", email=ANNA)
        path = link_in(await mail_number(service, 1))
        token = (await desk.get(path)).token
        first, second = [await desk.post(path, token=token) for _ in range(2)]
        assert (first.status, second.status) == (303, 403)  # the form was of another session
        again = await desk.get(path)
        assert again.status == 410
        await desk.submit("/account", "/signout")
        fresh = await desk.get("/signin")
        used = await desk.post(path, token=fresh.token)
        assert used.status == 410
        assert not [c for c in used.cookies if c.startswith("freiplatz=")]
        assert "/signin" in used.text  # the way on


async def test_scanners_open_links_and_change_nothing(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk, a_desk(service) as scanner:
        await desk.submit("/signin", "/signin", email=ANNA)
        path = link_in(await mail_number(service, 1))
        for _ in range(5):
            seen = await scanner.get(path)
            assert seen.status == 410
            assert (await desk.get(path)).status == 200
        async with scanner.client.head(service.url + path) as answer:
            assert answer.status == 410
        stored = await service.state.deployment.pool.fetch("SELECT used_at FROM signin")
        assert [row["used_at"] for row in stored] == [None]
        redeemed = await desk.submit(path, path)
        assert redeemed.status == 303


async def test_another_browser_gets_nowhere(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk, a_desk(service) as other:
        await desk.submit("/signin", "/signin", email=ANNA)
        path = link_in(await mail_number(service, 1))
        page = await other.get("/signin")
        refused = await other.post(path, token=page.token)
        assert refused.status == 410
        assert (await other.get("/account")).status == 303
        assert (await desk.submit(path, path)).status == 303


async def test_an_old_link_is_void(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await desk.submit("/signin", "/signin", email=ANNA)
        path = link_in(await mail_number(service, 1))
        token = (await desk.get(path)).token
        await service.state.deployment.pool.execute(
            "UPDATE signin SET expires_at = expires_at - $1::interval", timedelta(minutes=10)
        )
        for answer in (await desk.get(path), await desk.post(path, token=token)):
            assert answer.status == 410


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


HOSTILE = ("//evil.test", "https://evil.test", "/\\evil.test", "\\\\evil.test", "/\t/evil.test",
           "javascript:alert(1)", "evil.test", "/ /evil.test", "/\n/evil.test", "")  # fmt: skip


async def test_one_comes_back_to_where_one_was(service: Service) -> None:
    await a_person(service, home="a")
    async with a_desk(service) as desk:
        sent = await desk.get("/homes/a/trail?before=7")
        assert sent.status == 303
        assert sent.headers["Location"] == "/signin?next=%2Fhomes%2Fa%2Ftrail%3Fbefore%3D7"
        page = await desk.get(sent.headers["Location"])
        assert 'name="next" value="/homes/a/trail?before=7"' in page.text
        await desk.post("/signin", token=page.token, email=ANNA, next="/homes/a/trail?before=7")
        path = link_in(await mail_number(service, 1))
        offer = await desk.get(path)
        assert 'name="next" value="/homes/a/trail?before=7"' in offer.text
        done = await desk.post(
            path.partition("?")[0], token=offer.token, next="/homes/a/trail?before=7"
        )
        assert done.headers["Location"] == "/homes/a/trail?before=7"


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_nobody_is_sent_elsewhere(service: Service, hostile: str) -> None:
    staff = await a_person(service)
    async with a_desk(service) as desk:
        page = await desk.get("/signin")
        await desk.post("/signin", token=page.token, email=ANNA, next=hostile)
        path = link_in(await mail_number(service, 1))
        assert "next=" not in path
        offer = await desk.get(path)
        done = await desk.post(path, token=offer.token, next=hostile)
        assert done.headers["Location"] == "/account"
        async with desk.client.get(
            f"{service.url}/signin", params={"next": hostile}, allow_redirects=False
        ) as answer:
            assert answer.headers["Location"] == "/account"
    assert staff.id


async def test_a_revoked_session_is_over_at_once(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as lost, a_desk(service) as desk:
        await sign_in(service, lost)
        await sign_in(service, desk)
        account = await desk.get("/account")
        (end,) = re.findall(r'action="(/account/sessions/[0-9a-f]+/end)"', account.text)
        assert (await lost.get("/account")).status == 200
        assert (await desk.post(end, token=account.token)).status == 303
        assert (await lost.get("/account")).status == 303
        assert (await desk.get("/account")).status == 200
        await desk.submit("/account", "/account/sessions/end")
        assert (await desk.get("/account")).status == 303


async def test_nobody_ends_the_session_of_another(service: Service) -> None:
    await a_person(service)
    await a_person(service, BERT)
    async with a_desk(service) as hers, a_desk(service) as his:
        await sign_in(service, hers)
        await sign_in(service, his, BERT)
        session = await service.state.deployment.pool.fetchval(
            "SELECT hash FROM staff_session s JOIN staff f ON f.id = s.staff_id WHERE email = $1",
            ANNA,
        )
        token = (await his.get("/account")).token
        await his.post(f"/account/sessions/{session.hex()}/end", token=token)
        assert (await hers.get("/account")).status == 200
        assert (await his.post("/account/sessions/xyz/end", token=token)).status == 404


async def test_signing_out_takes_the_cookie_away(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        cookie = next(c.value for c in desk.client.cookie_jar if c.key == "freiplatz")
        out = await desk.submit("/account", "/signout")
        assert out.status == 303
        assert any(c.startswith("freiplatz=;") and "Max-Age=0" in c for c in out.cookies)
        found = await service.state.deployment.pool.fetchval(
            "SELECT count(*) FROM staff_session WHERE hash = $1", hash_secret(cookie)
        )
        assert found == 0


async def test_readers_get_no_cookie(service: Service) -> None:
    await service.put_home("a")
    staff = await a_person(service)
    async with a_desk(service) as desk:
        for path in ("/", "/homes/a", "/api/v1/vacancies", "/api/v1/docs", "/nowhere"):
            assert (await desk.get(path)).cookies == []
        await sign_in(service, desk)
        for path in ("/", "/homes/a"):
            assert (await desk.get(path)).cookies == [], staff


async def test_name_and_language_are_kept(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        saved = await desk.submit(
            "/account", "/account", name=" Anna\x00 \u202e<b>Muster</b> ", language="en"
        )
        assert saved.headers["Location"] == "/account?lang=en"
        page = await desk.get("/account?lang=en")
        assert "Anna &lt;b&gt;Muster&lt;/b&gt;" in page.text
        await desk.submit("/account?lang=en", "/account", name="Anna", language="xx")
        await desk.submit("/account?lang=en", "/signout")
        await desk.submit("/signin", "/signin", email=ANNA)
        mail = await mail_number(service, 2)
        assert mail["Subject"] == "Sign in to Freiplatz"
        assert "lang=en" in link_in(mail)


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
