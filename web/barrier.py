"""Telling of a barrier: a form, and a mail to those who run the site (§ 7 (2) no. 2 BITV 2.0).

The mail is the only copy. If no mail server takes it, it becomes a file in the data folder, as
all mail does where none is set; so nothing that somebody wrote gets lost.
"""

from __future__ import annotations

from email.message import EmailMessage

import structlog
from quart import Blueprint, Response, current_app, request
from werkzeug.datastructures import MultiDict

from providers.limits import Limit
from providers.post import FileSender, MailSender, PostRefused, make_mail, sender_address
from providers.signin import checked_email
from vacancies.config import Settings
from vacancies.errors import InvalidInput
from web.language import DEFAULT, choose
from web.open_form import check_open_form, open_form_token, visible_text
from web.origin import client_network
from web.pages import current_language, link, message_page, page, too_often_page
from web.staff import redirect_to
from web.state import state

barrier = Blueprint("barrier", __name__)

TELLING = Limit("barrier", most=5, seconds=3600)
PURPOSE = "barrier"
PATH = "/accessibility/report"
MOST_LETTERS = 2000
_MOST_WHERE_LETTERS = 300

log = structlog.get_logger()


@barrier.get(PATH)
async def ask() -> Response:
    """The form; with `?sent=1` thanks for what was sent by it."""
    if request.args.get("sent"):
        _ = current_language().gettext
        return await message_page(
            200,
            _("Thank you"),
            _("Your message is with those who run this site."),
            [(_("To the search"), link("/"))],
        )
    return await _form({})


@barrier.post(PATH)
async def send() -> Response:
    """Pass it on. What is wrong is said beside the field, and nothing that was typed is lost."""
    form = (await check_open_form(PURPOSE)).to_dict()
    try:
        where, said, email = _read(form)
    except InvalidInput as error:
        return await _form(form, error.field or "")
    here = state()
    if not await here.limiter.allows(TELLING, client_network()):
        return await _too_often()
    await _pass_on(barrier_mail(here.settings, where, said, email))
    return redirect_to(link(PATH, MultiDict({"sent": "1"})))


def barrier_address(settings: Settings) -> str | None:
    """To whom it goes; None if the operator has told no address at all."""
    return settings.contact_email or settings.operator.email or None


def barrier_mail(settings: Settings, where: str, said: str, email: str | None) -> EmailMessage:
    """In German; who answers it writes to the person."""
    _ = choose(DEFAULT).gettext
    sender = sender_address(settings)
    parts = [
        _("Somebody could not use the site, or a part of it:"),
        "\n".join(f"> {line}" for line in said.split("\n")),
        _("Where: %(where)s", where=where) if where else "",
        _("Wants an answer at: %(email)s", email=email) if email else "",
        _("By law an answer is due within a month."),
    ]
    return make_mail(
        sender,
        barrier_address(settings) or sender,
        _("A barrier on Freiplatz"),
        "\n\n".join(filter(None, parts)) + "\n",
        headers={"Reply-To": email} if email else None,
    )


def _read(form: dict[str, str]) -> tuple[str, str, str | None]:
    """Where, what, and the address for an answer. Raises `InvalidInput` with the field."""
    said = visible_text(form.get("said", ""))
    if not said or len(said) > MOST_LETTERS:
        raise InvalidInput("Say what the barrier is, in at most 2,000 letters.", field="said")
    where = " ".join("".join(filter(str.isprintable, form.get("where", ""))).split())
    if len(where) > _MOST_WHERE_LETTERS:
        raise InvalidInput("Say in at most 300 letters where it is.", field="where")
    email = form.get("email", "").strip()
    return where, said, checked_email(email) if email else None


async def _pass_on(mail: EmailMessage) -> None:
    sender: MailSender = current_app.extensions["mail"]
    try:
        await sender.send(mail)
    except PostRefused as error:
        log.warning("a barrier could not be mailed, it is kept as a file", reason=error.detail)
        await FileSender(state().settings.data_dir / "mail").send(mail)


async def _form(typed: dict[str, str], wrong: str = "") -> Response:
    response = await page(
        "barrier.html",
        422 if wrong else 200,
        typed=typed,
        wrong=wrong,
        most_letters=MOST_LETTERS,
        action=link(PATH),
        token=open_form_token(PURPOSE),
    )
    # What stands in the form is for nobody else, and the proof in it grows old.
    response.headers["Cache-Control"] = "no-store"
    return response


async def _too_often() -> Response:
    _ = current_language().gettext
    return await too_often_page(
        _("Many messages came from here. Try again in an hour, or call."),
        TELLING.seconds,
        (_("Accessibility of this site"), link("/accessibility")),
    )
