"""The words and links of a reminder, in both parts of the mail."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from providers.links import make_token, open_token
from providers.post import FileSender, make_mail
from providers.reminder_post import ReminderPost
from providers.reminder_scheduler import send_now
from providers.staff import (
    Membership,
    Staff,
    ensure_membership,
    ensure_staff,
    select_membership,
)
from tests.conftest import Service
from vacancies.config import Settings
from vacancies.homes import select_homes
from vacancies.models import Address, CareForm, CareHome, Contact, Point, Profile, Vacancy
from web.language import choose
from web.reminder_mail import MailWriter, offered_forms

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
SETTINGS = Settings(public_url="https://town.example/", secret_key="x" * 32)
WRITER = MailWriter(SETTINGS)
HOME = CareHome(
    id="a",
    provider_id=1,
    provider="caritas",
    profile=Profile(
        name="Haus Anna",
        point=Point(51.9, 8.4),
        address=Address(street="Weg 1", postcode="33330", city="Gütersloh"),
        contact=Contact(phone="05241 1234"),
        capacity={CareForm.LONG_TERM: 80, CareForm.SHORT_TERM: 2},
    ),
    vacancies=(
        Vacancy(care_form=CareForm.SHORT_TERM, count=1),
        Vacancy(care_form=CareForm.SHORT_TERM, count=1),
        Vacancy(care_form=CareForm.LONG_TERM, count=0),
    ),
    observed_at=NOW - timedelta(hours=23),
    evaluated_at=NOW,
)
TOKEN = make_token("x" * 32, 5, "a", NOW)
PAGE = f"https://town.example/report/link/{TOKEN}"


def member(language: str = "en", name: str = "Anna") -> Membership:
    return Membership(
        id=5,
        staff=Staff(id=1, email="anna@a.example", name=name, language=language, phone=None),
        provider_id=1,
        provider="caritas",
        provider_name="Caritas",
        home_id="a",
        wants_reminders=True,
        links_from=NOW,
    )


class Links(HTMLParser):
    """The links of a page in order, as (what a screen reader says, address)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self._open: dict[str, str | None] | None = None
        self._text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "a":
            self._open, self._text = dict(attrs), ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            said = self._open.get("aria-label") or self._text.strip()
            self.found.append((said, self._open["href"] or ""))


def test_one_tap_links_stand_in_both_parts() -> None:
    letter = WRITER.for_member(HOME, member(), "staff", NOW)
    assert letter.html is not None
    links = Links(letter.html).found
    assert links == [
        ("Still so", f"{PAGE}?unchanged=1"),
        ("long-term care: 0 free", f"{PAGE}?long_term=0"),
        ("long-term care: 1 free", f"{PAGE}?long_term=1"),
        ("long-term care: 2 free", f"{PAGE}?long_term=2"),
        ("long-term care: 3 free", f"{PAGE}?long_term=3"),
        ("long-term care: more …", PAGE),
        # No more than two are licensed.
        ("short-term care: 0 free", f"{PAGE}?short_term=0"),
        ("short-term care: 1 free", f"{PAGE}?short_term=1"),
        ("short-term care: 2 free", f"{PAGE}?short_term=2"),
        ("All details", PAGE),
        ("Switch reminders off", "https://town.example/account"),
    ]
    assert re.findall(r"https://\S+", letter.text) == [address for _, address in links]


def test_it_says_what_was_last_reported_and_when() -> None:
    letter = WRITER.for_member(HOME, member(), "staff", NOW)
    assert letter.subject == "Which places are free at Haus Anna?"
    for said in (
        "Hello Anna,",
        "Last reported 23 hours ago (24 Nov 2026, 11:00):",
        "short-term care: 2 free",
        "long-term care: 0 free",
    ):
        assert said in letter.text
        assert said in (letter.html or "")


def test_a_home_that_never_reported_cannot_say_still_so() -> None:
    new = replace(HOME, vacancies=(), observed_at=None)
    letter = WRITER.for_member(new, member(name=""), "staff", NOW)
    assert "unchanged" not in letter.text + (letter.html or "")
    assert "Nothing has been reported yet." in letter.text
    assert letter.text.startswith("Hello,\n")


def test_a_full_home_has_no_free_place() -> None:
    letter = WRITER.for_member(replace(HOME, vacancies=()), member(), "staff", NOW)
    assert "No free place" in letter.text


def test_at_most_three_care_forms_and_the_page_for_the_others() -> None:
    capacity = dict.fromkeys(list(CareForm)[1:6], 10)
    many = replace(HOME, profile=replace(HOME.profile, capacity=capacity), vacancies=())
    assert offered_forms(many) == list(CareForm)[1:6]
    letter = WRITER.for_member(many, member(), "staff", NOW)
    assert re.findall(r"\?(\w+)=0", letter.text) == ["short_term", "respite", "day"]
    unknown = replace(many, profile=replace(many.profile, capacity={}))
    assert offered_forms(unknown) == []
    assert PAGE in WRITER.for_member(unknown, member(), "staff", NOW).text


