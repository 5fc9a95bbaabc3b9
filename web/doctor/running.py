"""Looks at the service as it runs: it answers, follows Postgres, and lets entries age."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import msgspec

from vacancies.feed import STEADY_SECONDS
from web.doctor.finding import Finding, bad, good, warning
from web.operations import Readiness

PATIENCE_SECONDS = 10.0
SWEEPER_SECONDS = 120.0


async def look_at_service(url: str) -> AsyncIterator[Finding]:
    """`url` is where it is served, without a slash at the end."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.get(f"{url}/readyz") as answer,
        ):
            found = msgspec.json.decode(await answer.read(), type=Readiness)
    except (aiohttp.ClientError, OSError, TimeoutError, msgspec.MsgspecError) as error:
        yield warning(
            "service",
            f"No Freiplatz answers at {url} ({type(error).__name__}).",
            "Start it (freiplatz serve), or say where it runs: freiplatz doctor --url URL",
        )
        return
    if found.ready:
        yield good("service", f"It answers at {url}, and is ready.")
    else:
        yield bad(
            "service",
            f"It answers at {url}, and is not ready.",
            "See the findings on the database, then the log of the service.",
        )
    lag = found.follower_lag_seconds
    says = f"Its board agreed with Postgres {lag:.1f} s ago."
    if lag < STEADY_SECONDS:
        yield good("follower", says)
    else:
        yield bad("follower", says, "See the log for 'catching up failed'; then start it again.")
    if found.sweeper_lag_seconds is None:
        return
    says = f"The oldest entry that should have aged is {found.sweeper_lag_seconds:.0f} s late."
    if found.sweeper_lag_seconds < SWEEPER_SECONDS:
        yield good("sweeper", says)
    else:
        yield bad("sweeper", says, "See the log for 'sweeping failed'; then start it again.")
