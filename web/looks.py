"""Pages in the look of a municipality: below its path, or under its own host name.

`/guetersloh/homes/x` is the page `/homes/x` in the look of Gütersloh, and so are all pages for
readers. Under the host name of a municipality there are these pages too, and nothing else: people
sign in, and send forms, under the public address of the deployment alone. Who has which path and
host is what the operator has entered, so an unknown `Host` has no look.
"""

from __future__ import annotations

from urllib.parse import quote

from quart import Blueprint, Response, has_request_context, request
from werkzeug.routing import Map

from vacancies.looks import Look, Looks, select_logo
from web.asgi import Asgi, Receive, Scope, Send
from web.origin import host_of
from web.state import state

looks = Blueprint("looks", __name__)

_WEEK_SECONDS = 7 * 24 * 3600
# A picture opened by itself runs nothing and asks for nothing.
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
# Pages for readers that only show something: what a municipality's own host name has.
_READABLE = ("/", "/shortlist", "/imprint", "/privacy", "/accessibility", "/status", "/favicon.ico")
_READABLE_BELOW = ("/assets/", "/basemap", "/looks/", "/opendata/", "/embed/accent.css")
_API = "/api/v1/"
_FORMS_OF_HOMES = ("", "trail", "wrong", "feedback")
# These have no look: for people who work, for programs, and files.
_WITHOUT_LOOK = (
    *("/api/", "/assets/", "/desk", "/report", "/sign", "/account", "/people", "/upload"),
    *("/webhooks", "/opendata", "/fhir", "/hsds", "/ngsi-ld", "/embed", "/looks/"),
)


class LookDoor:
    """Wraps the app: finds out in whose look a request is answered."""

    def __init__(self, app: Asgi, looks: Looks, rules: Map, public_url: str | None) -> None:
        self._app = app
        self._looks = looks
        self._public_url = (public_url or "").rstrip("/")
        self._own_paths = reserved(rules)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = _host(scope)
        if self._public_url and host != host_of(self._public_url):
            look = await self._looks.at_host(host)
            if look is not None:
                await self._at_own_host(look, scope, receive, send)
                return
        segment, _slash, rest = scope["path"][1:].partition("/")
        if segment and segment not in self._own_paths:
            look = await self._looks.at_path(segment)
            if look is not None:
                path = f"/{rest}"
                raw = quote(path).encode()
                scope = {**scope, "path": path, "raw_path": raw, "look": look}
        await self._app(scope, receive, send)

    async def _at_own_host(self, look: Look, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        reads = scope["method"] in ("GET", "HEAD", "OPTIONS")
        if reads and is_readable(path):
            await self._app({**scope, "look": look, "own_host": True}, receive, send)
        elif reads:
            query = scope["query_string"]
            address = (
                self._public_url.encode() + quote(path).encode() + (b"?" + query) * bool(query)
            )
            await _answer(send, 302, [(b"location", address)])
        else:
            await _answer(send, 403, [(b"content-type", b"text/plain; charset=utf-8")])


def reserved(rules: Map) -> frozenset[str]:
    """First parts of paths that are ours: no municipality can have them."""
    return frozenset(str(rule).split("/")[1] for rule in rules.iter_rules())


def is_readable(path: str) -> bool:
    """Whether a page or file is there under the host name of a municipality too."""
    # `/homes/x`, or `/homes/neighbour/x`: what follows on one of ours are pages with forms.
    parts = path.split("/")[1:]
    is_home = parts[0] == "homes" and len(parts) in (2, 3) and parts[-1] not in _FORMS_OF_HOMES
    return is_home or path in _READABLE or path.startswith((_API, *_READABLE_BELOW))


def current_look() -> Look | None:
    """In whose look this page is."""
    if not has_request_context():
        return None
    scope: Scope = request.scope  # type: ignore[assignment]
    found: Look | None = scope.get("look")
    return found


def is_own_host() -> bool:
    """Whether this page is read under the host name of a municipality: no form of it is taken."""
    return has_request_context() and bool(request.scope.get("own_host"))


def look_prefix() -> str:
    """What stands before the paths of pages for readers."""
    look = current_look()
    return "" if look is None or is_own_host() else f"/{look.path}"


def in_look(address: str) -> str:
    """An address of ours as pages in this look name it: `/imprint` is `/guetersloh/imprint`, and
    under a host name of its own `/signin` is that of the public address."""
    path = address.partition("?")[0]
    if current_look() is None:
        return address
    if is_own_host():
        readable = is_readable(path)
        return address if readable else f"{state().settings.public_url or ''}".rstrip("/") + address
    if path.startswith(_WITHOUT_LOOK):
        return address
    return look_prefix() + (address[1:] if path == "/" else address)


@looks.get("/looks/<key>/logo")
async def logo(key: str) -> Response:
    """The picture in the head of a municipality's pages. Its address names its version."""
    found = await select_logo(state().deployment.pool, key)
    if found is None:
        return Response("It has no picture.\n", 404, mimetype="text/plain")
    content, kind = found
    response = Response(content, content_type=kind)
    response.headers["Cache-Control"] = f"public, max-age={_WEEK_SECONDS}"
    response.headers["Content-Security-Policy"] = _PICTURE_POLICY
    return response


def _host(scope: Scope) -> str:
    """The host name that was asked for, without a port."""
    value: bytes = next((value for name, value in scope["headers"] if name == b"host"), b"")
    text = value.decode("latin-1").lower()
    name, colon, port = text.rpartition(":")
    return name if colon and port.isdigit() else text


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    body = b"" if status == 302 else b"Under this name pages can only be read.\n"
    headers = [
        *headers,
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
