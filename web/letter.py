"""The way in from a printed letter: its code, an e-mail address, and an invitation by mail.

The code is a secret of the home. Whoever has it can do no more than have a mail sent, so its pages
need no cookie; like those of one-tap links they name their address to nobody.
"""

from __future__ import annotations

from quart import Blueprint, Response, current_app, request
from werkzeug.datastructures import MultiDict

from providers.letters import (
    Letter,
    LetterExpired,
    LetterRefused,
    LetterUsed,
    in_groups,
    insert_invitation_by_letter,
    normal_code,
    select_letter,
)
from providers.limits import Limit
from providers.signin import TooManyInvitations, checked_email
from vacancies.database import borrowed
from vacancies.errors import InvalidInput
from web.desk.inviter import Inviter
from web.open_form import check_open_form, open_form_token
from web.origin import client_network, sign_in_origin
from web.pages import current_language, link, message_page, page, too_often_page
from web.reporter import private
from web.staff import open_to_programs
from web.state import state

letter_pages = Blueprint("letter", __name__)

# A provider's office may type the codes of all of its homes.
LOOKING = Limit("letter", most=120, seconds=600)
PURPOSE = "letter"


@letter_pages.get("/letter")
async def ask() -> Response:
    """Where the code is typed."""
    return await _code_form()


@letter_pages.post("/letter")
async def find() -> Response:
    """On to the page of the code. Changes nothing: whether there is such a letter is said there."""
    form = await check_open_form(PURPOSE)
    typed = form.get("code", "")[:100]
    if normal_code(typed) is None:
        return await _code_form(422, typed)
    return _see(link(_path(typed)))


@letter_pages.get("/letter/<code>")
async def show(code: str) -> Response:
    """For which home it is, and a field for the address; with `?sent=1` that a mail is on its
    way. Opening it changes nothing."""
    found = await _open(code)
    if isinstance(found, Response):
        return found
    if request.args.get("sent"):
        return private(await page("letter_sent.html", letter=found, path=link(_path(code))))
    return await _form(found, code)


# Its form cannot name our pages as their origin: a page whose address must go nowhere
# (`no-referrer`) sends `Origin: null`. The proof is the code in the path, and no cookie counts.
@letter_pages.post("/letter/<code>")
@open_to_programs
async def send(code: str) -> Response:
    """Have an invitation sent to the address that was entered."""
    found = await _open(code)
    if isinstance(found, Response):
        return found
    form: MultiDict[str, str] = await request.form
    typed = form.get("email", "")
    _ = current_language().gettext
    try:
        email = checked_email(typed)
        async with borrowed(state().deployment.pool) as connection:
            await insert_invitation_by_letter(connection, found, email)
    except InvalidInput:
        return await _form(found, code, 422, _("This is no e-mail address."), typed)
    except TooManyInvitations:
        wrong = _("Enough people were invited through this letter. Ask for a new one.")
        return await _form(found, code, 429, wrong, typed)
    inviter: Inviter = current_app.extensions["inviter"]
    inviter.wake()
    return _see(link(_path(code), MultiDict({"sent": "1"})))


async def _code_form(status: int = 200, typed: str = "") -> Response:
    # Not `private`: its form says from where it comes, and its address is no secret.
    response = await page(
        "letter_code.html",
        status,
        path=link("/letter"),
        typed=typed,
        token=open_form_token(PURPOSE),
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


async def _open(code: str) -> Letter | Response:
    """The letter, or the page that says why it opens nothing."""
    here = state()
    _ = current_language().gettext
    if not await here.limiter.allows(LOOKING, client_network()):
        text = _("Many codes came from here. Try again in ten minutes.")
        return private(await too_often_page(text, LOOKING.seconds, (_("To the search"), link("/"))))
    normal = normal_code(code)
    try:
        if normal is None or sign_in_origin() is None:
            raise LetterRefused("There is no such letter.")
        return await select_letter(here.deployment.pool, here.settings.secret_key, normal)
    except LetterUsed:
        status, title = 410, _("This letter was used already")
        text = _("Somebody in your home reports. Ask there, or sign in.")
        steps = [(_("Sign in"), link("/signin"))]
    except LetterExpired:
        status, title = 410, _("This letter is too old")
        text = _("Ask your municipality for a new one.")
        steps = [(_("To the search"), link("/"))]
    except LetterRefused:
        status, title = 404, _("This code opens nothing")
        text = _("It is mistyped, or there is a newer letter. Use the newest one.")
        steps = [(_("Type it again"), link("/letter"))]
    return private(await message_page(status, title, text, steps))


async def _form(
    letter: Letter, code: str, status: int = 200, wrong: str = "", typed: str = ""
) -> Response:
    return private(
        await page(
            "letter.html", status, letter=letter, path=link(_path(code)), wrong=wrong, typed=typed
        )
    )


def _path(code: str) -> str:
    """The address of a code, always in the same form."""
    normal = normal_code(code)
    return f"/letter/{in_groups(normal)}" if normal else "/letter"


def _see(address: str) -> Response:
    return private(Response("", status=303, headers={"Location": address}))
