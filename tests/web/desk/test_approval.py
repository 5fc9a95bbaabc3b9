"""What a municipality decides for all of its homes: new ones wait, small ones show less."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from tests.web.desk.test_home import acts
from tests.web.desk.verbund import OTHER, TOWN, Verbund
from tests.web.staff import Answer
from vacancies.sweeper import sweep

SETTINGS = f"/desk/{TOWN}/settings"
HOME = f"/desk/{TOWN}/homes/new-home"
EXPORTS = (
    "/opendata/vacancies.geojson",
    "/opendata/vacancies.csv",
    "/opendata/live/homes.json",
    "/fhir/Location",
    "/hsds/services",
    "/ngsi-ld/v1/entities?type=CareHome",
)
STREAMED = f"/api/v1/vacancies?municipality={TOWN}&include_full=true"


async def decide(verbund: Verbund, **fields: str) -> Answer:
    async with verbund.browser("open@town.example") as admin:
        return await admin.submit(SETTINGS, f"{SETTINGS}/listing", **fields)


async def put(verbund: Verbund, home_id: str = "new-home", **more: Any) -> tuple[int, Any]:
    body = {
        "name": "Haus Neu",
        "municipality": TOWN,
        "coordinates": {"latitude": 51.9, "longitude": 8.38},
        **more,
    }
    status, answer, _ = await verbund.service.call(
        "PUT", f"/api/v1/homes/{home_id}", body, provider="caritas"
    )
    return status, answer


async def public(verbund: Verbund) -> set[str]:
    _, found, _ = await verbund.service.call("GET", STREAMED)
    return {feature["id"] for feature in found["features"]}


def codes(answer: Any) -> list[str]:
    return [warning["code"] for warning in answer["warnings"]]


async def test_a_new_home_is_seen_once_the_desk_approves_it(verbund: Verbund) -> None:
    assert (await decide(verbund, detail_places="30", approve_new="1")).status == 303
    status, answer = await put(verbund)
    assert (status, answer["properties"]["standing"]) == (201, "waiting")
    assert answer["properties"]["name"] == "Haus Neu"
    assert codes(answer) == ["home_waiting"]
    answer = await verbund.service.report("new-home", {"count": 2}, provider="caritas")
    assert codes(answer) == ["home_waiting"]
    assert answer["properties"]["free"] == {"long_term": 2}
    async with verbund.browser("open@town.example") as clerk:
        for path in ("/api/v1/homes/new-home", "/homes/new-home", "/homes/new-home/wrong"):
            assert (await clerk.get(path)).status == 404, path
        for path in (*EXPORTS, STREAMED):
            assert "Haus Neu" not in (await clerk.get(path)).text, path
        table = unescape((await clerk.get(f"/desk/{TOWN}?state=waiting")).text)
        assert "Haus Neu" in table
        assert "Haus Gütersloh" not in table
        page = unescape((await clerk.get(HOME)).text)
        assert "Diese Einrichtung freigeben?" in page
        assert "Meldungen sperren" not in page
        answer = await clerk.submit(HOME, f"{HOME}/standing", standing="normal")
        assert answer.status == 303
        assert "Einrichtung freigegeben" in (await clerk.get(answer.headers["Location"])).text
        shown = (await clerk.get("/api/v1/homes/new-home")).text
        assert '"free":{"long_term":2}' in shown, "what was reported meanwhile"
    assert await public(verbund) == {"home", "new-home"}
    assert (await acts(verbund))[-1][0] == "home_approved"


async def test_a_home_that_is_not_approved_stays_unseen(verbund: Verbund) -> None:
    await decide(verbund, detail_places="30", approve_new="1")
    await put(verbund)
    async with verbund.browser("open@town.example") as clerk:
        answer = await clerk.submit(HOME, f"{HOME}/standing", standing="refused", reason=" ")
        assert answer.status == 422
        await clerk.submit(HOME, f"{HOME}/standing", standing="refused", reason="Kein Heim")
        assert "Kein Heim" in (await clerk.get(HOME)).text
        # Its provider cannot help itself: neither by describing it again, nor by closing it.
        for status in ("closed", "open"):
            _, told = await put(verbund, status=status)
            assert codes(told) == ["home_refused"]
        assert await public(verbund) == {"home"}
        answer = await clerk.submit(HOME, f"{HOME}/standing", standing="frozen", reason="Nein")
        assert answer.status == 412
        assert "Jemand hat über diese Einrichtung inzwischen entschieden" in answer.text
        assert (await clerk.submit(HOME, f"{HOME}/standing", standing="waiting")).status == 403
        await clerk.submit(HOME, f"{HOME}/standing", standing="normal")
    assert await public(verbund) == {"home", "new-home"}


async def test_another_desk_decides_nothing(verbund: Verbund) -> None:
    await decide(verbund, detail_places="30", approve_new="1")
    await put(verbund)
    async with verbund.browser("secret@town.example") as stranger:
        page = await stranger.get(f"/desk/{OTHER}/homes/other-home")
        path = f"/desk/{OTHER}/homes/new-home/standing"
        assert (await stranger.post(path, token=page.token, standing="normal")).status == 404
        assert (await stranger.get(f"/desk/{OTHER}/homes/new-home")).status == 404
        assert "Haus Neu" not in (await stranger.get(f"/desk/{OTHER}?state=waiting")).text
    assert await public(verbund) == {"home"}


async def test_a_home_is_not_merged_into_one_that_nobody_sees(verbund: Verbund) -> None:
    await decide(verbund, detail_places="30", approve_new="1")
    await put(verbund, name="Haus Gütersloh")
    page = f"/desk/{TOWN}/duplicates"
    async with verbund.browser("open@town.example") as clerk:
        assert "Haus Gütersloh" in (await clerk.get(page)).text
        answer = await clerk.submit(page, f"{page}/merge", keep="new-home", drop="home")
        assert answer.status == 409
        assert await public(verbund) == {"home"}
        answer = await clerk.submit(page, f"{page}/merge", keep="home", drop="new-home")
        assert answer.status == 303
    assert await public(verbund) == {"home"}


async def test_from_which_size_on_details_are_public(verbund: Verbund) -> None:
    await put(verbund, "home", name="Haus Gütersloh", capacity={"long_term": 20})
    await verbund.service.report("home", {"count": 1, "sex": "female"}, provider="caritas")

    async def sexes() -> set[str]:
        _, feature, _ = await verbund.service.call("GET", "/api/v1/homes/home")
        return {line["sex"] for line in feature["properties"]["vacancies"]}

    assert await sexes() == {"any"}
    assert (await decide(verbund, detail_places="20")).status == 303
    deployment = verbund.service.state.deployment
    await sweep(deployment.pool, deployment.writer)
    assert await sexes() == {"female"}
    assert (await acts(verbund))[-1] == ("listing_policy_changed", {"places": 20})


@pytest.mark.parametrize("places", ["", "-1", "1001", "3.5", "drei", "123456"])
async def test_a_wrong_number_of_places_changes_nothing(verbund: Verbund, places: str) -> None:
    answer = await decide(verbund, detail_places=places, approve_new="1")
    assert answer.status == 422
    assert "von 0 bis 1000" in answer.text
    assert not await verbund.pool.fetchval("SELECT bool_or(approve_new) FROM reporting_policy")
