"""A person's own page over HTTP: sessions, name, language; and no cookie for readers."""

from __future__ import annotations

import re

from providers.sessions import hash_secret
from providers.staff import ensure_membership
from tests.conftest import Service
from tests.web.staff import (
    ANNA,
    BERT,
    a_desk,
    a_person,
    link_in,
    mail_number,
    sign_in,
)


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


async def test_reminders_are_switched_off_for_what_is_not_ticked(service: Service) -> None:
    await service.put_home("a", name="Haus Anna")
    await service.put_home("b", name="Haus Berta")
    pool = service.state.deployment.pool
    anna = await a_person(service, home="a")
    provider_id = await pool.fetchval("SELECT provider_id FROM care_home WHERE id = 'a'")
    second = await ensure_membership(pool, anna.id, provider_id, "b")
    await a_person(service, BERT, home="a")
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        account = await desk.get("/account")
        assert account.text.count('name="remind"') == account.text.count(" checked") == 2
        await desk.submit("/account", "/account/reminders", remind=str(second))
        account = await desk.get("/account")
        assert account.text.count(" checked") == 1
        # Numbers of others and nonsense change nothing of others.
        await desk.submit("/account", "/account/reminders", remind="x")
    rows = await pool.fetch(
        "SELECT f.email, m.home_id, m.wants_reminders FROM membership m"
        " JOIN staff f ON f.id = m.staff_id ORDER BY 1, 2"
    )
    assert [(row["home_id"], row["wants_reminders"]) for row in rows if row["email"] == ANNA] == [
        ("a", False),
        ("b", False),
    ]
    assert [row["wants_reminders"] for row in rows if row["email"] == BERT] == [True]
