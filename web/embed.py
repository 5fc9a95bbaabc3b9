"""The finder in a frame of another site: what that page knows of it, its colour, and the script
of the custom element. How a town uses this is in docs/embedding.md."""

from __future__ import annotations

from urllib.parse import urlencode

from quart import Blueprint, Response, current_app, has_request_context, request

from vacancies.errors import InvalidParameter
from web.contrast import DARK, LIGHT, Accent, Colour, accent_in, code, mixed, parse_colour
from web.packing import packed_response
from web.state import state

EMBED = "/embed"
# In a page of somebody else, a long list would push away all that follows.
PAGE_SIZE = 10
_HOUR_SECONDS = 3600

embed = Blueprint("embed", __name__)


def is_embedded() -> bool:
    """Whether this page is made for a frame."""
    return has_request_context() and request.path == EMBED


def check_accent() -> None:
    """Raises `InvalidParameter` if this page was asked for in a colour that is none."""
    if is_embedded() and (text := request.args.get("accent")) and parse_colour(text) is None:
        raise InvalidParameter("accent must look like #0a6e4f.", field="accent")


def accent() -> str:
    """The accent of this page as it stands in addresses (`0a6e4f`), or nothing."""
    colour = parse_colour(request.args.get("accent", "")) if is_embedded() else None
    return code(colour)[1:] if colour else ""


def full_address() -> str:
    """The same search in the finder itself."""
    pairs = [(k, v) for k, v in request.args.items(multi=True) if k not in ("accent", "after")]
    return f"/?{urlencode(pairs)}" if pairs else "/"


def ancestors() -> str:
    """Who may frame this page, for the content security policy: nobody, unless it is made for
    frames and the operator has named the sites."""
    origins = state().settings.embed_origins if is_embedded() else ()
    return " ".join(origins) or "'none'"


@embed.get("/embed/accent.css")
async def accent_style() -> Response:
    """`accent` as the colour of a page, light and dark. A file of its own, since the content
    security policy forbids styles inside of pages."""
    colour = parse_colour(request.args.get("accent", ""))
    if colour is None:
        return Response("accent must look like #0a6e4f.\n", 400, mimetype="text/plain")
    light, dark = (_tokens(accent_in(colour, scheme)) for scheme in (LIGHT, DARK))
    style = f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    response = Response(style, content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = f"public, max-age={_HOUR_SECONDS}"
    return response


def _tokens(found: Accent) -> str:
    """KERN's tokens for it. A button that is pointed at goes away from its text, so that this
    stays readable: KERN would bring them nearer."""
    text: Colour = found.on
    away: Colour = (255 - text[0], 255 - text[1], 255 - text[2])
    tokens = {
        "default": found.colour,
        "on-default": text,
        "state-indicator-shade-hover": mixed(found.colour, away, 0.12),
        "state-indicator-shade-active": mixed(found.colour, away, 0.24),
    }
    return ";".join(f"--kern-color-action-{name}:{code(to)}" for name, to in tokens.items())


@embed.get("/embed.js")
async def script() -> Response:
    """The custom element `<freiplatz-finder>` (client/src/embed.ts). Its name never changes: it
    stands in other people's pages."""
    asset = current_app.extensions["assets"].get("embed.js")
    if asset is None:
        return Response("The browser client is not built.\n", 404, mimetype="text/plain")
    response = packed_response(asset.body, asset.packed, asset.kind)
    response.headers["Cache-Control"] = f"public, max-age={_HOUR_SECONDS}"
    # A module of another origin is only run if that says so.
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
