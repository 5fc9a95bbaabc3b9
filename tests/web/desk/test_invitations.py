"""A desk invites its homes by mail: whom, once, what is told of it, and taking it back."""

from __future__ import annotations

import asyncio
import re
from email.message import EmailMessage

import pytest

from providers.home_invitations import MOST_TRIES, claim_waiting
from providers.post import FileSender, PostRefused
from providers.signin import MOST_INVITATIONS_A_DAY, MOST_INVITATIONS_FOR_HOME_A_DAY
from providers.staff import (
    delete_staff,
    ensure_membership,
    ensure_staff,
    select_memberships,
    select_staff,
)
from tests.waiting import until
from tests.web.desk.verbund import DISTRICT, OTHER, TOWN, Verbund
from tests.web.staff import Answer, Desk, a_desk, link_in, mails
from vacancies.actors import Actor
from vacancies.commands import Report
from vacancies.database import Pool
from vacancies.models import Standing
from vacancies.provider import ensure_provider
from vacancies.rulings import Rate
from web.desk.inviter import Inviter

PAGE = f"/desk/{TOWN}/invitations"
MAIL = f"{PAGE}/mail"
CLERK = "open@town.example"


async def homes(verbund: Verbund, *names: str, email: str | None = None, **more: object) -> None:
    """Open homes in `TOWN`, each with an address of its own."""
    for name in names:
        contact = {"email": email or f"{name}@homes.example"} if email != "" else {}
        await verbund.service.put_home(
            name, "awo", municipality=TOWN, name=f"Haus {name}", contact=contact, **more
        )


async def settled(pool: Pool) -> None:
    """Once nothing waits to be sent."""

    async def is_done() -> bool:
        waiting = "sent_at IS NULL AND failure IS NULL"
        return not await pool.fetchval(f"SELECT count(*) FROM home_invitation WHERE {waiting}")

    await until(is_done)


async def ask(desk: Desk, which: str, *chosen: str, page: str = PAGE) -> Answer:
    """Press a button of the page; `chosen` are ticked."""
    opened = await desk.get(page)
    found = re.search(r'name="seen" value="(\d+)"', opened.text)
    assert found is not None
    fields = {"which": which, "seen": found[1], "form_token": opened.token}
    pairs = [*fields.items(), *(("home", each) for each in chosen)]
    return await desk._ask(
        "POST", f"{page}/mail", headers={"Origin": desk.url, "Accept": "text/html"}, data=pairs
    )


def to(sent: list[EmailMessage]) -> list[str]:
    return sorted(str(mail["To"]) for mail in sent)


async def test_all_are_asked_by_one_click_and_once(verbund: Verbund) -> None:
    await homes(verbund, "a", "b")
    await homes(verbund, "mute", email="")
    async with verbund.browser(CLERK) as desk:
        before = len(mails(verbund.service))
        opened = await desk.get(PAGE)
        assert "Haus mute" in opened.text
        assert "Haus Gütersloh" not in opened.text, "somebody reports for it"
        assert "Haus Halle" not in opened.text, "it is another municipality's"
        seen = re.search(r'name="seen" value="(\d+)"', opened.text)
        assert seen is not None
        answers = await asyncio.gather(
            *(desk.post(MAIL, token=opened.token, which="all", seen=seen[1]) for _ in range(3))
        )
        assert {answer.status for answer in answers} == {303}
        await settled(verbund.pool)
        # The same form once more, when all was sent.
        again = await desk.post(MAIL, token=opened.token, which="all", seen=seen[1])
        assert "asked=0" in again.headers["Location"]
        await settled(verbund.pool)
        sent = mails(verbund.service)[before:]
        assert to(sent) == ["a@homes.example", "b@homes.example"]
        assert "Gütersloh" in sent[0].get_content()
        page = (await desk.get(PAGE)).text
        assert "a@homes.example" in page
        trail = (await desk.get(f"/desk/{TOWN}/trail")).text
        assert len(re.findall("<p>[^<]+: 2</p>", trail)) == 1


