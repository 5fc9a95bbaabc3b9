"""The built client: which files a page needs, and the files themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from quart import Quart, Response
from quart.wrappers import Response as QuartResponse

from web.packing import packed_response

DIST = Path(__file__).parent / "client" / "dist"
_YEAR_SECONDS = 365 * 24 * 3600
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_ENDINGS = {"br": ".br", "gzip": ".gz"}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Needed:
    """Addresses for the head of a page: `imports` are what its scripts begin by loading."""

    scripts: list[str]
    imports: list[str]
    styles: list[str]


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the built client, plain and packed."""

    kind: str
    body: bytes
    packed: dict[str, bytes]


def _read_manifest() -> dict[str, Any]:
    """Vite's list of built files, or nothing: the pages work without them, but plainly."""
    path = DIST / "manifest.json"
    if not path.exists():
        log.warning("client_not_built", expected=str(path), remedy="npm run build in web/client")
        return {}
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def _needed(manifest: dict[str, Any], entry: str) -> Needed:
    """What the entry `src/<entry>.ts` of the client needs, as far as it is known before it runs."""
    chunk = manifest.get(f"src/{entry}.ts")
    if chunk is None:
        return Needed([], [], [])
    imports = [manifest[name] for name in chunk.get("imports", [])]
    styles = dict.fromkeys(css for part in (chunk, *imports) for css in part.get("css", []))
    return Needed(
        scripts=[f"/assets/{chunk['file']}"],
        imports=[f"/assets/{part['file']}" for part in imports],
        styles=[f"/assets/{css}" for css in styles],
    )


def _read_assets() -> dict[str, Asset]:
    """Every file of the built client by its name, read once: what is served belongs
    together, also while somebody builds anew."""
    found = {}
    for path in DIST.glob("*.*") if DIST.is_dir() else ():
        if kind := _TYPES.get(path.suffix):
            beside = {coding: path.with_name(path.name + end) for coding, end in _ENDINGS.items()}
            packed = {coding: file.read_bytes() for coding, file in beside.items() if file.exists()}
            found[path.name] = Asset(kind, path.read_bytes(), packed)
    return found


def _serve(asset: Asset | None) -> Response:
    """A name of ours holds the hash of the file, so it may be kept for ever."""
    if asset is None:
        return QuartResponse("No such file.\n", 404, mimetype="text/plain")
    response = packed_response(asset.body, asset.packed, asset.kind)
    response.headers["Cache-Control"] = f"public, max-age={_YEAR_SECONDS}, immutable"
    return response


def _built(manifest: dict[str, Any], name: str) -> str:
    """The address of a file that the build makes, by the name under which it lists it."""
    return f"/assets/{manifest.get(name, {'file': name})['file']}"


def init_assets(app: Quart) -> None:
    """Make `app` serve the built client. A template asks for `assets(entry)`, or for the address
    of one file with `built(name)`; so does `web/report_files.py`."""
    manifest, files = _read_manifest(), _read_assets()
    app.jinja_env.globals["assets"] = lambda entry: _needed(manifest, entry)
    app.jinja_env.globals["built"] = app.extensions["built"] = partial(_built, manifest)
    app.extensions["assets"] = files

    async def asset(name: str) -> Response:
        return _serve(files.get(name))

    app.add_url_rule("/assets/<name>", "assets", asset)
