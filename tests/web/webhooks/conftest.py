"""A receiver that behaves as it is told, and deliverers whose clock the test moves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from providers.post import FileSender
from tests.conftest import Service
from tests.receiver import receiver
from vacancies.actors import Actor
from vacancies.board import Board
from vacancies.commands import Describe, Report
from vacancies.deployment import Deployment
from vacancies.feed import Follower
from vacancies.geocoding import open_geocoder
from vacancies.models import Address, CareForm, HomeStatus, Point, Profile, Vacancy
from vacancies.outbound import Outbound
from vacancies.provider import ensure_provider
from web.webhooks.deliverer import Deliverer
from web.webhooks.deliveries import Delivery, EventType, insert_delivery
from web.webhooks.endpoints import WebhookWithSecret, insert_webhook, pause_webhook
from web.webhooks.notes import Notes

Behaviour = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Message:
    """What a receiver got."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def type(self) -> str:
        return str(json.loads(self.body)["type"])

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.body)["data"])


async def taken(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=204)


@dataclass
class Inbox:
    """A receiver. `behave` answers; all that came is in `messages`, in order."""

    url: str = ""
    messages: list[Message] = field(default_factory=list)
    behave: Behaviour = taken

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.messages.append(Message(headers, await request.read()))
        return await self.behave(request)

    def take(self) -> list[tuple[str, str]]:
        """(type, home) of what came since the last time."""
        came, self.messages = self.messages, []
        return [(message.type, message.data["id"]) for message in came]


@asynccontextmanager
async def open_inbox() -> AsyncIterator[Inbox]:
    inbox = Inbox()
    async with receiver(inbox.handle) as (port, _):
        inbox.url = f"http://127.0.0.1:{port}/hook"
        yield inbox


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    async with open_inbox() as found:
        yield found


def status(code: int, **headers: str) -> Behaviour:
    """Answer with that status."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(
            status=code, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


@dataclass
class Bench:
    """A deployment with a board and a deliverer of its own."""

    deployment: Deployment
    board: Board
    follower: Follower
    deliverer: Deliverer
    notes: Notes
    now: datetime

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)

    async def home(self, home_id: str, provider: str = "Nord", **more: Any) -> None:
        """Enter or change a home; in Gütersloh unless told otherwise."""
        found = await ensure_provider(self.deployment.pool, provider)
        more.setdefault("point", Point(51.9, 8.38))
        profile = Profile(name=f"Haus {home_id}", address=Address(), **more)
        command = Describe(
            home_id=home_id,
            provider_id=found.id,
            provider=found.slug,
            profile=profile,
            actor=Actor(),
        )
        (outcome,) = (await self.deployment.writer.submit([command])).outcomes
        assert outcome.error is None

    async def report(self, home_id: str, count: int, form: CareForm = CareForm.LONG_TERM) -> None:
        lines = (Vacancy(care_form=form, count=count),) if count else ()
        command = Report(home_id=home_id, vacancies=lines, actor=Actor())
        (outcome,) = (await self.deployment.writer.submit([command])).outcomes
        assert outcome.error is None

    async def close(self, home_id: str) -> None:
        await self.home(home_id, status=HomeStatus.CLOSED)

    async def webhook(
        self, url: str, *, provider: str | None = None, search: str | None = None, **more: Any
    ) -> WebhookWithSecret:
        owner = await ensure_provider(self.deployment.pool, provider) if provider else None
        async with self.deployment.pool.acquire() as connection, connection.transaction():
            return await insert_webhook(
                connection,
                self.deployment.settings.secret_key,
                provider_id=owner.id if owner else None,
                address=url,
                search=search,
                contact=more.get("contact"),
                now=self.now,
            )

    async def deliver(self) -> None:
        await self.follower.catch_up()
        await self.deliverer.deliver_due()
        await self.notes.send_due(self.now)


@asynccontextmanager
async def open_bench(deployment: Deployment, **more: Any) -> AsyncIterator[Bench]:
    board, geocoder, settings = Board(), open_geocoder("offline"), deployment.settings
    follower = Follower(deployment.pool, deployment.redis, board)
    bench: Bench

    def clock() -> datetime:
        return bench.now

    async with Outbound(allow_loopback=True, seconds=more.pop("seconds", 5.0)) as outbound:
        notes = Notes(deployment.pool, FileSender(settings.data_dir / "mail"), "fp@example.org")
        deliverer = Deliverer(
            deployment.pool,
            board,
            outbound,
            geocoder,
            settings,
            clock=clock,
            chance=lambda: 0.0,
            **more,
        )
        now = datetime.now(UTC)
        bench = Bench(deployment, board, follower, deliverer, notes, now)
        yield bench


@pytest.fixture
async def bench(deployment: Deployment) -> AsyncIterator[Bench]:
    async with open_bench(deployment) as found:
        yield found


async def a_webhook(service: Service) -> str:
    """The path of one with a log, paused: nobody is to be called."""
    pool, settings = service.state.deployment.pool, service.state.settings
    provider = await ensure_provider(pool, "caritas-musterstadt")
    async with pool.acquire() as connection, connection.transaction():
        made = await insert_webhook(
            connection,
            settings.secret_key,
            provider_id=provider.id,
            address="https://hooks.example.org/",
            search="near=51.900000,8.380000&radius_km=20&care_form=short_term&include_full=true",
            contact="a-very-long-address-of-somebody@example.org",
            now=datetime.now(UTC),
        )
        await pause_webhook(connection, made.id)
        tries: list[tuple[int, EventType]] = [(204, "ping"), (500, "listing.changed")]
        for code, event in tries:
            delivery = Delivery(
                message_id=f"m{code}",
                event=event,
                home_id="a" if event != "ping" else None,
                attempt=3,
                sent_at=datetime.now(UTC),
                duration_ms=1234,
                outcome="delivered" if code < 300 else "refused",
                status=code,
            )
            await insert_delivery(connection, made.id, delivery)
    return f"/webhooks/{made.id}"
