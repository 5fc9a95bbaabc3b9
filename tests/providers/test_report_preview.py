"""What a file would change, shown before, and then sent as it was shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from providers.imports.errors import UnreadableList
from providers.report_files import read_reports
from providers.report_preview import differences, preview_file
from providers.report_seen import decode_seen, encode_seen, send_seen
from tests.conftest import Service
from tests.providers.conftest import PROVIDER, state_of
from vacancies.actors import Actor
from vacancies.errors import InvalidInput
from vacancies.homes import select_homes
from vacancies.models import CareForm, CareHome, Point, Profile, Vacancy
from vacancies.provider import ensure_provider

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)


def stored_home(home_id: str, *lines: Vacancy, provider_id: int = 1, revision: int = 0) -> CareHome:
    return CareHome(
        id=home_id,
        provider_id=provider_id,
        provider="p",
        profile=Profile(name="Haus", point=Point(51.9, 8.4), capacity={CareForm.LONG_TERM: 40}),
        revision=revision,
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
    preview = preview_file(content, stored, actor=Actor(provider_id=1), at=NOW)
    found = preview.differences
    assert [row.home_id for row in preview.seen] == ["a", "b", "full"]
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
    uploaded = (
        b"home_id,care_form,count\na,long_term,3\nb,day,1\nc,day,x\nforeign,day,1\nnobody,day,1\n"
    )
    before = await state_of(ready)
    shown = preview_file(uploaded, homes, actor=actor, at=datetime.now(UTC))
    assert await state_of(ready) == before
    assert [row.home_id for row in shown.seen] == ["a", "b"]
    await ready.report("b", {"count": 7})  # somebody else is faster

    content = encode_seen(shown.seen)
    assert decode_seen(content) == shown.seen
    actors = {"a": actor, "b": actor}
    sent = await send_seen(writer, content, actors, 1)
    assert [(each.home_id, each.code) for each in sent] == [("a", None), ("b", "changed_since")]
    before = await state_of(ready)
    assert await send_seen(writer, content, actors, 1) == sent, "pressed twice"
    assert await state_of(ready) == before
    codes = [each.code for each in await send_seen(writer, content, actors, 2)]
    assert codes == ["changed_since"] * 2, "somebody else is answered anew"
    _, home, _ = await ready.call("GET", "/api/v1/homes/a")
    assert home["properties"]["free"] == {"long_term": 3}
    _, home, _ = await ready.call("GET", "/api/v1/homes/b")
    assert home["properties"]["free"] == {"long_term": 7}


async def test_for_homes_without_an_actor_nothing_is_sent(ready: Service) -> None:
    content = (
        b'{"reports":[{"home_id":"a","vacancies":[],"revision":1},'
        b'{"home_id":"nobody","vacancies":[],"revision":1}]}'
    )
    before = await state_of(ready)
    sent = await send_seen(ready.state.deployment.writer, content, {}, 1)
    assert [each.code for each in sent] == ["foreign_home"] * 2
    assert await state_of(ready) == before


def test_all_details_of_a_report_come_through_the_page() -> None:
    """The JSON leaves out what is the default; nothing else may get lost."""
    content = (
        b"home_id,care_form,count,sex,room,care_grades,focuses,available_from,available_until,note,"
        b"observed_at\n"
        b'a,short_term,2,female,single,"2-4","demenz",2026-12-01,2026-12-24,"Zimmer <7>\nhell",'
        b"2026-11-25T11:00\n"
    )
    stored = stored_home("a", revision=7)
    shown = preview_file(content, {"a": stored}, actor=Actor(), at=NOW)
    encoded = encode_seen(shown.seen)
    assert b"\n" not in encoded, "a form would make two signs of it"
    (row,) = decode_seen(encoded)
    (report,) = read_reports(content)
    command = row.command(Actor())
    assert (command.vacancies, command.observed_at) == (report.vacancies, report.observed_at)
    assert command.vacancies[0].note == "Zimmer <7>\nhell"
    assert command.if_match == frozenset({7})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"reports":[]}',
        b'{"reports":[{"home_id":"a","vacancies":[]}]}',
        b'{"reports":[{"home_id":"a","vacancies":[],"revision":-1}]}',
        b'{"reports":[{"home_id":"a","vacancies":[],"revision":"1"}]}',
        b'{"reports":[{"home_id":"a","vacancies":[],"revision":1,"actor":1}]}',
        b'{"reports":[{"home_id":"a","vacancies":[{"care_form":"day","count":-1}],"revision":1}]}',
    ],
)
def test_what_a_page_would_not_send_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_seen(content)


def test_a_thousand_homes_fit_and_more_is_said_before_it_is_sent() -> None:
    header = b"home_id,care_form,count,note\n"
    lines = [
        f"haus-{number:04},{form.value},1,{'x' * 40}\n".encode()
        for number in range(1000)
        for form in CareForm
    ]
    stored = {f"haus-{number:04}": stored_home(f"haus-{number:04}") for number in range(1000)}
    shown = preview_file(header + b"".join(lines), stored, actor=Actor(), at=NOW)
    assert len(decode_seen(encode_seen(shown.seen))) == 1000
    longer = [line.replace(b"x" * 40, b"x" * 190) for line in lines]
    assert len(header + b"".join(longer)) < 2_000_000
    shown = preview_file(header + b"".join(longer), stored, actor=Actor(), at=NOW)
    with pytest.raises(UnreadableList, match="Split it"):
        encode_seen(shown.seen)
