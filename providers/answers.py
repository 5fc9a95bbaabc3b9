"""What a provider is answered: listings, results of rows, and what its key has to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from email.utils import format_datetime

import msgspec
from msgspec.structs import replace
from quart import Response

from providers.auth import ApiKey
from providers.plausibility import Doubt, warnings_for
from providers.report_files import FileReport
from vacancies.actors import Actor
from vacancies.command import Command, Outcome
from vacancies.commands import Confirm, Report
from vacancies.errors import FreiplatzError
from vacancies.geojson import encode_feature
from vacancies.listings import own_listing
from vacancies.models import HIDDEN, Standing

GEOJSON_TYPE = "application/geo+json"
TEST_HEADER = "Freiplatz-Test"
# No slip: but whoever sends what nobody sees must hear of it.
_UNSEEN = {
    Standing.FROZEN: Doubt(
        code="home_frozen",
        field="home_id",
        detail="The municipality has frozen the reports of this home: this one is kept, and not"
        " shown. Please call the municipality.",
    ),
    Standing.WAITING: Doubt(
        code="home_waiting",
        field="home_id",
        detail="The municipality approves new homes before they are shown. What you send is kept,"
        " and shown as soon as it has. Nothing is to be sent again.",
    ),
    Standing.REFUSED: Doubt(
        code="home_refused",
        field="home_id",
        detail="The municipality has not approved this home: what you send is kept, and not shown."
        " Please call the municipality.",
    ),
}
StatusOf = Callable[[FreiplatzError], int]


class Answer(msgspec.Struct, frozen=True):
    """An answer as it is remembered for an `Idempotency-Key`."""

    status: int
    body: bytes
    headers: dict[str, str]

    def response(self) -> Response:
        return Response(self.body, status=self.status, headers=self.headers)


class RowResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one row: `revision` if it was taken, else `code` and what to do.

    Of a file, there is one for each home: `rows` are the lines of the file that speak of it,
    counted as a spreadsheet does (the header is 1).
    """

    home_id: str | None
    status: int
    revision: int | None = None
    code: str | None = None
    detail: str | None = None
    field: str | None = None
    warnings: tuple[Doubt, ...] = ()
    rows: tuple[int, ...] = ()


class ReportsResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One result a row, in the order of the rows. `test`: nothing was changed."""

    results: list[RowResult]
    test: bool = False


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a call for many homes: a `command`, or the `fault` that it has. `place` says
    where in the call it stands."""

    home_id: str | None
    place: str = ""
    command: Report | None = None
    fault: FreiplatzError | None = None
    rows: tuple[int, ...] = ()


def entry_of(report: FileReport, actor: Actor) -> Entry:
    """A home's lines in a file as an entry."""
    if report.fault is not None:
        return Entry(home_id=report.home_id, fault=report.fault, rows=report.rows)
    return Entry(home_id=report.home_id, command=report.command(actor), rows=report.rows)


def feature_answer(command: Command, outcome: Outcome) -> Answer | None:
    """The listing that the home has now, also if nobody else sees it yet; None for a refusal.

    Doubts stand in a foreign member of the Feature (RFC 7946, section 6.1), which is left out
    where there are none.
    """
    home = outcome.home
    if home is None:
        return None
    body = encode_feature(own_listing(home)).at(None)
    if doubts := _doubts(command, outcome):
        body = body[:-1] + b',"warnings":' + msgspec.json.encode(doubts) + b"}"
    headers = {"Content-Type": GEOJSON_TYPE, "ETag": f'"{home.revision}"'}
    return Answer(201 if outcome.created else 200, body, headers)


def rows_answer(
    entries: Sequence[Entry], outcomes: Sequence[Outcome], status_of: StatusOf
) -> Answer:
    """A result for each of `entries`; `outcomes` are those of their commands, in order."""
    taken = iter(outcomes)
    results = [
        _result(entry, None if entry.command is None else next(taken), status_of)
        for entry in entries
    ]
    body = msgspec.json.encode(ReportsResult(results=results))
    return Answer(200, body, {"Content-Type": "application/json"})


def _result(entry: Entry, outcome: Outcome | None, status_of: StatusOf) -> RowResult:
    if outcome is not None and outcome.home is not None:
        assert entry.command is not None
        return RowResult(
            home_id=entry.home_id,
            status=200,
            revision=outcome.home.revision,
            warnings=tuple(
                replace(doubt, field=_path(entry.place, doubt.field))
                for doubt in _doubts(entry.command, outcome)
            ),
            rows=entry.rows,
        )
    error = entry.fault if outcome is None else outcome.error
    assert error is not None
    return RowResult(
        home_id=entry.home_id,
        status=status_of(error),
        code=error.code,
        detail=error.detail,
        # What the writer refuses has always been named without its row.
        field=error.field if outcome is not None else _path(entry.place, error.field) or None,
        rows=entry.rows,
    )


def _path(place: str, field: str | None) -> str:
    return ".".join(part for part in (place, field) if part)


def _doubts(command: Command, outcome: Outcome) -> tuple[Doubt, ...]:
    """Of a report, or of "still so": an amendment of the home says nothing of its places. That
    nobody sees the home is said of all."""
    before, home = outcome.before, outcome.home
    if home is None:
        return ()
    unseen = (_UNSEEN[home.standing],) if home.standing in _UNSEEN else ()
    if before is None or not isinstance(command, (Report, Confirm)):
        return unseen if home.standing in HIDDEN else ()
    return (*warnings_for(before, home.vacancies, home.evaluated_at), *unseen)


async def speak_for_key(response: Response, key: ApiKey) -> None:
    """Say in `response` what the owner of `key` must know, whatever was asked and became of it.

    A key that ends says when (`Sunset`, RFC 8594), one that was replaced since when
    (`Deprecation`, RFC 9745); both speak of the key, not of the address. With a test key a
    header and the member `test` say that nothing was changed.
    """
    if key.expires_at is not None:
        response.headers["Sunset"] = format_datetime(key.expires_at, usegmt=True)
    if key.replaced_at is not None:
        response.headers["Deprecation"] = f"@{int(key.replaced_at.timestamp())}"
    if key.is_test:
        response.headers[TEST_HEADER] = "true"
        body = await response.get_data(as_text=False)
        if body[:1] == b"{":
            response.set_data(b'{"test":true,' + body[1:])
