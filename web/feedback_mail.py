"""The mail that asks a home whether a place is still free, after a caller said that it is not.

Its links open the report page of the home. Opening them changes nothing: mail scanners do that too.
"""

from __future__ import annotations

from datetime import datetime

from providers.call_questions import Asker
from providers.links import make_token
from providers.post import open_mail_sender, sender_address
from providers.reminder_post import Letter
from providers.staff import Membership
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.listings import public_listing
from vacancies.models import CareForm, CareHome
from web.language import Language, choose
from web.link_mail import link_address, public_address
from web.words import CARE_FORMS, N_

# A sentence for each: in German the noun bends.
_TAKEN = {
    CareForm.LONG_TERM: N_("Somebody has called: your place in long-term care is taken already."),
    CareForm.SHORT_TERM: N_("Somebody has called: your place in short-term care is taken already."),
    CareForm.RESPITE: N_("Somebody has called: your place in respite care is taken already."),
    CareForm.DAY: N_("Somebody has called: your place in day care is taken already."),
    CareForm.NIGHT: N_("Somebody has called: your place in night care is taken already."),
    CareForm.ASSISTED_LIVING: N_("Somebody has called: your flat with care is taken already."),
    CareForm.SHARED_FLAT: N_(
        "Somebody has called: your place in the shared flat is taken already."
    ),
    CareForm.HOSPICE: N_("Somebody has called: your place in the hospice is taken already."),
}


class QuestionMail:
    """Writes for the deployment of `settings`; implements `QuestionWriter`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def for_member(
        self, home: CareHome, member: Membership, care_form: CareForm | None, now: datetime
    ) -> Letter:
        language = choose(member.staff.language, reporting=True)
        _ = language.gettext
        token = make_token(self._settings.secret_key, member.id, home.id, now)
        page = link_address(self._settings, token)
        name, account = member.staff.name, f"{public_address(self._settings)}/account"
        said = (
            _(_TAKEN[care_form])
            if care_form
            else _("Somebody has called: your free place is taken already.")
        )
        question = _("Is that right?")
        notes = [
            _("A link opens a page. Nothing is reported before you confirm it there."),
            _("The links are good for 48 hours. Please do not pass them on."),
            _("What callers say changes nothing. Only you report for your home."),
            *(
                []
                if language.is_reviewed
                else [_("This translation has not been checked by a native speaker yet.")]
            ),
        ]
        lines = [
            _("Hello %(name)s,", name=name) if name else _("Hello,"),
            "",
            f"{said} {question}",
            home.profile.name,
            *_shown(language, home),
            "",
            _("Yes, report it as taken:"),
            _taken_address(home, care_form, page),
            "",
            _("No, it is still free:"),
            f"{page}?unchanged=1",
            "",
            *notes,
            _("Switch reminders off:"),
            account,
        ]
        return Letter(
            subject=_("Is the place at %(home)s taken?", home=home.profile.name),
            # What others have written must not begin lines of its own.
            text="\n".join(" ".join(line.split()) for line in lines) + "\n",
            headers={"List-Unsubscribe": f"<{account}>"},
        )


def _shown(language: Language, home: CareHome) -> list[str]:
    """What the public sees just now."""
    free = public_listing(home).free
    return [
        f"{language.gettext(CARE_FORMS[form])}: "
        + language.ngettext("%(num)s free", "%(num)s free", free[form])
        for form in CareForm
        if form in free
    ]


def _taken_address(home: CareHome, care_form: CareForm | None, page: str) -> str:
    """With 0 filled in where it can mean nothing else: it was the only place there is."""
    free = public_listing(home).free
    form = care_form or (next(iter(free)) if len(free) == 1 else None)
    return f"{page}?{form}=0" if form is not None and free.get(form) == 1 else page


def open_asker(settings: Settings, pool: Pool) -> Asker:
    return Asker(pool, open_mail_sender(settings), sender_address(settings), QuestionMail(settings))
