"""Web push: what leaves is encrypted for one browser, signed as ours, and goes nowhere inside."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace
from py_vapid import Vapid02  # type: ignore[import-untyped]

from tests.web.alerts.conftest import Bench, Device
from vacancies.errors import InvalidInput
from vacancies.outbound import AddressRefused, Outbound
from web.alerts.alerts import AlertUnknown
from web.alerts.push import Pusher
from web.alerts.sealing import Seal


async def test_a_browser_reads_what_is_pushed(bench: Bench, device: Device) -> None:
    await bench.home("a")
    alert_id = await bench.ask(device=device)
    assert alert_id is not None
    await bench.tell()
    page = f"/alerts/{bench.seal.token(alert_id)}"
    (asked,) = device.shown()
    assert (asked["confirm"], asked["path"]) == (f"{page}/confirm", page)
    await bench.confirm(alert_id)
    await bench.report("a", 1)
    await bench.tell()
    told = device.shown()[-1]
    assert told["title"] == "Neues zu Ihrer Suche in Gütersloh"
    assert told["body"] == "1 Heim passt jetzt zu Ihrer Suche."
    assert (told["confirm"], told["path"]) == (None, f"{page}/search")
    assert told["actions"] == [{"action": "stop", "title": "Beenden", "path": f"{page}/stop"}]
    assert told["tag"] != asked["tag"]
    await bench.tell(days=83)
    actions = [action["action"] for action in device.shown()[-1]["actions"]]
    assert actions == ["renew", "stop"]


async def test_push_services_know_us_by_our_signature(bench: Bench, device: Device) -> None:
    await bench.alert(device=device)
    await bench.home("a")
    await bench.report("a", 1)
    await bench.tell()
    ((headers, body),) = device.requests
    scheme, _, fields = headers["authorization"].partition(" ")
    found = dict(field.strip().split("=", 1) for field in fields.split(","))
    assert scheme == "vapid"
    pusher = Pusher(bench.outbound, bench.seal, "mailto:fp@example.org")
    assert found["k"] == pusher.public_key
    signed, _, signature = found["t"].rpartition(".")
    key = Vapid02.from_raw_public(found["k"].encode())
    assert key.verify_token(signed.encode(), signature)
    claims = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
    parts = urlsplit(device.url)
    assert claims["aud"] == f"{parts.scheme}://{parts.netloc}"
    assert claims["sub"].startswith("mailto:")
    assert headers["content-encoding"] == "aes128gcm"
    assert int(headers["ttl"]) > 0
    assert headers["topic"] == device.shown()[0]["tag"]
    assert b"Suche" not in body


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_wants_no_more_is_forgotten(
    bench: Bench, device: Device, status: int
) -> None:
    await bench.home("a")
    alert_id = await bench.alert(device=device)
    device.status = status
    await bench.report("a", 1)
    assert (await bench.tell()).gone == 1
    with pytest.raises(AlertUnknown):
        await bench.find(alert_id)


async def test_a_push_service_in_trouble_is_asked_again(bench: Bench, device: Device) -> None:
    await bench.home("a")
    await bench.alert(device=device)
    device.status = 503
    await bench.report("a", 1)
    assert (await bench.tell()).failed == 1
    device.status = 201
    assert (await bench.tell(minutes=1)).sent == 1
    first, second = device.shown()
    assert first["tag"] == second["tag"], "a browser that got both shows one"


async def test_the_key_is_the_same_as_long_as_the_secret_is() -> None:
    async with Outbound() as outbound:
        keys = [
            Pusher(outbound, Seal(secret * 32), "mailto:a@example.org").public_key
            for secret in ("x", "x", "y")
        ]
    assert keys[0] == keys[1] != keys[2]


async def test_only_push_services_on_the_internet_are_called(bench: Bench, device: Device) -> None:
    async with Outbound() as outside:
        pusher = Pusher(outside, bench.seal, "mailto:fp@example.org")
        for endpoint in (
            "http://push.example.org/1",
            "https://127.0.0.1/1",
            "https://10.0.0.1/1",
            "https://push.example.org:22/1",
            "https://localhost/1",
            "file:///etc/passwd",
        ):
            with pytest.raises(AddressRefused):
                pusher.check(replace(device.subscription, endpoint=endpoint))
        good = replace(device.subscription, endpoint="https://push.example.org/1")
        assert pusher.check(good) == good
        for wrong in (
            replace(good, p256dh=good.p256dh[:-2]),
            replace(good, p256dh=base64.urlsafe_b64encode(b"\4" + b"x" * 64).decode()),
            replace(good, auth=""),
            replace(good, auth="ä"),
        ):
            with pytest.raises(InvalidInput):
                pusher.check(wrong)
