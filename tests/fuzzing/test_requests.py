"""Whatever a browser or program asks on any route, no answer is a fault of ours.

The routes are those that there are: a new one is asked by itself. What asks is signed in, at a desk
and for a provider, so that it gets past the first lines of each.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import hypothesis
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.routing import Rule
from yarl import URL

from tests.conftest import Service, served
from tests.web.desk.verbund import TOWN, Verbund, a_verbund
from tests.web.staff import Desk
from vacancies.config import Basemap, Settings
from web.app import create_app
from web.door import STREAM_PATH

EXAMPLES = 300
SECONDS = 30
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Where something is looked up, so that requests get further than "there is no such".
LIKELY = (
    *(TOWN, "home", "other-home", "1", "0", "-1", "99999999999999999999", "wh_0123456789abcdef"),
    *("00000000-0000-4000-8000-000000000000", "2026-11-27", "9999-12-31", "0001-01-01", "nan"),
    *("true", "de", "en", "xx", "51.9,8.38", "33330", "short_term", "open", "csv", "\x00", "\n"),
    *(
        "../../etc/passwd",
        "' OR 1=1 --",
        "<script>",
        "=1+1",
        "٣",
        "ﬀ",
        "\ud83d\ude00",
        "%00",
        "//x",
    ),
    *("1e308", "a" * 300, "bytes=0-1", "bytes=5-1", "bytes=0-99999999999999999", '"1"', "*"),
)
NAMES = (
    *(
        "lang",
        "place",
        "near",
        "bbox",
        "care_form",
        "page",
        "state",
        "name",
        "next",
        "ids",
        "grade",
    ),
    *("since", "done", "from", "until", "step", "care_grade", "nights", "available_by", "limit"),
    *("cursor", "email", "role", "home_id", "count", "do", "if_match", "said", "matter", "grade"),
    *("accent", "available_until", "municipality", "size", "year", "quarter", "count_short_term"),
)
HEADERS = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Range", "If-Range", "If-Match", "Prefer"),
    *("If-None-Match", "If-Modified-Since", "Idempotency-Key", "Client-Time", "User-Agent"),
    *("X-Forwarded-For", "Last-Event-ID", "Referer", "NGSILD-Tenant", "Freiplatz-Portal", "Link"),
)
KINDS = (
    *("application/x-www-form-urlencoded", "application/json", "application/ld+json", "text/csv"),
    *("multipart/form-data; boundary=x", "multipart/form-data", "text/plain; charset=nonsense", ""),
)

values = st.one_of(st.sampled_from(LIKELY), st.text(max_size=12))
plain = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
pairs = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=4)


class Request:
    """What is asked."""

    def __init__(self, draw: Any, rules: list[Rule], token: str) -> None:
        rule = draw(st.sampled_from(rules))
        self.method = draw(st.sampled_from(sorted(set(rule.methods or ()) & set(METHODS))))
        parts = []
        for is_gap, part in rule._trace:
            text = draw(values) if is_gap else part.removeprefix("|")
            parts.append(quote(text.encode("utf-8", "replace"), safe="") if is_gap else text)
        path = "".join(parts)
        query = draw(pairs)
        self.target = path + "?" + _encoded(query) if query else path
        names = st.dictionaries(st.sampled_from(HEADERS), st.one_of(plain, _headers), max_size=3)
        self.headers = {name: value.strip() for name, value in draw(names).items()}
        self.body: bytes | None = None
        if self.method != "GET":
            self.headers["Content-Type"] = draw(st.sampled_from(KINDS))
            form = _encoded([("form_token", token), *draw(pairs)]).encode()
            self.body = draw(st.one_of(st.just(form), st.binary(max_size=60), _documents))

    def __repr__(self) -> str:
        return f"{self.method} {self.target} {self.headers} {self.body!r}"


_headers = st.sampled_from([text for text in LIKELY if text.isprintable() and text.isascii()])
_documents = st.sampled_from(
    [
        *(b"{}", b"[]", b"null", b'{"a": NaN}', b'"\\ud800"', b"[" * 2000, b'{"count": 1e999}'),
        *(b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nx\r\n--x--\r\n",),
        *(b"--x\r\n\r\n", b"--x--", b"home_id,care_form,count\nhome,day,1\n", b"PK\x03\x04"),
    ]
)


def _encoded(query: list[tuple[str, str]]) -> str:
    return urlencode(query, errors="replace")


async def _ask(desk: Desk, asked: Request) -> int:
    url = URL(desk.url + asked.target, encoded=True)
    headers = {"Origin": desk.url, **asked.headers}
    async with asyncio.timeout(SECONDS):
        async with desk.client.request(
            asked.method, url, data=asked.body, headers=headers, allow_redirects=False
        ) as answer:
            await answer.read()
            return answer.status


async def _signed_in(verbund: Verbund, desk: Desk) -> str:
    return (await desk.get(f"/desk/{TOWN}/people")).token


async def test_no_request_is_a_fault_of_ours(settings: Settings, tmp_path: Path) -> None:
    archive = tmp_path / "map.pmtiles"
    archive.write_bytes(b"PMTiles\x03" + bytes(5000))
    async with served(replace(settings, basemap=Basemap(file=archive))) as service:
        await _try(service)


async def test_a_character_that_no_database_takes_is_no_fault_of_ours(service: Service) -> None:
    """NUL, which Postgres stores nowhere: in every gap of every path, and under every name."""
    verbund = await a_verbund(service)
    async with verbund.browser("open@town.example") as desk:
        token = await _signed_in(verbund, desk)
        every = [
            _with_nul(rule, method, token, gap)
            for rule in _rules(service)
            for method in sorted(set(rule.methods or ()) & set(METHODS))
            for gap in ("\x00", TOWN)
        ]
        faults = [asked for asked in every if await _ask(desk, asked) >= 500]
    assert faults == []


def _with_nul(rule: Rule, method: str, token: str, gap: str) -> Request:
    """A request with `gap` in the gaps of the path. NUL stands under all names: of a form, and of a
    query unless the path has it already."""
    asked = Request.__new__(Request)
    parts = (quote(gap, safe="") if is_gap else part for is_gap, part in rule._trace)
    asked.target, asked.method = "".join(part.removeprefix("|") for part in parts), method
    asked.headers, asked.body = {}, None
    named = _encoded([(name, "\x00") for name in dict.fromkeys(NAMES)])
    if method != "GET":
        asked.headers["Content-Type"] = KINDS[0]
        asked.body = f"form_token={token}&{named}".encode()
    elif gap != "\x00":
        asked.target += "?" + named
    return asked


def _rules(service: Service) -> list[Rule]:
    rules = [
        rule
        for rule in create_app(service.state.deployment).url_map.iter_rules()
        # The first two would sign out who asks; the third has no end.
        if not str(rule).startswith(("/signout", "/account", STREAM_PATH))
        and set(rule.methods or ()) & set(METHODS)
    ]
    assert len(rules) > 150
    return rules


async def _try(service: Service) -> None:
    verbund = await a_verbund(service)
    rules = _rules(service)
    async with verbund.browser("open@town.example") as desk:
        token = await _signed_in(verbund, desk)
        loop = asyncio.get_running_loop()

        @hypothesis.settings(max_examples=EXAMPLES)
        @given(st.data())
        def check(data: st.DataObject) -> None:
            asked = Request(data.draw, rules, token)
            status = asyncio.run_coroutine_threadsafe(_ask(desk, asked), loop).result(timeout=60)
            assert status < 500, asked

        await asyncio.to_thread(check)
        assert (await desk.get(f"/desk/{TOWN}")).status == 200
