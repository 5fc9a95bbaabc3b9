"""Browsers of people who report, over HTTP: they keep cookies, and send forms as pages do."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape

import aiohttp
from multidict import CIMultiDict

from providers.staff import Staff, ensure_membership, ensure_staff
from tests.conftest import Service
from tests.waiting import until
from vacancies.provider import ensure_provider

PROVIDER = "caritas-musterstadt"
ANNA = "anna@example.org"
BERT = "bert@example.org"


@dataclass
class Answer:
    status: int
    text: str
    headers: CIMultiDict[str]
    cookies: list[str]

    @property
    def title(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.DOTALL)
        assert found is not None, self.text
        return unescape(found[1]).strip()

    @property
    def token(self) -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.text)
        assert found is not None, self.text
        return found[1]


@dataclass
class Desk:
    """One browser. `url` is the address under which it knows the service."""

    url: str
    client: aiohttp.ClientSession

    async def get(self, path: str) -> Answer:
        return await self._ask("GET", path)

    async def post(
        self,
        path: str,
        *,
        token: str | None = None,
        origin: str | None = "",
        headers: dict[str, str] | None = None,
        **fields: str,
    ) -> Answer:
        """Send a form; `origin` is our own unless told otherwise (None: the header is absent)."""
        return await self._send(path, token, self.url if origin == "" else origin, headers, fields)

    async def submit(self, page: str, path: str, **fields: str) -> Answer:
        """Open `page`, and send the form for `path` that is on it."""
        opened = await self.get(page)
        found = re.search(rf'action="({re.escape(path)}[^"]*)"', opened.text)
        assert found is not None, opened.text
        return await self._send(unescape(found[1]), opened.token, self.url, {}, fields)

    async def upload(
        self, path: str, token: str, content: bytes | None = None, **fields: str
    ) -> Answer:
        """Send a form that is made for files (multipart), with one or without."""
        form = aiohttp.FormData({"form_token": token}, default_to_multipart=True)
        for name, value in fields.items():
            form.add_field(name, value)
        if content is not None:
            form.add_field("file", io.BytesIO(content), filename="frei.csv")
        sent = {"Accept": "text/html", "Origin": self.url}
        return await self._ask("POST", path, headers=sent, data=form)

    async def send_json(self, path: str, body: object, **headers: str) -> Answer:
        """What the client of a page sends."""
        sent = {"Origin": self.url, "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._ask("POST", path, headers=sent, data=json.dumps(body).encode())

    async def _send(
        self,
        path: str,
        token: str | None,
        origin: str | None,
        headers: dict[str, str] | None,
        fields: dict[str, str],
    ) -> Answer:
        sent = {"Accept": "text/html", **(headers or {})}
        if origin is not None:
            sent["Origin"] = origin
        if token is not None:
            fields = {**fields, "form_token": token}
        return await self._ask("POST", path, headers=sent, data=fields)

    async def _ask(self, method: str, path: str, **more: object) -> Answer:
        async with self.client.request(
            method,
            self.url + path,
            allow_redirects=False,
            **more,  # type: ignore[arg-type]
        ) as answer:
            return Answer(
                answer.status,
                await answer.text(),
                answer.headers.copy(),
                answer.headers.getall("Set-Cookie", []),
            )


@asynccontextmanager
async def a_desk(service: Service, url: str | None = None) -> AsyncIterator[Desk]:
    # 127.0.0.1 is a number, for which aiohttp keeps cookies only if told so.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as client:
        yield Desk(url or service.url, client)


def mails(service: Service) -> list[EmailMessage]:
    """What was sent, the oldest first."""
    folder = service.state.settings.data_dir / "mail"
    files = sorted(folder.glob("[!.]*.eml")) if folder.exists() else []
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


async def mail_number(service: Service, number: int) -> EmailMessage:
    """That mail, once it is there."""
    await until(lambda: len(mails(service)) >= number)
    return mails(service)[number - 1]


def link_in(mail: EmailMessage) -> str:
    """The path of the link in a mail."""
    found = re.search(r"https?://[^/\s]+(/signin/\S+)", mail.get_content())
    assert found is not None, mail.get_content()
    return found[1]


async def a_person(service: Service, email: str = ANNA, home: str | None = None) -> Staff:
    """Somebody who may report for that home, or for all of the provider, which has it."""
    pool = service.state.deployment.pool
    provider = await ensure_provider(pool, PROVIDER)
    if home is not None:
        await service.put_home(home)
    staff = await ensure_staff(pool, email)
    await ensure_membership(pool, staff.id, provider.id, home)
    return staff


async def sign_in(service: Service, desk: Desk, email: str = ANNA) -> None:
    """By the link in a mail, as people do."""
    before = len(mails(service))
    sent = await desk.submit("/signin", "/signin", email=email)
    assert sent.status == 200, sent.text
    path = link_in(await mail_number(service, before + 1))
    redeemed = await desk.submit(path, path.partition("?")[0])
    assert redeemed.status == 303, redeemed.text
