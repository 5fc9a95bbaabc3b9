"""Feedback after a call, as a browser without a script sends it; and the mail that follows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest

from providers.call_feedback import MOST_OF_NETWORK_FOR_HOME, SETTLES_AFTER, select_calls
from providers.links import open_token
from providers.reporting_policy import record_policy
from tests.conftest import Service
from tests.providers.reminder_town import ALWAYS
from tests.providers.test_call_feedback import let_pass
from tests.web.staff import Answer, Desk, a_desk, a_person, mail_number, mails
from vacancies.homes import select_homes
from web.feedback_mail import open_asker
from web.language import choose

_UNDO = r'action="(/feedback/[^"]*/undo[^"]*)"'
PLACE = {"care_form": "short_term", "count": 1}


async def a_free_home(service: Service, home_id: str = "a") -> int:
    await service.put_home(home_id, name="Haus <Anna>", capacity={"short_term": 40})
    return int((await service.report(home_id, PLACE))["properties"]["revision"])


async def tap(desk: Desk, kind: str, page: str = "/homes/a") -> Answer:
    """Press that button on the page, and read what it leads to."""
    answer = await desk.get(page)
    (form,) = re.findall(r'<form class="call-feedback".*?</form>', answer.text, re.DOTALL)
    action = re.search(r'action="([^"]*)"', form)
    assert action is not None
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    fields: dict[str, Any] = {name: unescape(value) for name, value in hidden.items()}
    sent = await desk.post(unescape(action[1]), **fields, kind=kind)
    assert sent.status == 303, sent.text
    return await desk.get(sent.headers["Location"])


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("confirmed", "Wir zählen das: Der Platz ist frei."),
        ("unsuitable", "Wir zählen das: Der Platz passte nicht."),
        ("taken", "Bei dieser Einrichtung können wir niemanden fragen."),
    ],
)
async def test_it_says_what_happens_next_and_changes_nothing(
    service: Service, kind: str, says: str
) -> None:
    await a_free_home(service)
    pool = service.state.deployment.pool
    before = await select_homes(pool, ["a"])
    async with a_desk(service) as desk:
        answer = await tap(desk, kind)
        assert says in answer.text
        assert "Haus &lt;Anna&gt;" in answer.text
        assert "ändert nur die Einrichtung selbst" in answer.text
        assert answer.cookies == []
        assert "no-store" in answer.headers["Cache-Control"]
    assert await select_homes(pool, ["a"]) == before
    assert (await select_calls(pool, "a")).total == 1


async def test_it_can_be_taken_back_for_a_minute(service: Service) -> None:
    await a_free_home(service)
    pool = service.state.deployment.pool
    async with a_desk(service) as desk:
        answer = await tap(desk, "taken")
        found = re.search(_UNDO, answer.text)
        assert found is not None
        undo = unescape(found[1])
        taken_back = await desk.post(undo)
        assert (taken_back.status, taken_back.title) == (200, "Zurückgenommen")
        assert (await select_calls(pool, "a")).total == 0
        assert (await desk.post(undo)).status == 404
        answer = await tap(desk, "taken")
        late = re.search(_UNDO, answer.text)
        assert late is not None
        await let_pass(pool, SETTLES_AFTER)
        assert (await desk.post(unescape(late[1]))).status == 409
        assert "/undo" not in (await desk.get(unescape(late[1]).replace("/undo", ""))).text
    assert (await select_calls(pool, "a")).total == 1


async def test_the_home_gets_a_mail_with_links_that_open_its_page(service: Service) -> None:
    await a_person(service, home="a")
    await a_free_home(service)
    pool, settings = service.state.deployment.pool, service.state.settings
    async with pool.acquire() as connection:
        await record_policy(connection, "", ALWAYS)
    async with a_desk(service) as desk:
        assert "Wir fragen die Einrichtung" in (await tap(desk, "taken")).text
        await let_pass(pool, SETTLES_AFTER)
        await open_asker(settings, pool).ask_due()
        mail = await mail_number(service, 1)
        body = mail.get_content()
        assert mail["Subject"] == "Ist der Platz in Haus <Anna> vergeben?"
        said = "Ihr Platz in der Kurzzeitpflege ist schon vergeben. Stimmt das?"
        assert f"Jemand hat angerufen: {said}" in body
        taken, still = re.findall(r"^https?://\S+(/report/link/\S+)$", body, re.MULTILINE)
        assert taken.endswith("?short_term=0")
        assert still.endswith("?unchanged=1")
        token = still.rpartition("/")[2].partition("?")[0]
        opened = await open_token(pool, settings.secret_key, token, datetime.now(UTC))
        assert opened.home_id == "a"
        before = await select_homes(pool, ["a"])
        page = await desk.get(taken)
        assert page.status == 200
        assert re.search(r'id="count-short_term"[^>]*value="0"', page.text), page.text
        assert "in sieben Tagen: 1. Vergeben: 1. Passte nicht: 0." in page.text
        assert await select_homes(pool, ["a"]) == before, "opening it changes nothing"
        await service.report("a")
        assert (await desk.get("/homes/a")).text.count("data-feedback") == 0, "nothing is free"


async def test_what_was_said_of_an_older_report_is_not_asked(service: Service) -> None:
    await a_person(service, home="a")
    revision = await a_free_home(service)
    pool = service.state.deployment.pool
    async with pool.acquire() as connection:
        await record_policy(connection, "", ALWAYS)
    await service.report("a", {**PLACE, "count": 2})
    async with a_desk(service) as desk:
        sent = await desk.post("/homes/a/feedback", kind="taken", revision=str(revision))
        answer = await desk.get(sent.headers["Location"])
        assert "Die Einrichtung hat inzwischen neu gemeldet." in answer.text
    await let_pass(pool, SETTLES_AFTER)
    assert await open_asker(service.state.settings, pool).ask_due() == 0
    assert mails(service) == []


async def test_only_pages_of_ours_send_it(service: Service) -> None:
    revision = str(await a_free_home(service))
    async with a_desk(service) as desk:
        for origin in ("https://evil.test", "null", None, desk.url + "0"):
            for path in ("/homes/a/feedback", "/feedback/1/undo"):
                answer = await desk.post(path, origin=origin, kind="taken", revision=revision)
                assert answer.status == 403, (origin, path)
    assert (await select_calls(service.state.deployment.pool, "a")).total == 0


async def test_what_is_wrong_is_refused_and_stored_nowhere(service: Service) -> None:
    revision = str(await a_free_home(service))
    await service.put_home("shut")
    await service.put_home("shut", status="closed")
    good: dict[str, Any] = {"kind": "taken", "revision": revision}
    async with a_desk(service) as desk:
        cases: list[tuple[str, dict[str, Any], int]] = [
            ("/homes/a/feedback", {**good, "kind": "nice"}, 422),
            ("/homes/a/feedback", {"revision": revision}, 422),
            ("/homes/a/feedback", {**good, "revision": "-1"}, 422),
            ("/homes/a/feedback", {**good, "revision": "9" * 30}, 422),
            ("/homes/a/feedback", {**good, "care_form": "castle"}, 422),
            ("/homes/nowhere/feedback", good, 404),
            ("/homes/shut/feedback", good, 410),
            ("/feedback/no-number/undo", {}, 404),
        ]
        for path, fields, status in cases:
            answer = await desk.post(path, **fields)
            assert (answer.status, "<h1" in answer.text) == (status, True), (path, fields)
        assert (await desk.get("/feedback/nothing")).status == 404
        back = "https://evil.test/shortlist?home=a"
        sent = await desk.post("/homes/a/feedback", **good, back=back)
        assert "evil" not in sent.headers["Location"]
        forged = await desk.get(sent.headers["Location"] + "?back=//evil.test/shortlist?")
        assert "evil" not in re.sub(r"<(a|link)[^>]*hreflang[^>]*>", "", forged.text)
    pool = service.state.deployment.pool
    assert (await select_calls(pool, "a")).total == 1
    assert (await select_calls(pool, "shut")).total == 0


async def test_too_much_is_refused_in_words(service: Service) -> None:
    revision = str(await a_free_home(service))
    async with a_desk(service) as desk:
        for _ in range(MOST_OF_NETWORK_FOR_HOME):
            sent = await desk.post("/homes/a/feedback", kind="taken", revision=revision)
            assert sent.status == 303
        refused = await desk.post("/homes/a/feedback", kind="taken", revision=revision)
        assert (refused.status, refused.title) == (429, "Heute kamen schon viele Rückmeldungen")


async def test_a_flood_does_not_reach_the_database(service: Service) -> None:
    revision = str(await a_free_home(service))
    async with a_desk(service) as desk:
        statuses = [
            (await desk.post("/homes/a/feedback", kind="taken", revision=revision)).status
            for _ in range(31)
        ]
        assert statuses[-1] == 429
        # Redis refuses this home too, of which nothing has been said.
        await a_free_home(service, "b")
        other = await desk.post("/homes/b/feedback", kind="confirmed", revision=revision)
        assert other.status == 429
    assert (await select_calls(service.state.deployment.pool, "b")).total == 0


@pytest.mark.parametrize("code", ["pl", "ar", "en"])
async def test_the_mail_is_in_the_language_of_the_person(service: Service, code: str) -> None:
    await a_person(service, home="a")
    await a_free_home(service)
    pool = service.state.deployment.pool
    await pool.execute("UPDATE staff SET language = $1", code)
    async with pool.acquire() as connection:
        await record_policy(connection, "", ALWAYS)
    async with a_desk(service) as desk:
        await tap(desk, "taken")
    await let_pass(pool, SETTLES_AFTER)
    await open_asker(service.state.settings, pool).ask_due()
    mail = await mail_number(service, 1)
    language = choose(code, reporting=True)
    said = "Somebody has called: your place in short-term care is taken already."
    assert language.gettext(said) in mail.get_content()
    assert "Kurzzeitpflege" not in mail.get_content()
