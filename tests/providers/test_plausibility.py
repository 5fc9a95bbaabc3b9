"""What is asked about, and that ordinary reports are not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from providers.demo import made_up_region
from providers.demo_homes import State, made_up_lines
from providers.demo_live import LiveHome, changed_lines
from providers.plausibility import warnings_for
from tests.conftest import Service
from tests.providers.conftest import PATH, PROVIDER
from vacancies.models import CareForm, CareHome, Point, Profile, Room, Vacancy

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
TODAY = date(2026, 11, 25)


def home(*lines: Vacancy, **capacity: int) -> CareHome:
    licensed = {CareForm(form): places for form, places in capacity.items()}
    return CareHome(
        id="a",
        provider_id=1,
        provider="p",
        profile=Profile(name="Haus A", point=Point(51.9, 8.4), capacity=licensed),
        vacancies=lines,
        observed_at=NOW - timedelta(hours=20),
        evaluated_at=NOW,
    )


def long_term(count: int, **more: Any) -> Vacancy:
    return Vacancy(care_form=CareForm.LONG_TERM, count=count, **more)


def codes(before: CareHome, *lines: Vacancy) -> list[tuple[str, str]]:
    return [(doubt.code, doubt.field) for doubt in warnings_for(before, lines, NOW)]


@pytest.mark.parametrize(
    ("was", "now", "is_slip"),
    [
        *((2, 22, True), (2, 20, True), (12, 122, True), (12, 112, True), (12, 1212, True)),
        *((1, 10, True), (1, 11, True), (3, 30, True), (10, 100, True)),
        *((2, 3, False), (2, 12, False), (2, 21, False), (22, 2, False), (0, 10, False)),
        *((2, 2, False), (11, 11, False), (20, 2, False)),
    ],
)
def test_digits_typed_twice(was: int, now: int, is_slip: bool) -> None:
    found = codes(home(long_term(was)), long_term(now))
    assert found == ([("count_mistyped", "vacancies[0].count")] if is_slip else [])


def test_a_line_is_compared_with_the_one_of_the_same_details() -> None:
    before = home(long_term(3), long_term(2, room=Room.DOUBLE))
    after = (long_term(3), long_term(22, room=Room.DOUBLE))
    assert codes(before, *after) == [("count_mistyped", "vacancies[1].count")]
    # Places that were regrouped are none: 1 + 9 were free, and 10 are.
    assert codes(home(long_term(1), long_term(9, room=Room.SINGLE)), long_term(10)) == []
    # And a date that is new does not hide the slip.
    start = TODAY + timedelta(days=3)
    assert codes(home(long_term(2)), long_term(22, available_from=start))[0][0] == "count_mistyped"


@pytest.mark.parametrize(
    ("was", "now", "licensed", "code"),
    [
        (0, 40, 40, "mostly_free"),  # the licensed places in the wrong field
        (0, 21, 40, "mostly_free"),
        (0, 20, 40, None),
        (0, 4, 6, None),  # a small one that is empty after the holidays
        (0, 1, 1, None),
        (3, 25, 100, "many_free"),
        (3, 20, 100, None),
        (18, 22, 100, None),  # no jump
        (3, 22, 0, None),  # nobody knows how many are licensed
        (3, 25, 0, "many_free"),
        (0, 80, 0, "many_free"),
        (25, 3, 100, None),
    ],
)
def test_jumps(was: int, now: int, licensed: int, code: str | None) -> None:
    before = home(*([long_term(was)] if was else []), long_term=licensed)
    found = codes(before, long_term(now))
    assert found == ([(code, "vacancies[0].count")] if code else [])


def test_dates() -> None:
    yesterday, next_year = TODAY - timedelta(days=1), TODAY + timedelta(days=367)
    assert codes(home(), long_term(1, available_until=yesterday)) == [
        ("already_over", "vacancies[0].available_until")
    ]
    assert codes(home(), long_term(1, available_from=next_year)) == [
        ("far_ahead", "vacancies[0].available_from")
    ]
    good = long_term(1, available_from=TODAY - timedelta(days=400), available_until=TODAY)
    assert codes(home(), good, long_term(0, available_until=yesterday)) == []
    # The day is the German one: at 23:30 UTC it is the next.
    late = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    assert warnings_for(home(), [long_term(1, available_until=TODAY)], late) != ()


def test_still_so_is_asked_about_when_its_window_has_passed() -> None:
    over = long_term(1, available_until=TODAY - timedelta(days=1))
    assert codes(home(over), over) == [("already_over", "vacancies[0].available_until")]


def test_the_same_line_twice() -> None:
    assert codes(home(), long_term(2), long_term(2)) == [("line_repeated", "vacancies[1]")]
    assert codes(home(), long_term(2), long_term(3)) == [("line_repeated", "vacancies[1]")]
    # A line for each bed, and lines that differ in something.
    assert codes(home(), long_term(1), long_term(1), long_term(1)) == []
    assert codes(home(), long_term(2), long_term(2, room=Room.DOUBLE)) == []
    assert codes(home(), long_term(2), long_term(2, note="Erdgeschoss")) == []


def test_fewer_than_one_ordinary_report_in_500_is_asked_about() -> None:
    """The demo's stream, in which homes change by one place; and, much wilder, a home that
    says something else every time, as if weeks lay between its reports."""
    random = Random(4)
    asked = reports = 0
    for demo in made_up_region(1_000, 4, NOW):
        if demo.vacancies is None:
            continue
        before = home(*demo.vacancies, **demo.profile.capacity)
        live = LiveHome(demo.id, demo.provider, demo.profile.capacity, list(demo.vacancies))
        for turn in range(20):
            if turn < 17:
                live.lines = changed_lines(live, random)
                lines = tuple(live.lines)
            else:
                state = random.choice((State.FREE, State.FREE, State.FULL))
                lines = made_up_lines(state, demo.profile, turn, NOW, random) or ()
            asked += bool(warnings_for(before, lines, NOW))
            reports += 1
            before = home(*lines, **demo.profile.capacity)
    assert reports > 15_000
    assert asked * 500 < reports


async def test_the_answer_asks_and_the_report_is_taken(ready: Service) -> None:
    found = await ready.report("a", {"count": 22})
    (warning,) = found["warnings"]
    assert (warning["code"], warning["field"]) == ("count_mistyped", "vacancies[0].count")
    assert found["properties"]["free"] == {"long_term": 22}
    # It is said once, to the one who reports; and not at all where there is nothing to say.
    _, shown, _ = await ready.call("GET", "/api/v1/homes/a")
    _, confirmed, _ = await ready.call("POST", f"{PATH}/confirm", provider=PROVIDER)
    assert "warnings" not in shown
    assert "warnings" not in confirmed
    assert "warnings" not in await ready.report("a", {"count": 21})


async def test_rows_and_still_so_ask_too(ready: Service) -> None:
    rows = [
        {"home_id": "a", "vacancies": [{"care_form": "long_term", "count": 3}]},
        {
            "home_id": "a",
            "vacancies": [{"care_form": "long_term", "count": 33, "available_until": "2020-01-01"}],
        },
    ]
    _, body, _ = await ready.call("POST", "/api/v1/reports", {"reports": rows}, provider=PROVIDER)
    assert "warnings" not in body["results"][0]
    assert [warning["field"] for warning in body["results"][1]["warnings"]] == [
        "reports[1].vacancies[0].count",
        "reports[1].vacancies[0].available_until",
    ]
    _, confirmed, _ = await ready.call("POST", f"{PATH}/confirm", provider=PROVIDER)
    assert [warning["code"] for warning in confirmed["warnings"]] == ["already_over"]


async def test_a_repeated_call_is_asked_the_same(ready: Service) -> None:
    body = {"vacancies": [{"care_form": "long_term", "count": 22}]}
    headers = {"Idempotency-Key": "k-1"}
    answers = [
        await ready.call("PUT", PATH, body, provider=PROVIDER, headers=headers) for _ in range(2)
    ]
    assert answers[0][1] == answers[1][1]
    assert len(answers[1][1]["warnings"]) == 1
