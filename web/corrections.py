""" "This is wrong": what readers say of the entry of a home, for whoever is responsible.

Nothing here changes an entry, and no reader gets a cookie. What they write goes into the
database and into one mail, and nowhere else.
"""

from __future__ import annotations

import asyncio
from email.message import EmailMessage

import structlog
from quart import Blueprint, Response, current_app, request
from werkzeug.datastructures import MultiDict

from providers.limits import Limit
from providers.post import MailSender, PostRefused, make_mail, sender_address
from providers.signin import checked_email
from vacancies.config import Settings
from vacancies.corrections import (
    MOST_LETTERS,
    Matter,
    delete_old_corrections,
    insert_correction,
)
from vacancies.database import Pool, borrowed, is_connection_error
from vacancies.errors import InvalidInput
from vacancies.models import HomeStatus, Listing
from web.home import home_path, no_home
from web.language import DEFAULT, choose
from web.link_mail import public_address
from web.open_form import check_open_form, open_form_token, visible_text
from web.origin import client_network
from web.pages import current_language, link, message_page, page, too_often_page
from web.staff import redirect_to
from web.state import state
from web.words import N_

corrections = Blueprint("corrections", __name__)

# A hospital shares one address on the internet.
TELLING = Limit("correction", most=20, seconds=3600)
PURPOSE = "correction"
FORGET_SECONDS = 3600.0
MATTERS = {
    Matter.PHONE: N_("The telephone number is wrong"),
    Matter.ADDRESS: N_("The address is wrong"),
    Matter.GONE: N_("The place is taken already"),
    Matter.CLOSED: N_("The home is closed"),
    Matter.OTHER: N_("Something else"),
}

log = structlog.get_logger()


@corrections.get("/homes/<home_id>/wrong")
async def ask(home_id: str) -> Response:
    """The form; with `?sent=1` thanks for what was sent by it."""
    listing = state().board.get(home_id)
    if listing is None or listing.profile.status is not HomeStatus.OPEN:
        return await no_home(listing)
    if request.args.get("sent"):
        return await _thanks(listing)
    return await _form(listing, {})


@corrections.post("/homes/<home_id>/wrong")
async def send(home_id: str) -> Response:
    """Store it, and tell who is responsible."""
    form = (await check_open_form(PURPOSE)).to_dict()
    listing = state().board.get(home_id)
    if listing is None or listing.profile.status is not HomeStatus.OPEN:
        return await no_home(listing)
    try:
        matter, said, email = _read(form)
    except InvalidInput as error:
        return await _form(listing, form, error.field or "")
    here = state()
    if not await here.limiter.allows(TELLING, client_network()):
        return await _too_often(listing)
    async with borrowed(here.deployment.pool) as connection:
        number = await insert_correction(connection, listing.id, matter, said, email)
    if number is not None and here.settings.contact_email:
        mail = correction_mail(here.settings, listing, number, matter, said, email)
        current_app.add_background_task(_tell, mail, number)
    # Where enough are waiting already, one more was heard too.
    return redirect_to(link(f"{home_path(listing.id)}/wrong", MultiDict({"sent": "1"})))


def _read(form: dict[str, str]) -> tuple[Matter, str, str | None]:
    """Raises `InvalidInput` with the field that is wrong."""
    try:
        matter = Matter(form.get("matter", ""))
    except ValueError:
        raise InvalidInput("Choose what is wrong.", field="matter") from None
    said = visible_text(form.get("said", ""))
    if len(said) > MOST_LETTERS or (matter is Matter.OTHER and not said):
        raise InvalidInput("Say it in at most 500 letters.", field="said")
    email = form.get("email", "").strip()
    return matter, said, checked_email(email) if email else None


def correction_mail(
    settings: Settings,
    listing: Listing,
    number: int,
    matter: Matter,
    said: str,
    email: str | None,
) -> EmailMessage:
    """In German, to the address of the operator; who answers it writes to the reader."""
    _ = choose(DEFAULT).gettext
    parts = [
        _("A reader says that something is wrong with this entry:"),
        f"{listing.profile.name}\n{public_address(settings)}{home_path(listing.id)}",
        _(MATTERS[matter]),
        "\n".join(f"> {line}" for line in said.split("\n")) if said else "",
        _("Wants an answer at: %(email)s") % {"email": email} if email else "",
        _("Dealt with? Then: %(command)s") % {"command": f"freiplatz corrections done {number}"},
    ]
    return make_mail(
        sender_address(settings),
        settings.contact_email or "",
        _("Correction no. %(number)s: %(name)s", number=number, name=listing.profile.name),
        "\n\n".join(filter(None, parts)),
        headers={"Reply-To": email} if email else None,
    )


async def _tell(mail: EmailMessage, number: int) -> None:
    """In the background; what goes wrong is logged without what was said."""
    sender: MailSender = current_app.extensions["mail"]
    try:
        await sender.send(mail)
    except PostRefused as error:
        log.warning("a correction could not be mailed", number=number, reason=error.detail)
    except Exception as error:
        log.error("a correction could not be mailed", number=number, error=type(error).__name__)


async def forget_for_ever(pool: Pool) -> None:
    """Delete what is done and old, once an hour."""
    while True:
        try:
            async with borrowed(pool) as connection:
                await delete_old_corrections(connection)
        except Exception as error:
            known = is_connection_error(error)
            (log.warning if known else log.error)(
                "old corrections could not be deleted", error=type(error).__name__
            )
        await asyncio.sleep(FORGET_SECONDS)


async def _form(listing: Listing, typed: dict[str, str], wrong: str = "") -> Response:
    response = await page(
        "correction.html",
        422 if wrong else 200,
        home=listing,
        path=link(f"{home_path(listing.id)}/wrong"),
        home_path=link(home_path(listing.id)),
        matters=MATTERS,
        most_letters=MOST_LETTERS,
        typed=typed,
        wrong=wrong,
        token=open_form_token(PURPOSE),
    )
    # What stands in the form is for nobody else, and the proof in it grows old.
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


async def _thanks(listing: Listing) -> Response:
    _ = current_language().gettext
    return await message_page(
        200,
        _("Thank you"),
        _("Somebody looks at it. The entry changes once the home or the office has checked it."),
        [(_("Back to the home"), link(home_path(listing.id)))],
    )


async def _too_often(listing: Listing) -> Response:
    _ = current_language().gettext
    return await too_often_page(
        _("Many corrections came from here. Try again in an hour."),
        TELLING.seconds,
        (_("Back to the home"), link(home_path(listing.id))),
    )
