"""Admins choose who reports, over HTTP; the trail says who did."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from providers.links import LinkRefused, make_token, open_token
from providers.signin import MOST_INVITATIONS_A_DAY
from providers.staff import select_memberships, select_staff, update_staff
from tests.conftest import Service
from tests.web.staff import (
    BERT,
    PROVIDER,
    Answer,
    Desk,
    a_desk,
    a_person,
    link_in,
    mail_number,
    mails,
    sign_in,
)
from vacancies.commands import Amend, Confirm, Report
from vacancies.models import AdmissionStop, CareForm, StopReason, Vacancy, WaitingList


async def invite(desk: Desk, email: str, home: str) -> Answer:
    return await desk.submit(
        "/people", f"/people/invite?provider={PROVIDER}", email=email, home=home
    )


async def test_an_invitation_from_end_to_end(service: Service) -> None:
    anna = await a_person(service)
    await service.put_home("a")
    await update_staff(service.state.deployment.pool, anna.id, name="Anna Muster", language="de")
    async with a_desk(service) as desk, a_desk(service) as his:
        await sign_in(service, desk)
        assert (await invite(desk, BERT, "home:a")).status == 303
        mail = await mail_number(service, 2)
        assert mail["To"] == BERT
        assert "Haus a" in mail["Subject"]
        assert "Anna Muster" in mail.get_content()
        assert BERT in (await desk.get("/people")).text
        path = link_in(mail)
        offer = await his.get(path)  # in a browser that never asked
        assert "Haus a" in offer.text
        assert BERT in offer.text
        accepted = await his.post(path, token=offer.token)
        assert accepted.status == 303
        assert "Haus a" in (await his.get("/account")).text
        refused = await his.get("/people")
        assert refused.status == 403, "home staff invite nobody"
        assert refused.headers["Cache-Control"] == "no-store, no-transform"
        assert "Withdraw" not in (await desk.get("/people?lang=en")).text


async def test_an_admin_can_be_invited_but_not_by_leaving_a_field_out(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk, a_desk(service) as his:
        await sign_in(service, desk)
        for home in ("", "home:", "home:elsewhere", "ALL"):
            assert (await invite(desk, BERT, home)).status == 403
        assert (await invite(desk, BERT, "all")).status == 303
        path = link_in(await mail_number(service, 2))
        await his.submit(path, path)
        assert (await his.get("/people")).status == 200


async def test_an_invitation_of_somebody_who_is_known_opens_no_account(service: Service) -> None:
    """Whoever found it would else be signed in with all that the person could do before."""
    await a_person(service)
    await a_person(service, BERT, home="a")
    await service.put_home("b")
    async with a_desk(service) as desk, a_desk(service) as finder, a_desk(service) as his:
        await sign_in(service, desk)
        await invite(desk, BERT, "home:b")
        path = link_in(await mail_number(service, 2))
        accepted = await finder.submit(path, path)
        assert (accepted.status, accepted.headers["Location"]) == (303, "/signin?next=%2Faccount")
        assert (await finder.get("/account")).status == 303
        await sign_in(service, his, BERT)
        assert "Haus b" in (await his.get("/account")).text
        await invite(desk, BERT, "all")
        path = link_in(await mail_number(service, 4))
        accepted = await his.submit(path, path)
        assert accepted.status == 303
        assert (await his.get("/people")).status == 200, "who is signed in stays so"


async def test_a_withdrawn_invitation_is_void(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk, a_desk(service) as his:
        await sign_in(service, desk)
        await invite(desk, BERT, "all")
        page = await desk.get("/people")
        (path,) = re.findall(r'action="(/people/invitations/[^"]+)"', page.text)
        assert (await desk.post(path, token=page.token)).status == 303
        assert (await his.get(link_in(await mail_number(service, 2)))).status == 410


async def test_too_many_invitations_are_said(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        answers = [await invite(desk, BERT, "all") for _ in range(MOST_INVITATIONS_A_DAY + 1)]
        assert [answer.status for answer in answers] == [303] * MOST_INVITATIONS_A_DAY + [429]
        wrong = await invite(desk, "nobody", "all")
        assert wrong.status == 422
        assert 'value="nobody"' in wrong.text
    assert len(mails(service)) == 1 + MOST_INVITATIONS_A_DAY


async def test_who_is_removed_is_out_at_once(service: Service) -> None:
    await a_person(service)
    bert = await a_person(service, BERT, home="a")
    pool = service.state.deployment.pool
    (membership,) = await select_memberships(pool, bert.id)
    secret = service.state.settings.secret_key
    link = make_token(secret, membership.id, "a", datetime.now(UTC))
    async with a_desk(service) as desk, a_desk(service) as his:
        await sign_in(service, desk)
        await sign_in(service, his, BERT)
        assert (await his.get("/homes/a/trail")).status == 200
        token = (await desk.get("/people")).token
        await open_token(pool, secret, link, datetime.now(UTC))
        assert (await desk.post(f"/people/{membership.id}/links", token=token)).status == 303
        with pytest.raises(LinkRefused):
            await open_token(pool, secret, link, datetime.now(UTC))
        assert (await his.get("/homes/a/trail")).status == 200, "links only"
        assert (await desk.post(f"/people/{membership.id}/remove", token=token)).status == 303
        assert (await his.get("/homes/a/trail")).status == 303, "signed out: nothing is left"


async def test_the_last_admin_stays(service: Service) -> None:
    anna = await a_person(service)
    pool = service.state.deployment.pool
    (membership,) = await select_memberships(pool, anna.id)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        token = (await desk.get("/people")).token
        answer = await desk.post(f"/people/{membership.id}/remove", token=token)
        assert answer.status == 409
        assert (await desk.get("/people")).status == 200


async def test_nobody_reaches_into_another_provider(service: Service) -> None:
    await a_person(service)
    await a_person(service, BERT, home="a")
    await service.put_home("z", "awo-nord")
    pool = service.state.deployment.pool
    stranger = await a_person(service, "cora@example.org")
    other = await pool.fetchval("SELECT id FROM provider WHERE slug = 'awo-nord'")
    await pool.execute(
        "UPDATE membership SET provider_id = $1 WHERE staff_id = $2", other, stranger.id
    )
    bert = await select_staff(pool, BERT)
    assert bert is not None
    (membership,) = await select_memberships(pool, bert.id)
    async with a_desk(service) as hers:
        await sign_in(service, hers, "cora@example.org")
        page = await hers.get("/people")
        assert BERT not in page.text
        assert "Haus z" in page.text
        for act in ("remove", "links"):
            for number in (str(membership.id), "9" * 30, "-1", "x"):
                answer = await hers.post(f"/people/{number}/{act}", token=page.token)
                assert answer.status == 404
        assert (await hers.get(f"/people?provider={PROVIDER}")).status == 403
        for provider, home in ((PROVIDER, "all"), (PROVIDER, "home:a"), ("awo-nord", "home:a")):
            answer = await hers.post(
                f"/people/invite?provider={provider}", token=page.token, email=BERT, home=home
            )
            assert answer.status == 403
        for home in ("a", "nowhere"):
            assert (await hers.get(f"/homes/{home}/trail")).status == 403
        assert (await hers.get("/homes/z/trail")).status == 200
    assert len(await select_memberships(pool, bert.id)) == 1


async def test_the_trail_says_who_what_and_by_which_way(service: Service) -> None:
    bert = await a_person(service, BERT, home="a")
    pool, writer = service.state.deployment.pool, service.state.deployment.writer
    await update_staff(pool, bert.id, name="<Bert>", language="de")
    (membership,) = await select_memberships(pool, bert.id)
    line = Vacancy(care_form=CareForm.SHORT_TERM, count=2, note="<b>Balkon</b>")
    stop = AdmissionStop(reason=StopReason.STAFF)
    by_link, by_page = membership.actor("link"), membership.actor("page")
    await service.report("a", {"count": 1})
    for command in (
        Report(home_id="a", vacancies=(line,), actor=by_link),
        Confirm(home_id="a", actor=by_page),
        Amend(home_id="a", changes={"admission_stop": stop}, actor=by_page),
        Amend(home_id="a", changes={"waiting_list": WaitingList.OPEN}, actor=by_page),
        Report(home_id="a", vacancies=()),
    ):
        settled = await writer.submit([command])
        assert settled.outcomes[0].error is None
    async with a_desk(service) as desk:
        await sign_in(service, desk, BERT)
        page = await desk.get("/homes/a/trail?lang=en")
    entries = [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", entry))
        for entry in re.findall(r'<p class="trail-when">(.*?)</div>', page.text, re.DOTALL)
    ]
    for entry, words in zip(
        entries,
        (
            ("No free place", "by the operator"),
            ("Waiting list open", "on the page"),
            ("No admissions: too few staff", "&lt;Bert&gt;"),
            ("Still so", "on the page"),
            ("2 free · short-term care · from now · &lt;b&gt;Balkon", "by a link"),
            ("1 free · long-term care", "fp_", "by the care software"),
        ),
        strict=True,
    ):
        for word in words:
            assert word in entry, entry


async def test_the_trail_has_pages(service: Service) -> None:
    await a_person(service, BERT, home="a")
    for count in range(120):
        await service.report("a", {"count": count})
    async with a_desk(service) as desk:
        await sign_in(service, desk, BERT)
        path, seen = "/homes/a/trail?lang=en", []
        while path:
            page = await desk.get(path)
            seen += [int(n) for n in re.findall(r"<li[^>]*>(\d+) free ·", page.text)]
            seen += [0] * page.text.count("No free place<")
            found = re.search(r'href="([^"]*before=\d+[^"]*)"><span', page.text)
            path = found[1].replace("&amp;", "&") if found else ""
        for odd in ("x", "-1", "9" * 30, "0", "1 OR 1=1"):
            assert (await desk.get(f"/homes/a/trail?before={odd}")).status == 200
    assert seen == list(range(119, -1, -1))
