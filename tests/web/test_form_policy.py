"""Whatever changes something outside /api comes from a page of ours, on every route there is."""

from __future__ import annotations

import re

from quart import Quart
from werkzeug.routing import Rule

from tests.conftest import Service
from tests.web.staff import a_desk, a_person, sign_in
from web.app import create_app
from web.staff import is_open_to_programs

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
# Routes that programs call by themselves, each with its reason; they use no cookies.
OPEN_TO_PROGRAMS = {
    "/report/link/<token>": "opens by the signed token; its page sends no origin (no-referrer)",
    "/report/link/<token>/renew": "the same",
    "/letter/<code>": "opens by the code of the letter; its page sends no origin (no-referrer)",
    "/homes/<home_id>/feedback": "for everybody: looks at the origin itself, and has limits",
    "/feedback/<feedback_id>/undo": "the same; opens by a random number",
    "/alerts/new": "nobody is signed in and there is no cookie; it asks for our origin itself",
    "/alerts/push": "the same",
    "/alerts/<token>/confirm": "opens by the signed token, also for a notification",
    "/alerts/<token>/renew": "the same",
    "/alerts/<token>/hours": "the same",
    "/alerts/<token>/stop": "the same, and for mail programs (RFC 8058)",
    "/ngsi-ld/v1/subscriptions": "opens by a token in a header, as /api does",
    "/ngsi-ld/v1/subscriptions/<path:name>": "the same",
}


def changing_rules(app: Quart) -> list[Rule]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if CHANGING & set(rule.methods or ()) and not str(rule).startswith("/api/")
    ]


def path_of(rule: Rule) -> str:
    """An address of that rule, with something plausible in each gap."""
    some_uuid = "00000000-0000-4000-8000-000000000000"
    return re.sub(r"<[^>]+>", "1", str(rule).replace("<uuid:number>", some_uuid))


async def test_every_changing_route_refuses_strangers(service: Service) -> None:
    app = create_app(service.state.deployment)
    rules = changing_rules(app)
    assert {"/signin", "/signin/<token>", "/signout", "/people/invite"} <= set(map(str, rules))
    await a_person(service, home="1")
    await a_person(service)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        token = (await desk.get("/account")).token
        host = service.url.partition("//")[2]
        strangers = ("https://evil.test", "null", "http://localhost:1", None, service.url + "0",
                     f"http://evil.test@{host}", f"http://{host}.evil.test")  # fmt: skip
        for rule in rules:
            if is_open_to_programs(app.view_functions[rule.endpoint]):
                assert str(rule) in OPEN_TO_PROGRAMS, f"{rule}: why is it open to programs?"
                continue
            for method in CHANGING & set(rule.methods or ()):
                assert method == "POST", f"{rule}: forms send POST; test {method} here too"
                for origin in strangers:
                    answer = await desk.post(path_of(rule), token=token, origin=origin)
                    assert answer.status == 403, (rule, origin)
                for wrong in (None, "", "0" * 64, token[:-1], "ä"):
                    answer = await desk.post(path_of(rule), token=wrong)
                    assert answer.status == 403, (rule, wrong)
        assert (await desk.get("/account")).status == 200, "nothing of that signed anybody out"


async def test_a_referer_will_do_where_there_is_no_origin(service: Service) -> None:
    await a_person(service)
    async with a_desk(service) as desk:
        await sign_in(service, desk)
        token = (await desk.get("/account")).token
        for referer, status in (("https://evil.test/account", 403), (f"{desk.url}/account", 303)):
            answer = await desk.post(
                "/signout", token=token, origin=None, headers={"Referer": referer}
            )
            assert answer.status == status


async def test_a_token_holds_for_its_session_only(service: Service) -> None:
    await a_person(service)
    await a_person(service, "bert@example.org")
    async with a_desk(service) as hers, a_desk(service) as his:
        before = (await hers.get("/signin")).token
        await sign_in(service, hers)
        await sign_in(service, his, "bert@example.org")
        foreign = (await his.get("/account")).token
        for token in (before, foreign):
            assert (await hers.post("/signout", token=token)).status == 403
        assert (await hers.submit("/account", "/signout")).status == 303
