"""The pages of alerts, over HTTP and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from msgspec.structs import replace

from tests.conftest import Service, served
from tests.waiting import until
from tests.web.alerts.conftest import EMAIL, Device, parts_of
from tests.web.staff import Answer, Desk
from vacancies.config import Settings
from vacancies.models import CareForm, Vacancy
from vacancies.outbound import Outbound
from web.alerts.alerts import MOST_ASKED_A_DAY
from web.alerts.wishes import ASKING, MOST_HOMES

SEARCH = "place=33330&care_form=short_term&care_grade=3"


@pytest.fixture
async def reader(service: Service) -> AsyncIterator[Desk]:
    """Somebody's browser, without cookies."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        yield Desk(service.url, client)


async def mails(service: Service, count: int) -> list[EmailMessage]:
    """All mails, as soon as there are `count`."""
    folder = service.state.settings.data_dir / "mail"
    await until(lambda: len(list(folder.glob("[!.]*.eml"))) >= count)
    files = sorted(folder.glob("[!.]*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


async def ask(reader: Desk, email: str = EMAIL, search: str = SEARCH) -> Answer:
    opened = await reader.get(f"/alerts/new?{search}")
    found = re.search(r'name="search" value="([^"]*)"', opened.text)
    assert found is not None, opened.text
    kept = found[1].replace("&amp;", "&")
    return await reader.post("/alerts/new", email=email, search=kept)


async def link_of(service: Service, count: int = 1) -> str:
    """The path in the newest of so many mails."""
    mail = (await mails(service, count))[-1]
    found = re.search(r"https?://[^/\s]+(/alerts/[A-Za-z0-9_-]+)", parts_of(mail))
    assert found is not None
    return found[1]


async def count(service: Service, where: str = "true") -> int:
    return int(
        await service.state.deployment.pool.fetchval(f"SELECT count(*) FROM alert WHERE {where}")
    )


async def test_from_the_search_to_the_end(service: Service, reader: Desk) -> None:
    finder = await reader.get(f"/?{SEARCH}")
    assert f"/alerts/new?{SEARCH.replace('&', '&amp;')}" in finder.text
    form = await reader.get(f"/alerts/new?{SEARCH}")
    assert "33330" in form.text
    assert "Pflegegrad 3" in form.text
    sent = await ask(reader)
    assert sent.title == "Sehen Sie jetzt in Ihr Postfach"
    page = await link_of(service)
    for _ in range(2):
        opened = await reader.get(page)
        assert opened.title == "Sollen wir Ihnen Bescheid sagen?"
        assert "Gütersloh" in opened.text
    assert await count(service, "state = 'active'") == 0, "opening a link changes nothing"
    confirmed = await reader.post(f"{page}/confirm")
    assert confirmed.status == 303
    shown = await reader.get(confirmed.headers["Location"])
    assert "Bestätigt." in shown.text
    assert await count(service, "state = 'active'") == 1

    found = await reader.get(f"{page}/search")
    args = parse_qs(urlsplit(found.headers["Location"]).query)
    assert args["care_form"] == ["short_term"]
    assert args["care_grade"] == ["3"]
    assert args["label"] == ["Gütersloh"]
    assert (await reader.get(found.headers["Location"])).status == 200

    changed = await reader.post(
        f"{page}/hours", quiet_from="1320", quiet_until="480", most_a_day="5"
    )
    assert "Geändert." in (await reader.get(changed.headers["Location"])).text
    assert await count(service, "quiet_from_minute = 1320 AND most_a_day = 5") == 1
    assert (await reader.post(f"{page}/renew")).status == 303

    asked = await reader.get(f"{page}/stop")
    assert asked.title == "Nicht mehr Bescheid sagen?"
    assert await count(service) == 1
    assert (await reader.post(f"{page}/stop")).status == 200
    assert await count(service) == 0
    assert (await reader.get(page)).status == 404
    for answer in (form, sent, opened, confirmed, shown, found, asked):
        assert answer.cookies == [], "readers get no cookie"
    for answer in (opened, confirmed, shown, found, asked):
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Referrer-Policy"] == "strict-origin"


async def test_a_mail_program_stops_it_by_one_post(service: Service, reader: Desk) -> None:
    await ask(reader)
    (mail,) = await mails(service, 1)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = re.fullmatch(r"<(\S+)>", mail["List-Unsubscribe"])
    assert address is not None
    path = urlsplit(address[1]).path
    body = {"List-Unsubscribe": "One-Click"}
    async with reader.client.post(service.url + path, data=body) as answer:
        assert answer.status == 200
    assert await count(service) == 0


async def test_a_home_that_becomes_free_is_told(service: Service, reader: Desk) -> None:
    await service.put_home("a")
    await ask(reader, search="place=33330")
    page = await link_of(service)
    await until(lambda: _is_matched(service))
    await service.report("a", {"count": 1})
    await until(lambda: _has_news(service))
    await reader.post(f"{page}/hours", quiet_from="0", quiet_until="0", most_a_day="3")
    await reader.post(f"{page}/confirm")
    mail = (await mails(service, 2))[-1]
    assert "1 Heim passt jetzt zu Ihrer Suche." in parts_of(mail)


async def _is_matched(service: Service) -> bool:
    return await count(service, "is_matched") == 1


async def _has_news(service: Service) -> bool:
    news = "SELECT count(*) FROM alert_home WHERE is_news"
    return bool(await service.state.deployment.pool.fetchval(news))


async def test_the_answer_does_not_say_who_is_known(service: Service, reader: Desk) -> None:
    answers = [await ask(reader) for _ in range(MOST_ASKED_A_DAY + 2)]
    assert {(a.status, a.text) for a in answers} == {(200, answers[0].text)}
    await mails(service, MOST_ASKED_A_DAY)
    assert await count(service) == MOST_ASKED_A_DAY


async def test_one_network_asks_only_so_often(service: Service, reader: Desk) -> None:
    statuses = [
        (await ask(reader, email=f"a{n}@example.org")).status for n in range(ASKING.most + 1)
    ]
    assert statuses == [200] * ASKING.most + [429]


async def test_what_is_wrong_is_said(service: Service, reader: Desk) -> None:
    wrong = await ask(reader, email="tochter@")
    assert wrong.status == 422
    assert 'aria-invalid="true"' in wrong.text
    assert "tochter@" in wrong.text
    lost = await reader.get("/alerts/new?place=Xyzzyhausen")
    assert lost.headers["Location"] == "/?place=Xyzzyhausen", "the finder says what to do"
    for path in ("/alerts/x", "/alerts/x/search", "/alerts/x/stop"):
        assert (await reader.get(path)).status == 404
    for path in ("/alerts/x/confirm", "/alerts/x/renew", "/alerts/x/hours"):
        assert (await reader.post(path)).status == 404
    await ask(reader)
    page = await link_of(service)
    for begin, end, most in (("x", "0", "3"), ("0", "1440", "3"), ("0", "0", "99"), ("", "", "")):
        answer = await reader.post(
            f"{page}/hours", quiet_from=begin, quiet_until=end, most_a_day=most
        )
        assert answer.status == 422
    assert await count(service, "most_a_day = 3 AND quiet_from_minute = 1260") == 1


async def test_other_sites_cannot_ask(service: Service, reader: Desk) -> None:
    for origin in ("https://evil.test", None, "null"):
        sent = await reader.post("/alerts/new", origin=origin, email=EMAIL, search=SEARCH)
        assert sent.status == 403
    assert await count(service) == 0


async def test_nobody_waits_where_hundreds_are_free(service: Service, reader: Desk) -> None:
    pool = service.state.deployment.pool
    await service.put_home("a")
    listing = service.state.board.get("a")
    assert listing is not None
    lines = (Vacancy(care_form=CareForm.LONG_TERM, count=1),)
    free = [
        replace(listing, id=f"h{n}", vacancies=lines, free={CareForm.LONG_TERM: 1}, revision=n + 2)
        for n in range(MOST_HOMES + 1)
    ]
    service.state.board.apply(free, listing.revision)
    wide = await reader.get("/alerts/new")
    assert wide.title == "Es passen schon sehr viele Heime"
    narrow = await reader.get("/alerts/new?care_form=day")
    assert narrow.status == 200
    assert await pool.fetchval("SELECT count(*) FROM alert") == 0


async def test_a_device_is_asked_by_a_push(settings: Settings, device: Device) -> None:
    outbound = Outbound(allow_loopback=True)
    async with served(settings, outbound=outbound) as service, aiohttp.ClientSession() as client:
        reader = Desk(service.url, client)
        keys = {"p256dh": device.subscription.p256dh, "auth": device.subscription.auth}
        wish = {"search": SEARCH, "subscription": {"endpoint": device.url, **keys}}
        assert (await reader.send_json("/alerts/push", wish)).status == 202
        await until(lambda: bool(device.requests))
        (asked,) = device.shown()
        assert (await reader.post(asked["confirm"])).status == 303
        assert await count(service, "state = 'active' AND channel = 'push'") == 1
        (stop,) = asked["actions"]
        await reader.post(stop["path"])
        assert await count(service) == 0
        for wrong in (
            wish | {"search": "place=Xyzzyhausen"},
            {"search": SEARCH},
            wish | {"subscription": {"endpoint": "https://10.0.0.1/", **keys}},
            wish | {"subscription": {"endpoint": device.url, "p256dh": "x", "auth": "y"}},
            wish | {"more": 1},
            "x",
        ):
            answer = await reader.send_json("/alerts/push", wrong)
            assert answer.status in (400, 404, 422), wrong
        assert await count(service) == 0


async def test_the_worker_is_never_out_of_a_cache(service: Service, reader: Desk) -> None:
    answer = await reader.get("/alerts/worker.js")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "notificationclick" in answer.text
