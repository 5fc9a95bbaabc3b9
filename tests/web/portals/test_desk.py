"""Links to another Freiplatz as pages, and what homes see of them."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from providers.auth import revoke_key, select_keys
from tests.conftest import Service
from tests.waiting import until
from tests.web.portals.conftest import connect, history, settled
from tests.web.staff import ANNA, BERT, PROVIDER, Answer, Desk, a_desk, a_person, sign_in
from vacancies.config import Settings
from vacancies.errors import InvalidInput
from vacancies.outbound import Outbound
from vacancies.provider import ensure_provider
from web.portals.asking import PATH, read_address, read_ids, read_key
from web.portals.links import Link, select_links
from web.webhooks.endpoints import pause_webhook

LIST = "/webhooks/portals?lang=en"


def words(page: Answer) -> str:
    main = page.text[page.text.index("<main") : page.text.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


async def only_link(service: Service) -> Link:
    provider = await ensure_provider(service.state.deployment.pool, PROVIDER)
    (found,) = await select_links(service.state.deployment.pool, provider.id)
    return found


async def add(desk: Desk, address: str, key: str) -> Answer:
    return await desk.submit(LIST, "/webhooks/portals/add", address=address, key=key)


async def revoke_all(service: Service) -> None:
    pool = service.state.deployment.pool
    for key in await select_keys(pool):
        await revoke_key(pool, key.id)
    service.keys.clear()


async def test_the_life_of_a_link(
    near: Service, there: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    await a_person(near, home="a")
    await a_person(near)
    await near.put_home("b", name="Haus Berta")
    await there.put_home("a")
    await near.report("a", {"count": 2})
    await near.report("b", {"count": 1})
    first = await there.key()
    seen: list[str] = []
    async with a_desk(near) as desk:
        await sign_in(near, desk)
        assert LIST.partition("?")[0] in (await desk.get("/webhooks")).text
        made = await add(desk, there.url, first)
        assert made.status == 303, words(made)
        link = await only_link(near)
        one = f"/webhooks/portals/{link.webhook.id}"
        await settled(near, link.webhook.id, "a")
        await settled(near, link.webhook.id, "b", outcome="refused")
        shown = await desk.get(f"{one}?lang=en")
        assert "Haus Berta b refused: this home is not known there" in words(shown)
        assert re.search(r"Haus a a taken at \d\d:\d\d", words(shown))
        seen += [made.text, shown.text, (await desk.get(LIST)).text]

        for home, said in (("a", r"taken at \d\d:\d\d"), ("b", "refused: this home is not known")):
            page = words(await desk.get(f"/report/home/{home}?lang=en"))
            assert re.search(rf"Also reported to: 127\.0\.0\.1 – {said}", page), page

        # Mended with ids: that of another home here must not be taken.
        wrong = await desk.submit(f"{one}?lang=en", f"{one}/ids", ids="b = a")
        assert wrong.status == 422
        assert "a and b would both be a there" in words(wrong)
        await there.put_home("berta")
        changed = await desk.submit(f"{one}?lang=en", f"{one}/ids", ids="\nb = berta\n")
        assert changed.status == 303
        await settled(near, link.webhook.id, "b")
        assert (await history(there, "berta"))[0].vacancies[0].count == 1
        assert "b = berta" in unescape((await desk.get(one)).text)

        await revoke_all(there)
        await near.report("a", {"count": 7})

        async def is_told() -> bool:
            return "The key is not valid there" in words(await desk.get(f"{one}?lang=en"))

        await until(is_told)
        page = words(await desk.get("/report/home/a?lang=en"))
        assert "127.0.0.1 – waits: the key of your provider is not valid there" in page
        assert len(await history(there, "a")) == 1
        second = await there.key()
        refused = await desk.submit(f"{one}?lang=en", f"{one}/key", key=second[1:])
        assert (refused.status, "It begins with fp_" in words(refused)) == (422, True)
        assert (await desk.submit(one, f"{one}/key", key=second)).status == 303
        await settled(near, link.webhook.id, "a")
        assert (await history(there, "a"))[0].vacancies[0].count == 7

        assert (await desk.submit(one, f"{one}/pause")).status == 303
        await near.report("a", {"count": 3})
        page = words(await desk.get("/report/home/a?lang=en"))
        assert "waits: your provider has paused it" in page
        assert (await desk.submit(one, f"{one}/retry")).status == 303
        await settled(near, link.webhook.id, "a")
        seen += [refused.text, page, (await desk.get(one)).text]

        # Webhooks of programs are none of these, and the other way round.
        _, listed, _ = await near.call("GET", "/api/v1/webhooks", provider=PROVIDER)
        assert listed == {"webhooks": []}
        for path in ("", "/deliveries"):
            status, problem, _ = await near.call(
                "GET", f"/api/v1/webhooks/{link.webhook.id}{path}", provider=PROVIDER
            )
            assert status in (404, 405), problem
            seen.append(json.dumps(problem))
        assert (await desk.submit(one, f"{one}/remove")).status == 303
        assert (await desk.get(one)).status == 404
        page = words(await desk.get("/report/home/a?lang=en"))
        assert "Also reported to" not in page
    stored = await near.state.deployment.pool.fetch("SELECT * FROM webhook_delivery")
    seen += [*capfd.readouterr(), repr(stored)]
    assert not any(key in text for key in (first, second) for text in seen)


async def test_the_key_is_sealed(near: Service) -> None:
    key = "fp_" + "k" * 43
    link = await connect(near, "https://other.example.org", key)
    await pause_webhook(near.state.deployment.pool, link)
    (row,) = await near.state.deployment.pool.fetch("SELECT * FROM portal_link")
    assert key.encode() not in row["sealed_key"]
    assert key not in repr(row)


async def test_what_came_from_a_portal_says_so(near: Service, there: Service) -> None:
    await near.put_home("a")
    await a_person(there)
    await there.put_home("a")
    link = await connect(near, there.url, await there.key())
    back = await connect(there, near.url, await near.key())
    await near.report("a", {"count": 2})
    await settled(near, link, "a")
    async with a_desk(there) as desk:
        await sign_in(there, desk)
        trail = words(await desk.get("/homes/a/trail?lang=en"))
        assert "from the portal 127.0.0.1" in trail
        page = words(await desk.get("/report/home/a?lang=en"))
        assert "from the portal 127.0.0.1" in page
        assert "Also reported to" not in page
        # Confirmed here, it is this home's own word, and goes there.
        assert (await desk.submit("/report/home/a", "/report/home/a", do="unchanged")).status == 303
        await settled(there, back, "a")
    assert [told.via for told in await history(near, "a")] == ["portal", "api"]


async def test_who_may_look(near: Service) -> None:
    await a_person(near)
    link = await connect(near, "https://other.example.org", "fp_" + "k" * 43)
    await pause_webhook(near.state.deployment.pool, link)
    await near.put_home("a")
    await a_person(near, BERT, home="a")
    async with a_desk(near) as desk:
        await sign_in(near, desk, BERT)
        for path in ("/webhooks/portals", f"/webhooks/portals/{link}"):
            assert (await desk.get(path)).status == 403
    async with a_desk(near) as desk:
        await sign_in(near, desk, ANNA)
        await near.state.deployment.pool.execute(
            "UPDATE webhook SET provider_id = $1",
            (await ensure_provider(near.state.deployment.pool, "somebody")).id,
        )
        for what in ("", "/remove", "/key", "/ids", "/retry", "/pause"):
            path = f"/webhooks/portals/{link}{what}"
            token = (await desk.get("/webhooks/portals")).token
            asked = await (desk.post(path, token=token) if what else desk.get(path))
            assert asked.status == 404, what


async def test_what_is_wrong_is_said(near: Service) -> None:
    await a_person(near)
    key = "fp_" + "k" * 43
    async with a_desk(near) as desk:
        await sign_in(near, desk)
        for address, entered, field in (
            ("ftp://other.example.org", key, "address"),
            ("https://other.example.org/?x=1", key, "address"),
            (near.state.settings.public_url or "http://127.0.0.1:8000/", key, "address"),
            ("https://other.example.org", "whsec_abc", "key"),
            ("https://other.example.org", "fpt_" + "k" * 43, "key"),
        ):
            found = await add(desk, address, entered)
            assert (found.status, f'id="e-{field}"' in found.text) == (422, True), address
            assert entered not in found.text
        assert (await add(desk, "https://other.example.org/", key)).status == 303
        await pause_webhook(near.state.deployment.pool, (await only_link(near)).webhook.id)
        assert (await add(desk, "https://other.example.org", key)).status == 422


def test_addresses_are_those_of_the_site() -> None:
    outbound, settings = Outbound(), Settings(public_url="https://own.example.org")
    for text in ("https://x.example.org", "https://x.example.org/", f"https://x.example.org{PATH}"):
        assert read_address(text, outbound, settings) == "https://x.example.org/api/v1/reports"
    with pytest.raises(InvalidInput):
        read_address("https://own.example.org/", outbound, settings)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", {}),
        ("a=x\nb;y\nc\tz", {"a": "x", "b": "y", "c": "z"}),
        (" a = b \n b , a \n", {"a": "b", "b": "a"}),
    ],
)
def test_ids_are_read(text: str, ids: dict[str, str]) -> None:
    assert read_ids(text, "abc") == ids


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a", "Line 1"),
        ("\na = x = y", "Line 2"),
        ("a = ü", "Line 1"),
        ("a = ", "Line 1"),
        ("z = a", "z is no home"),
        ("a = x\na = y", "twice"),
        ("a = x\nb = x", "both be x"),
        ("a = b", "both be b"),
    ],
)
def test_ids_that_cannot_be_are_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        read_ids(text, "abc")
    assert refused.value.field == "ids"


def test_a_refusal_does_not_repeat_the_key() -> None:
    for key in ("secret", "fpt_secret", "fp_short", "fp_" + "x" * 40 + " y"):
        with pytest.raises(InvalidInput) as refused:
            read_key(key)
        assert "secret" not in str(refused.value)
        assert "short" not in str(refused.value)
