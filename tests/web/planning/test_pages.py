"""The pages of planning say what the counted history says, of their own municipality alone."""

from __future__ import annotations

import re
from html import unescape

from tests.web.desk.verbund import DISTRICT, OTHER, TOWN, Verbund

PAGE = f"/desk/{DISTRICT}/planning"


def section(html: str, name: str) -> str:
    found = re.search(rf'<section id="{name}">(.*?)</section>', html, re.DOTALL)
    assert found is not None, html
    return found[1]


def rows(html: str) -> list[list[str]]:
    """The cells of all rows of a table."""
    return [
        [unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    ]


def sentence(html: str) -> str:
    found = re.search(r"<p>(.*?)</p>", html)
    assert found is not None
    return unescape(found[1])


async def test_each_section_answers_its_question(verbund: Verbund) -> None:
    async with verbund.browser(f"{DISTRICT}@example.org") as desk:
        answer = await desk.get(f"{PAGE}?period=2026-Q3&lang=en")
    assert answer.status == 200
    html = answer.text
    # Anna 4 in July, 2 in August and September; Berta 10 for 31 days and two more.
    places = section(html, "places")
    assert sentence(places).startswith("On an average day 6.3 places were free")
    assert rows(places)[1] == ["1 Jul 2026", "14.0", "0.0", "150.0"]
    assert rows(places)[-1] == ["30 Sept 2026", "2.0", "0.0", "140.0"]
    assert len(rows(places)) == 93
    assert "<path" in places
    assert "<title" in places
    occupancy = section(html, "occupancy")
    assert rows(occupancy)[1] == ["1 Jul 2026", "90.7\u00a0%", "136.0", "150.0"]
    assert rows(occupancy)[-1] == ["30 Sept 2026", "95.0\u00a0%", "38.0", "40.0"]
    reports = section(html, "reports")
    assert rows(reports)[-1] == ["30 Sept 2026", "50.0\u00a0%", "50.0\u00a0%", "2.0", "12.0"]
    stops = section(html, "stops")
    assert sentence(stops) == "On an average day 0.3 of 2 homes took nobody."
    assert rows(stops)[-1] == ["30 Sept 2026", "1.0", "0.0", "0.0", "0.0", "0.0", "1.0"]
    staffed = section(html, "staffed")
    assert rows(staffed)[-1] == ["30 Sept 2026", "140.0", "40.0", "100.0"]
    compared = {row[0]: row for row in rows(section(html, "municipalities"))}
    assert compared["Gütersloh"][1:4] == ["1.0", "40.0", "2.7"]
    assert "=1+1" in compared
    assert len(compared) == 3


async def test_a_year_goes_by_months_and_a_choice_narrows(verbund: Verbund) -> None:
    async with verbund.browser(f"{DISTRICT}@example.org") as desk:
        year = (await desk.get(f"{PAGE}?period=2026&lang=en")).text
        town = (await desk.get(f"{PAGE}?period=all&municipality={TOWN}&lang=en")).text
        form = (await desk.get(f"{PAGE}?period=2026&care_form=short_term&lang=en")).text
        size = (await desk.get(f"{PAGE}?period=2026&size=small&lang=en")).text
    assert [row[0] for row in rows(section(year, "places"))[1:]] == [
        *("Jul 2026", "Aug 2026", "Sept 2026"),
    ]
    assert rows(section(town, "places"))[1] == ["Jul 2026", "4.0", "0.0", "40.0"]
    assert rows(section(form, "places"))[1] == ["Jul 2026", "0.0", "0.0", "10.0"]
    assert "In this time there were no such homes here." in size


async def test_small_groups_of_searches_are_not_shown(verbund: Verbund) -> None:
    async with verbund.browser(f"{DISTRICT}@example.org") as desk:
        html = (await desk.get(f"{PAGE}?period=2026-Q3&lang=en")).text
    assert rows(section(html, "searches"))[1:] == [["Gütersloh", "all searches", "24"]]


async def test_a_municipality_sees_itself_only(verbund: Verbund) -> None:
    async with verbund.browser(f"{TOWN}@example.org") as desk:
        html = (await desk.get(f"/desk/{TOWN}/planning?period=2026-Q3&lang=en")).text
        foreign = await desk.get(f"/desk/{TOWN}/planning?period=2026-Q3&municipality={OTHER}")
    assert rows(section(html, "places"))[1] == ["1 Jul 2026", "4.0", "0.0", "40.0"]
    assert 'id="h-municipalities"' not in html
    assert foreign.status == 400


async def test_what_cannot_be_asked_is_refused(verbund: Verbund) -> None:
    async with verbund.browser(f"{DISTRICT}@example.org") as desk:
        for query in ("period=2026-Q5", "period=0000", "care_form=x", "size=x", "municipality=0"):
            assert (await desk.get(f"{PAGE}?{query}")).status == 400, query
        for quarter in ("2026-Q2", "2026", "2026-Q3x", "x", "all"):
            assert (await desk.get(f"{PAGE}/{quarter}")).status == 404, quarter


async def test_the_print_view_has_charts_by_days_and_tables_by_months(verbund: Verbund) -> None:
    async with verbund.browser(f"{DISTRICT}@example.org") as desk:
        answer = await desk.get(f"{PAGE}/2026-Q3?lang=en")
    assert answer.status == 200
    assert "Quarter 3 of 2026" in answer.text
    places = section(answer.text, "places")
    assert [row[0] for row in rows(places)[1:]] == ["Jul 2026", "Aug 2026", "Sept 2026"]
    assert "<details" not in places
    path = re.search(r'class="line line-1" d="([^"]+)"', places)
    assert path is not None
    assert path[1].count("L") == 91


async def test_the_page_says_how_far_it_can_be_trusted(verbund: Verbund) -> None:
    await verbund.pool.execute("INSERT INTO planning_due VALUES ('2026-09-30', false)")
    async with verbund.browser(f"{DISTRICT}@example.org") as desk:
        html = (await desk.get(f"{PAGE}?lang=en")).text
    assert "Counted from 1 July to 30 September." in html
    assert "1 day of these is not counted yet." in html
    assert "recorded since 11 July" in html


async def test_before_the_first_day_is_over_there_is_a_page(verbund: Verbund) -> None:
    await verbund.pool.execute("DELETE FROM planning_head")
    async with verbund.browser(f"{DISTRICT}@example.org") as desk:
        assert (await desk.get(PAGE)).status == 200
        assert (await desk.get(f"{PAGE}.csv")).status == 404
