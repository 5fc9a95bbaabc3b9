"""Answers are counted, and reports are timed, for `/metrics` and for traces."""

from __future__ import annotations

import time
from contextlib import nullcontext

from quart import Quart, Response, g, request

from vacancies import tracing
from web.figures import Figures
from web.metrics import ANSWERS, ERRORS, REPORT

# Blueprints in which whatever is sent is a report, or something else that homes say.
REPORTING = frozenset({"providers", "report", "report_home", "upload", "desk_phone_report"})


def init_measuring(app: Quart, figures: Figures) -> None:
    """Have `app` count. Live streams are not among its answers; they are counted as viewers."""
    # So that they are there before the first: Prometheus sees no increase from nothing to one.
    for status in range(2, 6):
        figures.count(f"{ANSWERS} {status}xx", 0)
    count_error(figures, "internal_error", 0)

    @app.before_request
    async def begin() -> None:
        g.began_at = time.monotonic()
        g.span = tracing.span("push") if _is_report() else nullcontext()
        g.span.__enter__()

    @app.after_request
    async def end(response: Response) -> Response:
        figures.count(f"{ANSWERS} {response.status_code // 100}xx")
        if "span" in g:
            g.span.__exit__(None, None, None)
            if _is_report() and response.status_code < 400:
                figures.observe(REPORT, time.monotonic() - g.began_at)
        return response


def _is_report() -> bool:
    return request.blueprint in REPORTING and request.method not in ("GET", "HEAD")


def count_error(figures: Figures, code: str, times: int = 1) -> None:
    """`code` is that of a problem: one of a few dozen words of ours."""
    figures.count(f"{ERRORS} {code}", times)
