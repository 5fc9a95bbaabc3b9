"""Who works at a desk: the command, invitations, taking leave, the trail."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from tests.web.desk.verbund import OTHER, TOWN, Verbund
from tests.web.staff import a_desk, link_in, mail_number, mails
from web.__main__ import main

CLERK = "clerk@town.example"


@pytest.fixture
def deployed(verbund: Verbund, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = verbund.service.state.settings
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["desk", *arguments])


async def test_the_command(verbund: Verbund, deployed: None) -> None:
    done = await invoke("add", TOWN, " Clerk@Town.Example ", "--role", "clerk", "--name", "Cleo")
    assert f"/desk/{TOWN}" in done.output
    listed = json.loads((await invoke("list", TOWN, "--json")).output)
    assert [(each["email"], each["role"]) for each in listed] == [
        ("open@town.example", "admin"),
        (CLERK, "clerk"),
    ]
    assert (await invoke("remove", TOWN, CLERK)).exit_code == 0
    assert (await invoke("remove", TOWN, CLERK)).exit_code == 1
    assert "last admin" in (await invoke("remove", TOWN, "open@town.example")).output
    assert "takes part" in (await invoke("add", "99999999", CLERK)).output


async def test_an_invitation_opens_the_desk(verbund: Verbund) -> None:
    async with verbund.browser("open@town.example") as admin:
        page, path = f"/desk/{TOWN}/people", f"/desk/{TOWN}/people/invite"
        before = len(mails(verbund.service))
        assert (await admin.submit(page, path, email=CLERK, role="clerk")).status == 303
        mail = await mail_number(verbund.service, before + 1)
        assert mail["To"] == CLERK
        assert "Gütersloh" in mail.get_content()
        assert CLERK in (await admin.get(page)).text
        async with a_desk(verbund.service) as clerk:
            address = link_in(mail)
            assert "Gütersloh" in (await clerk.get(address)).text
            redeemed = await clerk.submit(address, address.partition("?")[0])
            assert redeemed.headers["Location"].startswith("/desk/")
            assert (await clerk.get("/desk/")).headers["Location"] == f"/desk/{TOWN}"
            assert (await clerk.get(f"/desk/{TOWN}")).status == 200
            # A clerk neither sees nor changes who works there.
            assert (await clerk.get(page)).status == 403
            assert "/desk/" in (await clerk.get("/account")).text
            trail = (await clerk.get(f"/desk/{TOWN}/trail")).text
            assert CLERK in trail
            assert "secret" not in trail


async def test_nobody_is_invited_by_a_form_that_lacks_something(verbund: Verbund) -> None:
    async with verbund.browser("open@town.example") as admin:
        page, path = f"/desk/{TOWN}/people", f"/desk/{TOWN}/people/invite"
        assert (await admin.submit(page, path, email=CLERK)).status == 403
        assert (await admin.submit(page, path, email="no address", role="clerk")).status == 422
        assert (await admin.submit(page, f"{page}/invite", email=CLERK, role="boss")).status == 403


async def test_an_invitation_ends_with_whoever_sent_it(verbund: Verbund) -> None:
    await verbund.appoint("second@town.example", TOWN)
    async with verbund.browser("second@town.example") as second:
        page = f"/desk/{TOWN}/people"
        before = len(mails(verbund.service))
        await second.submit(page, f"{page}/invite", email=CLERK, role="admin")
        address = link_in(await mail_number(verbund.service, before + 1))
        async with verbund.browser("open@town.example") as admin:
            removed = await verbund.pool.fetchval(
                "SELECT m.id FROM municipality_member m JOIN staff s ON s.id = m.staff_id"
                " WHERE s.email = 'second@town.example'"
            )
            assert (await admin.submit(page, f"{page}/{removed}/remove")).status == 303
        assert (await second.get(page)).status == 303, "signed out: it was all they had"
        async with a_desk(verbund.service) as clerk:
            answer = await clerk.get(address)
            assert answer.status in (403, 410, 404), answer.status
            assert "/remove" not in answer.text


async def test_a_withdrawn_invitation_opens_nothing(verbund: Verbund) -> None:
    async with verbund.browser("open@town.example") as admin:
        page = f"/desk/{TOWN}/people"
        before = len(mails(verbund.service))
        await admin.submit(page, f"{page}/invite", email=CLERK, role="clerk")
        address = link_in(await mail_number(verbund.service, before + 1))
        await admin.submit(page, f"{page}/invitations/")
        async with a_desk(verbund.service) as clerk:
            assert (await clerk.get(address)).status != 200
    assert await verbund.pool.fetchval("SELECT count(*) FROM municipality_member") == 2


async def test_the_last_admin_stays(verbund: Verbund) -> None:
    async with verbund.browser("open@town.example") as admin:
        page = f"/desk/{TOWN}/people"
        answer = await admin.submit(page, f"{page}/")
        assert answer.status in (403, 409, 422)
        foreign = await verbund.pool.fetchval(
            "SELECT id FROM municipality_member WHERE municipality = $1", OTHER
        )
        token = (await admin.get(page)).token
        assert (await admin.post(f"{page}/{foreign}/remove", token=token)).status == 404
        own = await verbund.pool.fetchval(
            "SELECT id FROM municipality_member WHERE municipality = $1", TOWN
        )
        assert (await admin.post(f"{page}/{own}/remove", token=token)).status == 409
