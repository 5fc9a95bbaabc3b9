"""`freiplatz staff` as it is called."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Service
from tests.web.staff import BERT, Answer, a_desk, link_in, mail_number, sign_in
from web.__main__ import main


@pytest.fixture
def _here(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = service.state.settings
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("FREIPLATZ_PORT", service.url.rpartition(":")[2])


async def staff(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["staff", *arguments])


@pytest.mark.usefixtures("_here")
async def test_from_entering_to_forgetting(service: Service) -> None:
    await service.put_home("a")
    added = await staff("add", BERT.upper(), "--provider", "caritas-musterstadt", "--home", "a")
    assert added.exit_code == 0, added.output
    assert "Haus a" in added.stdout
    (entry,) = json.loads((await staff("list", "--json")).stdout)
    assert (entry["email"], entry["role"], entry["home"]) == (BERT, "home_staff", "a")
    assert BERT in (await staff("list")).stdout
    async with a_desk(service) as desk:
        await sign_in(service, desk, BERT)
        sessions = json.loads((await staff("sessions", BERT, "--json")).stdout)
        assert len(sessions) == 1
        assert "1 session(s) ended" in (await staff("revoke", BERT)).stdout
        assert (await desk.get("/account")).status == 303
        await sign_in(service, desk, BERT)
        gone = await staff("remove", BERT, "--provider", "caritas-musterstadt", "--home", "a")
        assert gone.exit_code == 0, gone.output
        assert (await desk.get("/homes/a/trail")).status == 403
        assert (await staff("remove", BERT)).exit_code == 0
        assert (await desk.get("/account")).status == 303
    assert json.loads((await staff("list", "--json")).stdout) == []


@pytest.mark.usefixtures("_here")
async def test_an_invitation_counts_once_it_is_accepted(service: Service) -> None:
    await service.put_home("a")
    done = await staff("add", BERT, "--provider", "caritas-musterstadt", "--invite")
    assert done.exit_code == 0, done.output
    assert json.loads((await staff("list", "--json")).stdout) == []
    mail = await mail_number(service, 1)
    assert service.url in mail.get_content()
    async with a_desk(service) as desk:
        accepted: Answer = await desk.submit(link_in(mail), link_in(mail))
        assert accepted.status == 303
    (entry,) = json.loads((await staff("list", "--json")).stdout)
    assert entry["role"] == "provider_admin"


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "nobody", "--provider", "caritas-musterstadt"),
        ("add", BERT, "--provider", "unknown"),
        ("add", BERT, "--provider", "caritas-musterstadt", "--home", "unknown"),
        ("remove", BERT),
        ("remove", BERT, "--home", "a"),
        ("sessions", BERT),
        ("revoke", BERT),
    ],
)
async def test_what_cannot_be_done_is_said(service: Service, arguments: tuple[str, ...]) -> None:
    await service.put_home("a")
    result = await staff(*arguments)
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert "Error: " in result.output
    assert await service.state.deployment.pool.fetchval("SELECT count(*) FROM staff") == 0
