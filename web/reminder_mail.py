"""Reminders in words: mails with one-tap links, in the language of whom they go to.

A link opens the report page of the home (`/report/link/TOKEN`), with a count or "still so"
filled in. Opening it changes nothing: mail scanners open links too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from urllib.parse import quote

import msgspec
from jinja2 import Environment, PackageLoader, select_autoescape

from providers.links import make_token
from providers.post import open_mail_sender, sender_address
from providers.reminder_post import Letter, ReminderPost
from providers.reminders import Step
from providers.staff import Membership
from vacancies.config import Settings
from vacancies.models import CareForm, CareHome
from web.language import DEFAULT, Language, choose
from web.link_mail import link_address, public_address
from web.words import CARE_FORMS

MOST_FORMS = 3  # in the mail; the page has the others
MOST_COUNT = 3
_SMS_NAME_LETTERS = 60


class Choice(msgspec.Struct, frozen=True):
    """A link: `label` is what it says, `meaning` the same for who hears it on its own."""

    label: str
    meaning: str
    address: str


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What both parts of a mail say. `last` are lines about the last report, `choices` the
    links by care form."""

    greeting: str
    lead: list[str]
    said: str
    last: list[str]
    unchanged: str | None
    choices: list[tuple[str, list[Choice]]]
    page: str
    notes: list[str]
    account: str


class MailWriter:
    """Writes for the deployment of `settings`; implements `LetterWriter`."""

    def __init__(self, settings: Settings) -> None:
        self._url = public_address(settings)
        self._settings = settings

    def for_member(self, home: CareHome, member: Membership, step: Step, now: datetime) -> Letter:
        language = choose(member.staff.language, reporting=True)
        content = self._content(language, home, member, step, now)
        return Letter(
            subject=_subject(language, home, step),
            text=_text(language, content),
            html=_environment(language.code)
            .get_template("mail_reminder.html")
            .render(language=language, content=content),
            # RFC 2369: mail programs show a button for it. The page asks who it is first.
            headers={"List-Unsubscribe": f"<{content.account}>"},
        )

    def for_municipality(self, home: CareHome, now: datetime) -> Letter:
        language = choose(DEFAULT)
        _ = language.gettext
        address = home.profile.address
        place = " ".join(filter(None, (address.postcode, address.city)))
        lines = [
            _("%(home)s has not reported its free places.", home=home.profile.name),
            _("Its staff and the admins of its provider were reminded."),
            "",
            *filter(None, (home.profile.name, address.street, place, home.profile.contact.phone)),
            "",
            _said(language, home, now),
            *_last(language, home),
            "",
            f"{self._url}/homes/{quote(home.id)}",
        ]
        return Letter(
            subject=_("%(home)s does not report", home=home.profile.name), text=_joined(lines)
        )

    def text_message(self, home: CareHome, member: Membership, now: datetime) -> str:
        return choose(member.staff.language, reporting=True).gettext(
            "Freiplatz: which places are free at %(home)s? %(address)s",
            home=home.profile.name[:_SMS_NAME_LETTERS],
            address=self._page(home, member, now),
        )

    def _page(self, home: CareHome, member: Membership, now: datetime) -> str:
        token = make_token(self._settings.secret_key, member.id, home.id, now)
        return link_address(self._settings, token)

    def _content(
        self, language: Language, home: CareHome, member: Membership, step: Step, now: datetime
    ) -> Content:
        _ = language.gettext
        page = self._page(home, member, now)
        name = member.staff.name
        unreviewed = _("This translation has not been checked by a native speaker yet.")
        return Content(
            greeting=_("Hello %(name)s,", name=name) if name else _("Hello,"),
            lead=_lead(language, home, step),
            said=_said(language, home, now),
            last=_last(language, home),
            unchanged=f"{page}?unchanged=1" if home.observed_at is not None else None,
            choices=[
                (_(CARE_FORMS[form]), list(_choices(language, home, form, page)))
                for form in offered_forms(home)[:MOST_FORMS]
            ],
            page=page,
            notes=[
                _("A link opens a page. Nothing is reported before you confirm it there."),
                _("The links are good for 48 hours. Please do not pass them on."),
                _("You get this mail because you may report for this home."),
                *([] if language.is_reviewed else [unreviewed]),
            ],
            account=f"{self._url}/account",
        )


