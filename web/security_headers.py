"""What browsers are told to be careful with, on every answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from quart import Response

from web.embed import ancestors, is_embedded
from web.state import state


async def secure(response: Response) -> Response:
    """Every answer goes through here."""
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    if response.status_code == 308:
        _stay_here(response)
    if response.mimetype == "text/html":
        headers.setdefault("Content-Security-Policy", _content_security_policy())
        place = "" if is_embedded() else "self"
        headers.setdefault("Permissions-Policy", f"geolocation=({place}), camera=(), microphone=()")
        if is_embedded():
            headers["X-Robots-Tag"] = "noindex"  # the finder itself is to be found
        else:
            headers["X-Frame-Options"] = "DENY"  # for what knows no frame-ancestors
    return response


def _stay_here(response: Response) -> None:
    """Werkzeug sends an address with a slash too few or too many on to the right one, and takes
    scheme and host from the request: behind a proxy with TLS that is plain http, and the `Host` is
    what its sender wants it to be. The path alone will do (RFC 9110, section 10.2.2)."""
    parts = urlsplit(response.headers["Location"])
    path = "/" + parts.path.lstrip("/\\")
    response.headers["Location"] = f"{path}?{parts.query}" if parts.query else path
    response.set_data(b"")


def _content_security_policy() -> str:
    """Everything from here, nothing inline; images also from the operator's tile server. Only
    the finder's page for frames may be framed, and only by the sites of the operator's list."""
    images = "'self' data:"
    basemap = state().settings.basemap
    if basemap and basemap.file:
        images += " blob:"  # tiles that the client has cut out of the file
    elif basemap:
        parts = urlsplit(basemap.address)
        images += f" {parts.scheme}://{parts.netloc.replace('{s}', '*')}"
    return (
        f"default-src 'self'; img-src {images}; style-src 'self'; script-src 'self';"
        " object-src 'none'; base-uri 'none'; form-action 'self';"
        f" frame-ancestors {ancestors()}"
    )
