"""Forms for everybody: proof that one of our pages made them, without a cookie.

Readers have no session that a foreign page could use; what is kept out is what was never on a
page of ours. The proof is the time at which the page was made, signed for one `purpose`, in
the field `form_token`. That a request comes from us at all is checked for every route
(`staff.py`).
"""

from __future__ import annotations

import hashlib
import hmac
import time

from quart import request
from werkzeug.datastructures import MultiDict

from providers.sessions import FormRefused
from web.state import state

LIVES_SECONDS = 24 * 3600
_TIME_DIGITS = 8
_DIGITS = 64


def visible_text(text: str) -> str:
    """What a reader wrote, in lines: without what nobody can see, which has no place in a mail,
    nor NUL in Postgres."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("".join(filter(str.isprintable, line)) for line in lines).strip()


def open_form_token(purpose: str) -> str:
    """For a form that is on its way to a reader; 64 hexadecimal digits."""
    return _token(purpose, int(time.time()))


async def check_open_form(purpose: str) -> MultiDict[str, str]:
    """The fields of the form that was sent. Raises `FormRefused` unless a page of ours made it
    for that `purpose`, in the last day."""
    form: MultiDict[str, str] = await request.form
    sent = form.get("form_token", "")
    try:
        made_at = int(sent[:_TIME_DIGITS], 16)
    except ValueError:
        made_at = 0
    is_ours = hmac.compare_digest(sent.encode(), _token(purpose, made_at).encode())
    if not is_ours or not 0 <= time.time() - made_at + 1 <= LIVES_SECONDS:
        raise FormRefused("This form is out of date. Load the page again.")
    return form


def _token(purpose: str, made_at: int) -> str:
    secret = hashlib.sha256(b"freiplatz open form\0" + state().settings.secret_key.encode())
    known = f"{made_at:0{_TIME_DIGITS}x}"
    proof = hmac.digest(secret.digest(), f"{purpose}\0{known}".encode(), "sha256").hex()
    return known + proof[: _DIGITS - _TIME_DIGITS]
