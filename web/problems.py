"""Errors as `application/problem+json` (RFC 9457): the one table from class to status."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from providers.call_feedback import TooMuchFeedback
from providers.imports.errors import UnreadableList
from providers.leaving import LeavesAlready
from providers.letters import LetterExpired, LetterRefused, LetterUsed
from providers.links import LinkExpired, LinkRefused
from providers.offers import SignInRefused
from providers.passkeys import PasskeyRefused
from providers.people import LastAdmin
from providers.report_form import Doubtful
from providers.sessions import FormRefused, NotSignedIn
from providers.signin import TooManyInvitations
from vacancies import errors
from web.alerts.alerts import AlertUnknown, AskedTooOften
from web.standards import refusals
from web.webhooks import endpoints

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2  # where nothing says how long it takes

STATUS: dict[type[errors.FreiplatzError], HTTPStatus] = {
    errors.InvalidParameter: HTTPStatus.BAD_REQUEST,
    errors.InvalidJson: HTTPStatus.BAD_REQUEST,
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnreadableList: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnknownPlace: HTTPStatus.NOT_FOUND,
    errors.AmbiguousPlace: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.GeocoderUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.UnknownHome: HTTPStatus.NOT_FOUND,
    errors.UnknownMunicipality: HTTPStatus.NOT_FOUND,
    errors.HomeClosed: HTTPStatus.CONFLICT,
    errors.HomeGone: HTTPStatus.GONE,
    errors.ForeignHome: HTTPStatus.FORBIDDEN,
    errors.NothingToConfirm: HTTPStatus.CONFLICT,
    errors.OutdatedReport: HTTPStatus.CONFLICT,
    errors.ChangedSince: HTTPStatus.PRECONDITION_FAILED,
    errors.IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.IdempotencyKeyInFlight: HTTPStatus.CONFLICT,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Doubtful: HTTPStatus.UNPROCESSABLE_ENTITY,
    LinkRefused: HTTPStatus.NOT_FOUND,
    LinkExpired: HTTPStatus.GONE,
    LeavesAlready: HTTPStatus.CONFLICT,
    LetterRefused: HTTPStatus.NOT_FOUND,
    LetterExpired: HTTPStatus.GONE,
    LetterUsed: HTTPStatus.GONE,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    FormRefused: HTTPStatus.FORBIDDEN,
    PasskeyRefused: HTTPStatus.FORBIDDEN,
    SignInRefused: HTTPStatus.GONE,
    LastAdmin: HTTPStatus.CONFLICT,
    TooManyInvitations: HTTPStatus.TOO_MANY_REQUESTS,
    TooMuchFeedback: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OutcomeUnknown: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    AlertUnknown: HTTPStatus.NOT_FOUND,
    AskedTooOften: HTTPStatus.TOO_MANY_REQUESTS,
    refusals.NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    refusals.NotSupported: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusals.UnknownResource: HTTPStatus.NOT_FOUND,
    refusals.UnknownTenant: HTTPStatus.NOT_FOUND,
    refusals.WrongMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    refusals.AlreadyExists: HTTPStatus.CONFLICT,
    refusals.TooManySubscriptions: HTTPStatus.FORBIDDEN,
    endpoints.UnknownWebhook: HTTPStatus.NOT_FOUND,
    endpoints.KeyTooNarrow: HTTPStatus.FORBIDDEN,
    endpoints.TooManyWebhooks: HTTPStatus.CONFLICT,
    endpoints.TestedJustNow: HTTPStatus.TOO_MANY_REQUESTS,
}


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong and what to do. `code` is stable; `field` names the input at fault.
    `test` stands in answers to test keys."""

    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
    candidates: list[dict[str, Any]] | None = None
    merged_into: str | None = None
    retry_after_seconds: int | None = None
    test: bool = False


def status_of(error: errors.FreiplatzError) -> HTTPStatus:
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_of(error: errors.FreiplatzError) -> Problem:
    status = status_of(error)
    return Problem(
        title=status.phrase,
        status=status,
        code=error.code,
        detail=error.detail,
        field=error.field,
        candidates=getattr(error, "candidates", None),
        merged_into=getattr(error, "merged_into", None),
        retry_after_seconds=getattr(error, "retry_after_seconds", None),
    )


def problem_response(problem: Problem) -> tuple[bytes, int, dict[str, str]]:
    """Body, status and headers."""
    headers = {"Content-Type": PROBLEM_TYPE, "Cache-Control": "no-store"}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if wait := retry_after(problem):
        headers["Retry-After"] = wait
    return msgspec.json.encode(problem), problem.status, headers


def retry_after(problem: Problem) -> str | None:
    """The header that says when to come again; None where that would be of no use."""
    if problem.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        return str(problem.retry_after_seconds or RETRY_AFTER_SECONDS)
    return None
