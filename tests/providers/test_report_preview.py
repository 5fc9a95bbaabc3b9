"""What a file would change, shown before, and then sent as it was shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from providers.report_files import read_reports
from providers.report_preview import differences, preview_file, send_file
from tests.conftest import Service
from tests.providers.conftest import PROVIDER, state_of
from vacancies.commands import Actor
from vacancies.homes import select_homes
from vacancies.models import CareForm, CareHome, Point, Profile, Vacancy
from vacancies.provider import ensure_provider

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)


def stored_home(home_id: str, *lines: Vacancy, **more: Any) -> CareHome:
    return CareHome(
        id=home_id,
        provider_id=more.pop("provider_id", 1),
        provider="p",
        profile=Profile(
            name="Haus", point=Point(51.9, 8.4), capacity={CareForm.LONG_TERM: 40}, **more
        ),
        vacancies=lines,
        observed_at=NOW,
        evaluated_at=NOW,
    )


def test_differences() -> None:
    day = CareForm.DAY
    stored = {
        home.id: home
        for home in (
            stored_home("a", Vacancy(care_form=CareForm.LONG_TERM, count=2)),
            stored_home("b", Vacancy(care_form=day, count=1)),
            stored_home("full"),
            stored_home("foreign", provider_id=2),
        )
    }
    content = (
        b"home_id,care_form,count,room\n"
        b"a,long_term,22,\na,day,1,\nb,day,1,single\nfull,,0,\nfull,long_term,0,\n"
        b"foreign,day,1,\nnobody,day,1,\nbad,day,x,\n"
    )
    found = preview_file(content, stored, actor=Actor(provider_id=1), at=NOW)
    shown = [
        (
            each.home_id,
            each.care_form,
            (each.before, each.after),
            each.is_change,
            [doubt.code for doubt in each.warnings],
            each.refusal and each.refusal.code,
        )
        for each in found
    ]
    long_term = CareForm.LONG_TERM
    assert shown == [
        ("a", long_term, (2, 22), True, ["count_mistyped"], None),
        ("a", day, (0, 1), True, [], None),
        ("b", day, (1, 1), True, [], None),  # another room
        ("full", long_term, (0, 0), True, [], None),
        ("foreign", None, (0, 0), False, [], "foreign_home"),
        ("nobody", None, (0, 0), False, [], "unknown_home"),
        ("bad", None, (0, 0), False, [], "invalid_field"),
    ]
    assert found[2].details_change
    assert [(each.name, each.revision) for each in found[3:6]] == [
        ("Haus", 0),
        (None, None),
        (None, None),
    ]  # of a home of somebody else nothing is told


def test_a_home_that_stays_as_it_is_stands_in_the_preview_too() -> None:
    stored = {"a": stored_home("a", Vacancy(care_form=CareForm.DAY, count=1))}
    stored["full"] = stored_home("full")
    reports = read_reports(b"home_id,care_form,count\na,day,1\nfull,,0\n")
    found = differences(stored, reports, actor=Actor(provider_id=1), at=NOW)
    assert [(each.home_id, each.care_form, each.is_change) for each in found] == [
        ("a", CareForm.DAY, False),
        ("full", None, False),
    ]


def test_more_free_than_licensed_is_refused_in_the_preview() -> None:
    reports = read_reports(b"home_id,long_term\na,41\n")
    (found,) = differences({"a": stored_home("a")}, reports, actor=Actor(provider_id=1), at=NOW)
    assert found.refusal is not None
    assert found.refusal.code == "exceeds_capacity"


async def test_a_file_is_sent_as_it_was_shown(ready: Service) -> None:
    await ready.put_home("b")
    await ready.put_home("c")
    await ready.put_home("foreign", provider="somebody-else")
    pool, writer = ready.state.deployment.pool, ready.state.deployment.writer
    actor = Actor(provider_id=(await ensure_provider(pool, PROVIDER)).id)
    homes = {home.id: home for home in await select_homes(pool, ["a", "b", "c", "foreign"])}
    content = (
        b"home_id,care_form,count\na,long_term,3\nb,day,1\nc,day,x\nforeign,day,1\nnobody,day,1\n"
    )
    before = await state_of(ready)
    shown = preview_file(content, homes, actor=actor, at=datetime.now(UTC))
    assert await state_of(ready) == before
    seen = {each.home_id: each.revision for each in shown if each.home_id and each.revision}
    assert seen.keys() == {"a", "b", "c"}
    await ready.report("b", {"count": 7})  # somebody else is faster

    sent = await send_file(writer, content, actor=actor, seen=seen)
    assert [(each.home_id, each.refusal and each.refusal.code) for each in sent] == [
        ("a", None),
        ("b", "changed_since"),
        ("c", "invalid_field"),
        ("foreign", "changed_since"),
        ("nobody", "changed_since"),
    ]
    _, home, _ = await ready.call("GET", "/api/v1/homes/a")
    assert home["properties"]["free"] == {"long_term": 3}
    _, home, _ = await ready.call("GET", "/api/v1/homes/b")
    assert home["properties"]["free"] == {"long_term": 7}

    sent = await send_file(writer, content, actor=actor)
    assert [each.refusal and each.refusal.code for each in sent] == [
        *(None, None, "invalid_field", "foreign_home", "unknown_home")
    ]
    assert sent[1].home is not None
    assert sent[1].home.vacancies == (Vacancy(care_form=CareForm.DAY, count=1),)
