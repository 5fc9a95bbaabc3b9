"""The page for an evacuation: neighbours too, honest words, and a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

from tests.web.desk.test_homes import submit
from tests.web.desk.verbund import OTHER, TOWN, Verbund
from vacancies.models import Standing
from vacancies.rulings import Rate

PAGE = f"/desk/{TOWN}/evacuation"


async def a_region(verbund: Verbund) -> None:
    """`home` and `other-home` have two places each; these are beside them."""
    for home_id, contact in (
        ("full", {"phone": "=1+1", "person": "Frau Sommer"}),
        ("frozen", {"phone": "05241 77"}),
    ):
        await verbund.service.put_home(
            home_id, "caritas", municipality=TOWN, name=f"Haus {home_id}", contact=contact
        )
    await verbund.service.report("full", provider="caritas")
    await verbund.service.report("frozen", {"count": 40}, provider="caritas")
    await submit(verbund, Rate(home_id="frozen", standing=Standing.FROZEN))


async def test_the_list(verbund: Verbund) -> None:
    await a_region(verbund)
    async with verbund.browser("open@town.example") as clerk:
        form = await clerk.get(PAGE)
        assert form.status == 200
        assert "<table" not in form.text
        text = unescape((await clerk.get(f"{PAGE}?places=4&place=33330&radius_km=25")).text)
        # Neighbours are in it; frozen places are not counted, but the home can be called.
        assert "Genug: 4 freie Plätze für 4" in text
        assert "Haus Halle" in text
        assert text.index("Haus Gütersloh") < text.index("Haus frozen")
        text = unescape((await clerk.get(f"{PAGE}?places=80&home=home")).text)
        assert "Nicht genug: 2 freie Plätze für 80" in text
        assert not re.search(r'<th role="rowheader"[^>]*><a[^>]*>Haus Gütersloh', text)


async def test_what_cannot_be(verbund: Verbund) -> None:
    async with verbund.browser("open@town.example") as clerk:
        for query, status in {
            "places=0&place=33330": 400,
            "places=many&place=33330": 400,
            "places=5": 400,
            "places=5&place=Xyzzyhausen": 404,
            "places=5&place=Neustadt": 422,
            "places=5&home=nowhere": 400,
            "places=5&place=33330&radius_km=x": 400,
            "places=5&place=33330&care_form=castle": 400,
        }.items():
            answer = await clerk.get(f"{PAGE}?{query}")
            assert answer.status == status, query
            assert 'class="wrong"' in answer.text, query
            assert (await clerk.get(f"{PAGE}?format=csv&{query}")).status == status, query


async def test_the_table(verbund: Verbund) -> None:
    await a_region(verbund)
    async with verbund.browser("open@town.example") as clerk:
        answer = await clerk.get(f"{PAGE}?format=csv&places=3&place=33330")
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert answer.text.startswith("\ufeff")
        rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
        names = [row[1] for row in rows[1:]]
        assert {*names} == {"Haus Gütersloh", "Haus Halle", "Haus full", "Haus frozen"}
        assert [row[8:10] for row in rows[1:3]] == [["2", "2"], ["2", "4"]]
        full = next(row for row in rows if row[1] == "Haus full")
        assert full[5:7] == ["'=1+1", "Frau Sommer"], "nothing that a spreadsheet would calculate"
        assert f"{PAGE}?" in (await clerk.get(f"{PAGE}?places=3&place=33330")).text
        assert (
            await clerk.get(f"/desk/{OTHER}/evacuation?format=csv&places=3&place=33330")
        ).status == 404