async def test_the_invitation_makes_somebody_report(verbund: Verbund) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        await ask(desk, "chosen", "a")
        await settled(verbund.pool)
        address = link_in(mails(verbund.service)[-1])
        async with a_desk(verbund.service) as carer:
            redeemed = await carer.submit(address, address.partition("?")[0])
            assert redeemed.headers["Location"].startswith("/report/home/a")
            page = await desk.get(PAGE)
            assert 'value="a"' not in page.text, "nobody needs to be asked for it any more"
            found = re.search(rf'action="({PAGE}/\d+/withdraw)', page.text)
            assert found is not None
            removed = await desk.post(found[1], token=page.token)
            assert removed.status == 303
            assert (await carer.get("/report/home/a")).status != 200
        assert (await desk.post(found[1], token=page.token)).status == 404
        assert "a@homes.example" in (await desk.get(f"/desk/{TOWN}/trail")).text


async def test_a_withdrawn_invitation_opens_nothing(verbund: Verbund) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        await ask(desk, "all")
        await settled(verbund.pool)
        page = await desk.get(PAGE)
        found = re.search(rf'action="({PAGE}/\d+/withdraw)', page.text)
        assert found is not None
        await desk.post(found[1], token=page.token)
        async with a_desk(verbund.service) as carer:
            assert (await carer.get(link_in(mails(verbund.service)[-1]))).status == 410


async def test_it_ends_when_who_invited_works_there_no_more(verbund: Verbund) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        await ask(desk, "all")
        await settled(verbund.pool)
    address = link_in(mails(verbund.service)[-1])
    async with a_desk(verbund.service) as carer:
        assert (await carer.get(address)).status == 200
        await verbund.pool.execute("DELETE FROM municipality_member WHERE municipality = $1", TOWN)
        assert (await carer.get(address)).status == 410


async def test_a_desk_does_not_invite_for_homes_of_others(verbund: Verbund) -> None:
    await homes(verbund, "a")
    await verbund.join(DISTRICT, "Kreis Gütersloh")
    await verbund.appoint("boss@district.example", DISTRICT)
    await verbund.service.put_home(
        "nobodys", "awo", municipality="05754044", contact={"email": "n@x.de"}
    )
    async with verbund.browser("boss@district.example") as desk:
        await ask(
            desk, "chosen", "a", "other-home", "nobodys", page=f"/desk/{DISTRICT}/invitations"
        )
        await settled(verbund.pool)
    assert [
        row["home_id"] for row in await verbund.pool.fetch("SELECT * FROM home_invitation")
    ] == ["nobodys"]
    # An invitation by somebody at the desk around it is good only while the town takes no part.
    address = link_in(mails(verbund.service)[-1])
    async with a_desk(verbund.service) as carer:
        assert (await carer.get(address)).status == 200
        await verbund.join("05754044", "Versmold")
        assert (await carer.get(address)).status == 410


async def test_homes_with_one_address_come_in_one_mail(verbund: Verbund) -> None:
    names = [f"h{number}" for number in range(MOST_INVITATIONS_A_DAY + 2)]
    await homes(verbund, *names, email="office@awo.example")
    async with verbund.browser(CLERK) as desk:
        before = len(mails(verbund.service))
        await ask(desk, "all")
        await settled(verbund.pool)
        (mail,) = mails(verbund.service)[before:]
        assert len(re.findall("/signin/", mail.get_content())) == len(names)


async def test_a_desk_asks_more_homes_than_a_provider_may(verbund: Verbund) -> None:
    """120, as many a district has; each once, and the request does not wait for that."""
    await homes(verbund, *(f"h{number}" for number in range(120)))
    async with verbund.browser(CLERK) as desk:
        before = len(mails(verbund.service))
        answer = await ask(desk, "all")
        assert "asked=120" in answer.headers["Location"]
        await settled(verbund.pool)
    sent = to(mails(verbund.service)[before:])
    assert len(sent) == len(set(sent)) == 120


