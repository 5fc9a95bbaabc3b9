"""The report page behind a one-tap link, over HTTP and without JavaScript."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from providers.staff import delete_membership, revoke_links
from tests.conftest import Service
from tests.web.carer import Carer, carer_of
from vacancies.models import CareForm, CareHome, Need
from vacancies.reports import select_told


@pytest.fixture
async def carer(service: Service) -> Carer:
    await service.put_home("a", name="Haus Anna", capacity={"short_term": 8, "long_term": 60})
    return await carer_of(service, "a")


def free(home: CareHome) -> dict[CareForm, int]:
    return {line.care_form: line.count for line in home.vacancies}


async def test_two_taps_from_the_mail_to_reported(carer: Carer) -> None:
    """The tap in the mail fills in, the button reports."""
    status, html = await carer.get(carer.link() + "?short_term=2")
    assert status == 200
    assert 'name="count.short_term" id="count-short_term" min="0" max="8" value="2"' in html
    assert "To be reported: 2 short-term care" in html
    assert (await carer.home()).observed_at is None, "a GET changes nothing"
    shown = dict(re.findall(r'name="((?:count\.|if_match)[^"]*)"[^>]*? value="([^"]*)"', html))
    status, html = await carer.post(carer.link(), **shown, do="report")
    assert status == 200
    assert "Reported at" in html
    home = await carer.home()
    assert free(home) == {CareForm.SHORT_TERM: 2}
    (told,) = await select_told(carer.service.state.deployment.pool, "a", 5)
    assert (told.via, told.kind, told.staff_id is not None) == ("link", "report", True)


async def test_unchanged_is_one_button(carer: Carer) -> None:
    _, html = await carer.get(carer.link())
    assert 'value="unchanged"' not in html, "there is nothing to confirm yet"
    await carer.post(carer.link(), count__short_term="1", do="report")
    before = await carer.home()
    _, html = await carer.get(carer.link() + "?unchanged=1")
    assert 'value="unchanged"' in html
    assert 'value="report"' not in html
    status, _ = await carer.post(carer.link(), if_match=str(before.revision), do="unchanged")
    after = await carer.home()
    assert status == 200
    assert after.confirmed_at is not None
    assert after.vacancies == before.vacancies
    # Who changes a number and presses that button all the same means the number.
    await carer.post(carer.link(), count__short_term="3", do="unchanged")
    assert free(await carer.home()) == {CareForm.SHORT_TERM: 3}


async def test_what_the_page_does_not_show_stays(carer: Carer) -> None:
    line = {"care_form": "long_term", "count": 1, "care_grades": [4, 5], "focuses": ["dementia"]}
    await carer.service.report("a", line, {"count": 2, "room": "double", "sex": "female"})
    _, html = await carer.get(carer.link())
    assert 'name="count.long_term.2"' in html
    await carer.post(carer.link(), count__long_term="3", sex__long_term="male", do="report")
    first, second = (await carer.home()).vacancies
    assert (first.count, first.sex, first.care_grades, first.focuses) == (
        3,
        "male",
        (4, 5),
        ("dementia",),
    )
    assert (second.count, second.room, second.sex) == (2, "double", "female")


async def test_undo_brings_back_what_was_said_before(carer: Carer) -> None:
    await carer.post(carer.link(), count__short_term="1", do="report")
    before = await carer.home()
    _, html = await carer.post(carer.link(), count__short_term="7", do="report")
    assert 'value="undo"' in html
    revision = str((await carer.home()).revision)
    _, html = await carer.post(carer.link(), if_match=revision, do="undo")
    assert "Taken back at" in html
    after = await carer.home()
    assert (after.vacancies, after.last_said_at) == (before.vacancies, before.last_said_at)
    status, html = await carer.post(carer.link(), if_match=revision, do="undo")
    assert status == 422, "not twice"


async def test_undoing_the_first_report_leaves_none(carer: Carer) -> None:
    await carer.post(carer.link(), count__short_term="1", do="report")
    revision = str((await carer.home()).revision)
    await carer.post(carer.link(), if_match=revision, do="undo")
    home = await carer.home()
    assert (home.vacancies, home.last_said_at) == ((), None)


async def test_nobody_undoes_what_others_have_said_or_what_is_long_past(carer: Carer) -> None:
    await carer.service.report("a", {"count": 1})
    revision = str((await carer.home()).revision)
    status, _ = await carer.post(carer.link(), if_match=revision, do="undo")
    assert status == 422
    await carer.post(carer.link(), count__short_term="1", do="report")
    pool = carer.service.state.deployment.pool
    await pool.execute("UPDATE report SET reported_at = reported_at - interval '2 minutes'")
    revision = str((await carer.home()).revision)
    status, _ = await carer.post(carer.link(), if_match=revision, do="undo")
    assert status == 422
    assert free(await carer.home()) == {CareForm.LONG_TERM: 1, CareForm.SHORT_TERM: 1}


async def test_who_was_overtaken_sees_the_new_state(carer: Carer) -> None:
    seen = str((await carer.home()).revision)
    await carer.service.report("a", {"care_form": "short_term", "count": 5})
    status, html = await carer.post(carer.link(), if_match=seen, count__short_term="1", do="report")
    assert status == 409
    assert "Somebody else has reported in between" in html
    assert 'id="count-short_term" min="0" max="8" value="5"' in html
    assert free(await carer.home()) == {CareForm.SHORT_TERM: 5}


@pytest.mark.parametrize(
    "fields",
    [
        {"count__short_term": "9"},  # more than licensed
        {"count__short_term": "-1"},
        {"count__short_term": "two"},
        {"count__short_term": "1", "available_from__short_term": "tomorrow"},
        {"count__short_term": "1", "room__short_term": "suite"},
        {"count__short_term": "1", "if_match": "x"},
        {"count__short_term": "1", "more": "1", "stop__reason": "because"},
    ],
)
async def test_bad_input_is_said_and_changes_nothing(carer: Carer, fields: dict[str, str]) -> None:
    before = await carer.home()
    status, html = await carer.post(carer.link(), **fields, do="report")
    assert status == 422
    assert 'role="alert"' in html
    assert await carer.home() == before


async def test_a_likely_slip_is_asked_about_and_nothing_typed_is_lost(carer: Carer) -> None:
    before = await carer.home()
    fields = {
        "if_match": str(before.revision),
        "count__long_term": "40",
        "room__short_term": "double",
        "more": "1",
        "contact__person": "Frau Muster",
    }
    status, page = await carer.post(carer.link(), do="report", **fields)
    assert status == 422
    assert "long-term care: 40 places. Are so many really free?" in page
    assert 'name="count.long_term" id="count-long_term" min="0" max="60" value="40"' in page
    assert '<option value="double" selected>' in page
    assert 'value="Frau Muster"' in page
    assert await carer.home() == before, "nothing is stored before it is sure"
    # Another slip is asked about again; what is sure is stored.
    assert (await carer.post(carer.link(), do="report", **fields))[0] == 422
    status, page = await carer.post(carer.link(), do="sure", **fields)
    assert status == 200
    counts = {line.care_form.value: line.count for line in (await carer.home()).vacancies}
    assert counts["long_term"] == 40


async def test_a_form_that_is_refused_keeps_what_was_typed(carer: Carer) -> None:
    await carer.service.report("a", {"count": 1})
    assert 'id="unchanged"' in (await carer.get(carer.link()))[1]
    status, page = await carer.post(
        carer.link(), do="report", count__long_term="61", count__day="3", sex__long_term="female"
    )
    assert status == 422
    assert 'id="count-long_term" min="0" max="60" value="61"' in page
    assert 'id="unchanged"' not in page, "that would be said of other numbers than are shown"
    assert 'name="count.day"' in page
    assert '<option value="female" selected>' in page


async def test_the_client_is_asked_too(carer: Carer) -> None:
    before = await carer.home()
    lines = [{"care_form": "long_term", "count": 40}]
    status, problem = await carer.send(carer.link(), {"vacancies": lines}, "k")
    assert (status, problem["code"]) == (422, "doubtful")
    assert "40 places" in problem["detail"]
    assert await carer.home() == before
    status, _ = await carer.send(carer.link(), {"vacancies": lines, "sure": True}, "k2")
    assert status == 200


async def test_stop_waiting_list_weekends_and_contact(carer: Carer) -> None:
    fields = {
        "more": "1",
        "stop__reason": "staff",
        "stop__until": "2027-01-31",
        "waiting_list": "open",
        "weekend_admission": "1",
        "contact__person": "Frau Muster",
        "contact__hours": "Mo bis Fr, 8 bis 12 Uhr",
    }
    await carer.post(carer.link(), count__short_term="1", do="report", **fields)
    profile = (await carer.home()).profile
    assert profile.admission_stop is not None
    assert (profile.admission_stop.reason, str(profile.admission_stop.until)) == (
        "staff",
        "2027-01-31",
    )
    assert (profile.waiting_list, profile.needs) == ("open", (Need.WEEKEND_ADMISSION,))
    assert (profile.contact.person, profile.contact.hours) == (
        "Frau Muster",
        "Mo bis Fr, 8 bis 12 Uhr",
    )
    async with carer.service.client.get(f"{carer.service.url}/homes/a") as answer:
        assert "Fragen Sie nach Frau Muster, Mo bis Fr, 8 bis 12 Uhr" in await answer.text()
    await carer.post(carer.link(), count__short_term="1", do="report", more="1")
    profile = (await carer.home()).profile
    assert (profile.admission_stop, profile.waiting_list, profile.needs) == (None, None, ())
    rows = await carer.service.state.deployment.pool.fetch(
        "SELECT amended FROM report WHERE kind = 'amendment' ORDER BY revision"
    )
    assert len(rows) == 2


async def test_links_end(carer: Carer) -> None:
    pool = carer.service.state.deployment.pool
    assert (await carer.get(carer.link(age=timedelta(hours=47))))[0] == 404, "before membership"
    await pool.execute("UPDATE membership SET links_from = now() - interval '10 days'")
    assert (await carer.get(carer.link(age=timedelta(hours=47))))[0] == 200
    expired = carer.link(age=timedelta(hours=48))
    status, html = await carer.get(expired)
    assert (status, "Send me a new link" in html) == (410, True)
    assert (await carer.post(expired, count__short_term="1", do="report"))[0] == 410
    assert (await carer.send(expired, {"unchanged": True}))[0] == 410
    for path in (
        "/report/link/x",
        carer.link()[:-3] + "xyz",
        carer.link("b"),
        carer.link("nobody"),
    ):
        assert (await carer.get(path))[0] == 404, path
    await revoke_links(pool, carer.membership_id)
    assert (await carer.get(carer.link()))[0] == 404
    await delete_membership(pool, carer.membership_id)
    assert (await carer.post(carer.link(), count__short_term="1", do="report"))[0] == 404
    assert (await carer.home()).observed_at is None


async def test_an_expired_link_sends_a_new_one_to_its_address_only(carer: Carer) -> None:
    pool = carer.service.state.deployment.pool
    await pool.execute("UPDATE membership SET links_from = now() - interval '10 days'")
    expired = carer.link(age=timedelta(hours=50))
    for _ in range(3):  # impatient
        status, html = await carer.post(f"{expired}/renew")
        assert (status, "Look into your mail" in html) == (200, True)
    (written,) = (carer.service.state.settings.data_dir / "mail").glob("*.eml")
    mail = message_from_bytes(written.read_bytes(), policy=policy.default)
    assert mail["To"] == "pat@anna.example"
    body = mail.get_content()
    path = re.search(r"https?://[^/]+(/report/link/\S+)", body)
    assert path is not None
    assert (await carer.get(path[1]))[0] == 200


async def test_no_log_holds_a_link(carer: Carer, capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever reads logs must not be able to report."""
    pool = carer.service.state.deployment.pool
    await pool.execute("ALTER TABLE membership RENAME TO away")
    path = carer.link()
    async with carer.service.client.get(carer.service.url + path) as answer:
        assert answer.status == 500
    async with carer.service.client.post(carer.service.url + path, data={"do": "x"}) as answer:
        assert answer.status == 500
    said = "".join(capfd.readouterr())
    assert said.count("/report/link/<token>") == 2
    assert path.rpartition("/")[2] not in said


