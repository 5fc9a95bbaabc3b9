"""JSON bodies of providers and platforms, and what neighbours send."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from providers.decoding import decode
from providers.federation.events import EventReader, Unreadable
from providers.federation.features import Refused, read_feature, read_id
from providers.payloads import HomeBody, ReportBody, ReportRow, ReportsBody
from providers.report_seen import decode_seen
from tests.fuzzing.target import Target
from vacancies.errors import FreiplatzError
from web.standards.ngsi_ld_subscription import read_document, read_subscription

_NOW = datetime(2026, 11, 27, tzinfo=UTC)

REPORT = (
    b'{"observed_at": "2026-11-27T10:00:00Z", "vacancies": [{"care_form": "short_term", "count": 2,'
    b' "sex": "female", "room": "single", "care_grades": [2, 3], "focuses": ["dementia"],'
    b' "available_from": "2026-12-01", "available_until": "2026-12-31", "note": "x\\ny"}]}'
)
HOME = (
    b'{"name": "Haus A", "address": {"street": "Am Weg 1", "postcode": "33330", "city": "Essen",'
    b' "country": "DE"}, "coordinates": {"latitude": 51.9, "longitude": 8.38}, "contact": {"phone":'
    b' "05241 1", "email": "a@example.org", "website": "https://a.example"}, "capacity":'
    b' {"day": 9}, "costs": {"care_eur": 1.5}, "needs": ["mrsa"], "waiting_list": "open",'
    b' "admission_stop": {"reason": "staff", "until": "2026-12-01"}, "status": "open"}'
)
FEATURE = (
    b'{"type": "Feature", "id": "home-a", "geometry": {"type": "Point", "coordinates": [8.3,'
    b' 51.9]}, "properties": {"name": "Haus A", "provider": "caritas", "precision": "address",'
    b' "freshness": "fresh", "observed_at": "2026-11-27T10:00:00Z", "confirmed_at": null,'
    b' "vacancies": [{"care_form": "day", "count": 1}], "capacity": {"day": 9}, "address":'
    b' {"postcode": "33330"}, "contact": {}, "costs": {}, "focuses": [], "needs": [],'
    b' "languages": []}}'
)
SUBSCRIPTION = (
    b'{"type": "Subscription", "entities": [{"type": "CareHome", "idPattern": "urn:.*"}],'
    b' "geoQ": {"geometry": "Point", "coordinates": [8.3, 51.9], "georel": "near;maxDistance==9"},'
    b' "notification": {"endpoint": {"uri": "https://x.example/", "receiverInfo": [{"key": "a",'
    b' "value": "b"}]}}, "expiresAt": "2099-01-01T00:00:00Z", "throttling": 1}'
)


def read_report(data: bytes) -> None:
    """One report, and the same as one of many."""
    try:
        for raw in decode(data, ReportsBody).reports:
            _stored(decode(raw, ReportRow))
    except FreiplatzError:
        _stored(decode(data, ReportBody))


def _stored(report: ReportBody) -> None:
    for line in report.lines():
        assert "\0" not in (line.note or ""), "Postgres stores none"
    report.observed()
    msgspec.json.encode(report)


def read_home(data: bytes) -> None:
    profile = decode(data, HomeBody)
    profile.contact.contact()
    profile.costs.costs()
    if profile.address is not None:
        profile.address.address()
    if profile.admission_stop is not None:
        profile.admission_stop.stop()
    assert b"\\u0000" not in msgspec.json.encode(profile), "Postgres stores no NUL"


def read_seen(data: bytes) -> None:
    for row in decode_seen(data):
        row.lines()
        row.observed()


def read_stream(data: bytes) -> None:
    """A neighbour's stream, in chunks as the first byte has it, and what its events say."""
    size, reader = 1 + data[0] if data else 1, EventReader()
    for start in range(1, len(data), size):
        for event in reader.feed(data[start : start + size]):
            assert event.id.isprintable(), "it goes back as a header"
            try:
                read_feature(event.data) if event.name == "listing" else read_id(event.data)
            except Refused:
                continue


def read_wish(data: bytes) -> None:
    read_subscription(read_document(data), _NOW)


_REFUSED = (FreiplatzError,)

TARGETS = {
    "reports": Target(
        read_report,
        _REFUSED,
        (REPORT, b'{"reports": [' + b'{"home_id": "a", ' + REPORT[1:] + b"]}"),
    ),
    "homes": Target(read_home, _REFUSED, (HOME,)),
    "seen": Target(
        read_seen,
        _REFUSED,
        (b'{"reports": [{"home_id": "a", "revision": 1, ' + REPORT[1:] + b"]}",),
    ),
    "neighbours": Target(
        read_stream,
        (Unreadable,),
        (
            b"~id: 0000000000-ffffffffffff-1\nevent: listing\ndata: " + FEATURE + b"\n\n",
            b'\x05event: gone\ndata: {"id": "home-a"}\n\n',
        ),
    ),
    "subscriptions": Target(read_wish, _REFUSED, (SUBSCRIPTION,)),
}
