"""Importing into a database: identity, running again, what is kept, what is refused."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from providers.imports.files import read_table
from providers.imports.intake import Intake
from providers.imports.report import ImportReport
from vacancies.commands import Describe, Report
from vacancies.database import Pool
from vacancies.homes import select_homes, select_homes_by_identity
from vacancies.models import CareForm, CareHome, Contact, Costs, Point, Precision, Vacancy
from vacancies.provider import ensure_provider, select_providers
from vacancies.writer import Writer

HEADER = "name;street;zip;city;phone;has_kurzzeitpflege\n"
LIST = (
    HEADER
    + "Haus Ahorn;Weg 1;33330;Gütersloh;05241/21330;ja\n"
    + "Haus Birke;Weg 1;33330;Gütersloh;null;nein\n"
    + "Haus Buche;Weg 2;1067;Dresden;;ja\n"
)


async def take(pool: Pool, writer: Writer | None, text: str | bytes) -> ImportReport:
    content = text if isinstance(text, bytes) else text.encode()
    return await Intake(pool, writer, provider="Kreis Musterstadt").take(read_table(content))


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    """taken, changed, unchanged, left out, refused; they add up to the rows."""
    found = (
        report.taken,
        report.changed,
        report.unchanged,
        report.left_out,
        len(report.refused),
    )
    assert sum(found) == report.rows
    return found


async def all_homes(pool: Pool) -> list[CareHome]:
    rows = await pool.fetch("SELECT id FROM care_home")
    return sorted(
        await select_homes(pool, [row["id"] for row in rows]), key=lambda home: home.profile.name
    )


async def head(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT revision FROM revision_head"))


async def test_new_homes(pool: Pool, writer: Writer) -> None:
    assert counts(await take(pool, writer, LIST)) == (3, 0, 0, 0, 0)
    ahorn, birke, buche = await all_homes(pool)
    assert ahorn.profile.contact.phone == "+49 5241 21330"
    assert ahorn.profile.precision is Precision.POSTCODE
    assert ahorn.profile.capacity == {CareForm.SHORT_TERM: 0}
    assert birke.profile.contact.phone is None
    assert buche.profile.address.postcode == "01067"
    assert [provider.name for provider in await select_providers(pool)] == ["Kreis Musterstadt"]


async def test_again_changes_nothing(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, LIST)
    before = await head(pool)
    again = LIST.replace("Haus Ahorn", " Haus  Ahorn").encode("cp1252")
    assert counts(await take(pool, writer, again)) == (0, 0, 3, 0, 0)
    assert await head(pool) == before


async def test_a_changed_row_changes_one_home(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, LIST)
    before = await head(pool)
    assert counts(await take(pool, writer, LIST.replace("21330", "21331"))) == (0, 1, 2, 0, 0)
    assert await head(pool) == before + 1


async def test_a_dry_run_changes_nothing(pool: Pool, writer: Writer) -> None:
    assert counts(await take(pool, None, LIST)) == (3, 0, 0, 0, 0)
    assert (await all_homes(pool), await select_providers(pool)) == ([], [])
    await take(pool, writer, LIST)
    changed = LIST.replace("21330", "21331") + "Haus Eiche;;;Gütersloh;;\n"
    assert counts(await take(pool, None, changed)) == (1, 1, 2, 0, 0)


async def test_what_the_list_does_not_know_is_kept(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, LIST)
    ahorn = (await all_homes(pool))[0]
    exact = Point(51.9064, 8.3782)
    profile = replace(
        ahorn.profile,
        point=exact,
        precision=Precision.EXACT,
        contact=replace(ahorn.profile.contact, email="a@haus.example"),
        costs=Costs(care_eur=1500.0),
        capacity={CareForm.LONG_TERM: 80, CareForm.SHORT_TERM: 6},
    )
    vacancy = Vacancy(care_form=CareForm.LONG_TERM, count=2)
    await writer.submit(
        [
            Describe(
                home_id=ahorn.id,
                provider_id=ahorn.provider_id,
                provider=ahorn.provider,
                profile=profile,
            ),
            Report(home_id=ahorn.id, vacancies=(vacancy,)),
        ]
    )
    assert counts(await take(pool, writer, LIST)) == (0, 0, 3, 0, 0)
    assert counts(await take(pool, writer, LIST.replace("05241/21330", "05241/99"))) == (
        0,
        1,
        2,
        0,
        0,
    )
    kept = (await all_homes(pool))[0]
    assert kept.profile == replace(
        profile, contact=Contact(phone="+49 5241 99", email="a@haus.example")
    )
    assert kept.vacancies == (vacancy,)


async def test_a_home_that_moves_is_looked_up_again(pool: Pool, writer: Writer) -> None:
    rows = "id;name;street;zip;city\n7;Haus Ahorn;Weg 1;33330;Gütersloh\n"
    await take(pool, writer, rows)
    assert counts(await take(pool, writer, rows.replace("33330;Gütersloh", "50667;Köln"))) == (
        0,
        1,
        0,
        0,
        0,
    )
    (home,) = await all_homes(pool)
    assert home.profile.point.latitude < 51


async def test_identity_is_the_sources_id(pool: Pool, writer: Writer) -> None:
    rows = "id;name;zip\n7;Haus Ahorn;33330\n8;Haus Ahorn;33330\n"
    assert counts(await take(pool, writer, rows)) == (2, 0, 0, 0, 0)
    assert counts(await take(pool, writer, rows.replace("7;Haus Ahorn", "7;Haus Ulme"))) == (
        0,
        1,
        1,
        0,
        0,
    )
    found = await select_homes_by_identity(pool, ["id:kreis-musterstadt:7"])
    assert [home.profile.name for home in found.values()] == ["Haus Ulme"]


async def test_ids_of_two_sources_do_not_meet(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, "id;name;zip;traeger\n7;Haus A;33330;Nord\n7;Haus B;33330;Süd\n")
    assert len(await all_homes(pool)) == 2


async def test_bad_rows_do_not_sink_the_rest(pool: Pool, writer: Writer) -> None:
    report = await take(
        pool,
        writer,
        LIST
        + ";Weg 3;33330;Gütersloh;;\n"  # row 5: no name
        + "Haus C;Weg 4;;;;\n"  # no place
        + "Haus D;Weg 5;99999;Xyzzyhausen;;\n"  # unknown place
        + "Haus E;Weg; 6;33330;Gütersloh;;\n"  # shifted
        + "Haus  Ahorn;Weg 1;D-33330;Gütersloh;;\n"  # again
        + "Haus F;Weg 7;;Neuenkirchen;;\n",  # ambiguous
    )
    assert counts(report) == (3, 0, 0, 0, 6)
    assert [(refusal.row, refusal.field) for refusal in report.refused] == [
        (5, "name"),
        (6, "postcode"),
        (7, "postcode"),
        (8, "row"),
        (9, "name"),
        (10, "postcode"),
    ]
    assert "row 2" in report.refused[4].reason


async def test_more_places_free_than_licensed_is_refused(pool: Pool, writer: Writer) -> None:
    rows = "id;name;zip;places\n7;Haus Ahorn;33330;80\n8;Haus B;33330;80\n"
    await take(pool, writer, rows)
    home = (await all_homes(pool))[0]
    await writer.submit(
        [Report(home_id=home.id, vacancies=(Vacancy(care_form=CareForm.LONG_TERM, count=40),))]
    )
    report = await take(pool, writer, rows.replace(";80", ";30"))
    assert counts(report) == (0, 1, 0, 0, 1)
    assert report.refused[0].row in (2, 3)


async def test_integration_assistance_is_left_out(pool: Pool, writer: Writer) -> None:
    rows = [
        {"id": "1", "name": "A", "plz": "13355", "wohnform": "Eingliederungshilfe"},
        {"id": "2", "name": "B", "plz": "13517", "ort": "Berlin", "wohnform": "Tagespflege",
         "platzzahl": "16"},
        {"id": "3", "name": "C", "plz": "13355", "wohnform": "Kurzzeitpflege", "platzzahl": "0"},
    ]  # fmt: skip
    report = await take(pool, writer, json.dumps({"index": rows}))
    assert counts(report) == (2, 0, 0, 1, 0)
    assert "Eingliederungshilfe" in report.left_out_rows[0].reason
    day, short = await all_homes(pool)
    assert day.profile.capacity == {CareForm.DAY: 16}
    assert short.profile.capacity == {CareForm.SHORT_TERM: 0}
    assert day.profile.precision is Precision.REGION


async def test_homes_abroad_need_coordinates(pool: Pool, writer: Writer) -> None:
    features = [
        {
            "type": "Feature",
            "id": "way/5",
            "properties": {"name": "Altersheim", "addr:postcode": "8840", "addr:country": "CH"},
            "geometry": {"type": "Point", "coordinates": [8.74, 47.12]},
        },
        {
            "type": "Feature",
            "id": "way/6",
            "properties": {"name": "Pflegeheim", "addr:postcode": "8840"},
            "geometry": None,
        },
    ]
    report = await take(
        pool, writer, json.dumps({"type": "FeatureCollection", "features": features})
    )
    assert counts(report) == (1, 0, 0, 0, 1)
    (home,) = await all_homes(pool)
    assert (home.profile.precision, home.profile.address.country) == (Precision.EXACT, "CH")


async def test_the_owner_of_a_home_stays(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, LIST)
    await ensure_provider(pool, "Anderer")
    report = await Intake(pool, writer, provider="Anderer").take(read_table(LIST.encode()))
    assert counts(report) == (0, 0, 3, 0, 0)
    assert {home.provider for home in await all_homes(pool)} == {"kreis-musterstadt"}


@pytest.mark.parametrize("count", [450])
async def test_progress_and_chunks(pool: Pool, writer: Writer, count: int) -> None:
    done: list[int] = []
    rows = "name;zip\n" + "".join(f"Haus {number};33330\n" for number in range(count))
    report = await Intake(pool, writer, provider="P").take(
        read_table(rows.encode()), lambda rows: done.append(rows)
    )
    assert counts(report) == (count, 0, 0, 0, 0)
    assert done == [200, 200, 50]
