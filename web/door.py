"""Who is let in: each address may ask so often, and reports come before searches.

An ASGI app before the others: what is refused here costs neither a route nor a page.
"""

from __future__ import annotations

import asyncio
from typing import Any

from providers.limits import Limit, Limiter
from vacancies.config import Settings
from vacancies.errors import FreiplatzError, Overloaded, TooManyRequests
from vacancies.proxies import Address, Proxies, network_of
from web.asgi import Asgi, Receive, Scope, Send
from web.bodies import Bodies, has_body
from web.problems import Problem, problem_of, problem_response
from web.turnstile import Turnstile

STREAM_PATH = "/api/v1/vacancies/stream"
WINDOW_SECONDS = 10
# What operators and load balancers ask must be answered above all when there is too much to do.
_NOT_COUNTED = ("/healthz", "/readyz", "/metrics")
# Pages on which homes report, and the way to them.
_REPORTING = ("/report", "/letter", "/sign", "/account", "/people", "/upload", "/desk", "/assets/")


class Door:
    """Wraps the app. `refused` counts what was not let in."""

    def __init__(self, app: Asgi, limiter: Limiter, settings: Settings) -> None:
        self._app = app
        self._limiter = limiter
        self._proxies = settings.proxies
        # Apart: who searches too much can still report.
        most = settings.bounds.requests_per_address
        self._searches = Limit("searches", most, WINDOW_SECONDS)
        self._reports = Limit("reports", most, WINDOW_SECONDS)
        self.turnstile = Turnstile()
        self.bodies = Bodies()
        self._reading: set[asyncio.Task[None]] = set()
        self.refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _NOT_COUNTED:
            await self._app(scope, receive, send)
            return
        try:
            if is_search(scope):
                await self._count(scope, self._searches)
                await self.turnstile.enter()
            else:
                await self._count(scope, self._reports)
        except FreiplatzError as error:
            self.refused += 1
            if scope["path"].startswith("/api/"):
                self._read_away(receive)
                await refuse(problem_of(error), send)
                return
            # As a page, or in the words of a standard: `faults.py` raises it.
            scope = {**scope, "refused": error}
        # A stream finds its connection behind `send`, and reads its body away itself.
        if scope["path"] != STREAM_PATH and has_body(scope):
            await self._with_body(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def answer(message: dict[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        body = self.bodies.begin(receive)
        try:
            await self._app(scope, body.receive, answer)
            if not body.is_over:
                self._read_away(receive)
            if body.gave_way and not has_begun:
                await refuse(problem_of(_gave_way()), send)
        finally:
            self.bodies.end(body)

    def _read_away(self, receive: Receive) -> None:
        """What the client goes on sending: before a queue that is full Hypercorn would wait for
        ever to say that the client has left."""
        reading = asyncio.create_task(_read_away(receive))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)

    async def _count(self, scope: Scope, limit: Limit) -> None:
        """Raises `TooManyRequests`. This machine itself is not counted: its proxy says who asks."""
        address = client_of(scope, self._proxies)
        if address is None or address.is_loopback:
            return
        seconds = await self._limiter.wait_seconds(limit, network_of(address))
        if seconds:
            raise TooManyRequests(
                f"More than {limit.most} requests came from your network within"
                f" {limit.seconds} seconds. Try again in {seconds}.",
                retry_after_seconds=seconds,
            )


async def _read_away(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _gave_way() -> Overloaded:
    return Overloaded("Too many requests are on their way to us. Nothing was changed; try again.")


def is_search(scope: Scope) -> bool:
    """Whether it waits while there are many of its kind. What changes something does not."""
    return scope["method"] in ("GET", "HEAD") and not scope["path"].startswith(_REPORTING)


def client_of(scope: Scope, proxies: Proxies) -> Address | None:
    """Who asks; a loopback address for this machine itself, unless a proxy names a client."""
    peer = (scope.get("client") or ("",))[0]
    forwarded = [
        value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"
    ]
    return proxies.client(peer, forwarded)


async def refuse(problem: Problem, send: Send) -> None:
    """Answer with `problem`, as the API does."""
    body, status, headers = problem_response(problem)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"access-control-allow-origin", b"*"))
    raw.append((b"x-content-type-options", b"nosniff"))
    if status == 405:
        raw.append((b"allow", b"GET, HEAD"))
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