def test_admins_hear_that_nothing_came() -> None:
    letter = WRITER.for_member(HOME, member(), "admins", NOW)
    assert letter.subject == "Haus Anna has not reported"
    assert "We reminded Haus Anna" in letter.text


def test_the_municipality_gets_a_number_to_call_and_no_link_to_report() -> None:
    letter = WRITER.for_municipality(HOME, NOW)
    assert "05241 1234" in letter.text
    assert "https://town.example/homes/a" in letter.text
    assert "/report/" not in letter.text


def test_an_sms_is_short() -> None:
    long = replace(HOME, profile=replace(HOME.profile, name="Seniorenzentrum " * 20))
    text = WRITER.text_message(long, member(), NOW)
    assert text.endswith(PAGE)
    assert len(text.removesuffix(PAGE)) < 120


@pytest.mark.parametrize("step", ["staff", "admins"])
def test_what_providers_write_is_text(step: Any) -> None:
    evil = "Haus <script>alert(1)</script>\r\nBcc: x@y.example 100 %(home)s"
    home = replace(HOME, profile=replace(HOME.profile, name=evil))
    letter = WRITER.for_member(home, member(name="<b>Anna</b>"), step, NOW)
    assert letter.html is not None
    assert not Links(letter.html).tags & {"script", "b"}
    mail = make_mail("a@b.example", "c@d.example", letter.subject, letter.text, html=letter.html)
    assert mail["Bcc"] is None
    assert "\nBcc:" not in letter.text
    assert "\nBcc:" not in WRITER.for_municipality(home, NOW).text


def test_it_is_in_the_language_of_the_person() -> None:
    english = WRITER.for_member(HOME, member("en"), "staff", NOW)
    german = WRITER.for_member(HOME, member("de"), "staff", NOW)
    assert '<html lang="en" dir="ltr">' in (english.html or "")
    assert '<html lang="de" dir="ltr">' in (german.html or "")
    assert "Dauerpflege" in german.text
    assert "24.11.2026" in german.text


@pytest.mark.parametrize(
    ("code", "direction", "still_so"), [("pl", "ltr", "Bez zmian"), ("ar", "rtl", "دون تغيير")]
)
def test_it_is_in_the_languages_of_carers(code: str, direction: str, still_so: str) -> None:
    letter = WRITER.for_member(HOME, member(code), "staff", NOW)
    assert f'<html lang="{code}" dir="{direction}">' in (letter.html or "")
    assert still_so in letter.text
    note = choose(code, reporting=True).gettext(
        "This translation has not been checked by a native speaker yet."
    )
    assert note in letter.text
    assert note in (letter.html or "")
    assert note not in WRITER.for_member(HOME, member("en"), "staff", NOW).text


async def test_the_links_open_the_report_page(service: Service) -> None:
    """From the mail as it was sent to the page: filled in, and nothing changed."""
    await service.put_home("a", capacity={"short_term": 8})
    await service.report("a", {"care_form": "short_term", "count": 1})
    pool, settings = service.state.deployment.pool, service.state.settings
    staff = await ensure_staff(pool, "anna@a.example", language="en")
    provider_id = await pool.fetchval("SELECT id FROM provider")
    member_id = await ensure_membership(pool, staff.id, provider_id, "a")
    (home,) = await select_homes(pool, ["a"])
    found = await select_membership(pool, member_id)
    assert found is not None
    letter = MailWriter(settings).for_member(home, found, "staff", datetime.now(UTC))
    links = dict(Links(letter.html or "").found)
    address = links["short-term care: 2 free"]
    token = address.rpartition("/")[2].partition("?")[0]
    opened = await open_token(pool, settings.secret_key, token, datetime.now(UTC))
    assert (opened.home_id, opened.membership.id) == ("a", found.id)
    path = address[address.index("/report/") :]
    async with service.client.get(service.url + path) as answer:
        assert answer.status == 200
        assert 'max="8" value="2"' in await answer.text()
    (after,) = await select_homes(pool, ["a"])
    assert after == home


async def test_headers_say_how_to_end_it(service: Service, tmp_path: Path) -> None:
    await service.put_home("a")
    pool = service.state.deployment.pool
    staff = await ensure_staff(pool, "anna@a.example")
    await ensure_membership(pool, staff.id, await pool.fetchval("SELECT id FROM provider"), "a")
    (home,) = await select_homes(pool, ["a"])
    sender = FileSender(tmp_path / "box")
    post = ReminderPost(sender, "Frei <f@town.example>", WRITER)
    assert await send_now(pool, post, home) == 1
    (path,) = (tmp_path / "box").iterdir()
    message = message_from_bytes(path.read_bytes())
    assert message["List-Unsubscribe"] == "<https://town.example/account>"
    assert path.stem.startswith("reminder-")
    identity = hashlib.sha256(path.stem.encode()).hexdigest()[:32]
    assert message["Message-ID"] == f"<{identity}@town.example>"
    assert message["Auto-Submitted"] == "auto-generated"
