"""The archive as it is given away: a page, the list for programs, and the files."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from vacancies.listings import REGION
from web.language import Language
from web.opendata.archive import (
    FORMATS,
    INDEX_PATH,
    INDEX_SECONDS,
    ROOT,
    ArchivedDay,
    missing_days,
    path_of,
    select_days,
    select_file,
)
from web.opendata.archiving import region_day, select_now
from web.opendata.terms import Terms, terms_of
from web.packing import pack, packed_response
from web.pages import current_language, link, page
from web.state import state

archive = Blueprint("archive", __name__)

GZIP = "application/gzip"  # RFC 6713
TITLES = {"csv": "CSV", "geojson": "GeoJSON"}
_YEAR_SECONDS = 365 * 24 * 3600
_NAME = re.compile(rf"(\d{{4}}-\d\d-\d\d)\.({'|'.join(FORMATS)})\.gz", re.ASCII)


@archive.get(ROOT)
async def overview() -> Response:
    """The days of one year, the newest without a wish; raises `NotFound` for a year without any."""
    days, missing = await _days()
    years = sorted({day.day.year for day in days}, reverse=True)
    wanted = request.args.get("year", str(years[0]) if years else "")
    if wanted and wanted not in map(str, years):
        raise NotFound
    return await page(
        "opendata_archive.html",
        entries=_entries(days, missing, wanted, current_language()),
        year=wanted,
        years=[(str(year), link(ROOT, MultiDict({"year": str(year)}))) for year in years],
        kept_years=state().settings.open_data.archive_years,
        index_path=INDEX_PATH,
        terms=_terms(),
    )


@archive.get(INDEX_PATH)
async def index() -> Response:
    """All days that there are, and those that are missing, newest first."""
    days, missing = await _days()
    terms = _terms()
    body = await asyncio.to_thread(encode_index, days, missing, terms)
    tag = sha256(body).hexdigest()[:24]
    if request.if_none_match.contains_weak(tag):
        response = Response(b"", status=304)
    else:
        packed = await asyncio.to_thread(pack, body)
        response = packed_response(body, {"gzip": packed}, "application/json")
    response.set_etag(tag, weak=True)
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={INDEX_SECONDS}"
    return _open(response, terms.licence.text_url)


@archive.get(f"{ROOT}<name>")
async def file(name: str) -> Response:
    """One file of one day: its bytes are those of a gzip file, and are never packed again."""
    found = _NAME.fullmatch(name)
    try:
        day = date.fromisoformat(found[1]) if found else None
    except ValueError:
        day = None
    stored = await select_file(state().deployment.pool, day, found[2]) if day and found else None
    if stored is None:
        # For programs: a page would be taken for the file.
        text = f"There is no such file. {_terms().base}{INDEX_PATH} names those that there are.\n"
        return Response(text, 404, content_type="text/plain; charset=utf-8")
    body, digest, at, licence = stored
    if request.if_none_match.contains_weak(digest):
        response = Response(b"", status=304)
    else:
        response = Response(body, content_type=GZIP)
    response.set_etag(digest)
    response.last_modified = at
    response.headers["Cache-Control"] = f"public, max-age={_YEAR_SECONDS}, immutable, no-transform"
    return _open(response, licence)


def encode_index(days: Sequence[ArchivedDay], missing: Sequence[date], terms: Terms) -> bytes:
    members: dict[str, Any] = {
        "licence": terms.licence.text_url,
        "attribution": terms.attribution,
        "time_zone": REGION.key,
        "missing": missing,
        "days": [
            {
                **msgspec.structs.asdict(day),
                "files": [
                    {
                        "url": terms.base + path_of(day.day, file.format),
                        **msgspec.structs.asdict(file),
                    }
                    for file in day.files
                ],
            }
            for day in days
        ],
    }
    return msgspec.json.encode(members) + b"\n"


class Entry(msgspec.Struct, frozen=True):
    """A day in words; `homes` is empty and there are no files if it was missed."""

    day: date
    words: str
    homes: str = ""
    files: list[tuple[str, str, str]] = []  # title, address, size


def _entries(
    days: Sequence[ArchivedDay], missing: Sequence[date], year: str, language: Language
) -> list[Entry]:
    """Newest first."""
    found = [
        Entry(
            day.day,
            language.day(day.day, day.day),
            language.ngettext("%(num)s home", "%(num)s homes", day.homes),
            [
                (TITLES[file.format], path_of(day.day, file.format), _size(file.size, language))
                for file in day.files
            ],
        )
        for day in days
    ]
    found += [Entry(day, language.day(day, day)) for day in missing]
    return sorted(
        (entry for entry in found if str(entry.day.year) == year),
        key=lambda entry: entry.day,
        reverse=True,
    )


def _size(size: int, language: Language) -> str:
    return f"{language.number(math.ceil(size / 1000))}\u00a0kB"


async def _days() -> tuple[list[ArchivedDay], list[date]]:
    """(kept days, missing ones), newest first."""
    pool = state().deployment.pool
    days, now = await select_days(pool), await select_now(pool)
    return days, missing_days((day.day for day in days), region_day(now))


def _open(response: Response, licence: str) -> Response:
    """For any site to read."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link"
    response.headers["Link"] = f'<{licence}>; rel="license"'
    return response


def _terms() -> Terms:
    return terms_of(state().settings, is_demo=state().demo)
