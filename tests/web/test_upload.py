"""Reporting with a file, over HTTP: it is looked at first, and then sent as it was looked at."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from providers.staff import delete_membership, ensure_membership, select_memberships
from tests.conftest import Service
from tests.web.staff import ANNA, BERT, PROVIDER, Answer, Desk, a_desk, a_person, sign_in
from vacancies.commands import Describe
from vacancies.homes import select_homes
from vacancies.models import CareForm, Point, Profile
from vacancies.provider import ensure_provider
from vacancies.reports import select_told

PAGE = "/upload?lang=en"


async def look(desk: Desk, content: bytes) -> Answer:
    return await desk.upload(PAGE, (await desk.get(PAGE)).token, content)


def seen_in(page: Answer) -> str:
    (found,) = re.findall(r'name="seen" value="([^"]*)"', page.text)
    return unescape(found)


def words(page: Answer) -> str:
    """What one reads on the page."""
    main = page.text[page.text.index("<main") : page.text.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


async def send(desk: Desk, page: Answer, seen: str | None = None) -> Answer:
    seen = seen_in(page) if seen is None else seen
    assert 'enctype="multipart/form-data"' in page.text
    return await desk.upload("/upload/send?lang=en", page.token, seen=seen)


async def free(service: Service, *homes: str) -> list[dict[str, int]]:
    found = await select_homes(service.state.deployment.pool, homes)
    return [{line.care_form.value: line.count for line in home.vacancies} for home in found]


async def test_a_file_is_looked_at_and_sent(service: Service) -> None:
    anna = await a_person(service)
    for home in ("a", "b", "c", "d"):
        await service.put_home(home)
        await service.report(home, {"count": 2})
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        shown = await look(
            desk,
            b"home_id,care_form,count,room\na,long_term,22,\na,day,1,single\nb,long_term,2,\n"
            b"c,long_term,many,\nnowhere,day,1,\n",
        )
        assert shown.status == 200, shown.text
        assert shown.headers["Cache-Control"] == "no-store, no-transform"
        text = words(shown)
        for said in (
            "1 home changes.",
            "1 home stays as it is, and is reported anew.",
            "2 entries are not taken.",
            "long-term care 2 22",
            "Was a digit typed twice",
            "day care 0 1",
            "1 free · day care · from now · single room",
            "Haus b b · row 4 · unchanged",
            "Row 5: The number of free places is missing, or cannot be right.",
            "You report for no home with this id.",
            "1 of your homes is not in the file, and stays as it is. Haus d",
            "Report 2 homes like this",
        ):
            assert said in text, said
        assert await free(service, "a", "b") == [{"long_term": 2}, {"long_term": 2}]
        done = await send(desk, shown)
        assert done.title == "2 homes are reported"
    now = await free(service, "a", "b", "c", "d")
    assert now == [{"long_term": 22, "day": 1}, *[{"long_term": 2}] * 3]
    (told, _) = await select_told(service.state.deployment.pool, "a", 5)
    assert (told.via, told.staff_id, told.kind) == ("page", anna.id, "report")
    assert len(await select_told(service.state.deployment.pool, "b", 5)) == 2, "reported anew"
    assert len(await select_told(service.state.deployment.pool, "c", 5)) == 1


async def test_a_home_that_changed_in_between_is_not_overwritten(service: Service) -> None:
    await a_person(service)
    await service.put_home("a")
    await service.put_home("b")
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        shown = await look(desk, b"home_id,day\na,1\nb,1\n")
        await service.report("b", {"count": 7})
        done = await send(desk, shown)
        assert done.title == "1 home is reported"
        assert "Haus b This home has changed in between. Choose the file again." in words(done)
        assert await free(service, "a", "b") == [{"day": 1}, {"long_term": 7}]
        again = await send(desk, shown)
        assert words(again) == words(done), "a button that was pressed twice"
    assert len(await select_told(service.state.deployment.pool, "a", 5)) == 1


async def test_what_comes_back_can_reach_no_other_home(service: Service) -> None:
    """The field is in the hands of whoever has the page."""
    await a_person(service, BERT, home="a")
    await service.put_home("b")
    await service.put_home("z", "awo-nord")
    pool = service.state.deployment.pool
    async with a_desk(service) as desk:
        await sign_in(service, desk, BERT)
        shown = await look(desk, b"home_id,day\na,1\nb,1\nz,1\n")
        assert "2 entries are not taken." in words(shown)
        assert "Haus b" not in shown.text, "of homes of others nothing is told"
        row = json.loads(seen_in(shown))["reports"][0]
        assert row["home_id"] == "a"
        revisions = {home.id: home.revision for home in await select_homes(pool, ["b", "z"])}
        others = [
            {**row, "home_id": home, "revision": revisions.get(home, 1)}
            for home in ("b", "z", "nowhere")
        ]
        done = await send(desk, shown, json.dumps({"reports": others}))
        assert done.title == "Nothing was reported"
        assert words(done).count("You report for no home with this id.") == 3
        assert "Haus" not in words(done)
        assert await free(service, "a", "b", "z") == [{}, {}, {}]


@pytest.mark.parametrize(
    "change",
    [
        {"vacancies": [{"care_form": "day", "count": -1}]},
        {"vacancies": [{"care_form": "day", "count": "1"}]},
        {"vacancies": [{"care_form": "castle", "count": 1}]},
        {"vacancies": [{"care_form": "day", "count": 1, "available_from": "1999-01-01"}]},
        {"revision": "1"},
        {"revision": None},
        {"actor": {"via": "operator"}},
        {"if_match": None},
        {"home_id": "a/b"},
        {"observed_at": "2026-11-25T08:00:00"},
    ],
    ids=str,
)
async def test_what_comes_back_changed_is_refused(service: Service, change: Any) -> None:
    await a_person(service, BERT, home="a")
    async with a_desk(service) as desk:
        await sign_in(service, desk, BERT)
        shown = await look(desk, b"home_id,day\na,1\n")
        (row,) = json.loads(seen_in(shown))["reports"]
        for seen in ("", "x", "[]", '{"reports":[]}', json.dumps({"reports": [row | change]})):
            answer = await send(desk, shown, seen)
            assert answer.status == 422
            assert "The page was not complete." in words(answer)
        assert await free(service, "a") == [{}]


async def test_who_was_removed_in_between_reports_nothing(service: Service) -> None:
    bert = await a_person(service, BERT, home="a")
    pool = service.state.deployment.pool
    other = await ensure_provider(pool, "awo-nord")
    await ensure_membership(pool, bert.id, other.id, None)  # stays signed in
    async with a_desk(service) as desk:
        await sign_in(service, desk, BERT)
        shown = await look(desk, b"home_id,day\na,1\n")
        found = await select_memberships(pool, bert.id)
        await delete_membership(pool, next(m.id for m in found if m.home_id == "a"))
        assert (await send(desk, shown)).title == "Nothing was reported"
    assert await free(service, "a") == [{}]


async def test_one_file_for_homes_of_two_providers(service: Service) -> None:
    """Each home is reported by the membership that covers it."""
    staff = await a_person(service, ANNA, home="a")
    await service.put_home("z", "awo-nord")
    pool = service.state.deployment.pool
    other = await ensure_provider(pool, "awo-nord")
    await ensure_membership(pool, staff.id, other.id, None)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        done = await send(desk, await look(desk, b"home_id,day\na,1\nz,2\n"))
        assert done.title == "2 homes are reported"
    assert await free(service, "a", "z") == [{"day": 1}, {"day": 2}]


async def test_files_that_cannot_be_read(service: Service) -> None:
    await a_person(service, BERT, home="a")
    async with a_desk(service) as desk:
        await sign_in(service, desk, BERT)
        for content, said in (
            (b"", "There are no rows"),
            (b"name;ort\nHaus;Bonn\n", "The file needs the column home_id"),
            (b"PK\x03\x04 nothing", "This is no spreadsheet that can be read"),
            (b"\x00\x01\x02\xff" * 50, "This is not a text file"),
        ):
            answer = await look(desk, content)
            assert (answer.status, answer.title) == (422, "Report with a file")
            assert f"This file cannot be read. {said}" in words(answer)
        none = await desk.post(PAGE, token=answer.token, file="frei.csv")
        assert (none.status, "Please choose a file first." in none.text) == (422, True)
        for path in (PAGE, "/upload/send?lang=en"):
            large = await desk.upload(path, answer.token, b"x" * 2_200_000)
            assert large.status == 413
            assert "2 MB are possible" in large.text
        with pytest.warns(ResourceWarning):  # aiohttp's, of a field that long
            long = await desk.upload("/upload/send", answer.token, seen="x" * 1_600_000)
        assert long.status == 413


async def test_a_thousand_homes_come_through_the_page(service: Service) -> None:
    await a_person(service)
    deployment = service.state.deployment
    provider = await ensure_provider(deployment.pool, PROVIDER)
    homes = [f"haus-der-senioren-{number:04}" for number in range(1000)]
    profile = Profile(name="Haus der Senioren", point=Point(51.9, 8.38))
    await deployment.writer.submit(
        [
            Describe(home_id=home, provider_id=provider.id, provider=PROVIDER, profile=profile)
            for home in homes
        ]
    )
    header = ",".join(["home_id", "note", *CareForm])
    lines = [header, *(f"{home},{'x' * 30},1,2,3,4,5,6,7,8" for home in homes)]
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        shown = await look(desk, "\n".join(lines).encode())
        seen = seen_in(shown)
        assert len(seen) > 500_000, "as much as forms may have without leave"
        done = await send(desk, shown)
        assert done.title == "1,000 homes are reported"
    expected = {form.value: number for number, form in enumerate(CareForm, start=1)}
    assert await free(service, homes[0], homes[-1]) == [expected] * 2


async def test_only_who_is_signed_in(service: Service) -> None:
    async with a_desk(service) as desk:
        for path in ("/upload", "/upload/sample.csv"):
            answer = await desk.get(path)
            assert (answer.status, answer.headers["Location"][:8]) == (303, "/signin?")
        token = (await desk.get("/signin")).token
        for path in ("/upload", "/upload/send"):
            assert (await desk.upload(path, token, b"home_id,day\na,1\n")).status == 303
            assert (await desk.upload(path, "0" * 64, b"home_id,day\na,1\n")).status == 403