async def test_mailboxes_and_homes_are_spared(verbund: Verbund) -> None:
    await homes(verbund, "a", email="one@homes.example")
    async with verbund.browser(CLERK) as desk:
        for _ in range(MOST_INVITATIONS_A_DAY + 1):
            await ask(desk, "chosen", "a")
            await settled(verbund.pool)
        assert await failures(verbund.pool) == ["often"]
        assert "one@homes.example" in (page := (await desk.get(PAGE)).text)
        assert "morgen" in page or "tomorrow" in page
        # Other addresses for the same home: up to its own limit.
        for number in range(MOST_INVITATIONS_FOR_HOME_A_DAY):
            await homes(verbund, "a", email=f"n{number}@homes.example")
            await ask(desk, "chosen", "a")
            await settled(verbund.pool)
    sent = "SELECT count(*) FROM home_invitation WHERE sent_at IS NOT NULL"
    assert await verbund.pool.fetchval(sent) == MOST_INVITATIONS_FOR_HOME_A_DAY


async def failures(pool: Pool) -> list[str]:
    rows = await pool.fetch("SELECT failure FROM home_invitation WHERE failure IS NOT NULL")
    return [row["failure"] for row in rows]


async def test_what_is_no_address_is_said(verbund: Verbund) -> None:
    await homes(verbund, "a")
    await verbund.pool.execute("UPDATE care_home SET email = 'nobody' WHERE id = 'a'")
    async with verbund.browser(CLERK) as desk:
        await ask(desk, "all")
        await settled(verbund.pool)
        assert await failures(verbund.pool) == ["address"]


class Refusing(FileSender):
    """Refuses the first `times` mails."""

    def __init__(self, times: int, *, is_final: bool = False) -> None:
        self.times, self.is_final, self.taken = times, is_final, 0

    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        if self.times > 0:
            self.times -= 1
            raise PostRefused("No.", is_final=self.is_final)
        self.taken += 1


async def wait(verbund: Verbund, home: str = "a") -> None:
    """Enter an invitation behind the back of the service, which has none of its own to send."""
    await verbund.service.state.deployment.pool.execute(
        "INSERT INTO home_invitation (home_id, municipality, email, invited_by, claimed_until)"
        " SELECT $1, $2, $1 || '@homes.example', w.staff_id, 'infinity' FROM municipality_member w"
        " WHERE w.municipality = $2",
        home,
        TOWN,
    )


async def try_once(verbund: Verbund, sender: Refusing) -> None:
    inviter = Inviter(verbund.pool, sender, verbund.service.state.settings)
    async with verbund.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE home_invitation SET claimed_until = NULL")
        claimed = await claim_waiting(connection)
    await inviter._send(claimed)


async def test_a_mail_server_that_is_away_is_tried_again_and_nothing_counts(
    verbund: Verbund,
) -> None:
    await homes(verbund, "a")
    await wait(verbund)
    sender = Refusing(MOST_TRIES - 1)
    for _ in range(MOST_TRIES):
        await try_once(verbund, sender)
    assert sender.taken == 1
    assert await verbund.pool.fetchval("SELECT sent_at IS NOT NULL FROM home_invitation")
    of_home = "SELECT count(*) FROM signin WHERE home_id = 'a'"
    assert await verbund.pool.fetchval(of_home) == 1, "links that nobody has got are gone"


@pytest.mark.parametrize(
    ("times", "is_final", "failure"), [(1, True, "refused"), (6, False, "away")]
)
async def test_in_the_end_it_is_said(
    verbund: Verbund, times: int, is_final: bool, failure: str
) -> None:
    await homes(verbund, "a")
    await wait(verbund)
    sender = Refusing(times, is_final=is_final)
    for _ in range(times):
        await try_once(verbund, sender)
    assert await failures(verbund.pool) == [failure]


