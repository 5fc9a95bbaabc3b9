"""What the client of the report page is answered, in JSON, and what makes its calls count once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from quart import Response, request

from providers.payloads import Moment
from providers.preconditions import idempotency_key
from providers.report_form import Doubtful
from vacancies.audience import Audience
from vacancies.batch import Settled
from vacancies.command import Outcome
from vacancies.errors import ChangedSince, FreiplatzError, InvalidParameter, OutdatedReport
from vacancies.idempotency import Remembered
from vacancies.listings import public_listing
from vacancies.models import CareHome
from web.pages import current_language
from web.problems import PROBLEM_TYPE, problem_of
from web.report_words import REFUSALS, doubt_words
from web.reporter import Reporter, private
from web.state import state


def taken(settled: Settled, audience: Audience) -> Response:
    """A report that is stored; for the same call again the first answer."""
    return _json(settled.replay or _answer(settled.outcomes, audience))


def client_time() -> datetime | None:
    """What the clock of the client says now (RFC 3339); raises `InvalidParameter`."""
    said = request.headers.get("Client-Time")
    if said is None:
        return None
    try:
        return msgspec.convert(said, Moment)
    except msgspec.ValidationError as error:
        raise InvalidParameter("Client-Time is a time (RFC 3339).", field="Client-Time") from error


def remembered(reporter: Reporter, content: bytes) -> Remembered | None:
    key = idempotency_key()
    if key is None:
        return None
    # Taken now: `render` may run in the writer's task, which has no current app.
    audience = state().audience

    def render(outcomes: Sequence[Outcome]) -> bytes | None:
        is_refused = any(outcome.error for outcome in outcomes)
        return None if is_refused else _answer(outcomes, audience)

    return Remembered(
        caller=f"staff:{reporter.staff_id}",
        # Not the address: the same report may come again by a newer link.
        path=f"POST report {reporter.home.id}",
        key=key,
        body_hash=hashlib.sha256(content).digest(),
        render=render,
    )


def _answer(outcomes: Sequence[Outcome], audience: Audience) -> bytes:
    home = outcomes[-1].home
    assert home is not None
    return msgspec.json.encode(
        {
            "revision": home.revision,
            "told": outcomes[0].home.revision if outcomes[0].home else None,
            "reported_at": home.evaluated_at,
            "watching": audience.watching(public_listing(home)),
            "state": _state_of(home),
        }
    )


def _state_of(home: CareHome) -> dict[str, Any]:
    return {"vacancies": home.vacancies, "said_at": home.last_said_at, "revision": home.revision}


def problem(error: FreiplatzError, current: CareHome | None = None) -> Response:
    """A problem; with what is stored now, where somebody else was quicker."""
    body = msgspec.to_builtins(problem_of(error))
    body["detail"] = in_words(error)
    if current is not None and isinstance(error, (ChangedSince, OutdatedReport)):
        body["current"] = _state_of(current)
    return _json(msgspec.json.encode(body), body["status"], PROBLEM_TYPE)


def in_words(error: FreiplatzError) -> str:
    """For carers, in their language; the API's words where there are none of ours."""
    if isinstance(error, Doubtful):
        language = current_language()
        return " ".join(doubt_words(doubt, error.lines, language) for doubt in error.doubts)
    if error.field == "do":
        return current_language().gettext(
            "This can no longer be undone. Please report the right numbers."
        )
    found = REFUSALS.get(error.code)
    return current_language().gettext(found) if found else error.detail


def _json(body: bytes, status: int = 200, content_type: str = "application/json") -> Response:
    return private(Response(body, status=status, content_type=content_type))
