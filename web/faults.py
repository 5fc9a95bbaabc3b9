"""How errors look: problems for programs, pages for people, and what the log says."""

from __future__ import annotations

import traceback

import asyncpg
import structlog
from quart import Response, request
from werkzeug.exceptions import HTTPException

from vacancies.database import is_connection_error
from vacancies.errors import FreiplatzError, InvalidParameter, Unavailable
from web.measuring import count_error
from web.pages import error_page
from web.problems import Problem, problem_of, problem_response, retry_after
from web.standards.errors import error_in_standard
from web.state import state

log = structlog.get_logger()

# What Postgres says of NUL, in a text and in JSON, whether it was looked up or was to be stored.
# Every text that comes in can hold it, so it is answered here, and not wherever one comes in.
_NO_TEXT = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)


async def raise_refusal() -> None:
    """What the door has not let in is told like any other error, in a page or in a standard."""
    refused: FreiplatzError | None = request.scope.get("refused")  # type: ignore[assignment]
    if refused is not None:
        raise refused


async def handle_error(error: Exception) -> Response:
    """Problems for the API, pages for people."""
    if isinstance(error, FreiplatzError):
        problem = problem_of(error)
    elif isinstance(error, HTTPException):
        problem = _http_problem(error)
    elif isinstance(error, _NO_TEXT):
        problem = problem_of(InvalidParameter("There is a character in it that no text has."))
    elif is_connection_error(error):
        log.warning("the database does not answer", route=_route(), error=type(error).__name__)
        problem = problem_of(Unavailable("The database does not answer. Try again soon."))
    else:
        where = "".join(traceback.format_tb(error.__traceback__)[-5:])
        log.error("unexpected error", route=_route(), error=type(error).__name__, where=where)
        problem = Problem(
            title="Internal Server Error",
            status=500,
            code="internal_error",
            detail="Something went wrong on our side. Nothing was changed; try again.",
        )
    count_error(state().figures, problem.code)
    response = error_in_standard(request.path, problem)
    if response is None and (request.path.startswith("/api/") or not _is_for_a_person()):
        body, status, headers = problem_response(problem)
        response = Response(body, status=status, headers=headers)
    if response is not None:
        if isinstance(error, HTTPException) and problem.status == 405:
            allow = dict(error.get_headers()).get("Allow")
            if allow:
                response.headers["Allow"] = allow
        return response
    page = await error_page(problem.status)
    if wait := retry_after(problem):
        page.headers["Retry-After"] = wait
    return page


def _route() -> str:
    """The pattern of the address, for logs: the address of a one-tap link is a secret."""
    return str(request.url_rule)


def _is_for_a_person() -> bool:
    """Whether a browser shows the answer as a page: forms ask for one by name."""
    return request.method in ("GET", "HEAD") or "text/html" in request.headers.get("Accept", "")


def _http_problem(error: HTTPException) -> Problem:
    """Errors that Quart raises by itself: no such path, method, or too large a body."""
    status = error.code or 500
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 408: "timeout"}
    return Problem(
        title=error.name,
        status=status,
        code=codes.get(status, "bad_request" if status < 500 else "internal_error"),
        detail=f"{error.description} See /api/v1/docs.",
    )
