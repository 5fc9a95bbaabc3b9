"""One home at the desk: each act does what it says, is in the trail, and is refused to others."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest

from tests.web.desk.test_homes import a_full_table, employ, submit
from tests.web.desk.verbund import DISTRICT, OTHER, TOWN, Verbund
from tests.web.staff import Answer, Desk, mails
from vacancies.commands import Confirm
from vacancies.homes import select_homes
from vacancies.models import CareForm, CareHome, HomeStatus, Point, Precision, Standing
from vacancies.rulings import Rate

HOME = f"/desk/{TOWN}/homes/home"


async def stored(verbund: Verbund, home_id: str = "home") -> CareHome:
    (home,) = await select_homes(verbund.pool, [home_id])
    return home


async def acts(verbund: Verbund, key: str = TOWN) -> list[tuple[str, Any]]:
    rows = await verbund.pool.fetch(
        "SELECT act, detail FROM desk_act WHERE municipality = $1 AND act NOT LIKE '%\\_act'"
        " ORDER BY id",
        key,
    )
    return [(row["act"], json.loads(row["detail"])) for row in rows]


async def act(clerk: Desk, path: str, **fields: str) -> Answer:
    """Send a form that is on the page of the home; `path` is its end."""
    return await clerk.submit(HOME, f"{HOME}/{path}", **fields)


async def test_a_home_is_frozen_and_shown_again(verbund: Verbund) -> None:
    async with verbund.browser("open@town.example") as clerk:
        answer = await act(clerk, "standing", standing="frozen", reason="   ")
        assert answer.status == 422
        assert (await stored(verbund)).standing is Standing.NORMAL
        answer = await act(clerk, "standing", standing="frozen", reason="Zahlen sind erfunden")
        assert answer.headers["Location"] == f"{HOME}?done=1"
        page = unescape((await clerk.get(answer.headers["Location"])).text)
        assert "Zahlen sind erfunden" in page
        _, feature, _ = await verbund.service.call("GET", "/api/v1/homes/home")
        known = feature["properties"]
        assert (known["standing"], known["freshness"], known["free"]) == ("frozen", "unknown", {})
        public = unescape((await clerk.get("/homes/home")).text)
        assert "Wird gerade geprüft" in public
        # Who reports is warned.
        told = await verbund.service.report("home", {"count": 1}, provider="caritas")
        assert [warning["code"] for warning in told["warnings"]] == ["home_frozen"]
        await act(clerk, "standing", standing="normal")
        _, feature, _ = await verbund.service.call("GET", "/api/v1/homes/home")
        assert feature["properties"]["free"] == {"long_term": 1}
    assert await acts(verbund) == [
        ("home_frozen", {"reason": "Zahlen sind erfunden"}),
        ("home_normal", {"reason": ""}),
    ]


async def test_a_home_that_will_not_report_says_so(verbund: Verbund) -> None:
    await verbund.service.put_home("quiet", "caritas", municipality=TOWN)
    quiet = f"/desk/{TOWN}/homes/quiet"
    async with verbund.browser("open@town.example") as clerk:
        await clerk.submit(
            quiet, f"{quiet}/standing", standing="declined", reason="Frau Sommer, am Telefon"
        )
        assert "Meldet hier nicht" in unescape((await clerk.get("/homes/quiet")).text)
        token = (await clerk.get(quiet)).token
        assert (await clerk.post(f"{quiet}/remind", token=token)).status == 409


async def test_a_home_is_closed_and_opened_again(verbund: Verbund) -> None:
    async with verbund.browser("open@town.example") as clerk:
        await act(clerk, "close", reason="Insolvenz")
        assert (await stored(verbund)).profile.status is HomeStatus.CLOSED
        page = await clerk.get(HOME)
        token = page.token
        assert "Geschlossen" in page.text
        for path in ("close", "standing", "report", "address", "position", "remind"):
            fields: dict[str, Any] = {"standing": "frozen", "reason": "x", "who": "x"}
            fields |= {"latitude": "52", "longitude": "8", "name": "x"}
            answer = await clerk.post(f"{HOME}/{path}", token=token, **fields)
            assert answer.status in (409, 410), (path, answer.status)
        assert (await clerk.get(f"{HOME}/report")).status == 409
        await act(clerk, "reopen")
        assert (await stored(verbund)).profile.status is HomeStatus.OPEN
    assert [done for done, _ in await acts(verbund)] == ["home_closed", "home_reopened"]


async def test_position_and_address_are_corrected(verbund: Verbund) -> None:
    async with verbund.browser("open@town.example") as clerk:
        for latitude in ("north", "91", "", "nan"):
            answer = await act(clerk, "position", latitude=latitude, longitude="8.4")
            assert answer.status == 422, latitude
            assert 'value="8.4"' in answer.text
        await act(clerk, "position", latitude="51,95", longitude=" 8.4 ")
        home = await stored(verbund)
        assert home.profile.point == Point(51.95, 8.4)
        assert home.profile.precision is Precision.EXACT
        assert home.assignment.boundaries == 0
        entered = {"name": "Haus Neu", "street": "Hauptstr. 1", "postcode": "33330"}
        assert (await act(clerk, "address", **entered, email="no address")).status == 422
        assert (await act(clerk, "address", **entered | {"name": " "})).status == 422
        await act(clerk, "address", **entered, phone="05241 1")
        profile = (await stored(verbund)).profile
        assert (profile.name, profile.address.street) == ("Haus Neu", "Hauptstr. 1")
        assert (profile.contact.phone, profile.contact.email) == ("05241 1", None)
        # What changes nothing is no act.
        await act(clerk, "address", **entered, phone="05241 1")
    assert [done for done, _ in await acts(verbund)] == ["home_moved", "home_corrected"]
    assert (await acts(verbund))[0][1]["metres"] == pytest.approx(5730, abs=50)


async def test_reporting_after_a_call(verbund: Verbund) -> None:
    page = f"{HOME}/report"
    async with verbund.browser("open@town.example") as clerk:
        opened = await clerk.get(page)
        assert 'value="2"' in opened.text, "filled in with the last report"
        fields = {"do": "report", "count.long_term": "3", "who": " "}
        answer = await clerk.submit(page, page, **fields)
        assert answer.status == 422
        assert 'value="3"' in answer.text, "nothing that was typed is lost"
        seen = str((await stored(verbund)).revision)
        answer = await clerk.submit(page, page, **fields | {"who": "Frau Sommer", "if_match": seen})
        assert answer.status == 303
        home = await stored(verbund)
        assert [(line.care_form, line.count) for line in home.vacancies] == [
            (CareForm.LONG_TERM, 3)
        ]
        # Somebody else was quicker.
        answer = await clerk.submit(page, page, **fields | {"who": "Frau Sommer", "if_match": seen})
        assert answer.status == 409
        assert 'value="Frau Sommer"' in answer.text
        answer = await clerk.submit(page, page, **fields | {"who": "x", "count.long_term": "many"})
        assert answer.status == 422
        answer = await clerk.submit(page, page, **fields | {"who": "x", "count.long_term": "33"})
        assert answer.status == 422, "asked about: a digit typed twice"
        told = unescape((await clerk.get(HOME)).text)
        assert "durch die Kommune" in told or "von der Kommune" in told
        await clerk.submit(page, page, do="unchanged", who="Herr Winter")
        assert (await stored(verbund)).confirmed_at is not None
    vias = await verbund.pool.fetch("SELECT via, kind FROM report WHERE home_id = 'home'")
    assert [tuple(row) for row in vias][1:] == [("desk", "report"), ("desk", "confirmation")]
    assert await acts(verbund) == [
        ("home_reported", {"who": "Frau Sommer"}),
        ("home_reported", {"who": "Herr Winter"}),
    ]


async def test_reminding_by_hand(verbund: Verbund) -> None:
    await employ(verbund, "home")
    async with verbund.browser("open@town.example") as clerk:
        before = len(mails(verbund.service))
        assert (await act(clerk, "remind")).status == 303
        sent = mails(verbund.service)[before:]
        assert sorted(mail["To"] for mail in sent) == [
            "carer-of-home@home.example",
            "open@home.example",
        ]
        part = sent[0].get_body(("plain",))
        assert part is not None
        assert "/report/link/" in part.get_content()
        assert (await act(clerk, "remind")).status == 429, "once an hour"
        assert len(mails(verbund.service)) == before + 2
        await verbund.pool.execute("DELETE FROM membership WHERE home_id = 'home'")
        token = (await clerk.get(HOME)).token
        assert (await clerk.post(f"{HOME}/remind", token=token)).status == 409
    assert await acts(verbund) == [("home_reminded", {"people": 2})]


async def test_corrections_are_dealt_with(verbund: Verbund) -> None:
    number = await verbund.pool.fetchval("SELECT id FROM correction WHERE home_id = 'home'")
    other = await verbund.pool.fetchval("SELECT id FROM correction WHERE home_id = 'other-home'")
    async with verbund.browser("open@town.example") as clerk:
        page = await clerk.get(HOME)
        assert "open words" in page.text
        for wrong in (other, "x", 10**17):
            path = f"{HOME}/corrections/{wrong}/done"
            assert (await clerk.post(path, token=page.token)).status == 404
        assert (await act(clerk, f"corrections/{number}/done")).status == 303
        assert "open words" not in (await clerk.get(HOME)).text
    assert await verbund.pool.fetchval("SELECT count(*) FROM correction WHERE done_at IS NULL") == 1


async def test_homes_of_others_do_not_exist(verbund: Verbund) -> None:
    paths = ("", "/report", "/close", "/reopen", "/standing", "/position", "/address", "/remind")
    async with verbund.browser("open@town.example") as clerk:
        token = (await clerk.get(HOME)).token
        for home_id in ("other-home", "nowhere"):
            for path in paths:
                address = f"/desk/{TOWN}/homes/{home_id}{path}"
                if path in ("", "/report"):
                    assert (await clerk.get(address)).status == 404, address
                if path:
                    assert (await clerk.post(address, token=token)).status == 404, address
    other = await stored(verbund, "other-home")
    assert other.profile.status is HomeStatus.OPEN
    assert await acts(verbund) == await acts(verbund, OTHER) == []


async def test_a_district_only_looks_where_a_municipality_takes_part(verbund: Verbund) -> None:
    await verbund.join(DISTRICT, "Kreis Gütersloh")
    await verbund.appoint("boss@district.example", DISTRICT)
    async with verbund.browser("boss@district.example") as boss:
        page = await boss.get(f"/desk/{DISTRICT}/homes/home")
        assert page.status == 200
        assert f"/desk/{DISTRICT}/homes/home/" not in page.text, "no form"
        answer = await boss.post(f"/desk/{DISTRICT}/homes/home/close", token=page.token, reason="x")
        assert answer.status == 403
        assert (await boss.get(f"/desk/{DISTRICT}/homes/home/report")).status == 403
    assert (await stored(verbund)).profile.status is HomeStatus.OPEN


async def test_the_page_shows_who_does_what(verbund: Verbund) -> None:
    await a_full_table(verbund)
    await submit(verbund, Confirm(home_id="late"))
    await submit(verbund, Rate(home_id="no", standing=Standing.NORMAL))
    async with verbund.browser("open@town.example") as clerk:
        text = unescape((await clerk.get(HOME)).text)
        assert "open carer" in text
        assert "open note" in text
        for home_id in ("never", "late", "stop", "shut", "frozen", "nobody"):
            assert (await clerk.get(f"/desk/{TOWN}/homes/{home_id}")).status == 200, home_id
