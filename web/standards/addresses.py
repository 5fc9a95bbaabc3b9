"""The public address of this deployment, under which exported things have their names."""

from __future__ import annotations

from quart import request

from web.state import state


def public_address() -> str:
    """Without a slash at the end. Without the setting it is what the caller called us."""
    return (state().settings.public_url or request.host_url).rstrip("/")
