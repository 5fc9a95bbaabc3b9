"""Webhooks as pages, over HTTP, in an app that delivers by itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest
from standardwebhooks import Webhook as Verifier

from providers.staff import ensure_membership
from tests.conftest import Service, served
from tests.waiting import until
from tests.web.staff import ANNA, BERT, PROVIDER, Answer, Desk, a_desk, a_person, sign_in
from tests.web.webhooks.conftest import Inbox, status
from vacancies.config import Settings
from vacancies.outbound import Outbound
from vacancies.provider import ensure_provider
from web.webhooks.endpoints import MOST_WEBHOOKS, Webhook, select_webhooks

LIST = "/webhooks?lang=en"


@pytest.fixture
async def near(settings: Settings) -> AsyncIterator[Service]:
    """A service that may call this machine."""
    async with served(settings, outbound=Outbound(allow_loopback=True)) as service:
        yield service


async def add(desk: Desk, address: str, **fields: str) -> Answer:
    return await desk.submit(LIST, "/webhooks/add", address=address, **fields)


def secret_in(page: Answer) -> str:
    (found,) = re.findall(r"<code class=\"secret\"[^>]*>([^<]+)</code>", page.text)
    return unescape(found)


def words(page: Answer) -> str:
    main = page.text[page.text.index("<main") : page.text.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


async def all_webhooks(service: Service) -> list[Webhook]:
    return await select_webhooks(service.state.deployment.pool)


async def test_the_life_of_a_webhook(near: Service, inbox: Inbox) -> None:
    await a_person(near)
    await near.put_home("a")
    async with a_desk(near) as desk:
        await sign_in(near, desk)
        made = await add(desk, inbox.url, contact="it@example.org")
        assert made.status == 200, made.text
        assert made.headers["Cache-Control"] == "no-store, no-transform"
        first = secret_in(made)
        await until(lambda: len(inbox.messages) == 1)
        Verifier(first).verify(inbox.messages[0].body, inbox.messages[0].headers)
        (webhook,) = await all_webhooks(near)
        assert (webhook.provider, webhook.search) == (PROVIDER, None)
        listed = await desk.get(LIST)
        assert "127.0.0.1 of all homes of the provider Running" in words(listed)
        assert first not in listed.text
        assert "/hook" not in listed.text, "the path may hold a secret"
        one = f"/webhooks/{webhook.id}"

        tested = await desk.submit(f"{one}?lang=en", f"{one}/test")
        assert tested.status == 303
        shown = await desk.get(tested.headers["Location"])
        assert re.search(r"The test: Delivered · answer 204 · \d+ ms", words(shown))
        assert "Haus a" in shown.text
        again = await desk.submit(f"{one}?lang=en", f"{one}/test")
        assert (again.status, "Wait ten seconds" in again.text) == (429, True)

        renewed = await desk.submit(f"{one}?lang=en", f"{one}/secret")
        assert secret_in(renewed) != first
        assert secret_in(renewed) not in (await desk.get(one)).text

        assert (await desk.submit(one, f"{one}/pause")).status == 303
        assert "Paused" in words(await desk.get(f"{one}?lang=en"))
        await near.report("a", {"count": 2})
        assert (await desk.submit(one, f"{one}/resume")).status == 303
        await until(lambda: len(inbox.messages) == 3)
        assert "Running" in words(await desk.get(f"{one}?lang=en"))

        asked = await desk.get(f"{one}/remove?lang=en")
        assert asked.title == "Remove 127.0.0.1?"
        assert len(await all_webhooks(near)) == 1, "asking removes nothing"
        assert (await desk.submit(f"{one}/remove", f"{one}/remove")).status == 303
        assert await all_webhooks(near) == []
        assert (await desk.get(one)).status == 404


async def test_what_fails_is_said_in_words(near: Service, inbox: Inbox) -> None:
    await a_person(near)
    await near.put_home("a")
    inbox.behave = status(401)
    async with a_desk(near) as desk:
        await sign_in(near, desk)
        await add(desk, inbox.url)
        (webhook,) = await all_webhooks(near)

        async def is_failing() -> bool:
            return "Failing since" in words(await desk.get(LIST))

        await until(is_failing)
        one = f"/webhooks/{webhook.id}"
        tested = await desk.submit(f"{one}?lang=en", f"{one}/test")
        shown = words(await desk.get(tested.headers["Location"]))
        assert "The test: Not accepted · answer 401" in shown
        assert "Home changed: Haus a Not accepted · answer 401" in shown
        inbox.behave = status(410)
        await desk.submit(f"{one}?lang=en", f"{one}/resume")

        async def is_stopped() -> bool:
            return "wants no more (410)" in words(await desk.get(LIST))

        await until(is_stopped)


async def test_a_search_may_be_copied_from_a_page(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        for search in (
            f"{service.url}/?place=33330&radius_km=10&care_form=day&lang=en&sex=",
            "?place=33330&radius_km=10&care_form=day",
        ):
            made = await add(desk, "https://hooks.example.org/", search=search)
            assert made.status == 200, made.text
    first, second = await all_webhooks(service)
    assert first.search == second.search
    assert first.search is not None
    assert re.fullmatch(r"near=51\.\d+,8\.\d+&radius_km=10&care_form=day", first.search)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"address": ""}, 422, "address"),
        ({"address": "http://hooks.example.org/"}, 422, "address"),
        ({"address": "https://127.0.0.1/"}, 422, "address"),
        ({"address": "https://10.1.2.3/hook"}, 422, "address"),
        ({"address": "https://hooks.example.org:22/"}, 422, "address"),
        ({"address": "https://a.example/" + "x" * 2000}, 422, "address"),
        ({"address": "https://a.example/", "contact": "nobody"}, 422, "contact"),
        ({"address": "https://a.example/", "search": "care_form=castle"}, 422, "search"),
        ({"address": "https://a.example/", "search": "place=Nirgendwo"}, 404, "search"),
        ({"address": "https://a.example/", "search": "a=b"}, 422, "search"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_said_beside_its_field(
    service: Service, fields: dict[str, str], code: int, field: str
) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        answer = await add(desk, **fields)
        assert answer.status == code
        assert re.search(
            rf'name="{field}"[^>]*aria-invalid="true" aria-describedby="e-{field}', answer.text
        )
        for text in fields.values():
            assert f'value="{text}"' in answer.text, "what was entered is still there"
    assert await all_webhooks(service) == []


async def test_not_more_than_there_may_be(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        token = (await desk.get(LIST)).token
        codes = [
            (
                await desk.post("/webhooks/add", token=token, address=f"https://a.example/{number}")
            ).status
            for number in range(MOST_WEBHOOKS + 1)
        ]
        assert codes == [200] * MOST_WEBHOOKS + [409]
        assert "/webhooks/add" not in (await desk.get(LIST)).text


async def test_only_admins_and_only_their_own(service: Service) -> None:
    pool = service.state.deployment.pool
    await a_person(service)
    await a_person(service, BERT, home="a")
    cora = await a_person(service, "cora@example.org", home="a")
    other = await ensure_provider(pool, "awo-nord")
    await ensure_membership(pool, cora.id, other.id, None)
    async with a_desk(service) as hers, a_desk(service) as his, a_desk(service) as stranger:
        await sign_in(service, hers, ANNA)
        await add(hers, "https://hooks.example.org/")
        (webhook,) = await all_webhooks(service)
        one = f"/webhooks/{webhook.id}"
        posts = [f"{one}/{act}" for act in ("test", "pause", "resume", "secret", "remove")]
        await sign_in(service, his, BERT)
        token = (await his.get("/account")).token
        for path in ("/webhooks", one, f"{one}/remove"):
            assert (await his.get(path)).status == 403
        for path in (*posts, "/webhooks/add"):
            answer = await his.post(path, token=token, address="https://a.example/")
            assert answer.status == 403
        assert "/webhooks" not in (await his.get("/account")).text

        await sign_in(service, stranger, "cora@example.org")
        token = (await stranger.get(LIST)).token
        assert "hooks.example.org" not in (await stranger.get(LIST)).text
        assert (await stranger.get(f"/webhooks?provider={PROVIDER}")).status == 403
        for path in (one, f"{one}/remove", "/webhooks/wh_0000000000000000", "/webhooks/x"):
            assert (await stranger.get(path)).status == 404
        for path in posts:
            assert (await stranger.post(path, token=token)).status == 404
        answer = await stranger.post(
            f"/webhooks/add?provider={PROVIDER}", token=token, address="https://a.example/"
        )
        assert answer.status == 403
    (now,) = await all_webhooks(service)  # it fails in the meantime: nobody is there
    assert (now.id, now.address, now.state) == (webhook.id, webhook.address, "active")


async def test_webhooks_of_the_operator_are_nobodys(near: Service, inbox: Inbox) -> None:
    """They have no provider: no admin of any may reach them."""
    await a_person(near)
    async with a_desk(near) as desk:
        await sign_in(near, desk)
        await add(desk, inbox.url)
        (webhook,) = await all_webhooks(near)
        await near.state.deployment.pool.execute(
            "UPDATE webhook SET provider_id = NULL, search = 'include_full=true'"
        )
        assert (await desk.get(f"/webhooks/{webhook.id}")).status == 404
