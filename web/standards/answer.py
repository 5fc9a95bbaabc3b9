"""What the answers of all standards have in common: whose data, how long they hold, and that
many homes are encoded without holding up everybody else.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from quart import Blueprint, Response, request
from werkzeug.http import unquote_etag

from vacancies.errors import InvalidParameter
from web.standards.refusals import NotAcceptable
from web.standards.source import source
from web.state import state

FHIR_JSON = "application/fhir+json"
JSON = "application/json"
JSON_LD = "application/ld+json"
PAGE, MOST_OF_A_PAGE = 100, 1_000
# A report is to be seen within seconds; so many callers at once still cost one answer.
KEPT_SECONDS = 5
AT_ONCE = 25  # homes that are encoded before others have their turn

Item = TypeVar("Item")


def open_to_all(blueprint: Blueprint) -> Blueprint:
    """Let any site read it, and say on every answer under which licence."""

    @blueprint.after_request
    async def say_so(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "ETag, Link, NGSILD-Results-Count"
        response.headers.add("Link", f'<{source().licence.text_url}>; rel="license"')
        return response

    return blueprint


def list_tag(*more: str) -> str:
    """Names the state of the board and everything that was asked of it."""
    board = state().board
    asked = (board.epoch, str(board.revision), request.host, request.full_path, *more)
    return f'W/"{hashlib.sha256(chr(0).join(asked).encode()).hexdigest()[:24]}"'


def is_known(tag: str) -> bool:
    """Whether the caller has that state already (weak comparison, RFC 9110)."""
    return request.if_none_match.contains_weak(unquote_etag(tag)[0] or "")


def answer(body: bytes, kind: str, tag: str, *, status: int = 200) -> Response:
    """An answer that may be kept for some seconds and asked for again by its tag."""
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={KEPT_SECONDS}", "Vary": "Accept"}
    return Response(body, status=status, content_type=kind, headers=headers)


def unchanged(kind: str, tag: str) -> Response:
    return answer(b"", kind, tag, status=304)


async def encode_each(items: Sequence[Item], write: Callable[[Item], Any]) -> list[bytes]:
    """The JSON of each item. `items` must not change meanwhile: others have their turn."""
    found: list[bytes] = []
    for start in range(0, len(items), AT_ONCE):
        if start:
            await asyncio.sleep(0)
        found += [msgspec.json.encode(write(item)) for item in items[start : start + AT_ONCE]]
    return found


async def keep_each(items: Sequence[Item], test: Callable[[Item], bool]) -> list[Item]:
    """Those that pass a test which takes its time; others have their turn."""
    found: list[Item] = []
    for start in range(0, len(items), AT_ONCE):
        if start:
            await asyncio.sleep(0)
        found += [item for item in items[start : start + AT_ONCE] if test(item)]
    return found


def with_items(document: dict[str, Any], name: str, items: Iterable[bytes]) -> bytes:
    """The document with one more member, a list of what is encoded already."""
    head = msgspec.json.encode(document)[:-1]
    return head + (b"," if document else b"") + b'"%b":[%b]}' % (name.encode(), b",".join(items))


def accepted(offered: Sequence[str]) -> str:
    """The first of `offered` media types that the caller takes; parameters are not looked at."""
    wanted = [
        kind.partition(";")[0].strip().lower()
        for kind, quality in request.accept_mimetypes
        if quality > 0
    ] or ["*/*"]
    for kind in wanted:
        for each in offered:
            if kind in (each, "*/*", each.partition("/")[0] + "/*"):
                return each
    raise NotAcceptable(f"This can be had as {' or '.join(offered)}. Ask for one of them.")


def whole_number(name: str, default: int, lowest: int, highest: int | None = None) -> int:
    """A query parameter. Raises `InvalidParameter`; what is above `highest` is cut down to it."""
    values = request.args.getlist(name)
    if not values:
        return default
    if len(values) > 1 or not re.fullmatch(r"[0-9]{1,9}", values[0]) or int(values[0]) < lowest:
        raise InvalidParameter(f"{name} must be one whole number from {lowest} on.", field=name)
    return int(values[0]) if highest is None else min(int(values[0]), highest)
