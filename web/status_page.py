"""`/status`: does the service work, since when, and how current is what it shows; for everybody.

In plain words, and nothing of how it is built: that would only help whoever wants to break it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from quart import Blueprint, Response

from vacancies.feed import STEADY_SECONDS
from web.operations import write_figures
from web.pages import page
from web.state import state

status_page = Blueprint("status", __name__)

SILENT = timedelta(minutes=10)


@status_page.get("/status")
async def status() -> Response:
    """Answers 200 in any case: the page itself works."""
    here = state()
    found = here.status
    await found.renew(here.board, here.deployment.pool)
    now = datetime.now(UTC)
    lag = here.follower.lag_seconds()
    write_figures(here)
    works = lag < STEADY_SECONDS
    since = here.figures.totals().steady_since if works else now.timestamp() - lag
    return await page(
        "status.html",
        works=works,
        since=datetime.fromtimestamp(since, UTC),
        now=now,
        currency=found.currency,
        neighbours=found.neighbours,
        silent_before=now - SILENT,
    )