async def test_who_is_gone_invites_nobody(verbund: Verbund) -> None:
    await homes(verbund, "a")
    await wait(verbund)
    await verbund.pool.execute("DELETE FROM municipality_member WHERE municipality = $1", TOWN)
    await try_once(verbund, sender := Refusing(0))
    assert (sender.taken, await failures(verbund.pool)) == (0, ["void"])


async def test_of_several_processes_one_sends_it(verbund: Verbund) -> None:
    names = [f"h{number}" for number in range(30)]
    await homes(verbund, *names)
    sender = FileSender(verbund.service.state.settings.data_dir / "mail")
    others = [Inviter(verbund.pool, sender, verbund.service.state.settings) for _ in range(2)]
    before = len(mails(verbund.service))
    for name in names:
        await wait(verbund, name)
    await verbund.pool.execute("UPDATE home_invitation SET claimed_until = NULL")
    # The third is that of the service.
    await asyncio.gather(*(other._send_all() for other in others for _ in range(2)))
    await settled(verbund.pool)
    assert to(mails(verbund.service)[before:]) == sorted(f"{each}@homes.example" for each in names)


async def test_a_person_who_is_forgotten_is_forgotten_here_too(verbund: Verbund) -> None:
    await homes(verbund, "a")
    await wait(verbund)
    person = await ensure_staff(verbund.pool, "a@homes.example")
    async with verbund.pool.acquire() as connection:
        await delete_staff(connection, person.id)
    assert await verbund.pool.fetchval("SELECT count(*) FROM home_invitation") == 0


async def test_clerks_invite_too_and_others_do_not(verbund: Verbund) -> None:
    await homes(verbund, "a")
    await verbund.appoint("clerk@town.example", TOWN, "clerk")
    await verbund.appoint("far@town.example", OTHER, "clerk")
    await verbund.service.put_home("far", "awo", municipality=OTHER)
    async with verbund.browser("clerk@town.example") as clerk:
        assert (await ask(clerk, "all")).status == 303
        await settled(verbund.pool)
        assert await select_staff(verbund.pool, "a@homes.example") is None, "not before it accepts"
    async with verbund.browser("far@town.example") as far:
        assert (await far.get(PAGE)).status == 404
        answer = await ask(far, "chosen", "a", page=f"/desk/{OTHER}/invitations")
        assert "asked=0" in answer.headers["Location"]
    assert await verbund.pool.fetchval("SELECT count(*) FROM home_invitation") == 1
    carer = await ensure_staff(verbund.pool, "far@town.example")
    assert await select_memberships(verbund.pool, carer.id) == []


async def test_who_declined_or_reports_through_a_portal_is_not_asked(verbund: Verbund) -> None:
    await homes(verbund, "declined", "through", "asked")
    rate = Rate(home_id="declined", standing=Standing.DECLINED)
    report = Report(
        home_id="through", vacancies=(), actor=Actor(via="portal", portal="other.example")
    )
    for outcome in (await verbund.service.state.deployment.writer.submit([rate, report])).outcomes:
        assert outcome.error is None
    async with verbund.browser(CLERK) as desk:
        page = (await desk.get(PAGE)).text
    assert "Haus asked" in page
    assert "Haus declined" not in page
    assert "Haus through" not in page


async def test_what_a_person_could_do_before_is_not_taken_away(verbund: Verbund) -> None:
    """Somebody who reports already is invited once more, and the invitation is withdrawn."""
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        await ask(desk, "all")
        await settled(verbund.pool)
        carer = await ensure_staff(verbund.pool, "a@homes.example")
        owner = await ensure_provider(verbund.pool, "awo")
        await ensure_membership(verbund.pool, carer.id, owner.id, "a")
        page = await desk.get(PAGE)
        found = re.search(rf'action="({PAGE}/\d+/\w+)', page.text)
        assert found is not None
        assert (await desk.post(found[1], token=page.token)).status == 303
    assert len(await select_memberships(verbund.pool, carer.id)) == 1
