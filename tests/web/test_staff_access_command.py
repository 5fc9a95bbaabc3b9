"""`freiplatz staff`: invitations, and where people are signed in."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Service
from tests.web.staff import BERT, PROVIDER, Answer, a_desk, a_person, link_in, mail_number, sign_in
from tests.web.test_staff_command import invoke


@pytest.fixture(autouse=True)
def _here(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = service.state.settings
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("FREIPLATZ_PORT", service.url.rpartition(":")[2])


async def test_a_lost_phone_and_a_person_who_is_forgotten(service: Service) -> None:
    staff = await a_person(service, BERT, home="a")
    pool = service.state.deployment.pool
    await pool.execute(
        "INSERT INTO passkey (credential_id, staff_id, public_key, sign_count)"
        " VALUES ('\\x01', $1, '', 0)",
        staff.id,
    )
    async with a_desk(service) as desk:
        await sign_in(service, desk, BERT)
        sessions = json.loads((await invoke("sessions", BERT, "--json")).stdout)
        assert len(sessions) == 1
        assert "1 session(s) ended" in (await invoke("revoke", BERT.upper())).stdout
        assert await pool.fetchval("SELECT count(*) FROM passkey") == 0
        assert (await desk.get("/account")).status == 303
        await sign_in(service, desk, BERT)
        assert (await invoke("forget", BERT)).exit_code == 0
        assert (await desk.get("/account")).status == 303
    for table in ("staff", "membership", "staff_session", "signin"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_link_that_lies_in_a_lost_phone_is_dead(service: Service) -> None:
    await a_person(service, BERT, home="a")
    async with a_desk(service) as desk:
        await desk.submit("/signin", "/signin", email=BERT)
        path = link_in(await mail_number(service, 1))
        assert (await desk.get(path)).status == 200
        await invoke("revoke", BERT)
        assert (await desk.get(path)).status == 410


async def test_an_invitation_counts_once_it_is_accepted(service: Service) -> None:
    await service.put_home("a")
    done = await invoke("add", BERT, "--provider", PROVIDER, "--language", "en", "--invite")
    assert done.exit_code == 0, done.output
    assert json.loads((await invoke("list", "--json")).stdout) == []
    mail = await mail_number(service, 1)
    assert service.url in mail.get_content()
    async with a_desk(service) as desk:
        path = link_in(mail)
        accepted: Answer = await desk.submit(path, path.partition("?")[0])
        assert accepted.status == 303
    (entry,) = json.loads((await invoke("list", "--json")).stdout)
    assert entry["home_id"] is None
    assert entry["staff"]["language"] == "en"


@pytest.mark.parametrize("command", ["sessions", "revoke", "forget"])
@pytest.mark.parametrize(("email", "said"), [("nobody", "no address"), (BERT, "Nobody has")])
async def test_who_is_not_known_is_said(command: str, email: str, said: str) -> None:
    result = await invoke(command, email)
    assert result.exit_code == 1
    assert said in result.output
