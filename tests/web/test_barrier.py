"""Telling of a barrier: what is sent, where it goes, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.conftest import Service, served
from tests.web.test_pages import text
from vacancies.config import Settings
from vacancies.operator import Operator
from web.barrier import TELLING

PATH = "/accessibility/report"
SAID = "Der Knopf „Anrufen“ hat keinen Namen.\nBeim Vorlesen."


async def token(service: Service) -> str:
    async with service.client.get(service.url + PATH) as answer:
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', await answer.text())
    assert found is not None
    return found[1]


async def tell(service: Service, fields: Mapping[str, str]) -> tuple[int, str]:
    async with service.client.post(
        service.url + PATH,
        data={"form_token": await token(service), **fields},
        headers={"Origin": service.url, "Accept": "text/html"},
    ) as answer:
        assert "Set-Cookie" not in answer.headers
        return answer.status, await answer.text()


def mails(folder: Path) -> list[EmailMessage]:
    found = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted((folder / "mail").glob("*.eml"))
    ]
    return [mail for mail in found if isinstance(mail, EmailMessage)]


async def test_it_goes_to_the_operator(settings: Settings) -> None:
    async with served(replace(settings, contact_email="pflege@example.org")) as service:
        fields = {"said": SAID, "where": "Liste\r\n der Heime", "email": "Pat@Example.org"}
        status, html = await tell(service, fields)
        assert status == 200
        assert "Vielen Dank" in text(html)
    (mail,) = mails(settings.data_dir)
    assert mail["To"] == "pflege@example.org"
    assert mail["Reply-To"] == "pat@example.org"
    body = mail.get_content()
    assert "> Der Knopf „Anrufen“ hat keinen Namen.\n> Beim Vorlesen." in body
    assert "Wo: Liste der Heime" in body


async def test_without_an_address_it_is_kept(settings: Settings) -> None:
    async with served(settings) as service:
        assert (await tell(service, {"said": SAID}))[0] == 200
    (mail,) = mails(settings.data_dir)
    assert "Anrufen" in mail.get_content()
    assert mail["Reply-To"] is None


async def test_what_no_mail_server_takes_is_kept(settings: Settings) -> None:
    away = replace(
        settings,
        smtp_url="smtp://127.0.0.1:1",
        operator=Operator(email="kreis@example.org"),
    )
    async with served(away) as service:
        assert (await tell(service, {"said": SAID}))[0] == 200
    (mail,) = mails(settings.data_dir)
    assert mail["To"] == "kreis@example.org"


async def test_what_is_wrong_is_said_and_nothing_is_lost(service: Service) -> None:
    for fields, wrong in (
        ({"said": " \n\x00 "}, "e-said"),
        ({"said": "x" * 2001}, "e-said"),
        ({"said": SAID, "where": "x" * 301}, "e-where"),
        ({"said": SAID, "email": "pat@"}, "e-email"),
        ({"said": SAID, "email": "pat@example.org\r\nBcc: all@example.org"}, "e-email"),
    ):
        status, html = await tell(service, fields)
        assert status == 422
        assert f'id="{wrong}" role="alert"' in html
        if "email" in fields or "where" in fields:
            assert "hat keinen Namen.\nBeim Vorlesen." in html
    assert mails(service.state.settings.data_dir) == []


async def test_only_a_form_of_ours_is_taken(service: Service) -> None:
    proof = await token(service)
    for headers, sent in (
        ({"Origin": "https://evil.test"}, proof),
        ({}, proof),
        ({"Origin": service.url}, ""),
        ({"Origin": service.url}, "0" * 64),
        ({"Origin": service.url}, "x" * 64),
        ({"Origin": service.url}, proof[:8] + "0" * 56),
    ):
        async with service.client.post(
            service.url + PATH,
            data={"form_token": sent, "said": SAID},
            headers={**headers, "Accept": "text/html"},
        ) as answer:
            assert answer.status == 403
    assert mails(service.state.settings.data_dir) == []


async def test_one_network_cannot_flood_it(service: Service) -> None:
    for _ in range(TELLING.most):
        assert (await tell(service, {"said": SAID}))[0] == 200
    status, html = await tell(service, {"said": SAID})
    assert status == 429
    assert "in einer Stunde" in text(html)
    assert len(mails(service.state.settings.data_dir)) == TELLING.most
