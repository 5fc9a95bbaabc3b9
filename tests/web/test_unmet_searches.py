"""Which requests for the finder count as a search in vain."""

from __future__ import annotations

from tests.conftest import Service
from vacancies.database import Pool

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
SEARCH = "/?place=33330&care_form=hospice"


async def ask(service: Service, path: str, method: str = "GET", **headers: str) -> None:
    sent = BROWSER | {name.replace("_", "-"): value for name, value in headers.items()}
    async with service.client.request(method, service.url + path, headers=sent) as answer:
        assert answer.status == 200
        await answer.read()


async def counted(service: Service) -> dict[tuple[str, str], int]:
    pool: Pool = service.state.deployment.pool
    await service.state.unmet.flush(pool, service.state.board)
    rows = await pool.fetch("SELECT municipality, care_form, searches FROM unmet_search")
    return {(row["municipality"], row["care_form"]): row["searches"] for row in rows}


async def a_town(service: Service) -> None:
    await service.put_home("anna", municipality="05754008")
    await service.report("anna", {"count": 1})


async def test_a_search_that_finds_nothing_counts(service: Service) -> None:
    await a_town(service)
    await ask(service, SEARCH)
    await ask(service, SEARCH + "&include_full=true")
    await ask(service, SEARCH.replace("/?", "/embed?"))
    await ask(service, "/?place=33330&care_form=long_term")  # which finds a place
    assert await counted(service) == {("05754008", "all"): 3, ("05754008", "hospice"): 3}


async def test_what_is_no_new_search_of_a_person_does_not_count(service: Service) -> None:
    await a_town(service)
    await ask(service, SEARCH, "HEAD")
    await ask(service, SEARCH, Cache_Control="max-age=0")
    await ask(service, SEARCH, Cache_Control="no-cache")
    await ask(service, SEARCH, Sec_Purpose="prefetch;prerender")
    await ask(service, SEARCH, User_Agent="Mozilla/5.0 (compatible; Somebot/2.1)")
    await ask(service, SEARCH, User_Agent="")
    await ask(service, "/?care_form=hospice")  # nowhere
    await ask(service, SEARCH + "&label=33330&bbox=8.2,51.8,8.5,52")  # a part of the map
    await ask(service, f"/api/v1/vacancies{SEARCH[1:]}")
    assert await counted(service) == {}
