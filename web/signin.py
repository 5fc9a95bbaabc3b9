"""Signing in by a link from a mail, and out again."""

from __future__ import annotations

import structlog
from quart import Blueprint, Response, current_app, request
from werkzeug.datastructures import MultiDict

from providers.desks import select_desks_of
from providers.limits import Limit
from providers.offers import (
    OtherBrowser,
    SignInExpired,
    SignInRefused,
    SignInUsed,
    claim_offer,
    select_offer,
)
from providers.post import MailSender, PostRefused, sender_address
from providers.signin import checked_email, issue_link
from providers.staff import Staff, select_homes_of
from vacancies.database import borrowed
from vacancies.errors import InvalidInput
from web.cookies import cookie
from web.language import choose
from web.origin import client_network, host_of, is_address, local_path, sign_in_origin
from web.pages import (
    NO_TRACE,
    current_language,
    in_language,
    link,
    message_page,
    page,
    too_often_page,
)
from web.reporter import home_report_path
from web.signin_mail import offer_address, signin_mail
from web.staff import (
    begin_session,
    browser,
    check_form,
    end_session,
    redirect_to,
    require_staff,
    sign_in_address,
    signed_in,
)
from web.state import state

signin = Blueprint("signin", __name__)

# A home's staff share one address on the internet.
ASKING = Limit("signin", most=30, seconds=600)
ACCOUNT = "/account"
DESK = "/desk/"

log = structlog.get_logger()


@signin.get("/signin")
async def ask() -> Response:
    """Where one asks for the link, or uses a passkey."""
    back = local_path(request.args.get("next"))
    if sign_in_origin() is None:
        return await _not_set_up()
    if await signed_in():
        return redirect_to(await landing((await require_staff()).staff, back))
    return await _form(back)


@signin.post("/signin")
async def send() -> Response:
    """Send the link. The answer is the same whether or not the address is known, and comes
    before anybody looks that up: neither words nor time tell who reports here."""
    origin = sign_in_origin()
    if origin is None:
        return await _not_set_up()
    form = await check_form()
    back = local_path(form.get("next"))
    try:
        email = checked_email(form.get("email", ""))
    except InvalidInput:
        return await _form(back, form.get("email", ""), status=422)
    if not await state().limiter.allows(ASKING, client_network()):
        return await _too_often()
    current_app.add_background_task(_send_link, email, browser(), origin, back)
    return await page("signin_sent.html", is_private=True, email=email)


async def _send_link(email: str, known_browser: str, origin: str, back: str | None) -> None:
    """In the background; what goes wrong is logged without saying for whom."""
    settings = state().settings
    try:
        async with borrowed(state().deployment.pool) as connection:
            issued = await issue_link(connection, email, known_browser)
        if issued is None:
            return
        staff, token = issued
        language = choose(staff.language, reporting=True)
        address = offer_address(origin, token, language, back)
        sender: MailSender = current_app.extensions["mail"]
        await sender.send(signin_mail(sender_address(settings), staff, address, language))
    except PostRefused as error:
        log.warning("a link to sign in could not be sent", reason=error.detail)
    except Exception as error:
        log.error("a link to sign in could not be made", error=type(error).__name__)


@signin.get("/signin/<token>")
async def offer(token: str) -> Response:
    """What the link offers, and one button. Mail programs open links by themselves: nothing
    changes here."""
    await signed_in()  # the form of the page rests on that
    try:
        async with borrowed(state().deployment.pool) as connection:
            found = await select_offer(connection, token, cookie("browser"))
    except SignInRefused as error:
        return await _refused(error)
    return _hiding_address(
        await page(
            "signin_redeem.html",
            is_private=True,
            offer=found,
            action=link(f"/signin/{token}"),
            back=local_path(request.args.get("next")),
        )
    )


@signin.post("/signin/<token>")
async def redeem(token: str) -> Response:
    """The button: sign in, and for an invitation accept it."""
    form = await check_form()
    before = await signed_in()
    try:
        async with borrowed(state().deployment.pool) as connection:
            claimed = await claim_offer(
                connection, token, cookie("browser"), current_language().code
            )
            if claimed.may_sign_in:
                await begin_session(connection, claimed.staff.id)
            elif before is None or before.staff.id != claimed.staff.id:
                await end_session(connection)
                return redirect_to(sign_in_address(ACCOUNT))
    except SignInRefused as error:
        return await _refused(error)
    return redirect_to(await landing(claimed.staff, local_path(form.get("next"))))


@signin.post("/signout")
async def sign_out() -> Response:
    await check_form()
    async with borrowed(state().deployment.pool) as connection:
        await end_session(connection)
    return redirect_to(link("/signin"))


async def landing(staff: Staff, back: str | None = None) -> str:
    """Where one is after signing in, in one's own language: back where one was, or on the report
    page of one's only home, at one's desk, or at the list of what one has."""
    if back is None:
        homes = await select_homes_of(state().deployment.pool, staff.id)
        desks = await select_desks_of(state().deployment.pool, staff.id)
        if desks:
            back = ACCOUNT if homes else DESK
        else:
            back = home_report_path(homes[0][0]) if len(homes) == 1 else ACCOUNT
    return in_language(back, choose(staff.language, reporting=True).code)


def can_use_passkeys() -> bool:
    """They are bound to a name; an address such as 127.0.0.1 is none."""
    origin = sign_in_origin()
    return origin is not None and not is_address(host_of(origin))


async def _form(back: str | None, email: str = "", status: int = 200) -> Response:
    return await page(
        "signin.html",
        status,
        is_private=True,
        back=back or "",
        email=email,
        is_wrong=status != 200,
        passkeys=can_use_passkeys(),
        client={"next": back or "", "language": current_language().code},
    )


async def _refused(error: SignInRefused) -> Response:
    """A link that is not good: why, and the way on."""
    _ = current_language().gettext
    back = local_path(request.args.get("next"))
    steps = [(_("Send me a new link"), link("/signin", MultiDict({"next": back or ""})))]
    if isinstance(error, OtherBrowser):
        title = _("Please use the other browser")
        text = _("The link works only in the browser where you asked for it.")
    elif isinstance(error, SignInExpired):
        title, text = _("This link is too old"), _("Its time is over. Nothing is lost.")
    elif isinstance(error, SignInUsed):
        title, text = _("This link was used already"), _("Every link works once.")
    else:
        title, text = _("This link is not valid"), _("It was withdrawn or is not complete.")
    return _hiding_address(await message_page(410, title, text, steps))


def _hiding_address(response: Response) -> Response:
    """The address of the page opens an account: what the page asks for must not name it, nor may
    anybody list it. Other than `no-referrer` this lets browsers say from where a form comes."""
    response.headers["Cache-Control"] = NO_TRACE
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


async def _too_often() -> Response:
    _ = current_language().gettext
    return await too_often_page(
        _("Too many links were asked for from here. Try again in ten minutes."),
        ASKING.seconds,
        (_("To the search"), link("/")),
    )


async def _not_set_up() -> Response:
    _ = current_language().gettext
    return await message_page(
        503,
        _("Nobody can sign in here yet"),
        _("The operator must set FREIPLATZ_PUBLIC_URL to an https address."),
        [(_("To the search"), link("/"))],
    )