def open_post(settings: Settings) -> ReminderPost:
    """The way out for reminders, by mail. There is no provider of SMS yet."""
    return ReminderPost(open_mail_sender(settings), sender_address(settings), MailWriter(settings))


def offered_forms(home: CareHome) -> list[CareForm]:
    """The care forms for which the home is licensed or has reported last, in their usual order."""
    reported = {line.care_form for line in home.vacancies}
    return [form for form in CareForm if home.profile.capacity.get(form) or form in reported]


def _choices(language: Language, home: CareHome, form: CareForm, page: str) -> Iterator[Choice]:
    """0, 1, 2, 3, but not more than are licensed; and more."""
    _ = language.gettext
    what = _(CARE_FORMS[form])
    licensed = home.profile.capacity.get(form) or MOST_COUNT + 1
    for count in range(min(MOST_COUNT, licensed) + 1):
        free = language.ngettext("%(num)s free", "%(num)s free", count)
        yield Choice(language.number(count), f"{what}: {free}", f"{page}?{form}={count}")
    if licensed > MOST_COUNT:
        yield Choice(_("more …"), f"{what}: {_('more …')}", page)


def _subject(language: Language, home: CareHome, step: Step) -> str:
    if step == "admins":
        return language.gettext("%(home)s has not reported", home=home.profile.name)
    return language.gettext("Which places are free at %(home)s?", home=home.profile.name)


def _lead(language: Language, home: CareHome, step: Step) -> list[str]:
    _ = language.gettext
    if step == "admins":
        return [
            _("We reminded %(home)s to report its free places.", home=home.profile.name),
            _("Nothing has come yet. You can report for it here."),
        ]
    return [
        _("Which places are free at %(home)s?", home=home.profile.name),
        _("Please report now. It takes ten seconds."),
    ]


def _said(language: Language, home: CareHome, now: datetime) -> str:
    said_at = home.last_said_at
    if said_at is None:
        return language.gettext("Nothing has been reported yet.")
    return language.gettext(
        "Last reported %(age)s (%(moment)s):",
        age=language.age(said_at, now),
        moment=language.moment(said_at),
    )


def _last(language: Language, home: CareHome) -> list[str]:
    """What was last reported, a line a care form."""
    if home.observed_at is None:
        return []
    free: dict[CareForm, int] = {}
    for line in home.vacancies:
        free[line.care_form] = free.get(line.care_form, 0) + line.count
    lines = [
        f"{language.gettext(CARE_FORMS[form])}: "
        + language.ngettext("%(num)s free", "%(num)s free", free[form])
        for form in CareForm
        if form in free
    ]
    return lines or [language.gettext("No free place")]


def _text(language: Language, content: Content) -> str:
    """The part for who reads plain text: the same in the same order."""
    _ = language.gettext
    lines = [content.greeting, "", *content.lead, "", content.said, *content.last, ""]
    if content.unchanged is not None:
        lines += [_("Still so:"), content.unchanged, ""]
    for form, choices in content.choices:
        lines += [form, *(f"{choice.label}: {choice.address}" for choice in choices), ""]
    lines += [_("All details:"), content.page, "", *content.notes]
    lines += [_("Switch reminders off:"), content.account]
    return _joined(lines)


def _joined(lines: list[str]) -> str:
    """What providers write must not begin lines of its own."""
    return "\n".join(" ".join(line.split()) for line in lines) + "\n"


@cache
def _environment(code: str) -> Environment:
    """Mails are written outside of requests, so that there is no language of the page."""
    translations = choose(code, reporting=True).translations
    found = Environment(
        loader=PackageLoader("web"),
        autoescape=select_autoescape(),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.install_gettext_callables(  # type: ignore[attr-defined]
        translations.ugettext, translations.ungettext, newstyle=True
    )
    return found
