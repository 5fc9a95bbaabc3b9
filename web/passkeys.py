"""Passkeys, as the client of the pages (`client/src/signin.ts`) asks for them: JSON."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import structlog
from quart import Blueprint, Response, current_app, request

from providers.passkeys import (
    CHALLENGE_LIVES,
    PasskeyRefused,
    Site,
    begin_authentication,
    begin_registration,
    finish_authentication,
    finish_registration,
)
from providers.post import MailSender, PostRefused, sender_address
from providers.staff import Staff
from vacancies.database import borrowed
from web.cookies import cookie, set_cookie
from web.device import device_words
from web.language import choose
from web.origin import host_of, local_path, sign_in_origin
from web.pages import link
from web.problems import problem_of, problem_response
from web.signin import can_use_passkeys, landing
from web.signin_mail import passkey_mail
from web.staff import begin_session, check_form, require_staff
from web.state import state

passkeys = Blueprint("passkeys", __name__)

log = structlog.get_logger()


class Answer(msgspec.Struct, frozen=True):
    """Where the browser goes next."""

    next: str


@passkeys.post("/signin/passkey/options")
async def authentication_options() -> Response:
    """What the browser asks its passkeys."""
    await check_form()
    async with borrowed(state().deployment.pool) as connection:
        options, challenge = await begin_authentication(connection, _site())
    return _options(options, challenge)


@passkeys.post("/signin/passkey")
async def authenticate() -> Response:
    """Sign in with the answer of a passkey."""
    await check_form()
    async with borrowed(state().deployment.pool) as connection:
        staff = await finish_authentication(
            connection, _site(), cookie("challenge"), await _credential()
        )
        await begin_session(connection, staff.id)
    return _done(await landing(staff, local_path(request.args.get("next"))))


@passkeys.post("/account/passkeys/options")
async def registration_options() -> Response:
    """What the browser needs to make a passkey."""
    await check_form()
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        options, challenge = await begin_registration(connection, _site(), found.staff)
    return _options(options, challenge)


@passkeys.post("/account/passkeys")
async def register() -> Response:
    """Enter the passkey that the browser has made."""
    await check_form()
    found = await require_staff()
    label, site = device_words(request.headers.get("User-Agent", "")), _site()
    async with borrowed(state().deployment.pool) as connection:
        await finish_registration(
            connection, site, found.staff, cookie("challenge"), await _credential(), label
        )
    current_app.add_background_task(_tell, found.staff, label, site.origin)
    return _done(link("/account"))


async def _tell(staff: Staff, device: str, origin: str) -> None:
    """A passkey outlives the session in which it was made: whoever got into that for a moment
    must not stay unnoticed."""
    language = choose(staff.language, reporting=True)
    sender: MailSender = current_app.extensions["mail"]
    mail = passkey_mail(
        sender_address(state().settings), staff, device, f"{origin}/account", language
    )
    try:
        await sender.send(mail)
    except PostRefused as error:
        log.warning("the mail about a new passkey could not be sent", reason=error.detail)


@passkeys.errorhandler(PasskeyRefused)
async def _refuse(error: PasskeyRefused) -> Response:
    body, status, headers = problem_response(problem_of(error))
    return Response(body, status=status, headers=headers)


def _site() -> Site:
    origin = sign_in_origin()
    if origin is None or not can_use_passkeys():
        raise PasskeyRefused("Passkeys need an address with a name.")
    return Site(host_of(origin), origin, state().settings.secret_key)


async def _credential() -> str:
    body: bytes = await request.get_data(as_text=False)  # type: ignore[assignment]
    return body.decode("utf-8", "replace")


def _options(options: str, challenge: str) -> Response:
    response = _json(options.encode())
    set_cookie(response, "challenge", challenge, CHALLENGE_LIVES)
    return response


def _done(path: str) -> Response:
    response = _json(msgspec.json.encode(Answer(path)))
    set_cookie(response, "challenge", "", timedelta())
    return response


def _json(body: bytes) -> Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(body, headers=headers)
