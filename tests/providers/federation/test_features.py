"""What a neighbour says of a home is taken as it is, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.federation.events import MAX_LINE_BYTES, Event, EventReader, Unreadable
from providers.federation.features import Refused, read_feature, read_id
from tests.flow.liar import event, feature
from vacancies.models import Focus, Need, Point


def read(home_id: str = "anna", **changes: Any) -> Any:
    return read_feature(json.dumps(feature(home_id, **changes)).encode())


def test_a_home_is_taken_over() -> None:
    told = read(needs=["mrsa", "of_a_newer_release"], focuses=["dementia"], later={"x": 1})
    assert (told.home_id, told.provider, told.profile.name) == ("anna", "liar", "Haus anna")
    assert told.profile.point == Point(51.9, 8.38)
    assert (told.profile.needs, told.profile.focuses) == ((Need.MRSA,), (Focus.DEMENTIA,))
    assert [line.count for line in told.vacancies] == [1]


def test_it_belongs_to_no_municipality_here() -> None:
    assert read(municipality="05754008").profile.municipality is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"point": [0, 0]}, "neither in Germany"),
        ({"point": [-30.0, 51.9]}, "neither in Germany"),
        ({"point": [51.9, 8.38]}, "neither in Germany"),  # the other way round
        ({"point": [8.38, 95]}, "<= 90"),
        ({"point": [8.38]}, "length 2"),
        ({"point": ["8.38", "51.9"]}, "float"),
        ({"address": {"postcode": "33330"}, "point": [13.4, 52.5]}, "from its postcode"),
        ({"origin": {"name": "Third", "url": "https://third.example"}}, "origin"),
        ({"status": "closed"}, "status"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": 7}, "name"),
        ({"provider": "../own"}, "provider"),
        ({"provider": "a/b"}, "provider"),
        ({"freshness": "eternal"}, "freshness"),
        ({"vacancies": [{"care_form": "long_term", "count": -1}]}, "count"),
        ({"vacancies": [{"care_form": "long_term", "count": 10**9}]}, "count"),
        ({"vacancies": [{"care_form": "long_term", "count": 1}] * 101}, "vacancies"),
        ({"vacancies": [{"care_form": "spa", "count": 1}]}, "care_form"),
        ({"vacancies": {}}, "vacancies"),
        ({"contact": {"website": "javascript:alert(1)"}}, "website"),
        ({"contact": {"phone": "1" * 51}}, "phone"),
        ({"observed_at": "yesterday"}, "observed_at"),
        ({"observed_at": "2026-01-01T00:00:00"}, "observed_at"),
        ({"observed_at": None}, "as of when"),
        ({"capacity": {"long_term": 10**9}}, "capacity"),
        ({"costs": {"care_eur": -1}}, "care_eur"),
        ({"needs": ["x"] * 51}, "needs"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why) as refused:
        read(**changes)
    assert refused.value.home_id == "anna"


@pytest.mark.parametrize(
    "home_id",
    ["", ".", "..", "a/b", "../a", "a\\b", "a b", "ä", "a\n", "x" * 65, "trail", "wrong", "%2e"],
)
def test_strange_ids_are_refused(home_id: str) -> None:
    with pytest.raises(Refused, match="id of a home"):
        read(home_id)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"id":1}',
        b"\xff\xfe",
        b"{" * 100_000,
        b'{"x":' + b"[" * 100_000,
    ],
)
def test_garbage_names_no_home(data: bytes) -> None:
    with pytest.raises(Refused):
        read_id(data)


def test_what_is_nested_very_deeply_is_refused() -> None:
    with pytest.raises(Refused):
        read_feature(b'{"id":"anna","properties":' + b'{"name":' * 50_000)


def test_events_are_put_together_from_any_pieces() -> None:
    whole = event("listing", {"id": "a"}) + b": a comment\n\n" + event("ready")
    for size in (1, 2, 7, len(whole)):
        reader = EventReader()
        found = [
            each
            for start in range(0, len(whole), size)
            for each in reader.feed(whole[start : start + size])
        ]
        assert [each.name for each in found] == ["listing", "ready"]
        assert found[0].data == b'{"id": "a"}'


def test_a_line_without_an_end_is_given_up() -> None:
    reader = EventReader()
    for _ in range(MAX_LINE_BYTES // 4096):
        reader.feed(b"x" * 4096)
    with pytest.raises(Unreadable):
        reader.feed(b"x")
    with pytest.raises(Unreadable):
        EventReader().feed(b"data: " + b"x" * MAX_LINE_BYTES + b"\n")


def test_an_event_of_many_lines_is_given_up() -> None:
    with pytest.raises(Unreadable):
        EventReader().feed(b"data: 1\n" * 2)


def test_returns_at_the_end_of_lines_are_passed_over() -> None:
    assert EventReader().feed(b"event: ready\r\ndata: {}\r\n\r\n") == [Event("", "ready", b"{}")]
