"""Cookies of the pages for people who report. Readers never get one."""

from __future__ import annotations

from datetime import timedelta

from quart import Response, request

from web.origin import sign_in_origin


def cookie(name: str) -> str:
    """The value of the cookie that `set_cookie` has set under that name, or nothing."""
    return request.cookies.get(_full_name(name), "")


def set_cookie(response: Response, name: str, value: str, lives: timedelta) -> None:
    """A cookie that scripts and other sites never see; an empty value takes it away."""
    response.set_cookie(
        _full_name(name),
        value,
        max_age=int(lives.total_seconds()) if value else 0,
        secure=_is_secure(),
        httponly=True,
        samesite="Lax",
        path="/",
    )


def _is_secure() -> bool:
    return (sign_in_origin() or "https://").startswith("https://")


def _full_name(name: str) -> str:
    """`__Host-`: the browser itself makes sure that it is ours alone (RFC 6265bis, 4.1.3.2). It
    wants https; without, which is within this machine only, the name is a plain one."""
    base = "freiplatz" if name == "session" else f"freiplatz-{name}"
    return f"__Host-{base}" if _is_secure() else base
