"""The table of homes: what waits for somebody first, and only homes of the desk."""

from __future__ import annotations

import re
from html import unescape

from providers.desk_homes import count_homes, select_desk_homes
from providers.desks import at_desk
from providers.staff import ensure_membership, ensure_staff
from tests.web.desk.verbund import OTHER, TOWN, Verbund
from tests.web.staff import Answer
from vacancies.command import Command
from vacancies.models import Standing
from vacancies.provider import ensure_provider
from vacancies.rulings import Close, Rate


async def submit(verbund: Verbund, command: Command) -> None:
    (outcome,) = (await verbund.service.state.deployment.writer.submit([command])).outcomes
    assert outcome.error is None, outcome.error


async def employ(verbund: Verbund, home_id: str | None) -> None:
    staff = await ensure_staff(verbund.pool, f"carer-of-{home_id}@home.example")
    provider = await ensure_provider(verbund.pool, "caritas")
    await ensure_membership(verbund.pool, staff.id, provider.id, home_id)


async def grow_old(verbund: Verbund, home_id: str, hours: int) -> None:
    """As if it had said so much earlier what it said last, and been judged since."""
    await verbund.pool.execute(
        "UPDATE home_state SET observed_at = observed_at - make_interval(hours => $2),"
        " evaluated_at = now() WHERE home_id = $1",
        home_id,
        hours,
    )


async def a_full_table(verbund: Verbund) -> None:
    """Beside `home`, which has reported and of which a reader complains: one in each state."""
    for home_id in ("calm", "never", "late", "later", "nobody", "frozen", "no", "shut", "stop"):
        more = {"admission_stop": {"reason": "staff"}} if home_id == "stop" else {}
        await verbund.service.put_home(
            home_id, "caritas", municipality=TOWN, name=f"Haus {home_id}", **more
        )
        if home_id not in ("never", "nobody"):
            await verbund.service.report(home_id, {"count": 1}, provider="caritas")
        if home_id != "nobody":
            await employ(verbund, home_id)
    await grow_old(verbund, "late", 30)
    await grow_old(verbund, "later", 100)
    await submit(verbund, Rate(home_id="frozen", standing=Standing.FROZEN))
    await submit(verbund, Rate(home_id="no", standing=Standing.DECLINED))
    await submit(verbund, Close(home_id="shut"))


def rows(answer: Answer) -> list[str]:
    return re.findall(r'data-home="([^"]+)"', answer.text)


async def test_what_waits_for_somebody_comes_first(verbund: Verbund) -> None:
    await a_full_table(verbund)
    async with verbund.browser("open@town.example") as clerk:
        answer = await clerk.get(f"/desk/{TOWN}")
        assert answer.status == 200
        assert rows(answer) == [
            "home",  # a correction
            "never", "later", "late",  # the longest silent first
            "nobody",
            "frozen",
            "calm", "no", "stop",  # by name
        ]  # fmt: skip
        text = unescape(answer.text)
        assert "1 Korrektur" in text
        assert "niemand eingeladen" in text
        for state, expected in {
            "wrong": ["home"],
            "silent": ["never", "later", "late"],
            "nobody": ["nobody"],
            "stopped": ["stop"],
            "frozen": ["frozen"],
            "declined": ["no"],
            "closed": ["shut"],
            "nonsense": rows(answer),
        }.items():
            assert rows(await clerk.get(f"/desk/{TOWN}?state={state}")) == expected, state
        assert rows(await clerk.get(f"/desk/{TOWN}?name=HAUS+LATE")) == ["later", "late"]
        assert "data-home" not in (await clerk.get(f"/desk/{TOWN}?name=100%25")).text


async def test_the_counts_are_those_of_the_lists(verbund: Verbund) -> None:
    await a_full_table(verbund)
    async with at_desk(verbund.service.state.deployment.desks, TOWN) as connection:
        counts = await count_homes(connection)
        for state, count in counts.items():
            assert len(await select_desk_homes(connection, state)) == count, state
        assert (counts["open"], counts["closed"]) == (9, 1)
        named = await count_homes(connection, "late")
        assert (named["open"], named["silent"]) == (2, 2)


async def test_a_long_table_has_pages(verbund: Verbund) -> None:
    await verbund.pool.execute(
        "INSERT INTO care_home (id, provider_id, name, municipality, latitude, longitude,"
        " point_precision, moved_revision) SELECT 'x' || n, h.provider_id, 'Viele ' || n,"
        " h.municipality, 51.9, 8.4, 'exact', 0 FROM care_home h, generate_series(1, 120) n"
        " WHERE h.id = 'home'"
    )
    await verbund.pool.execute(
        "INSERT INTO home_state (home_id, evaluated_at, revision)"
        " SELECT id, now(), 0 FROM care_home WHERE id LIKE 'x%'"
    )
    async with verbund.browser("open@town.example") as clerk:
        first = await clerk.get(f"/desk/{TOWN}?name=viele")
        found = re.search(r'href="([^"]*page=2[^"]*)"', first.text)
        assert found is not None
        second = await clerk.get(unescape(found[1]))
        assert (len(rows(first)), len(rows(second))) == (100, 20)
        assert not {*rows(first)} & {*rows(second)}
        assert "page=3" not in second.text
        assert rows(await clerk.get(f"/desk/{TOWN}?name=viele&page=x")) == rows(first)
        assert rows(await clerk.get(f"/desk/{TOWN}?name=viele&page=9999")) == []


async def test_no_home_of_others_is_in_the_table(verbund: Verbund) -> None:
    async with verbund.browser("open@town.example") as clerk:
        assert rows(await clerk.get(f"/desk/{TOWN}")) == ["home"]
        assert (await clerk.get(f"/desk/{OTHER}")).status == 404
