"""Taking part, step by step, as an admin of a municipality does it in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import pytest

from providers.home_lists import delete_old_lists
from providers.staff import ensure_membership, ensure_staff
from tests.web.desk.verbund import OTHER, TOWN, Verbund
from tests.web.staff import Desk
from vacancies.homes import select_homes
from vacancies.provider import ensure_provider

ADMIN, STRANGER = "open@town.example", "secret@town.example"
WEST = [[[8.3, 51.8], [8.5, 51.8], [8.5, 52.0], [8.3, 52.0], [8.3, 51.8]]]
EAST = [[[8.5, 51.8], [8.7, 51.8], [8.7, 52.0], [8.5, 52.0], [8.5, 51.8]]]
LIST = """Name;Straße;PLZ;Ort;Träger;Telefon;Breitengrad;Längengrad
Haus Linde;Weg 1;33330;Gütersloh;Caritas;05241 1;51.9;8.4
Haus Eiche;Weg 2;33330;Gütersloh;Caritas;05241 2;51.91;8.41
Haus Fern;Weg 3;33790;Halle;Diakonie;05201 3;51.95;8.6
;Weg 4;33330;Gütersloh;Caritas;;51.9;8.4
"""


def boundaries(**areas: list[list[list[float]]]) -> bytes:
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"AGS": key.strip("_")},
                    "geometry": {"type": "Polygon", "coordinates": rings},
                }
                for key, rings in areas.items()
            ],
        }
    ).encode()


@pytest.fixture
async def admin(verbund: Verbund) -> AsyncIterator[Desk]:
    async with verbund.browser(ADMIN) as desk:
        yield desk


async def send(desk: Desk, path: str, content: bytes, **fields: str) -> tuple[int, str]:
    """Status and, after a redirect, where it leads; else the page."""
    answer = await desk.upload(path, (await desk.get(path)).token, content, **fields)
    return answer.status, answer.headers.get("Location") or answer.text


def counted(page: str, label: str) -> int:
    found = re.search(rf"<span>{label}</span><strong>(\d+)</strong>", page)
    assert found is not None, page
    return int(found[1])


async def test_a_boundary_comes_out_of_a_file_with_many(verbund: Verbund, admin: Desk) -> None:
    path = f"/desk/{TOWN}/boundary"
    assert '<svg class="outline"' not in (await admin.get(path)).text
    content = boundaries(_05754008=WEST, _05754012=EAST)
    assert (await send(admin, path, content, source="© Amt"))[0] == 303
    page = (await admin.get(path)).text
    assert "© Amt" in page
    assert '<svg class="outline"' in page
    assert "Grenze geändert" in (await admin.get(f"/desk/{TOWN}/trail")).text


async def test_a_file_that_is_no_boundary_changes_nothing(verbund: Verbund, admin: Desk) -> None:
    path = f"/desk/{TOWN}/boundary"
    for content in (b"no json", b"{}", boundaries(_05754044=WEST, _05754012=EAST), b""):
        assert (await send(admin, path, content))[0] == 422
    assert (await send(admin, path, b" " * (2 * 1024 * 1024 + 1)))[0] == 413
    assert await verbund.pool.fetchval("SELECT count(boundary) FROM municipality") == 0


async def test_nobody_draws_a_line_around_the_homes_of_others(
    verbund: Verbund, admin: Desk
) -> None:
    async with verbund.browser(STRANGER) as stranger:
        theirs = boundaries(_05754012=EAST)
        assert (await send(stranger, f"/desk/{OTHER}/boundary", theirs))[0] == 303
    both = [[[8.3, 51.8], [8.7, 51.8], [8.7, 52.0], [8.3, 52.0], [8.3, 51.8]]]
    status, page = await send(admin, f"/desk/{TOWN}/boundary", boundaries(_05754008=both))
    assert status == 409
    assert "Halle" in page
    # A few hundred metres are what files that were simplified one by one disagree about.
    near = [[[8.3, 51.8], [8.503, 51.8], [8.503, 52.0], [8.3, 52.0], [8.3, 51.8]]]
    status, _ = await send(admin, f"/desk/{TOWN}/boundary", boundaries(_05754008=near))
    assert status == 303


async def test_a_list_is_looked_at_and_then_taken(verbund: Verbund, admin: Desk) -> None:
    await send(admin, f"/desk/{TOWN}/boundary", boundaries(_05754008=WEST))
    before = await verbund.pool.fetchval("SELECT count(*) FROM care_home")
    status, address = await send(admin, f"/desk/{TOWN}/list", LIST.encode())
    assert status == 303
    page = (await admin.get(address)).text
    assert [counted(page, "Neue Einrichtungen"), counted(page, "Nicht übernommen")] == [2, 2]
    assert "liegt außerhalb der Kommune" in page
    assert await verbund.pool.fetchval("SELECT count(*) FROM care_home") == before
    done = await admin.submit(address, address)
    assert done.status == 200
    assert counted(done.text, "Neue Einrichtungen") == 2
    rows = await verbund.pool.fetch("SELECT id FROM care_home WHERE name LIKE 'Haus %e'")
    homes = await select_homes(verbund.pool, [row["id"] for row in rows])
    taken = {home.profile.name: home for home in homes}
    assert taken["Haus Linde"].profile.municipality == TOWN
    assert "Haus Fern" not in taken
    # A second press, or another person with the same page, finds it taken.
    assert (await admin.get(address)).status == 404
    assert (await admin.post(address, token=done.token)).status == 404
    # The same list again changes nothing.
    _, again = await send(admin, f"/desk/{TOWN}/list", LIST.encode())
    page = (await admin.get(again)).text
    assert counted(page, "Einrichtungen, die gleich bleiben") == 2
    assert "nichts zu übernehmen" in page


async def test_columns_are_told_by_hand(verbund: Verbund, admin: Desk) -> None:
    content = "A;B;C\nUlme;33330;Gütersloh\n".encode()
    _, address = await send(admin, f"/desk/{TOWN}/list", content)
    page = await admin.get(address)
    assert page.status == 200
    assert "welche Spalte" in page.text
    page = await admin.get(f"{address}?name=A&postcode=B&city=C")
    assert counted(page.text, "Neue Einrichtungen") == 1
    done = await admin.post(address, token=page.token, name="A", postcode="B", city="C")
    assert counted(done.text, "Neue Einrichtungen") == 1


async def test_a_list_does_not_take_over_homes_of_others(verbund: Verbund, admin: Desk) -> None:
    """Also without a boundary, and when the list states that they are there."""
    content = f"ID;Name;PLZ;Ort;AGS\nother-home;Haus Halle;33790;Halle;{TOWN}\n".encode()
    before = await verbund.pool.fetchrow("SELECT * FROM care_home WHERE id = 'other-home'")
    foreign = f"Name;PLZ;Ort;AGS\nHaus Neu;33790;Halle;{OTHER}\n".encode()
    for each in (content, foreign):
        _, address = await send(admin, f"/desk/{TOWN}/list", each)
        page = await admin.get(address)
        await admin.post(address, token=page.token)
    assert await verbund.pool.fetchrow("SELECT * FROM care_home WHERE id = 'other-home'") == before
    assert not await verbund.pool.fetchval("SELECT count(*) FROM care_home WHERE name = 'Haus Neu'")


async def test_a_list_is_for_its_own_desk(verbund: Verbund, admin: Desk) -> None:
    async with verbund.browser(STRANGER) as stranger:
        _, address = await send(stranger, f"/desk/{OTHER}/list", LIST.encode())
    number = address.rpartition("/")[2]
    assert (await admin.get(address)).status == 404
    assert (await admin.get(f"/desk/{TOWN}/list/{number}")).status == 404


async def test_what_cannot_be_read_is_said(verbund: Verbund, admin: Desk) -> None:
    status, page = await send(admin, f"/desk/{TOWN}/list", b"\x00\x01")
    assert status == 422
    assert "nicht lesbar" in page
    assert (await send(admin, f"/desk/{TOWN}/list", b" " * (3 << 20)))[0] == 413
    assert await verbund.pool.fetchval("SELECT count(*) FROM home_list") == 0


async def test_the_checklist_says_what_is_missing(verbund: Verbund, admin: Desk) -> None:
    def states(page: str) -> list[str]:
        return re.findall(r'data-state="(\w+)"', page)

    path = f"/desk/{TOWN}/join"
    assert states((await admin.get(path)).text)[:5] == [
        "missing",  # no boundary
        "advised",  # one admin
        "done",  # a home
        "done",  # for which somebody reports
        "done",  # and has
    ]
    await send(admin, f"/desk/{TOWN}/boundary", boundaries(_05754008=WEST))
    await verbund.appoint("second@town.example", TOWN)
    await verbund.service.put_home("new", "awo", municipality=TOWN)
    assert states((await admin.get(path)).text)[:5] == [
        "done",
        "done",
        "done",
        "missing",
        "missing",
    ]


async def test_nobody_takes_homes_by_circles_around_them(verbund: Verbund, admin: Desk) -> None:
    """However small: homes of others are theirs, with a boundary or without one."""
    await send(admin, f"/desk/{TOWN}/boundary", boundaries(_05754008=WEST))
    circle = [[[8.6, 51.9], [8.6001, 51.9], [8.6001, 51.9001], [8.6, 51.9001], [8.6, 51.9]]]
    point = {"latitude": 51.90005, "longitude": 8.60005}
    await verbund.service.put_home("theirs", "awo", municipality=OTHER, coordinates=point)
    status, page = await send(admin, f"/desk/{TOWN}/boundary", boundaries(_05754008=circle))
    assert status == 409
    assert "Halle" in page
    # Nor does a town take those of the district around it: that is for the operator.
    await verbund.join("05754", "Kreis Gütersloh")
    near = {"latitude": 51.7, "longitude": 8.4}
    await verbund.service.put_home("district", "awo", municipality="05754044", coordinates=near)
    south = [[[8.3, 51.6], [8.5, 51.6], [8.5, 51.79], [8.3, 51.79], [8.3, 51.6]]]
    status, page = await send(admin, f"/desk/{TOWN}/boundary", boundaries(_05754008=south))
    assert status == 409
    assert "Kreis Gütersloh" in page


async def test_a_list_lends_no_look_at_the_people_of_a_provider(
    verbund: Verbund, admin: Desk
) -> None:
    """A provider that reports elsewhere is another one than that of the same name on the list."""
    boss = await ensure_staff(verbund.pool, "boss@diakonie.example")
    owner = await ensure_provider(verbund.pool, "diakonie")
    await ensure_membership(verbund.pool, boss.id, owner.id)
    content = "Name;PLZ;Ort;Träger\nHaus Lock;33330;Gütersloh;Diakonie\n".encode()
    _, address = await send(admin, f"/desk/{TOWN}/list", content)
    await admin.submit(address, address)
    row = await verbund.pool.fetchrow(
        "SELECT p.name, h.id FROM care_home h JOIN provider p ON p.id = h.provider_id"
        " WHERE h.name = 'Haus Lock'"
    )
    assert row is not None
    assert row["name"] == "Diakonie (Gütersloh)"
    page = (await admin.get(f"/desk/{TOWN}/homes/{row['id']}")).text
    assert "Haus Lock" in page
    assert "boss@diakonie.example" not in page
    # Who has a home here already is meant.
    content = "Name;PLZ;Ort;Träger\nHaus Zwei;33330;Gütersloh;Caritas\n".encode()
    _, address = await send(admin, f"/desk/{TOWN}/list", content)
    await admin.submit(address, address)
    slug = await verbund.pool.fetchval(
        "SELECT p.slug FROM care_home h JOIN provider p ON p.id = h.provider_id"
        " WHERE h.name = 'Haus Zwei'"
    )
    assert slug == "caritas"


async def test_a_home_is_moved_within_the_area_of_the_desk(verbund: Verbund, admin: Desk) -> None:
    await send(admin, f"/desk/{TOWN}/boundary", boundaries(_05754008=WEST))
    page = f"/desk/{TOWN}/homes/home"
    token = (await admin.get(page)).token
    outside = await admin.post(f"{page}/position", token=token, latitude="51.9", longitude="8.6")
    assert outside.status == 409
    inside = await admin.post(f"{page}/position", token=token, latitude="51.9", longitude="8.41")
    assert inside.status == 303, inside.text
    assert await verbund.pool.fetchval("SELECT longitude FROM care_home WHERE id = 'home'") == 8.41


async def test_lists_that_nobody_takes_are_thrown_away(verbund: Verbund, admin: Desk) -> None:
    await send(admin, f"/desk/{TOWN}/list", LIST.encode())
    await verbund.pool.execute("UPDATE home_list SET created_at = now() - interval '23 hours'")
    await delete_old_lists(verbund.pool)
    assert await verbund.pool.fetchval("SELECT count(*) FROM home_list") == 1
    await verbund.pool.execute("UPDATE home_list SET created_at = now() - interval '25 hours'")
    await delete_old_lists(verbund.pool)
    assert await verbund.pool.fetchval("SELECT count(*) FROM home_list") == 0
