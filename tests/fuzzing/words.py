"""What stands in addresses, headers, fields of forms and links."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from quart import Quart
from werkzeug.datastructures import Headers, MultiDict

from providers.letters import normal_code
from providers.links import _read as read_link
from providers.links import make_token
from providers.preconditions import idempotency_key, if_match, portal_name
from providers.signin import checked_email
from tests.fuzzing.target import Target, text_of
from vacancies.errors import FreiplatzError
from vacancies.geocoding import OfflineGeocoder
from vacancies.internet import is_public
from vacancies.outbound import Outbound
from vacancies.page import read_page_token
from vacancies.proxies import Proxies, network_of
from vacancies.search import Query
from web.alerts.sealing import Seal
from web.contrast import parse_colour
from web.cursor import Cursor, read_cursor
from web.device import device_words
from web.origin import local_path, origin_of
from web.packing import accepted
from web.parameters import SEARCH, check_names, parse_limit, parse_query
from web.standards.fhir_search import _read_cursor as read_fhir_cursor

SECRET = "x" * 32
OUR_PAGE = "https://freiplatz.example/account"

_geocoder = OfflineGeocoder()
_outbound = Outbound()
_another = Seal("another " + SECRET)
_app = Quart(__name__)
_proxies = Proxies(private=True)
_query = Query()
_MADE_AT = datetime(2026, 11, 27, tzinfo=UTC)


def _run(work: Coroutine[Any, Any, object]) -> object:
    """The result of what never waits: the offline geocoder answers at once."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    finally:
        work.close()
    raise AssertionError("it waits for something")


def find_place(data: bytes) -> None:
    """A text for a place, whole and while it is typed."""
    text = text_of(data)
    _geocoder.suggest(text)
    _run(_geocoder.places(text))
    _run(_geocoder.find(text))


def read_parameters(data: bytes) -> None:
    """The parameters of a search, and its fingerprint, which stands in cursors."""
    args = MultiDict(parse_qsl(text_of(data), keep_blank_values=True))
    check_names(args, (*SEARCH, "limit", "cursor"))
    parse_limit(args)
    query = _run(parse_query(args, _geocoder))
    assert isinstance(query, Query)
    assert query.fingerprint().isascii()


def read_cursors(data: bytes) -> None:
    """Cursors of the stream, of pages and of FHIR: what is read as one is written the same."""
    text = text_of(data)
    if (found := read_cursor(text)) is not None:
        assert read_cursor(str(found)) == found
    read_fhir_cursor(text, [])
    read_page_token(_query, text)


def read_links(data: bytes) -> None:
    """One-tap links, links of alerts, and codes of letters (also from their QR codes): nothing
    that we have not signed is one."""
    text = text_of(data)
    assert read_link("another " + SECRET, text) is None
    assert _another.read_token(text) is None
    code = normal_code(text)
    assert code is None or normal_code(code) == code


def read_headers(data: bytes) -> None:
    """Headers, one a line, as the server hands them on. `Range` is tried on the real file, in
    `test_requests.py`."""
    names = ("If-Match", "Idempotency-Key", "Freiplatz-Portal", "Accept-Encoding", "User-Agent",
             "X-Forwarded-For", "Accept-Language")  # fmt: skip
    values = [line.decode("latin-1").replace("\r", "") for line in data.split(b"\n")]
    headers = Headers(list(zip(names, values, strict=False)))
    scope = {"client": ("10.0.0.1", 1)}
    asyncio.run(_read_headers(headers, scope))


async def _read_headers(headers: Headers, scope: dict[str, Any]) -> None:
    async with _app.test_request_context("/", headers=headers, scope_base=scope):
        device_words(headers.get("User-Agent", ""))
        accepted()
        client = _proxies.client("10.0.0.1", headers.getlist("X-Forwarded-For"))
        assert client is None or network_of(client)
        for read in (if_match, idempotency_key, portal_name):
            try:
                read()
            except FreiplatzError:
                continue


def read_addresses(data: bytes) -> None:
    """Where to go on after signing in: a page of ours and nothing else. What is called: nothing
    in here, however it is spelt. Whose page asks, a colour, an address of mail."""
    text = text_of(data)
    if (path := local_path(text)) is not None:
        there = urlsplit(urljoin(OUR_PAGE, path))
        assert (there.scheme, there.netloc) == ("https", "freiplatz.example"), path
    if (origin := origin_of(text)) is not None:
        assert origin_of(origin) == origin
    parse_colour(text)
    _checked_outbound(text)
    checked_email(text)


def _checked_outbound(text: str) -> None:
    try:
        url = _outbound.check(text)
    except FreiplatzError:
        return
    assert url.scheme == "https"
    try:
        address = ip_address(url.raw_host or "")
    except ValueError:
        # A name: what it leads to is looked at when it is called.
        assert not (url.raw_host or "").replace(".", "").isdigit()
    else:
        assert is_public(address)


_REFUSED = (FreiplatzError,)
_EVERYTHING = urlencode(
    [
        *(("near", "51.9,8.38"), ("place", "33330 Gütersloh"), ("radius_km", "12.5")),
        *(("bbox", "8,51,9,52"), ("care_form", "short_term"), ("sex", "female")),
        *(("room", "single"), ("care_grade", "4"), ("focus", "dementia"), ("need", "mrsa")),
        *(("available_by", "2026-12-01"), ("available_until", "2026-12-20"), ("nights", "14")),
        *(("municipality", "05754"), ("max_cost_eur", "2000"), ("include_full", "true")),
        *(("origin", "own"), ("language", "tr"), ("ownership", "public"), ("limit", "5")),
    ]
).encode()
_PLACES = ("33330 Gütersloh", "Gronau (Westf.)", "51.9, 8.38", "Gutersloh 20 km", "Essen, Ruhr",
           "Am Weg 1, 1067 Dresden")  # fmt: skip

TARGETS = {
    "places": Target(find_place, _REFUSED, tuple(map(str.encode, _PLACES)), 300),
    "parameters": Target(read_parameters, _REFUSED, (_EVERYTHING, *_EVERYTHING.split(b"&")), 1000),
    "cursors": Target(
        read_cursors,
        _REFUSED,
        (str(Cursor("0" * 10, "f" * 12, 42)).encode(), b"WyJ4IiwgMS4wLCAiYSIsICJiIl0"),
        500,
    ),
    "links": Target(
        read_links,
        (),
        (
            make_token(SECRET, 1, "home-a", _MADE_AT).encode(),
            Seal(SECRET).token("0123456789abcdef").encode(),
            b"ABCD-EFGH-JKMN-PQRS",
        ),
        300,
    ),
    "headers": Target(
        read_headers,
        _REFUSED,
        (b'"42", W/"1"\nkey-1\nportal.example\ngzip;q=0, br\nFirefox/1 Linux\n::1, 1.2.3.4\nde',),
        600,
    ),
    "addresses": Target(
        read_addresses,
        _REFUSED,
        (
            *(b"/account?lang=en", b"/\\evil.test", b"//evil.test", b"https://hooks.example.org/x"),
            *(b"https://[::ffff:127.0.0.1]/", b"https://0x7f.1/", b"anna@example.org", b"#0a0"),
        ),
        300,
    ),
}
