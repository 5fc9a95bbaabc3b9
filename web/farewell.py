"""The answer to requests that are still under way when the process has waited for them enough."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from vacancies.errors import OutcomeUnknown, Unavailable
from web.asgi import Asgi, Receive, Scope, Send
from web.problems import problem_of, problem_response

_READ = ("GET", "HEAD", "OPTIONS")


class Farewell:
    """Wraps the app. Hypercorn cancels what takes too long at the end, and by itself answers 500,
    from which nobody learns whether a report was stored."""

    def __init__(self, app: Asgi) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = is_over = False

        async def pass_on(message: dict[str, Any]) -> None:
            nonlocal has_begun
            if not is_over:  # Quart goes on with it, in a task of its own
                has_begun = True
                await send(message)

        try:
            await self._app(scope, receive, pass_on)
        except asyncio.CancelledError:
            is_over = True
            if not has_begun:
                # The client may be gone too; then there is nobody to tell.
                with suppress(Exception):
                    await _say(scope["method"], send)
            raise


async def _say(method: str, send: Send) -> None:
    if method in _READ:
        error: Unavailable | OutcomeUnknown = Unavailable("The server is stopping. Try again soon.")
    else:
        error = OutcomeUnknown(
            "The server is stopping, and this was not done in time. Look whether it was stored, or"
            " send it again with the same Idempotency-Key."
        )
    body, status, headers = problem_response(problem_of(error))
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
