"""Who is signed in, and forms that only our own pages can send.

For every page on which people who report do something:

- `await require_staff()`: who is signed in; else the browser is sent to sign in and comes back.
- `await signed_in()`: the same, None if nobody is.
- `form = await check_form()`: the fields of a form of ours; else a 403 page. In the template the
  form holds `{{ form_token() }}` (`form_token.html`); a script sends `csrf_token()` as the header
  X-CSRF-Token.
- `await begin_session(connection, staff_id)`: where every way to sign in ends.

Whatever changes something outside /api must come from a page of ours: that is checked for all
routes before they run (`_refuse_strangers`), and `open_to_programs` is the one way out. The API
knows no cookies, so there a foreign page can do no more than anybody.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from quart import Quart, Response, current_app, g, redirect, request
from werkzeug.datastructures import MultiDict

from providers.sessions import (
    LIVES,
    FormRefused,
    NotSignedIn,
    Session,
    find_session,
    hash_secret,
    revoke_session,
    start_session,
)
from providers.staff import Staff
from vacancies.database import Connection, borrowed
from vacancies.errors import FreiplatzError
from web.cookies import cookie, set_cookie
from web.device import device_words
from web.origin import came_from_us, local_path, require_our_page
from web.pages import NO_TRACE, current_language, link, message_page, prefer_language
from web.problems import problem_of, problem_response
from web.state import state

BROWSER_LIVES = timedelta(hours=1)
FORM_FIELD = "form_token"
FORM_HEADER = "X-CSRF-Token"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

View = TypeVar("View", bound=Callable[..., Any])


class SignedIn(msgspec.Struct, frozen=True):
    """The person, and the session of this browser."""

    staff: Staff
    session: Session


async def signed_in() -> SignedIn | None:
    """Who is signed in in the browser that asks; looked up once a request."""
    if "signed_in" not in g:
        g.signed_in = await _find_signed_in()
    found: SignedIn | None = g.signed_in
    return found


async def require_staff() -> SignedIn:
    """Who is signed in; raises `NotSignedIn`, which sends the browser to /signin and back. The
    page is in the person's language unless its address says otherwise."""
    found = await signed_in()
    if found is None:
        raise NotSignedIn("Please sign in.")
    prefer_language(found.staff.language)
    return found


async def check_form() -> MultiDict[str, str]:
    """The fields of the form that was sent. Raises `FormRefused` unless a page of ours sent it
    (`Origin`), and one that was made for this session, or this browser while nobody is signed in
    (the token in the field `form_token` or the header X-CSRF-Token)."""
    form: MultiDict[str, str] = await request.form
    await signed_in()
    sent = form.get(FORM_FIELD) or request.headers.get(FORM_HEADER) or ""
    key = _form_key()
    is_known = key is not None and hmac.compare_digest(sent.encode(), _token(key).encode())
    if not is_known or not came_from_us():
        raise FormRefused("This form is out of date. Load the page again.")
    return form


def csrf_token() -> str:
    """For forms of the page that is being made. While nobody is signed in it holds for this
    browser, which gets a cookie. Look up who is signed in (`signed_in`) before."""
    if g.get("signed_in") is None:
        browser()
    key = _form_key()
    assert key is not None
    return _token(key)


def browser() -> str:
    """What the browser is known by for the next hour, without anybody being signed in; a new
    value if it has none. 256 random bits."""
    if "browser" not in g:
        sent = cookie("browser")
        g.browser = sent if 40 <= len(sent) <= 50 else secrets.token_urlsafe(32)
    value: str = g.browser
    return value


async def begin_session(connection: Connection, staff_id: int) -> None:
    """Sign a person in in this browser; the answer to this request brings the cookie. Who was
    signed in there before is signed out. A new way to sign in (OIDC) is a function that finds
    out who it is and ends here."""
    await end_session(connection)
    device = device_words(request.headers.get("User-Agent", ""))
    g.session_cookie = await start_session(connection, staff_id, device)


