"""What every HTML page needs: language, links that keep it, assets, and error pages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import structlog
from quart import Quart, Response, g, has_request_context, render_template, request
from quart.wrappers import Response as QuartResponse
from werkzeug.datastructures import MultiDict

from web.language import DEFAULT, Language, choose, languages
from web.state import state

DIST = Path(__file__).parent / "client" / "dist"
_YEAR_SECONDS = 365 * 24 * 3600
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

log = structlog.get_logger(__name__)


def current_language() -> Language:
    """The language that the address asks for; German without a wish."""
    if not has_request_context():
        return choose(None)
    if "language" not in g:
        g.language = choose(request.args.get("lang"))
    language: Language = g.language
    return language


def link(path: str, args: MultiDict[str, str] | None = None) -> str:
    """An address of ours with these parameters, in the language of this page."""
    pairs = [(key, value) for key, value in (args or MultiDict()).items(multi=True) if value]
    language = current_language()
    if language.code != DEFAULT:
        pairs.append(("lang", language.code))
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _in_other_language(code: str) -> str:
    """This very page in another language."""
    pairs = [(k, v) for k, v in request.args.items(multi=True) if k != "lang" and v]
    if code != DEFAULT:
        pairs.append(("lang", code))
    return f"{request.path}?{urlencode(pairs)}" if pairs else request.path


async def page(template: str, status: int = 200, **values: Any) -> Response:
    """A rendered page as a response that no cache keeps: it is about now."""
    html = await render_template(template, language=current_language(), **values)
    response = QuartResponse(html, status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Language"] = current_language().code
    return response


async def message_page(
    status: int, title: str, text: str, steps: list[tuple[str, str]] | None = None
) -> Response:
    """A page that says one thing and offers next steps, as (label, address)."""
    return await page("message.html", status, title=title, text=text, steps=steps or [])


async def error_page(status: int) -> Response:
    """The page for an error that no view has put into words itself."""
    _ = current_language().gettext
    home = [(_("To the search"), link("/"))]
    if status == 404:
        title, text = _("There is no such page"), _("The link is old or mistyped.")
    elif status < 500:
        title, text = _("That did not work"), _("The address of this page is not complete.")
    elif status == 503:
        title = _("Please try again in a moment")
        text = _("Freiplatz cannot answer just now.")
    else:
        title, text = _("Something went wrong"), _("The fault is ours. Please try again.")
    return await message_page(status, title, text, home)


def _read_manifest() -> dict[str, Any]:
    """Vite's list of built files, or nothing: the pages work without them, but plainly."""
    path = DIST / "manifest.json"
    if not path.exists():
        log.warning("client_not_built", expected=str(path), remedy="npm run build in web/client")
        return {}
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def _assets(manifest: dict[str, Any], entry: str) -> dict[str, list[str]]:
    """Addresses of the scripts and styles that an entry of the client needs."""
    chunk = manifest.get(f"src/{entry}.ts")
    if chunk is None:
        return {"scripts": [], "styles": []}
    styles: list[str] = list(chunk.get("css", []))
    for name in chunk.get("imports", []):
        styles += [css for css in manifest[name].get("css", []) if css not in styles]
    return {
        "scripts": [f"/assets/{chunk['file']}"],
        "styles": [f"/assets/{css}" for css in styles],
    }


@dataclass(frozen=True, slots=True)
class _Asset:
    """A file of the built client, plain and packed."""

    kind: str
    body: bytes
    packed: bytes | None


def _read_assets() -> dict[str, _Asset]:
    """Every file of the built client by its name, read once: what is served belongs
    together, also while somebody builds anew."""
    found = {}
    for path in DIST.glob("*.*") if DIST.is_dir() else ():
        if kind := _TYPES.get(path.suffix):
            packed = path.with_name(path.name + ".gz")
            found[path.name] = _Asset(
                kind, path.read_bytes(), packed.read_bytes() if packed.exists() else None
            )
    return found


def _serve(asset: _Asset | None) -> Response:
    """A name of ours holds the hash of the file, so it may be kept for ever."""
    if asset is None:
        return QuartResponse("No such file.\n", 404, mimetype="text/plain")
    pack = asset.packed is not None and request.accept_encodings.quality("gzip") > 0
    response = QuartResponse(asset.packed if pack else asset.body, content_type=asset.kind)
    response.headers["Cache-Control"] = f"public, max-age={_YEAR_SECONDS}, immutable"
    response.headers["Vary"] = "Accept-Encoding"
    if pack:
        response.headers["Content-Encoding"] = "gzip"
    return response


def init_pages(app: Quart) -> None:
    """Make `app` able to render the templates and to serve the built client."""
    manifest = _read_manifest()
    env = app.jinja_env
    env.add_extension("jinja2.ext.i18n")
    env.trim_blocks = env.lstrip_blocks = True
    # The order of codes is the order in which they are shown, in the client too.
    env.policies["json.dumps_kwargs"] = {"sort_keys": False}
    env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: current_language().gettext(text),
        lambda one, other, num: current_language().translations.ungettext(one, other, num),
        newstyle=True,
    )
    env.globals.update(
        link=link,
        languages=lambda: languages().values(),
        in_other_language=_in_other_language,
        assets=lambda entry: _assets(manifest, entry),
        is_demo=lambda: state().demo,
    )
    files = _read_assets()

    async def asset(name: str) -> Response:
        return _serve(files.get(name))

    app.add_url_rule("/assets/<name>", "assets", asset)
