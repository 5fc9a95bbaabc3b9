"""What readers are told, when, and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from providers.post import PostRefused
from tests.web.alerts.conftest import EMAIL, NOON, Bench
from vacancies.models import CareForm
from web.alerts.alerts import AlertUnknown, record_hours, record_renewed
from web.alerts.claims import LEASE
from web.alerts.hours import Hours


class Refusing:
    """A mail server that says no: for now, or for good."""

    def __init__(self, *, is_final: bool = False) -> None:
        self.is_final = is_final

    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        raise PostRefused("no", is_final=self.is_final)


class Crash(BaseException):
    """The process is gone."""


class KilledAfter:
    """Hands over to `inner`, and then its process dies before it can write that down."""

    def __init__(self, bench: Bench) -> None:
        self._inner = bench.another_teller()._mail

    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        await self._inner.send(message, name=name)
        raise Crash


async def test_nothing_is_told_before_it_is_confirmed(bench: Bench) -> None:
    await bench.home("a")
    alert_id = await bench.ask()
    assert alert_id is not None
    await bench.match()
    assert (await bench.tell()).sent == 1
    (asked,) = bench.mails()
    assert asked["To"] == EMAIL
    assert f"/alerts/{bench.seal.token(alert_id)}" in asked.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    await bench.report("a", 2)
    assert (await bench.tell(hours=1)).sent == 0
    await bench.confirm(alert_id)
    assert (await bench.tell()).sent == 1, "what came in the meantime is told at once"
    assert "1 Heim" in bench.mails()[-1].get_content_type() + _plain(bench.mails()[-1])


async def test_what_was_free_when_the_reader_asked_is_no_news(bench: Bench) -> None:
    await bench.home("a")
    await bench.report("a", 1)
    await bench.alert()
    assert (await bench.tell()).sent == 0
    await bench.report("a", 3)
    await bench.report("a", 1)
    assert (await bench.tell()).sent == 0, "it matched all the time"
    await bench.report("a", 0)
    await bench.match()
    await bench.report("a", 1)
    assert (await bench.tell()).sent == 1, "it was gone, and is back"


async def test_what_comes_together_is_told_together(bench: Bench) -> None:
    for home in "abc":
        await bench.home(home)
    await bench.alert()
    for home in "abc":
        await bench.report(home, 1)
        await bench.match()
    assert (await bench.tell(seconds=19)).sent == 0
    assert (await bench.tell(seconds=1)).sent == 1
    assert "3 Heime" in _plain(bench.mails()[0])
    assert (await bench.tell(hours=1)).sent == 0


async def test_what_is_taken_back_before_anybody_was_told_is_not_told(bench: Bench) -> None:
    await bench.home("a")
    await bench.alert()
    await bench.report("a", 1)
    await bench.match()
    await bench.report("a", 0)
    assert (await bench.tell()).sent == 0
    assert bench.mails() == []


async def test_at_night_nobody_is_woken(bench: Bench) -> None:
    await bench.home("a")
    await bench.alert()
    bench.now = datetime(2026, 6, 1, 19, 30, tzinfo=UTC)  # half past nine in Berlin
    await bench.report("a", 1)
    assert (await bench.tell()).sent == 0
    bench.now = datetime(2026, 6, 2, 4, 59, tzinfo=UTC)
    assert (await bench.teller.tell_due()).sent == 0
    bench.now = datetime(2026, 6, 2, 5, 0, tzinfo=UTC)
    assert (await bench.teller.tell_due()).sent == 1


async def test_only_so_often_a_day_and_the_rest_together(bench: Bench) -> None:
    for home in "abcde":
        await bench.home(home)
    await bench.alert()
    for home in "abcde":
        await bench.report(home, 1)
        await bench.tell(minutes=5)
    assert len(bench.mails()) == 3
    bench.now = NOON + timedelta(hours=12)
    assert (await bench.teller.tell_due()).sent == 0, "that is midnight"
    bench.now = datetime(2026, 6, 2, 5, 0, tzinfo=UTC)
    assert (await bench.teller.tell_due()).sent == 1
    assert "2 Heime" in _plain(bench.mails()[-1])


async def test_who_changes_the_hours_hears_at_once(bench: Bench) -> None:
    await bench.home("a")
    alert_id = await bench.alert()
    bench.now = datetime(2026, 6, 1, 21, tzinfo=UTC)
    await bench.report("a", 1)
    await bench.tell()
    never = Hours(quiet_from_minute=0, quiet_until_minute=0, most_a_day=1)
    await record_hours(bench.deployment.pool, alert_id, never, bench.now)
    assert (await bench.tell()).sent == 1


async def test_the_mail_of_a_process_that_was_killed_is_the_same_mail(bench: Bench) -> None:
    await bench.home("a")
    await bench.alert()
    await bench.report("a", 1)
    await bench.match()
    bench.now += timedelta(seconds=20)
    with pytest.raises(Crash):
        await bench.another_teller(KilledAfter(bench)).tell_due()
    (first,) = bench.mails()
    assert (await bench.teller.tell_due()).sent == 0, "its claim still holds"
    bench.now += LEASE
    assert (await bench.teller.tell_due()).sent == 1
    (only,) = bench.mails()
    assert only["Message-ID"] == first["Message-ID"]
    assert (await bench.tell(hours=1)).sent == 0
    await bench.report("a", 0)
    await bench.match()
    await bench.report("a", 1)
    await bench.tell()
    assert len({mail["Message-ID"] for mail in bench.mails()}) == 2, "the next is another"


async def test_a_server_that_is_away_is_tried_again(bench: Bench) -> None:
    await bench.home("a")
    await bench.alert()
    await bench.report("a", 1)
    await bench.match()
    bench.now += timedelta(seconds=20)
    assert (await bench.another_teller(Refusing()).tell_due()).failed == 1
    assert (await bench.teller.tell_due()).sent == 0
    bench.now += timedelta(minutes=1)
    assert (await bench.teller.tell_due()).sent == 1


async def test_an_address_that_is_no_more_is_forgotten(bench: Bench) -> None:
    await bench.home("a")
    alert_id = await bench.alert()
    await bench.report("a", 1)
    await bench.match()
    bench.now += timedelta(seconds=20)
    assert (await bench.another_teller(Refusing(is_final=True)).tell_due()).gone == 1
    with pytest.raises(AlertUnknown):
        await bench.find(alert_id)
    assert await bench.deployment.pool.fetchval("SELECT count(*) FROM alert_home") == 0


async def test_it_ends_after_ninety_days_unless_renewed(bench: Bench) -> None:
    alert_id = await bench.alert()
    bench.now += timedelta(days=82, hours=23)
    assert (await bench.teller.tell_due()).sent == 0
    bench.now += timedelta(hours=1)
    assert (await bench.teller.tell_due()).sent == 1
    (asked,) = bench.mails()
    assert "90 weitere Tage" in _plain(asked)
    assert (await bench.tell(days=1)).sent == 0, "it asks once"
    await record_renewed(bench.deployment.pool, alert_id, bench.now)
    bench.now += timedelta(days=83)
    assert (await bench.teller.tell_due()).sent == 1, "and again before the next end"
    bench.now += timedelta(days=7)
    await bench.teller.tell_due()
    assert await bench.deployment.pool.fetchval("SELECT count(*) FROM alert") == 0


async def test_what_nobody_confirms_is_gone_after_a_day(bench: Bench) -> None:
    await bench.ask()
    await bench.tell(hours=23, minutes=59)
    assert await bench.deployment.pool.fetchval("SELECT count(*) FROM alert") == 1
    await bench.tell(minutes=1)
    assert await bench.deployment.pool.fetchval("SELECT count(*) FROM alert") == 0


async def test_one_address_is_asked_three_times_a_day(bench: Bench) -> None:
    asked = [await bench.ask() for _ in range(4)]
    assert [found is not None for found in asked] == [True, True, True, False]
    assert await bench.ask(email="sohn@example.org") is not None


async def test_the_same_search_is_watched_once(bench: Bench) -> None:
    first = await bench.alert()
    other = await bench.alert(SEARCH_ELSEWHERE)
    second = await bench.alert()
    with pytest.raises(AlertUnknown):
        await bench.find(first)
    assert (await bench.find(second)).state == (await bench.find(other)).state == "active"


async def test_another_care_form_is_no_news(bench: Bench) -> None:
    await bench.home("a")
    await bench.alert()
    await bench.report("a", 1, CareForm.DAY)
    assert (await bench.tell()).sent == 0


SEARCH_ELSEWHERE = "near=51.500000,7.470000&radius_km=10"


def _plain(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