async def test_an_admin_moves_between_homes_and_staff_do_not(carer: Carer) -> None:
    await carer.service.put_home("b", name="Haus Berta")
    _, html = await carer.get(carer.link())
    assert "Haus Berta" not in html
    admin = await carer_of(carer.service, None, "boss@anna.example")
    _, html = await admin.get(admin.link())
    path = re.search(r'href="(/report/link/[^"]+)">Haus Berta', html)
    assert path is not None
    assert (await admin.post(path[1], count__long_term="1", do="report"))[0] == 200
    assert free(await carer.home("b")) == {CareForm.LONG_TERM: 1}
    await carer.service.put_home("other", provider="another")
    assert (await admin.get(admin.link("other")))[0] == 404


async def test_the_client_reports_as_json_once(carer: Carer) -> None:
    body = {
        "if_match": (await carer.home()).revision,
        "observed_at": (datetime.now(UTC) - timedelta(hours=2)).isoformat(),
        "vacancies": [{"care_form": "short_term", "count": 2}],
        "amend": {"waiting_list": "open"},
    }
    status, first = await carer.send(carer.link(), body, "k")
    assert status == 200, first
    assert first["state"]["vacancies"][0]["count"] == 2
    # Again, by a newer link: the same answer, and nothing twice.
    assert await carer.send(carer.link(age=timedelta(seconds=-1)), body, "k") == (200, first)
    assert (await carer.home()).revision == first["revision"]
    status, problem = await carer.send(carer.link(), body, "another")
    assert (status, problem["code"]) == (412, "changed_since")
    assert problem["current"]["revision"] == first["revision"]
    home = await carer.home()
    assert home.observed_at is not None
    assert datetime.now(UTC) - home.observed_at > timedelta(hours=1, minutes=59)


