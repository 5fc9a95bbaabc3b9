"""Signing in over HTTP: a link is good once, in time, in one browser; and leads nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from providers.sessions import start_session
from tests.conftest import Service, served
from tests.web.staff import (
    ANNA,
    a_desk,
    a_person,
    link_in,
    mail_number,
)
from vacancies.config import Settings


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
        assert (redeemed.status, redeemed.headers["Location"]) == (303, "/report/home/a")
        (cookie,) = [c for c in redeemed.cookies if c.startswith("freiplatz=")]
        for attribute in ("HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=2592000"):
            assert attribute in cookie
        assert "Secure" not in cookie  # http within this machine
        account = await desk.get("/account")
        assert account.status == 200
        assert ANNA in account.text
        assert "Haus a" in account.text
        assert account.headers["Cache-Control"] == "no-store, no-transform"
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


async def test_the_address_of_a_link_goes_nowhere(service: Service) -> None:
    """Not to our own log as the referrer of what the page asks for, nor into a list; but the
    form may say from where it comes, as it could not with `no-referrer`."""
    await a_person(service)
    async with a_desk(service) as desk:
        await desk.submit("/signin", "/signin", email=ANNA)
        path = link_in(await mail_number(service, 1))
        for page in (await desk.get(path), await desk.get("/signin/unknown")):
            assert page.headers["Referrer-Policy"] == "strict-origin"
            assert page.headers["X-Robots-Tag"] == "noindex"
            assert page.headers["Cache-Control"] == "no-store, no-transform"


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


async def test_a_passkey_that_is_none_is_refused(service: Service) -> None:
    async with a_desk(service) as desk:
        desk.url = desk.url.replace("127.0.0.1", "localhost")
        token = (await desk.get("/signin")).token
        bodies: tuple[object, ...] = ({}, {"id": "x"}, [], "x")
        for body in bodies:
            answer = await desk.send_json("/signin/passkey", body, X_CSRF_Token=token)
            assert answer.status == 403
            assert json.loads(answer.text)["code"] == "passkey_refused"
