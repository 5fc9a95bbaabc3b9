"""A municipality takes everything along and leaves nothing: export, deletion, and being killed."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result

from providers.desks import at_desk, select_desks_of
from providers.export_parts import PARTS
from providers.home_lists import insert_list
from providers.leaving import leave, record_departure, select_departure
from providers.municipality_export import write_export
from providers.staff import ensure_membership, ensure_staff
from tests.waiting import until
from tests.web.desk.test_invitations import settled
from tests.web.desk.test_matrix import readable
from tests.web.desk.verbund import DISTRICT, OTHER, SECRET, TOWN, Verbund
from tests.web.staff import Desk
from vacancies.actors import Actor
from vacancies.database import Pool
from vacancies.erasing import Erase
from vacancies.errors import ForeignHome
from vacancies.looks import record_look
from vacancies.provider import ensure_provider
from web.__main__ import main

PAGE = f"/desk/{OTHER}/leave"
ADMIN = f"{SECRET}@town.example"

# Tables with what belongs to a municipality or its homes, and what becomes of it when it leaves:
# a new one must be decided upon, for the deletion and for the export.
ERASED = {"report", "correction", "call_feedback", "reminder", "membership", "home_invitation",
          "home_letter", "signin", "municipality_member", "departure", "desk_act", "home_past",
          "home_list", "municipality_look", "planning_rollup", "planning_stop",
          "unmet_search", "portal_home", "portal_file_home"}  # fmt: skip
# Of homes the id and the position; and what others have asked for, by the ids of homes.
STAYS = {"care_home", "home_state", "api_key", "alert_home", "webhook_home", "webhook_delivery"}


async def filled(verbund: Verbund) -> None:
    """More that is private, in what this part has added."""
    async with at_desk(verbund.service.state.deployment.desks, OTHER, writing=True) as connection:
        words = {"greeting": f"{SECRET} greeting", "imprint": "", "privacy": ""}
        await record_look(connection, OTHER, accent=None, **words)
        person = await ensure_staff(verbund.pool, ADMIN)
        (office,) = await select_desks_of(verbund.pool, person.id)
        await insert_list(connection, office, f"{SECRET}.csv", SECRET.encode())
    await verbund.service.put_home(
        "asked",
        "awo",
        municipality=OTHER,
        name=f"{SECRET} house",
        contact={"email": f"{SECRET}@homes.example", "person": f"{SECRET} person"},
        address={"street": f"{SECRET} street", "postcode": "33330", "city": "Halle"},
        coordinates={"latitude": 51.95, "longitude": 8.4},
    )
    async with verbund.browser(ADMIN) as desk:
        page = f"/desk/{OTHER}/invitations"
        token = (await desk.get(page)).token
        sent = await desk.post(f"{page}/mail", token=token, which="all", seen="0")
        assert "asked=1" in sent.headers["Location"]
        await settled(verbund.pool)
        printed = await desk.post(
            f"{page}/letters", token=token, which="chosen", seen_letters="0", home="asked"
        )
        assert printed.status == 200
    provider = await ensure_provider(verbund.pool, "awo")
    boss = await ensure_staff(verbund.pool, f"{SECRET}@awo.example", name=f"{SECRET} boss")
    await ensure_membership(verbund.pool, boss.id, provider.id)


async def all_rows(pool: Pool) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    tables = await pool.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    found = {}
    for table in tables:
        name = table["relname"]
        if name == "deployment":  # it has a column of that name
            continue
        rows = await pool.fetch(f"SELECT to_jsonb(t)::text AS row FROM {name} t")
        found[name] = [row["row"] for row in rows]
    return found


def marks(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    secret = (SECRET, SECRET.encode().hex())
    held = {
        table: [row for row in found if any(mark in row for mark in secret)]
        for table, found in rows.items()
    }
    return {table: found for table, found in held.items() if found}


async def exported(pool: Pool, key: str) -> zipfile.ZipFile:
    target = io.BytesIO()
    await write_export(pool, key, target)
    archive = zipfile.ZipFile(target)
    assert archive.testzip() is None
    return archive


def rows_of(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))


async def test_the_export_has_everything_of_its_own_and_nothing_of_others(verbund: Verbund) -> None:
    await filled(verbund)
    desks = verbund.service.state.deployment.desks
    archive = await exported(desks, OTHER)
    contents = {name: archive.read(name).decode() for name in archive.namelist()}
    assert contents.keys() == {part.name for part in PARTS} | {"README.txt", "manifest.json"}
    without = {"README.txt", "manifest.json", "boundary.geojson", "letters.csv",
               "call_feedback.csv", "advice_offices.csv", "not_the_same.csv", "planning.csv",
               "planning_stops.csv", "unmet_searches.csv"}  # fmt: skip
    assert {name for name, text in contents.items() if SECRET not in text} == without
    for name in ("letters.csv", "call_feedback.csv"):
        assert len(rows_of(archive, name)) == 1, name
    assert SECRET.encode().hex() not in "".join(contents.values()), "no networks of callers"
    for text in contents.values():
        assert "open " not in text
        assert "open@" not in text
        assert TOWN not in text
    manifest = json.loads(contents["manifest.json"])
    for entry in manifest["files"]:
        content = archive.read(entry["name"])
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["bytes"] == len(content)
    counts = {entry["name"]: entry["rows"] for entry in manifest["files"]}
    assert counts["homes.csv"] == counts["homes.json"] == manifest["homes"] == 2
    assert counts["reports.jsonl"] == len(contents["reports.jsonl"].splitlines()) == 1
    (home,) = [each for each in json.loads(contents["homes.json"]) if each["id"] == "asked"]
    assert home["contact_person"] == f"{SECRET} person"
    assert {"assigned_by", "stated_municipality"} <= home.keys()
    (people,) = [row for row in rows_of(archive, "people.csv") if row["home_id"] == "other-home"]
    assert (people["role"], people["email"]) == ("home_staff", f"{SECRET}@home.example")
    assert "Halle" in contents["README.txt"]
    # The town has its own in turn.
    mine = await exported(desks, TOWN)
    assert not [name for name in mine.namelist() if SECRET in mine.read(name).decode()]


async def test_the_export_calculates_nothing_in_a_spreadsheet(verbund: Verbund) -> None:
    await verbund.pool.execute("UPDATE care_home SET name = '=1+1' WHERE id = 'other-home'")
    await verbund.pool.execute(
        "UPDATE correction SET said = '@SUM(A1)' WHERE home_id = 'other-home'"
    )
    archive = await exported(verbund.service.state.deployment.desks, OTHER)
    assert rows_of(archive, "homes.csv")[0]["name"] == "'=1+1"
    assert rows_of(archive, "corrections.csv")[0]["said"] == "'@SUM(A1)"


async def test_a_district_takes_its_own_homes_only(verbund: Verbund) -> None:
    await verbund.join(DISTRICT, "Kreis Gütersloh")
    await verbund.service.put_home("nobodys", "awo", municipality="05754044")
    archive = await exported(verbund.service.state.deployment.desks, DISTRICT)
    assert [row["id"] for row in rows_of(archive, "homes.csv")] == ["nobodys"]
    assert SECRET not in archive.read("reports.jsonl").decode()
    assert rows_of(archive, "people.csv") == []


async def test_more_than_one_batch_of_reports_comes_whole(verbund: Verbund) -> None:
    await verbund.pool.execute(
        "INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies, via)"
        " SELECT 'other-home', n, 'report', now() - n * interval '1 hour',"
        " now() - n * interval '1 hour', '[]', 'api' FROM generate_series(1, 4321) n"
    )
    archive = await exported(verbund.service.state.deployment.desks, OTHER)
    lines = archive.read("reports.jsonl").decode().splitlines()
    assert len(lines) == 4322
    times = [json.loads(line)["reported_at"] for line in lines]
    assert times == sorted(times)


async def download(desk: Desk) -> bytes:
    opened = await desk.get(PAGE)
    async with desk.client.post(
        f"{desk.url}{PAGE}/export",
        data={"form_token": opened.token},
        headers={"Origin": desk.url, "Accept": "text/html"},
    ) as answer:
        assert answer.status == 200, await answer.text()
        assert "attachment" in answer.headers["Content-Disposition"]
        assert "no-store" in answer.headers["Cache-Control"]
        return await answer.read()


async def test_from_the_page_to_the_end(verbund: Verbund) -> None:
    await filled(verbund)
    before = {table for table, rows in marks(await all_rows(verbund.pool)).items() if rows}
    assert before >= {"staff", "care_home", "report", "home_invitation", "desk_act", "signin"}
    async with verbund.browser(ADMIN) as desk:
        token = (await desk.get(PAGE)).token
        early = await desk.post(f"{PAGE}/delete", token=token, name="Halle")
        assert early.status == 403, "not before an export"
        archive = zipfile.ZipFile(io.BytesIO(await download(desk)))
        assert archive.testzip() is None

        async def is_recorded() -> bool:
            return (await select_departure(verbund.pool, OTHER)).has_export

        await until(is_recorded)
        wrong = await desk.submit(PAGE, f"{PAGE}/delete", name="Hallo")
        assert wrong.status == 422
        assert (await select_departure(verbund.pool, OTHER)).asked_at is None
        assert (await desk.submit(PAGE, f"{PAGE}/delete", name=" Halle ")).status == 303

        async def is_gone() -> bool:
            return not await verbund.pool.fetchval("SELECT count(*) FROM departure")

        await until(is_gone)
        assert (await desk.get(PAGE)).status == 303, "signed out: nobody is known any more"
    assert marks(await all_rows(verbund.pool)) == {}
    # Viewers have been told, and the tombstone says so.
    listing = verbund.service.state.board.get("other-home")
    assert listing is not None
    assert listing.profile.status == "closed"
    assert (listing.profile.point.latitude, listing.vacancies) == (51.9, ())
    assert (await verbund.service.call("GET", "/api/v1/homes/other-home"))[0] == 410
    # Who stays has lost nothing, and that the other has left is on record.
    assert (await verbund.service.call("GET", "/api/v1/homes/home"))[0] == 200
    assert await verbund.pool.fetchval("SELECT count(*) FROM report") == 1
    left = await verbund.pool.fetchrow("SELECT * FROM desk_act WHERE municipality = $1", OTHER)
    assert left is not None
    assert (left["act"], json.loads(left["detail"])) == ("left", {"homes": 2})


async def test_what_is_there_is_decided_upon(verbund: Verbund) -> None:
    rows = await verbund.pool.fetch(
        "SELECT DISTINCT table_name AS name FROM information_schema.columns WHERE table_schema ="
        " 'public' AND column_name IN ('home_id', 'municipality')"
    )
    assert {row["name"] for row in rows} - STAYS == ERASED


async def test_what_a_desk_can_read_is_in_the_export(verbund: Verbund) -> None:
    """A table that is new is one more `Part`, or is named here with its reason."""
    # How far the export itself is, and the counting; and what is public.
    without = {"departure", "planning_head", "planning_due", "neighbour"}
    async with at_desk(verbund.service.state.deployment.desks, TOWN) as connection:
        tables = set(await readable(connection))
    queries = " ".join(part.query for part in PARTS)
    assert {table for table in tables if not re.search(rf"\b{table}\b", queries)} == without


async def test_whatever_is_killed_it_is_seen_through(verbund: Verbund) -> None:
    """Stopped after each step in turn, by the database going away, and begun anew."""
    await filled(verbund)
    deployment = verbund.service.state.deployment
    await record_departure(verbund.pool, OTHER, None)
    for table in ("report", "membership", "municipality_member"):
        await verbund.pool.execute(
            f"CREATE FUNCTION fail_{table}() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'killed'; END $$;"
            f" CREATE TRIGGER fail BEFORE DELETE ON {table} FOR EACH ROW"
            f" EXECUTE FUNCTION fail_{table}()"
        )
    for table in ("report", "membership", "municipality_member"):
        with pytest.raises(Exception, match="killed"):
            await leave(verbund.pool, deployment.writer, OTHER)
        assert await verbund.pool.fetchval("SELECT count(*) FROM departure") == 1
        await verbund.pool.execute(f"DROP TRIGGER fail ON {table}")
    await leave(verbund.pool, deployment.writer, OTHER)
    assert marks(await all_rows(verbund.pool)) == {}


async def test_a_district_leaves_and_its_towns_stay(verbund: Verbund) -> None:
    await verbund.join(DISTRICT, "Kreis Gütersloh")
    await verbund.appoint("boss@district.example", DISTRICT)
    await verbund.service.put_home("nobodys", "awo", municipality="05754044")
    before = marks(await all_rows(verbund.pool))
    assert await leave(verbund.pool, verbund.service.state.deployment.writer, DISTRICT) == 1
    assert marks(await all_rows(verbund.pool)) == before
    rows = await verbund.pool.fetch("SELECT id FROM care_home WHERE status = 'open' ORDER BY id")
    assert [row["id"] for row in rows] == ["home", "other-home"]


async def test_a_person_with_more_to_do_stays(verbund: Verbund) -> None:
    both = await ensure_staff(verbund.pool, "open@town.example")
    provider = await ensure_provider(verbund.pool, "diakonie")
    await ensure_membership(verbund.pool, both.id, provider.id, "other-home")
    key = verbund.service.keys["diakonie"]
    await leave(verbund.pool, verbund.service.state.deployment.writer, OTHER)
    async with verbund.browser("open@town.example") as desk:
        assert (await desk.get(f"/desk/{TOWN}")).status == 200
    memberships = "SELECT count(*) FROM membership WHERE staff_id = $1"
    assert await verbund.pool.fetchval(memberships, both.id) == 0
    # Software does not bring the home back.
    status, _, _ = await verbund.service.call(
        "PUT", "/api/v1/homes/other-home", {"name": "x"}, key=key
    )
    assert status == 401


async def test_erasing_is_for_the_homes_of_the_desk(verbund: Verbund) -> None:
    command = Erase(home_id="other-home", actor=Actor(municipality=TOWN))
    (outcome,) = (await verbund.service.state.deployment.writer.submit([command])).outcomes
    assert isinstance(outcome.error, ForeignHome)


async def test_a_broken_export_is_no_whole_one(verbund: Verbund) -> None:
    await verbund.pool.execute("REVOKE SELECT ON correction FROM freiplatz_desk")
    try:
        async with verbund.browser(ADMIN) as desk:
            with pytest.raises(aiohttp.ClientError):
                await download(desk)
            assert not (await select_departure(verbund.pool, OTHER)).has_export
    finally:
        await verbund.pool.execute("GRANT SELECT ON correction TO freiplatz_desk")


async def test_clerks_cannot(verbund: Verbund) -> None:
    await verbund.appoint("clerk@town.example", OTHER, "clerk")
    async with verbund.browser("clerk@town.example") as clerk:
        assert (await clerk.get(PAGE)).status == 403
        token = (await clerk.get(f"/desk/{OTHER}/invitations")).token
        for path in ("export", "delete"):
            assert (await clerk.post(f"{PAGE}/{path}", token=token)).status == 403


@pytest.fixture
def deployed(verbund: Verbund, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = verbund.service.state.settings
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))


async def invoke(*arguments: str, typed: str = "") -> Result:
    """In a thread: the command runs an event loop of its own."""
    command = ["municipality", *arguments]
    return await asyncio.to_thread(lambda: CliRunner().invoke(main, command, input=typed))


async def test_the_commands(verbund: Verbund, deployed: None, tmp_path: Path) -> None:
    assert "No export" in (await invoke("remove", OTHER, "--delete-homes")).output
    file = tmp_path / "halle.zip"
    done = await invoke("export", OTHER, str(file))
    assert done.exit_code == 0, done.output
    assert "1 home" in done.output
    assert file.stat().st_mode & 0o077 == 0, "for its owner alone"
    assert zipfile.ZipFile(file).testzip() is None
    manifest: dict[str, Any] = json.loads(
        (await invoke("export", OTHER, str(file), "--json")).stdout
    )
    assert manifest["municipality"] == OTHER
    assert (await invoke("export", "99999999", str(tmp_path / "x.zip"))).exit_code == 1
    assert [path.name for path in tmp_path.glob("*.zip")] == ["halle.zip"]
    assert [path.name for path in tmp_path.glob(".*.part")] == []
    wrong = await invoke("remove", OTHER, "--delete-homes", typed="Hallo\n")
    assert wrong.exit_code == 1
    assert (await select_departure(verbund.pool, OTHER)).asked_at is None
    done = await invoke("remove", OTHER, "--delete-homes", typed="Halle\n")
    assert done.exit_code == 0, done.output
    assert "Deleted: 1 home" in done.output
    assert marks(await all_rows(verbund.pool)) == {}
    assert (await invoke("remove", OTHER, "--delete-homes", "--without-export")).exit_code == 1


async def test_without_the_flag_homes_stay(verbund: Verbund, deployed: None) -> None:
    assert (await invoke("remove", OTHER, "--yes")).exit_code == 0
    status = "SELECT status FROM care_home WHERE id = 'other-home'"
    assert await verbund.pool.fetchval(status) == "open"


async def test_the_desk_sees_offices_of_its_area_only(verbund: Verbund) -> None:
    await verbund.pool.executemany(
        "INSERT INTO advice_office (id, name, latitude, longitude, area)"
        " VALUES ($1, $1, 51, 8, $2)",
        [("mine", TOWN), ("theirs", OTHER), ("everywhere", None)],
    )
    async with at_desk(verbund.service.state.deployment.desks, TOWN) as connection:
        rows = await connection.fetch("SELECT id FROM advice_office")
    assert [row["id"] for row in rows] == ["mine"]
