"""A deployment with matchers and tellers whose clock the test moves, and a push service."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import http_ece  # type: ignore[import-untyped]
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from providers.post import FileSender, MailSender
from tests.receiver import receiver
from vacancies.actors import Actor
from vacancies.board import Board
from vacancies.commands import Describe, Report
from vacancies.deployment import Deployment
from vacancies.feed import Follower
from vacancies.geocoding import open_geocoder
from vacancies.models import Address, CareForm, Point, Profile, Vacancy
from vacancies.outbound import Outbound
from vacancies.provider import ensure_provider
from web.alerts.alerts import (
    Alert,
    Contents,
    Subscription,
    insert_alert,
    record_confirmed,
    select_alert,
)
from web.alerts.letters import Writer
from web.alerts.matching import Matcher
from web.alerts.push import Pusher
from web.alerts.sealing import Seal
from web.alerts.telling import Teller, Told

SEARCH = "near=51.900000,8.380000&radius_km=25&care_form=long_term"
EMAIL = "tochter@example.org"
NOON = datetime(2026, 6, 1, 10, tzinfo=UTC)


def text_of(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class Device:
    """A browser and its push service; `status` is what the service answers."""

    url: str = ""
    status: int = 201
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def subscription(self) -> Subscription:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return Subscription(endpoint=self.url, p256dh=text_of(point), auth=text_of(self.auth))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, await request.read()))
        return web.Response(status=self.status)

    def shown(self) -> list[dict[str, Any]]:
        """What the browser decrypts."""
        return [json.loads(self.decrypted(body)) for _, body in self.requests]

    def decrypted(self, body: bytes) -> bytes:
        found: bytes = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        return found


@asynccontextmanager
async def open_device() -> AsyncIterator[Device]:
    device = Device()
    async with receiver(device.handle) as (port, _):
        device.url = f"http://127.0.0.1:{port}/push/abc"
        yield device


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    async with open_device() as found:
        yield found


@dataclass
class Bench:
    """A deployment with a board, a matcher and a teller of its own."""

    deployment: Deployment
    board: Board
    follower: Follower
    outbound: Outbound
    seal: Seal
    matcher: Matcher
    teller: Teller
    now: datetime = NOON

    def clock(self) -> datetime:
        return self.now

    def another_matcher(self) -> Matcher:
        """As another process has it."""
        pool, geocoder = self.deployment.pool, open_geocoder("offline")
        return Matcher(pool, self.board, geocoder, self.seal, clock=self.clock)

    def another_teller(self, mail: MailSender | None = None) -> Teller:
        settings = self.deployment.settings
        return Teller(
            self.deployment.pool,
            self.seal,
            Writer(settings, self.seal),
            mail or FileSender(settings.data_dir / "mail"),
            Pusher(self.outbound, self.seal, "mailto:fp@example.org"),
            clock=self.clock,
        )

    async def home(self, home_id: str, **more: Any) -> None:
        """Enter or change a home; in Gütersloh unless told otherwise."""
        found = await ensure_provider(self.deployment.pool, "Nord")
        more.setdefault("point", Point(51.9, 8.38))
        command = Describe(
            home_id=home_id,
            provider_id=found.id,
            provider=found.slug,
            profile=Profile(name=f"Haus {home_id}", address=Address(), **more),
            actor=Actor(),
        )
        (outcome,) = (await self.deployment.writer.submit([command])).outcomes
        assert outcome.error is None

    async def report(self, home_id: str, count: int, form: CareForm = CareForm.LONG_TERM) -> None:
        lines = (Vacancy(care_form=form, count=count),) if count else ()
        command = Report(home_id=home_id, vacancies=lines, actor=Actor())
        (outcome,) = (await self.deployment.writer.submit([command])).outcomes
        assert outcome.error is None

    async def ask(
        self, search: str = SEARCH, email: str = EMAIL, device: Device | None = None
    ) -> str | None:
        """The id of an alert that is not confirmed; None if it was not taken."""
        contents = Contents(search=search, email=email)
        if device is not None:
            contents = Contents(search=search, subscription=device.subscription)
        async with self.deployment.pool.acquire() as connection, connection.transaction():
            return await insert_alert(connection, self.seal, contents, "de", self.now)

    async def find(self, alert_id: str) -> Alert:
        token = self.seal.token(alert_id)
        return await select_alert(self.deployment.pool, self.seal, token, self.now)

    async def confirm(self, alert_id: str) -> None:
        found = await self.find(alert_id)
        async with self.deployment.pool.acquire() as connection, connection.transaction():
            await record_confirmed(connection, self.seal, found, self.now)

    async def alert(
        self, search: str = SEARCH, email: str = EMAIL, device: Device | None = None
    ) -> str:
        """The id of one that is confirmed, and whose beginning is noted."""
        alert_id = await self.ask(search, email, device)
        assert alert_id is not None
        await self.match()
        await self.teller.tell_due()
        await self.confirm(alert_id)
        self.forget_mails()
        if device is not None:
            device.requests.clear()
        return alert_id

    async def match(self) -> None:
        await self.follower.catch_up()
        await self.matcher.match_due()

    async def tell(self, **later: float) -> Told:
        """Match, let time pass (as long as things are gathered, unless told otherwise), tell."""
        await self.match()
        self.now += timedelta(**(later or {"seconds": 20}))
        return await self.teller.tell_due()

    async def news(self, alert_id: str) -> set[str]:
        """Homes of which the reader is still to be told."""
        rows = await self.deployment.pool.fetch(
            "SELECT home_id FROM alert_home WHERE alert_id = $1 AND is_news", alert_id
        )
        return {row["home_id"] for row in rows}

    def mails(self) -> list[EmailMessage]:
        """What lies in the folder, oldest first."""
        files = sorted((self.deployment.settings.data_dir / "mail").glob("[!.]*.eml"))
        files.sort(key=lambda file: file.stat().st_mtime_ns)
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    def forget_mails(self) -> None:
        for file in (self.deployment.settings.data_dir / "mail").glob("[!.]*.eml"):
            file.unlink()


def parts_of(mail: EmailMessage) -> str:
    """All of a mail that somebody can read on the way: headers and both bodies."""
    headers = "\n".join(f"{name}: {value}" for name, value in mail.items())
    bodies = [mail.get_body((kind,)) for kind in ("plain", "html")]
    return "\n".join([headers, *(body.get_content() for body in bodies if body is not None)])


@asynccontextmanager
async def open_bench(deployment: Deployment) -> AsyncIterator[Bench]:
    board, seal = Board(), Seal(deployment.settings.secret_key)
    follower = Follower(deployment.pool, deployment.redis, board)
    async with Outbound(allow_loopback=True, seconds=5.0) as outbound:
        bench = Bench(deployment, board, follower, outbound, seal, None, None)  # type: ignore[arg-type]
        bench.matcher, bench.teller = bench.another_matcher(), bench.another_teller()
        yield bench


@pytest.fixture
async def bench(deployment: Deployment) -> AsyncIterator[Bench]:
    async with open_bench(deployment) as found:
        yield found
