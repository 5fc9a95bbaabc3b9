"""The HTTP API through which providers report."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace
from quart import Blueprint, Response, current_app, g, request

from providers.answers import (
    Answer,
    StatusOf,
    feature_answer,
    rows_answer,
    speak_for_key,
)
from providers.auth import ApiKey, KeyRing
from providers.decoding import decode
from providers.limits import Limit, Limiter
from providers.payloads import HomeBody, ReportBody
from providers.preconditions import idempotency_key, if_match, portal_name
from providers.report_rows import read_entries
from vacancies.actors import Actor
from vacancies.command import Command, Outcome
from vacancies.commands import Confirm, Describe, Report
from vacancies.database import borrowed
from vacancies.deployment import Deployment
from vacancies.errors import (
    InvalidInput,
    InvalidParameter,
    TooManyRequests,
    UnknownHome,
)
from vacancies.geocoding import Geocoder
from vacancies.homes import select_homes
from vacancies.idempotency import Remembered
from vacancies.judging import select_standing_of_new
from vacancies.models import Address, CareHome, HomeStatus, Point, Precision, Profile
from vacancies.rehearsal import rehearse_commands

api = Blueprint("providers", __name__, url_prefix="/api/v1")

FILE_TYPES = (
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
KEY_SECONDS = 10
# Clients take ids of dots alone out of a path.
_HOME_ID = re.compile(r"(?!\.+$)[A-Za-z0-9._~-]{1,64}")


@api.after_request
async def speak(response: Response) -> Response:
    """Refusals too: who tries out a key, or uses an old one, learns it from every answer."""
    if (key := g.get("api_key")) is not None:
        await speak_for_key(response, key)
    return response


@api.put("/homes/<home_id>/vacancies")
async def put_vacancies(home_id: str) -> Response:
    """Replace all vacancies of a home."""
    key = await _key()
    _check_known_form(home_id)
    body = decode(await _body(), ReportBody)
    command = Report(
        home_id=home_id,
        vacancies=body.lines(),
        observed_at=body.observed(),
        if_match=if_match(),
        actor=_actor(key),
    )
    return await _submit_one(key, command)


@api.post("/homes/<home_id>/vacancies/confirm")
async def confirm_vacancies(home_id: str) -> Response:
    """Still so: renew the freshness of the last report."""
    key = await _key()
    _check_known_form(home_id)
    command = Confirm(home_id=home_id, if_match=if_match(), actor=_actor(key))
    return await _submit_one(key, command)


@api.put("/homes/<home_id>")
async def put_home(home_id: str) -> Response:
    """Create a home or replace its profile."""
    key = await _key()
    if not _HOME_ID.fullmatch(home_id):
        raise InvalidParameter(
            "An id has 1 to 64 letters, digits and the signs . _ ~ - (not dots alone).",
            field="id",
        )
    body = decode(await _body(), HomeBody)
    command = Describe(
        home_id=home_id,
        provider_id=key.provider_id,
        provider=key.provider,
        profile=await _profile(home_id, body),
        if_match=if_match(),
        only_new=request.headers.get("If-None-Match", "").strip() == "*",
        standing=await select_standing_of_new(_deployment().pool),
        actor=key.actor,
    )
    return await _submit_one(key, command)


@api.post("/reports")
async def post_reports() -> Response:
    """Report for many homes in one call, as JSON, CSV or XLSX; a bad row does not sink the
    rest."""
    key = await _key()
    entries = await read_entries(await _body(), _actor(key), is_file=request.mimetype in FILE_TYPES)
    # Taken now: `render` below may run in the writer's task, which has no current app.
    status_of: StatusOf = current_app.extensions["status_of"]

    def render(outcomes: Sequence[Outcome]) -> Answer:
        return rows_answer(entries, outcomes, status_of)

    commands = [entry.command for entry in entries if entry.command is not None]
    return (await _submit(key, commands, render)).response()


def _actor(key: ApiKey) -> Actor:
    """On whose behalf a report is; it may have been passed on by another portal."""
    portal = portal_name()
    return key.actor if portal is None else replace(key.actor, via="portal", portal=portal)


def _check_known_form(home_id: str) -> None:
    if not _HOME_ID.fullmatch(home_id):
        raise UnknownHome("There is no home with such an id. Check it.")


async def _submit_one(key: ApiKey, command: Command) -> Response:
    def render(outcomes: Sequence[Outcome]) -> Answer | None:
        return feature_answer(command, outcomes[0])

    return (await _submit(key, [command], render)).response()


async def _submit(
    key: ApiKey, commands: Sequence[Command], render: Callable[[Sequence[Outcome]], Answer | None]
) -> Answer:
    """Commit and answer; with an `Idempotency-Key`, the first answer again. For a test key
    nothing is committed."""

    def remember(outcomes: Sequence[Outcome]) -> bytes | None:
        answer = render(outcomes)
        return None if answer is None else msgspec.msgpack.encode(answer)

    remembered = None
    if (name := idempotency_key()) is not None:
        body_hash = hashlib.sha256(await _body()).digest()
        path = f"{request.method} {request.path}"
        remembered = Remembered(f"key:{key.id}", path, name, body_hash, remember)
    deployment = _deployment()
    if key.is_test:
        settled = await rehearse_commands(deployment.pool, commands, remembered=remembered)
    else:
        settled = await deployment.writer.submit(commands, remembered=remembered)
    if settled.replay is not None:
        return msgspec.msgpack.decode(settled.replay, type=Answer)
    answer = render(settled.outcomes)
    if answer is None:
        error = settled.outcomes[0].error
        assert error is not None
        raise error
    return answer


async def _profile(home_id: str, body: HomeBody) -> Profile:
    """The profile that `body` describes. Without coordinates the stored point is kept while
    the address is the same, else the address is looked up."""
    if body.status is HomeStatus.MERGED:
        raise InvalidInput("A home is merged by its municipality, not by PUT.", field="status")
    address = body.address.address() if body.address else Address()
    if body.coordinates is not None:
        point, precision = body.coordinates.point(), Precision.EXACT
    else:
        async with borrowed(_deployment().pool) as connection:
            stored = await select_homes(connection, [home_id])
        point, precision = await _locate(address, stored[0] if stored else None)
    return Profile(
        name=" ".join(body.name.split()),
        point=point,
        precision=precision,
        address=address,
        contact=body.contact.contact(),
        municipality=body.municipality,
        capacity=dict(sorted((form, n) for form, n in body.capacity.items() if n > 0)),
        costs=body.costs.costs(),
        focuses=tuple(sorted(set(body.focuses))),
        needs=tuple(sorted(set(body.needs))),
        languages=tuple(sorted(set(body.languages))),
        ownership=body.ownership,
        quality_url=(body.quality_url or "").strip() or None,
        waiting_list=body.waiting_list,
        admission_stop=body.admission_stop.stop() if body.admission_stop else None,
        status=body.status,
    )


async def _locate(address: Address, stored: CareHome | None) -> tuple[Point, Precision]:
    if stored is not None and stored.profile.address == address:
        return stored.profile.point, stored.profile.precision
    geocoder: Geocoder = current_app.extensions["geocoder"]
    found = geocoder.locate(address)
    if found is None:
        raise InvalidInput(
            "The place of this home is not known. Send coordinates, or a postcode or town"
            " that exists.",
            field="coordinates",
        )
    return Point(found.latitude, found.longitude), found.precision


async def _body() -> bytes:
    body: bytes = await request.get_data(as_text=False)  # type: ignore[assignment]
    return body


async def _key() -> ApiKey:
    keys: KeyRing = current_app.extensions["keys"]
    key = await keys.authenticate(request.headers.get("Authorization"))
    g.api_key = key
    deployment = _deployment()
    most = deployment.settings.bounds.calls_per_key
    limiter: Limiter = current_app.extensions["limiter"]
    wait = await limiter.wait_seconds(Limit("key", most, KEY_SECONDS), str(key.id))
    if wait:
        raise TooManyRequests(
            f"More than {most} calls came with this key within {KEY_SECONDS} seconds. Try again in"
            f" {wait}. POST /api/v1/reports takes many homes in one call.",
            retry_after_seconds=wait,
        )
    return key


def _deployment() -> Deployment:
    deployment: Deployment = current_app.extensions["deployment"]
    return deployment
