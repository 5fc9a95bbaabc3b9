"""The report page of people who are signed in, over HTTP and without JavaScript."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from providers.sessions import revoke_sessions
from providers.staff import delete_membership, select_memberships
from tests.conftest import Service, served
from tests.web.carer import carer_of
from tests.web.staff import ANNA, BERT, PROVIDER, Answer, Desk, a_desk, a_person, sign_in
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.homes import select_homes
from vacancies.models import CareForm
from vacancies.reports import select_told

PAGE = "/report/home/a?lang=en"


async def counts(pool: Pool, home: str = "a") -> dict[CareForm, int]:
    (found,) = await select_homes(pool, [home])
    return {line.care_form: line.count for line in found.vacancies}


async def send_json(desk: Desk, token: str | None, path: str = "/report/home/a") -> Answer:
    body = {"vacancies": [{"care_form": "short_term", "count": 3}]}
    proof = {"X_CSRF_Token": token} if token is not None else {}
    return await desk.send_json(path, body, Idempotency_Key="k1", **proof)


async def test_report_confirm_undo(service: Service) -> None:
    staff = await a_person(service, home="a")
    pool = service.state.deployment.pool
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        sent = await desk.submit(PAGE, "/report/home/a", do="report", **{"count.short_term": "2"})
        assert sent.status == 303, sent.text
        assert await counts(pool) == {CareForm.SHORT_TERM: 2}
        (told,) = await select_told(pool, "a", 5)
        assert (told.via, told.staff_id, told.kind) == ("page", staff.id, "report")
        done = await desk.get(sent.headers["Location"])
        assert "Reported at" in done.text
        assert "on the page, signed in" in done.text
        assert done.headers["Cache-Control"] == "no-store, no-transform"
        (revision,) = re.findall(r'name="if_match" value="(\d+)">\s*<button', done.text)
        undone = await desk.submit(PAGE, "/report/home/a", do="undo", if_match=revision)
        assert undone.status == 303
        assert await counts(pool) == {}
        trail = await desk.get("/homes/a/trail?lang=en")
        assert "Taken back. As before:" in trail.text
        await desk.submit(PAGE, "/report/home/a", do="report", more="1", waiting_list="open")
        (home,) = await select_homes(pool, ["a"])
        assert home.profile.waiting_list == "open"


async def test_the_page_of_a_home_is_for_those_who_may(service: Service) -> None:
    await a_person(service, home="a")
    await service.put_home("b")
    await service.put_home("z", "awo-nord")
    pool = service.state.deployment.pool
    async with a_desk(service) as desk:
        stranger = await desk.get(PAGE)
        assert stranger.status == 303
        sign_in_page = "/signin?next=%2Freport%2Fhome%2Fa%3Flang%3Den&lang=en"
        assert stranger.headers["Location"] == sign_in_page
        assert stranger.cookies == []
        await sign_in(service, desk)
        token = (await desk.get(PAGE)).token
        answers = [await desk.get(f"/report/home/{home}") for home in ("b", "z", "nowhere")]
        assert [answer.status for answer in answers] == [403, 403, 403]
        assert len({answer.title for answer in answers}) == 1, "homes that there are not look alike"
        for home in ("b", "z"):
            sent = await desk.post(f"/report/home/{home}", token=token, do="report")
            assert sent.status == 403
            assert (await send_json(desk, token, f"/report/home/{home}")).status == 403
            assert await counts(pool, home) == {}
        await service.put_home("a", status="closed")
        assert (await desk.get(PAGE)).status == 404
        assert (await send_json(desk, token)).status == 404


async def test_only_our_page_reports(service: Service) -> None:
    await a_person(service, home="a")
    pool = service.state.deployment.pool
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        token = (await desk.get(PAGE)).token
        for origin in ("https://evil.test", "null"):
            answer = await desk.post("/report/home/a", token=token, origin=origin, do="report")
            assert answer.status == 403
        for wrong in (None, "0" * 64):
            refused = await send_json(desk, wrong)
            assert (refused.status, json.loads(refused.text)["code"]) == (403, "form_refused")
        assert await counts(pool) == {}
        sent = await send_json(desk, token)
        assert sent.status == 200, sent.text
        assert json.loads((await send_json(desk, token)).text) == json.loads(sent.text)
        assert len(await select_told(pool, "a", 5)) == 1


async def test_who_was_signed_out_keeps_the_numbers(service: Service) -> None:
    staff = await a_person(service, home="a")
    pool = service.state.deployment.pool
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        token = (await desk.get(PAGE)).token
        await revoke_sessions(pool, staff.id)
        refused = await send_json(desk, token)
        assert (refused.status, json.loads(refused.text)["code"]) == (401, "not_signed_in")
        numbers: dict[str, Any] = {
            "count.short_term": "2",
            "count.short_term.2": "1",
            "count.x": "5",
        }
        sent = await desk.post("/report/home/a", token=token, do="report", **numbers)
        assert sent.status == 303
        back = "/signin?next=%2Freport%2Fhome%2Fa%3Fshort_term%3D3"
        assert sent.headers["Location"] == back
        # In a new session the old form is refused, and its numbers are shown again.
        await sign_in(service, desk)
        stale = await desk.post("/report/home/a?lang=en", token=token, do="report", **numbers)
        assert stale.status == 403
        assert "The page was out of date" in stale.text
        assert re.search(r'id="count-short_term"[^>]* value="3"', stale.text)
        assert await counts(pool) == {}


async def test_who_is_removed_reports_no_more(service: Service) -> None:
    staff = await a_person(service, home="a")
    await a_person(service, home="b")
    pool = service.state.deployment.pool
    (first, _) = await select_memberships(pool, staff.id)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        token = (await desk.get(PAGE)).token
        await delete_membership(pool, first.id)
        assert (await send_json(desk, token)).status == 403
        assert (await desk.get("/report/home/b")).status == 200, "still signed in for the other"
        assert await counts(pool) == {}


async def test_several_homes_and_one(service: Service) -> None:
    """With one home one lands on its page; with more on the list, which says how fresh each is."""
    await a_person(service, home="a")
    await a_person(service, BERT, home="a")
    await a_person(service, BERT, home="c")
    await service.put_home("b")
    await service.report("a", {"count": 1})
    async with a_desk(service) as hers, a_desk(service) as his:
        await sign_in(service, hers)
        assert (await hers.get("/signin")).headers["Location"] == "/report/home/a"
        start = await hers.get("/report/start")
        assert (start.status, start.headers["Location"]) == (303, "/report/home/a")
        assert 'aria-label="Your homes"' not in (await hers.get(PAGE)).text
        await sign_in(service, his, BERT)
        assert (await his.get("/signin")).headers["Location"] == "/account"
        account = (await his.get("/account?lang=en")).text
        for home in ("a", "c"):
            assert f'href="/report/home/{home}?lang=en"' in account
        assert "/report/home/b" not in account
        assert "Reported just now" in account
        assert "Not reported yet" in account
        page = (await his.get("/report/home/a?lang=en")).text
        assert 'href="/report/home/c?lang=en"' in page


async def test_an_admin_moves_between_the_homes_of_the_provider(service: Service) -> None:
    await a_person(service)
    for home in ("a", "b"):
        await service.put_home(home, PROVIDER)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        page = (await desk.get("/report/home/b?lang=en")).text
        assert 'href="/report/home/a?lang=en"' in page


async def test_links_offer_to_sign_in_where_one_can(settings: Settings) -> None:
    for url, offered in (("https://freiplatz.example", True), ("http://freiplatz.example", False)):
        async with served(replace(settings, public_url=url)) as service:
            await service.put_home("a")
            carer = await carer_of(service, "a")
            _, page = await carer.get(carer.link())
            assert ("/signin?next=%2Freport%2Fhome%2Fa" in page) == offered


async def test_a_form_behind_a_link_passes_without_an_origin(service: Service) -> None:
    """Browsers send `Origin: null` from a page with `no-referrer`: the token is the proof."""
    await service.put_home("a")
    carer = await carer_of(service, "a")
    async with a_desk(service) as desk:
        for origin in ("null", None):
            numbers: dict[str, Any] = {"count.short_term": "2"}
            sent = await desk.post(carer.link(), origin=origin, do="report", **numbers)
            assert (sent.status, sent.cookies) == (303, [])
    assert await counts(service.state.deployment.pool) == {CareForm.SHORT_TERM: 2}


async def test_the_language_is_the_persons(service: Service) -> None:
    staff = await a_person(service, home="a")
    pool = service.state.deployment.pool
    await pool.execute("UPDATE staff SET language = 'ar' WHERE id = $1", staff.id)
    async with a_desk(service) as desk:
        await sign_in(service, desk, ANNA)
        for path in ("/report/home/a", "/account"):
            page = await desk.get(path)
            assert '<html lang="ar" dir="rtl">' in page.text
            assert '<html lang="de"' in (await desk.get(f"{path}?lang=de")).text
        kept = await desk.submit("/account", "/account", name="Anna", language="pl")
        assert kept.headers["Location"] == "/account?lang=pl"
