"""Secrets of people and programs: where they are kept, what those learn who lack them, and whose
session one is in."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Service
from tests.web.staff import ANNA, a_desk, a_person, link_in, mail_number, sign_in
from vacancies.database import Pool

UNKNOWN = "nobody@example.org"


async def whole_database(pool: Pool) -> str:
    """Every row of every table, as text; bytes in hexadecimal."""
    tables = await pool.fetch(
        "SELECT quote_ident(relname) FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace = 'public'::regnamespace"
    )
    rows = [
        row[0] for (table,) in tables for row in await pool.fetch(f"SELECT t::text FROM {table} t")
    ]
    return "\n".join(rows)


def stands_in(secret: str, text: str) -> bool:
    return secret in text or secret.encode().hex() in text


async def test_a_key_is_kept_as_hash_and_beginning_and_in_no_log(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    await service.put_home("a")
    key = await service.key()
    bad = key[:-4] + "0000"
    for used in (key, bad):
        for method, path, body in (
            ("PUT", "/api/v1/homes/a/vacancies", {"vacancies": []}),
            ("PUT", "/api/v1/homes/a/vacancies", {"vacancies": "x"}),
            ("POST", "/api/v1/homes/nowhere/vacancies/confirm", None),
            ("POST", "/api/v1/reports", {"reports": []}),
            ("GET", f"/api/v1/homes/{used}", None),
            ("GET", f"/?place={used}", None),
        ):
            headers = {"Authorization": f"Bearer {used}"}
            async with service.client.request(
                method, service.url + path, json=body, headers=headers
            ) as answer:
                assert answer.status < 500
    # A fault in the middle of a call is logged with its place, and not with what was sent.
    await service.state.deployment.pool.execute("ALTER TABLE api_key RENAME COLUMN hash TO gone")
    status, _, _ = await service.call("POST", "/api/v1/reports", {"reports": []}, key=key)
    assert status == 500
    said = "".join(capfd.readouterr())
    assert "unexpected error" in said
    stored = await whole_database(service.state.deployment.pool)
    assert key[:8] in stored
    for secret in (key, bad, key[9:]):
        assert not stands_in(secret, said)
        assert not stands_in(secret, stored)


async def test_links_and_cookies_are_kept_as_hashes(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await desk.submit("/signin", "/signin", email=ANNA)
        token = link_in(await mail_number(service, 1)).partition("?")[0].rpartition("/")[2]
        pool = service.state.deployment.pool
        assert not stands_in(token, await whole_database(pool))
        await desk.submit(f"/signin/{token}", f"/signin/{token}")
        cookies = [cookie.value for cookie in desk.client.cookie_jar]
        assert [value for value in cookies if len(value) > 40]
        stored = await whole_database(pool)
        assert not [value for value in cookies if value and stands_in(value, stored)]


async def test_nobody_is_put_into_the_session_of_another(service: Service) -> None:
    """Whatever cookie somebody has planted beforehand, signing in makes a new one; the planted one
    opens nothing."""
    planted = "p" * 43
    await a_person(service)
    async with a_desk(service) as desk, a_desk(service) as thief:
        for browser in (desk, thief):
            browser.client.cookie_jar.update_cookies({"freiplatz": planted})
        await sign_in(service, desk)
        now = {cookie.key: cookie.value for cookie in desk.client.cookie_jar}
        assert now["freiplatz"] != planted
        assert (await desk.get("/account")).status == 200
        assert (await thief.get("/account")).status == 303


async def test_who_signs_in_again_leaves_no_session_behind(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        first = [cookie.value for cookie in desk.client.cookie_jar if cookie.key == "freiplatz"]
        await desk.submit("/account", "/signout")
        await sign_in(service, desk)
        count = await service.state.deployment.pool.fetchval("SELECT count(*) FROM staff_session")
        assert count == 1
        async with a_desk(service) as thief:
            thief.client.cookie_jar.update_cookies({"freiplatz": first[0]})
            assert (await thief.get("/account")).status == 303


def without_what_differs(text: str) -> str:
    """A page without tokens of forms and the address that was entered."""
    return re.sub(r"[0-9a-f]{64}", "", text).replace(ANNA, "").replace(UNKNOWN, "")


async def test_no_answer_tells_who_reports_here(service: Service) -> None:
    """The same page and headers for who is known and who is not. The time is the same too, since
    nothing is looked up before the answer: it comes while nobody can read who there is."""
    await a_person(service)
    answers = []
    async with a_desk(service) as known, a_desk(service) as unknown:
        tokens = [(await desk.get("/signin")).token for desk in (known, unknown)]
        async with service.state.deployment.pool.acquire() as connection, connection.transaction():
            await connection.execute("LOCK TABLE staff, signin, membership")
            for desk, token, email in zip((known, unknown), tokens, (ANNA, UNKNOWN), strict=True):
                answer = await desk.post("/signin", token=token, email=email)
                headers = sorted(set(answer.headers) - {"Date"})
                answers.append((answer.status, headers, without_what_differs(answer.text)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 200


async def test_unknown_expired_and_revoked_keys_are_refused_in_the_same_words(
    service: Service,
) -> None:
    await service.put_home("a")
    pool = service.state.deployment.pool
    key = await service.key()
    said = []
    for used, change in (
        ("fp_" + "x" * 43, ""),
        (key, "UPDATE api_key SET expires_at = now()"),
        (key, "UPDATE api_key SET expires_at = NULL, revoked_at = now()"),
        ("", ""),
        ("x" * 5000, ""),
    ):
        if change:
            await pool.execute(change)
        said.append(await service.call("POST", "/api/v1/reports", {"reports": []}, key=used))
    assert {status for status, _, _ in said} == {401}
    assert len({str(body) for _, body, _ in said}) == 1