async def end_session(connection: Connection) -> None:
    """Sign out in this browser."""
    if found := await signed_in():
        await revoke_session(connection, found.staff.id, found.session.hash)
    g.session_cookie = ""


def open_to_programs(view: View) -> View:
    """Marks a route outside /api whose requests need not name our pages as their origin. It must
    not rely on cookies: then a foreign page can do no more than anybody who has the address."""
    view.is_open_to_programs = True  # type: ignore[attr-defined]
    return view


def is_open_to_programs(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, "is_open_to_programs", False))


def init_staff(app: Quart) -> None:
    """Make `app` know who is signed in, and refuse what strangers' pages send."""
    app.before_request(_refuse_strangers)
    app.after_request(_set_cookies)
    app.register_error_handler(NotSignedIn, _send_to_sign_in)
    app.register_error_handler(FormRefused, _form_refused)
    app.jinja_env.globals["csrf_token"] = csrf_token


async def _find_signed_in() -> SignedIn | None:
    value = cookie("session")
    if not value:
        return None
    async with borrowed(state().deployment.pool) as connection:
        found = await find_session(connection, value)
    if found is None:
        return None
    if found.is_renewed:
        g.setdefault("session_cookie", value)
    return SignedIn(found.staff, found.session)


def _form_key() -> bytes | None:
    """What the token of a form rests on: the session, or else what the browser is known by.
    None if this browser has neither yet."""
    found: SignedIn | None = g.get("signed_in")
    if found is not None:
        return found.session.hash
    known = g.get("browser") or cookie("browser")
    return hash_secret(known) if known else None


def _token(key: bytes) -> str:
    secret = hashlib.sha256(b"freiplatz form\0" + state().settings.secret_key.encode()).digest()
    return hmac.digest(secret, key, "sha256").hex()


async def _refuse_strangers() -> None:
    if request.method in _SAFE_METHODS or request.url_rule is None:
        return
    if request.path.startswith("/api/"):
        return
    view = current_app.view_functions[request.url_rule.endpoint]
    if not is_open_to_programs(view):
        require_our_page()


async def _set_cookies(response: Response) -> Response:
    """Only requests that asked who is signed in, or made a form, get here with anything to set:
    readers never get a cookie. What rests on that is for nobody else, whatever page it is."""
    if ("signed_in" in g or "browser" in g) and "no-store" not in response.headers.get(
        "Cache-Control", ""
    ):
        response.headers["Cache-Control"] = NO_TRACE
    if "session_cookie" in g:
        set_cookie(response, "session", g.session_cookie, LIVES)
    if "browser" in g:
        set_cookie(response, "browser", g.browser, BROWSER_LIVES)
    return response


async def _send_to_sign_in(error: NotSignedIn) -> Response:
    if is_by_script():
        return _problem(error)
    return redirect_to(sign_in_address(request.full_path if request.method == "GET" else None))


def sign_in_address(back: str | None) -> str:
    """Where one signs in and then goes to the page `back`."""
    path = local_path((back or "").rstrip("?"))
    return link("/signin", MultiDict([("next", path)] if path else []))


def is_by_script() -> bool:
    """Whether a script of our pages asks, which reads problems instead of pages."""
    return request.mimetype == "application/json"


def redirect_to(path: str) -> Response:
    """On to a page of ours, to be read (303: whatever the method was)."""
    response: Response = redirect(path, 303)  # type: ignore[assignment]
    response.headers["Cache-Control"] = "no-store"
    return response


def _problem(error: FreiplatzError) -> Response:
    body, status, headers = problem_response(problem_of(error))
    return Response(body, status=status, headers=headers)


async def _form_refused(error: FormRefused) -> Response:
    if is_by_script():
        return _problem(error)
    _ = current_language().gettext
    return await message_page(
        403,
        _("Please load the page again"),
        _("It was open for too long, or another site sent this. Nothing was changed."),
        [(_("To your account"), link("/account")), (_("To the search"), link("/"))],
    )
