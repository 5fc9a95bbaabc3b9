"""The HTTP API through which providers report."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

import msgspec
from quart import Blueprint, Response, current_app, request

from providers.auth import ApiKey, KeyRing
from providers.decoding import decode
from providers.payloads import HomeBody, ReportBody, ReportRow, ReportsBody
from vacancies.commands import ANY_STATE, Command, Confirm, Describe, Outcome, Report
from vacancies.database import borrowed
from vacancies.deployment import Deployment
from vacancies.errors import (
    FreiplatzError,
    InvalidInput,
    InvalidParameter,
    UnknownHome,
)
from vacancies.geocoding import Geocoder
from vacancies.geojson import encode_feature
from vacancies.homes import select_homes
from vacancies.idempotency import Remembered
from vacancies.listings import public_listing
from vacancies.models import Address, CareHome, HomeStatus, Point, Precision, Profile

api = Blueprint("providers", __name__, url_prefix="/api/v1")

GEOJSON_TYPE = "application/geo+json"
# Clients take ids of dots alone out of a path.
_HOME_ID = re.compile(r"(?!\.+$)[A-Za-z0-9._~-]{1,64}")
StatusOf = Callable[[FreiplatzError], int]
_TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*')


class Answer(msgspec.Struct, frozen=True):
    """An answer as it is remembered for an `Idempotency-Key`."""

    status: int
    body: bytes
    headers: dict[str, str]

    def response(self) -> Response:
        return Response(self.body, status=self.status, headers=self.headers)


class RowResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one row: `revision` if it was taken, else `code` and what to do."""

    home_id: str | None
    status: int
    revision: int | None = None
    code: str | None = None
    detail: str | None = None
    field: str | None = None


class ReportsResult(msgspec.Struct, frozen=True, kw_only=True):
    """One result a row, in the order of the rows."""

    results: list[RowResult]


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
        if_match=_if_match(),
        actor=key.actor,
    )
    return await _submit_one(key, command)


@api.post("/homes/<home_id>/vacancies/confirm")
async def confirm_vacancies(home_id: str) -> Response:
    """Still so: renew the freshness of the last report."""
    key = await _key()
    _check_known_form(home_id)
    return await _submit_one(key, Confirm(home_id=home_id, if_match=_if_match(), actor=key.actor))


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
        if_match=_if_match(),
        only_new=request.headers.get("If-None-Match", "").strip() == "*",
        actor=key.actor,
    )
    return await _submit_one(key, command)


@api.post("/reports")
async def post_reports() -> Response:
    """Report for many homes in one call; a bad row does not sink the rest."""
    key = await _key()
    rows = decode(await _body(), ReportsBody).reports
    # Taken now: `render` below may run in the writer's task, which has no current app.
    status_of: StatusOf = current_app.extensions["status_of"]
    commands: list[Command] = []
    faults: dict[int, RowResult] = {}
    for number, raw in enumerate(rows):
        try:
            row = decode(raw, ReportRow)
            commands.append(
                Report(
                    home_id=row.home_id,
                    vacancies=row.lines(),
                    observed_at=row.observed(),
                    actor=key.actor,
                )
            )
        except FreiplatzError as error:
            faults[number] = _fault(_home_id_of(raw), error, status_of, f"reports[{number}]")

    def render(outcomes: Sequence[Outcome]) -> Answer:
        taken = iter(zip(commands, outcomes, strict=True))
        results = [
            faults[number] if number in faults else _row_result(*next(taken), status_of)
            for number in range(len(rows))
        ]
        body = msgspec.json.encode(ReportsResult(results=results))
        return Answer(200, body, {"Content-Type": "application/json"})

    return (await _submit(key, commands, render)).response()


def _check_known_form(home_id: str) -> None:
    if not _HOME_ID.fullmatch(home_id):
        raise UnknownHome("There is no home with such an id. Check it.")


async def _submit_one(key: ApiKey, command: Command) -> Response:
    def render(outcomes: Sequence[Outcome]) -> Answer | None:
        outcome = outcomes[0]
        if outcome.home is None:
            return None
        body = encode_feature(public_listing(outcome.home)).at(None)
        headers = {"Content-Type": GEOJSON_TYPE, "ETag": f'"{outcome.home.revision}"'}
        return Answer(201 if outcome.created else 200, body, headers)

    return (await _submit(key, [command], render)).response()


async def _submit(
    key: ApiKey, commands: Sequence[Command], render: Callable[[Sequence[Outcome]], Answer | None]
) -> Answer:
    """Commit and answer; with an `Idempotency-Key`, the first answer again."""

    def remember(outcomes: Sequence[Outcome]) -> bytes | None:
        answer = render(outcomes)
        return None if answer is None else msgspec.msgpack.encode(answer)

    remembered = None
    if (name := request.headers.get("Idempotency-Key")) is not None:
        if not 1 <= len(name) <= 200 or not name.isprintable():
            raise InvalidParameter(
                "An Idempotency-Key has 1 to 200 printable characters.", field="Idempotency-Key"
            )
        body_hash = hashlib.sha256(await _body()).digest()
        path = f"{request.method} {request.path}"
        remembered = Remembered(f"key:{key.id}", path, name, body_hash, remember)
    settled = await _deployment().writer.submit(commands, remembered=remembered)
    if settled.replay is not None:
        return msgspec.msgpack.decode(settled.replay, type=Answer)
    answer = render(settled.outcomes)
    if answer is None:
        error = settled.outcomes[0].error
        assert error is not None
        raise error
    return answer


def _row_result(command: Command, outcome: Outcome, status_of: StatusOf) -> RowResult:
    if outcome.home is not None:
        return RowResult(home_id=command.home_id, status=200, revision=outcome.home.revision)
    assert outcome.error is not None
    return _fault(command.home_id, outcome.error, status_of)


def _fault(
    home_id: str | None, error: FreiplatzError, status_of: StatusOf, row: str = ""
) -> RowResult:
    field = ".".join(part for part in (row, error.field) if part)
    return RowResult(
        home_id=home_id,
        status=status_of(error),
        code=error.code,
        detail=error.detail,
        field=field or None,
    )


def _home_id_of(raw: msgspec.Raw) -> str | None:
    """The id in a row that is wrong otherwise, to find the row again."""
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    home_id = found.get("home_id") if isinstance(found, dict) else None
    return home_id if isinstance(home_id, str) else None


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
    return await keys.authenticate(request.headers.get("Authorization"))


def _deployment() -> Deployment:
    deployment: Deployment = current_app.extensions["deployment"]
    return deployment


def _if_match() -> frozenset[int] | None:
    """The revisions that `If-Match` names; None if it is absent.

    A tag that is not of ours, or a weak one, matches nothing (RFC 9110, section 13.1.1).
    """
    header = request.headers.get("If-Match")
    if header is None:
        return None
    if header.strip() == "*":
        return ANY_STATE
    revisions = set()
    for part in header.split(","):
        tag = _TAG.fullmatch(part)
        if tag is None:
            raise InvalidParameter(
                'If-Match must hold an ETag in quotes, such as "42".', field="If-Match"
            )
        weak, value = tag.groups()
        if weak is None and re.fullmatch(r"[0-9]{1,18}", value):
            revisions.add(int(value))
    return frozenset(revisions)
