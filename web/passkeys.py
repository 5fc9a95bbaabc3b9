"""Passkeys, as the client of the pages (`client/src/signin.ts`) asks for them: JSON."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from quart import Blueprint, Response, request

from providers.passkeys import (
    CHALLENGE_LIVES,
    PasskeyRefused,
    Site,
    begin_authentication,
    begin_registration,
    finish_authentication,
    finish_registration,
)
from vacancies.database import borrowed
from web.cookies import cookie, set_cookie
from web.device import device_words
from web.origin import host_of, local_path, sign_in_origin
from web.pages import link
from web.problems import problem_of, problem_response
from web.signin import can_use_passkeys, landing
from web.staff import begin_session, check_form, require_staff
from web.state import state

passkeys = Blueprint("passkeys", __name__)


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
    label = device_words(request.headers.get("User-Agent", ""))
    async with borrowed(state().deployment.pool) as connection:
        await finish_registration(
            connection, _site(), found.staff, cookie("challenge"), await _credential(), label
        )
    return _done(link("/account"))


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
