"""Next year's list: the same homes under other columns, ids and names; and those that vanished."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from providers.imports.files import read_table
from providers.imports.intake import Intake
from providers.imports.mapping import Mapping
from providers.imports.report import ImportReport
from vacancies.commands import Amend, Describe
from vacancies.database import Pool
from vacancies.models import Address, HomeStatus, Point, Profile
from vacancies.provider import ensure_provider
from vacancies.writer import Writer

FIRST = (
    "Einrichtung;Straße;PLZ;Ort;Träger\n"
    "Haus Ahorn;Hauptstraße 5 a;33330;Gütersloh;Nord\n"
    "Haus Birke;Weg 1;01067;Dresden;Nord\n"
    "Haus Buche;Weg 2;50667;Köln;Süd\n"
)
RENAMED = (
    "Town,ZIP,Street,Name of home,Operator,Places\n"
    "Gütersloh,33330,Hauptstr. 5a,HAUS AHORN,Nord,\n"
    "Dresden,1067,Weg  1,Haus  Birke,Nord,\n"
    "Köln,D-50667,WEG 2,Haus Buche,Süd,\n"
)
WITH_IDS = (
    "ID;Name;Adresse;Postleitzahl;Stadt;Betreiber\n"
    "H-1;Haus Ahorn;Hauptstr. 5a;33330;Gütersloh;Nord\n"
    "H-2;Haus Birke;Weg 1;1067;Dresden;Nord\n"
    "H-3;Haus Buche;Weg 2;50667;Köln;Süd\n"
)


async def take(
    pool: Pool, writer: Writer | None, text: str, provider: str = "Liste"
) -> ImportReport:
    return await Intake(pool, writer, provider=provider).take(read_table(text.encode()))


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """taken, changed, unchanged, refused."""
    return report.taken, report.changed, report.unchanged, len(report.refused)


async def home_ids(pool: Pool) -> dict[str, str]:
    return {
        row["name"].casefold(): row["id"] for row in await pool.fetch("SELECT * FROM care_home")
    }


def names(report: ImportReport) -> list[str]:
    return sorted(home.name for home in report.vanished)


async def test_renamed_columns(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, FIRST)
    before = await home_ids(pool)
    report = await take(pool, writer, RENAMED)
    assert (report.taken, len(report.refused), report.vanished) == (0, 0, [])
    assert await home_ids(pool) == before
    assert counts(await take(pool, writer, RENAMED)) == (0, 0, 3, 0)


async def test_a_list_gains_ids_and_loses_them_again(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, FIRST)
    before = await home_ids(pool)
    assert (await take(pool, writer, WITH_IDS)).taken == 0
    moved = WITH_IDS.replace("Haus Ahorn", "Haus Ulme").replace("Hauptstr. 5a", "Ring 7")
    report = await take(pool, writer, moved)
    assert counts(report) == (0, 1, 2, 0), "known by its id now"
    after = await home_ids(pool)
    assert after["haus ulme"] == before["haus ahorn"]
    report = await take(
        pool, writer, RENAMED.replace("HAUS AHORN", "Haus Ulme").replace("Hauptstr. 5a", "Ring 7")
    )
    assert (report.taken, report.vanished) == (0, [])
    assert await home_ids(pool) == after
    report = await take(pool, writer, moved.replace("Haus Ulme", "Haus Esche"))
    assert report.taken == 0
    assert (await home_ids(pool))["haus esche"] == before["haus ahorn"], "and still known by it"


@pytest.mark.parametrize(
    "text",
    [
        WITH_IDS.replace("H-", "DE-0000"),
        WITH_IDS.replace(";Nord", ";Nord gGmbH"),
        WITH_IDS.replace(";Nord", ";Nord e. V.").replace("Haus Birke", "Haus Eberesche"),
    ],
    ids=["new ids", "provider renamed", "provider and home renamed"],
)
async def test_new_ids_and_another_name_of_the_provider(
    pool: Pool, writer: Writer, text: str
) -> None:
    await take(pool, writer, WITH_IDS)
    before = await home_ids(pool)
    report = await take(pool, writer, text)
    assert (report.taken, len(report.refused), report.vanished) == (0, 0, [])
    assert set((await home_ids(pool)).values()) == set(before.values())
    assert counts(await take(pool, writer, text)) == (0, 0, 3, 0)


async def test_the_name_of_the_file_stands_for_the_provider(pool: Pool, writer: Writer) -> None:
    first = "ID;Name;Straße;PLZ\n1;Haus A;Weg 1;33330\n2;Haus B;Weg 2;33330\n"
    await take(pool, writer, first, "heime 2026")
    report = await take(
        pool, writer, first.replace("2;Haus B;Weg 2", "3;Haus C;Weg 3"), "heime 2027"
    )
    assert counts(report) == (1, 0, 1, 0)
    assert names(report) == ["Haus B"]


async def test_one_list_has_postcodes_the_other_towns(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, "Name;Straße;PLZ;Ort\nHaus A;Weg 1;33330;Gütersloh\n")
    report = await take(pool, writer, "Name;Straße;Ort\nHaus A;Weg 1;Gütersloh\n")
    assert counts(report)[0] == 0
    assert len(await home_ids(pool)) == 1
    assert (
        counts(await take(pool, writer, "Name;Straße;PLZ;Ort\nHaus A;Weg 1;33332;Gütersloh\n"))[0]
        == 1
    ), "another postcode is another place"


async def test_homes_of_the_same_name_with_ids_stay_two(pool: Pool, writer: Writer) -> None:
    text = "id;name;zip\n7;Haus Ahorn;33330\n8;Haus Ahorn;33330\n"
    assert counts(await take(pool, writer, text)) == (2, 0, 0, 0)
    assert counts(await take(pool, writer, text)) == (0, 0, 2, 0)
    assert counts(await take(pool, writer, text + "9;Haus Ahorn;33330\n")) == (1, 0, 2, 0)
    report = await take(pool, writer, "name;zip\nHaus Ahorn;33330\n")
    assert counts(report) == (0, 0, 0, 1)
    assert "Give the id" in report.refused[0].reason
    assert report.vanished == []


async def test_homes_that_came_by_another_way_are_found(pool: Pool, writer: Writer) -> None:
    nord = await ensure_provider(pool, "Nord")
    address = Address(street="Weg 1", postcode="01067", city="Dresden")
    profile = Profile(name="Haus Birke", point=Point(51.05, 13.73), address=address)
    command = Describe(home_id="birke", provider_id=nord.id, provider=nord.slug, profile=profile)
    await writer.submit([command])
    report = await take(pool, writer, FIRST)
    assert counts(report) == (2, 1, 0, 0)
    assert (await home_ids(pool))["haus birke"] == "birke"
    assert counts(await take(pool, writer, FIRST)) == (0, 0, 3, 0)


async def test_vanished_homes_are_named_and_left_as_they_are(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, FIRST)
    ids = await home_ids(pool)
    nord = await ensure_provider(pool, "Nord")
    by_hand = Profile(name="Haus Hand", point=Point(51.0, 13.0))
    await writer.submit(
        [Describe(home_id="hand", provider_id=nord.id, provider=nord.slug, profile=by_hand)]
    )
    only_ahorn = "\n".join(FIRST.splitlines()[:2])
    for writing in (None, writer):
        report = await take(pool, writing, only_ahorn)
        assert counts(report) == (0, 0, 1, 0)
        assert [(home.home_id, home.name) for home in report.vanished] == [
            (ids["haus birke"], "Haus Birke")
        ], "not what a list never brought, and not what another provider runs"
    status = await pool.fetchval("SELECT status FROM care_home WHERE name = 'Haus Birke'")
    assert status == HomeStatus.OPEN
    await writer.submit([Amend(home_id=ids["haus birke"], changes={"status": HomeStatus.CLOSED})])
    assert (await take(pool, writer, only_ahorn)).vanished == []


async def test_refused_rows_have_not_vanished_or_are_spoken_of(pool: Pool, writer: Writer) -> None:
    await take(pool, writer, FIRST)
    unknown = FIRST.replace("01067;Dresden", "99999;Xyzzyhausen")
    report = await take(pool, writer, unknown + "Haus Birke;Weg 1;01067;Dresden;Nord;zu viel\n")
    assert len(report.refused) == 2
    assert names(report) == ["Haus Birke"]
    assert any("refused" in note for note in report.notes)


async def test_coordinates_that_contradict_the_postcode(pool: Pool, writer: Writer) -> None:
    text = "Name;PLZ;lat;lon\nHaus A;33330;8.3782;51.9064\nHaus B;33330;51.9064;8.3782\n"
    report = await take(pool, writer, text)
    assert counts(report) == (2, 0, 0, 0)
    (warning,) = report.warnings
    assert "Row 2" in warning
    rows = await pool.fetch("SELECT latitude, point_precision FROM care_home ORDER BY name")
    assert [row["point_precision"] for row in rows] == ["postcode", "exact"]
    assert all(51 < row["latitude"] < 53 for row in rows)


@pytest.mark.parametrize("provider", ["Liste", "Andere"])
async def test_a_mapping_with_a_system(pool: Pool, writer: Writer, provider: str) -> None:
    text = "Name;Ostwert;Nordwert\nHaus A;32457222;5750800\n"
    mapping = replace(Mapping(), crs="EPSG:25832")
    intake = Intake(pool, writer, provider=provider, mapping=mapping)
    assert counts(await intake.take(read_table(text.encode()))) == (1, 0, 0, 0)
    latitude = await pool.fetchval("SELECT latitude FROM care_home")
    assert latitude == pytest.approx(51.908, abs=0.01)


async def test_a_list_of_something_else_is_asked_about(pool: Pool) -> None:
    """Towns and districts have names and places too, and would all become homes."""
    towns = "".join(f"Stadt {number};33330;Gütersloh\n" for number in range(12))
    asked = "hardly any name sounds like a care home: is this the right list?"
    assert asked in (await take(pool, None, "Name;PLZ;Ort\n" + towns)).notes
    homes = towns.replace("Stadt 1", "Haus Ahorn")
    assert asked not in (await take(pool, None, "Name;PLZ;Ort\n" + homes)).notes
    assert asked not in (await take(pool, None, FIRST)).notes
