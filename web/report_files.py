"""What makes an app of the report page: its service worker, its manifest, and what it shows where
nothing is kept and there is no network."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from quart import Blueprint, Response, current_app, request

from web.assets import Asset
from web.origin import sign_in_origin
from web.packing import packed_response
from web.pages import current_language, link, message_page
from web.signin import landing
from web.staff import redirect_to, sign_in_address, signed_in
from web.words import N_

report_files = Blueprint("report_files", __name__, url_prefix="/report")

_WORKER = "report-worker.js"
# The blue of the icon (client/icons.ts).
_COLOUR = "#2044aa"
_NAME = N_("Report free places")


@report_files.get("/worker.js")
async def worker() -> Response:
    """The service worker."""
    return await service_worker(_WORKER)


async def service_worker(name: str) -> Response:
    """A service worker of the built client. Browsers look for a new one where they found it, so
    its address is always the same and no cache may answer; the folder of the address is all that
    it may control."""
    asset: Asset | None = current_app.extensions["assets"].get(name)
    if asset is None:
        return Response("No such file.\n", 404, mimetype="text/plain")
    response = packed_response(asset.body, asset.packed, asset.kind)
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(hashlib.sha256(asset.body).hexdigest()[:32], weak=True)
    await response.make_conditional(request)
    return response


@report_files.get("/manifest.webmanifest")
async def manifest() -> Response:
    """What a phone needs to know to keep the page as an app (W3C Web App Manifest)."""
    language = current_language()
    body = {
        "id": "/report/",
        "name": f"Freiplatz: {language.gettext(_NAME)}",
        "short_name": "Freiplatz",
        "lang": language.code,
        "dir": language.direction,
        "start_url": link("/report/start"),
        "scope": "/report/",
        "display": "standalone",
        "theme_color": _COLOUR,
        "background_color": "#ffffff",
        "icons": [
            _icon("icon-192.png", 192, "any"),
            _icon("icon-512.png", 512, "any"),
            _icon("icon-maskable-512.png", 512, "maskable"),
        ],
    }
    response = Response(msgspec.json.encode(body), content_type="application/manifest+json")
    response.headers["Cache-Control"] = "no-cache"
    return response


def _icon(name: str, pixels: int, purpose: str) -> dict[str, Any]:
    return {
        "src": current_app.extensions["built"](name),
        "sizes": f"{pixels}x{pixels}",
        "type": "image/png",
        "purpose": purpose,
    }


@report_files.get("/start")
async def start() -> Response:
    """Where the app opens if its service worker keeps no page: at one's homes, or a link is
    needed first."""
    if found := await signed_in():
        return redirect_to(await landing(found.staff))
    _ = current_language().gettext
    title, text = (
        _("Open your link"),
        _("Open the link in your newest mail. It leads to your home."),
    )
    steps = [(_("Sign in"), sign_in_address("/report/start"))] if sign_in_origin() else []
    return await message_page(200, title, text, [*steps, (_("To the search"), link("/"))])


@report_files.get("/offline")
async def offline() -> Response:
    """Kept by the service worker for addresses of which it keeps no page."""
    _ = current_language().gettext
    return await message_page(
        200,
        _("There is no network"),
        _("This page was not opened on this device yet. Please try again later."),
        # An empty address is the one at which this was shown instead.
        [(_("Try again"), "")],
    )