async def test_a_confirmation_that_comes_late_counts_from_when_it_was_said(carer: Carer) -> None:
    hour = timedelta(hours=1)
    said = datetime.now(UTC) - 3 * hour
    await carer.service.report("a", {"count": 1}, observed_at=(said - 2 * hour).isoformat())
    body = {"unchanged": True, "observed_at": said.isoformat()}
    status, _ = await carer.send(carer.link(), body)
    assert status == 200
    assert (await carer.home()).confirmed_at == said


@pytest.mark.parametrize("wrong_by", [timedelta(hours=7), timedelta(days=-400)])
async def test_a_clock_that_is_wrong_does_not_matter(carer: Carer, wrong_by: timedelta) -> None:
    now = datetime.now(UTC)
    pressed = now + wrong_by - timedelta(minutes=10)
    lines = [{"care_form": "short_term", "count": 2}]
    body = {"observed_at": pressed.isoformat(), "vacancies": lines}
    there = (now + wrong_by).isoformat()
    status, answer = await carer.send(carer.link(), body, client_time=there)
    assert status == 200, answer
    observed_at = (await carer.home()).observed_at
    assert observed_at is not None
    assert timedelta() <= observed_at - (now - timedelta(minutes=10)) < timedelta(minutes=1)


async def test_a_report_that_was_slow_is_not_newer_than_its_correction(carer: Carer) -> None:
    now = datetime.now(UTC)
    second = timedelta(seconds=1)
    for count, pressed, sent in ((2, 30, 29), (3, 10, 1)):
        body = {
            "observed_at": (now - pressed * second).isoformat(),
            "vacancies": [{"care_form": "short_term", "count": count}],
        }
        # The first one took 29 seconds.
        client_time = (now - sent * second).isoformat()
        status, answer = await carer.send(carer.link(), body, client_time=client_time)
        assert status == 200, answer
    assert free(await carer.home()) == {CareForm.SHORT_TERM: 3}


@pytest.mark.parametrize(
    ("observed_at", "client_time"),
    [("2026-01-01T00:00:00Z", "yesterday"), ("9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z")],
)
async def test_a_clock_that_cannot_be_is_refused(
    carer: Carer, observed_at: str, client_time: str
) -> None:
    before = await carer.home()
    body = {"observed_at": observed_at, "vacancies": []}
    status, problem = await carer.send(carer.link(), body, client_time=client_time)
    assert status in (400, 422), problem
    assert await carer.home() == before


@pytest.mark.parametrize(
    "body",
    [{}, {"vacancies": [{"care_form": "x", "count": 1}]}, {"unchanged": "yes"}, [], "x", {"do": 1}],
)
async def test_bad_json_is_a_problem(carer: Carer, body: Any) -> None:
    before = await carer.home()
    status, problem = await carer.send(carer.link(), body)
    assert status in (400, 422)
    assert problem["code"]
    assert await carer.home() == before
