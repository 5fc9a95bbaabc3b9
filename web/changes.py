"""What has changed in the HTTP API: one list, shown as JSON and as docs/api-changes.md.

`python -m web.changes > docs/api-changes.md` writes the page anew.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Literal

import msgspec
from quart import Blueprint, Response

changes = Blueprint("changes", __name__)

Kind = Literal["added", "changed", "deprecated", "removed"]


class ApiChange(msgspec.Struct, frozen=True, kw_only=True):
    """`paths` name what it is about. A `deprecated` thing goes on for a year at least."""

    date: date
    kind: Kind
    paths: list[str]
    text: str


class ApiChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    changes: list[ApiChange]


_REPORT = "PUT /api/v1/homes/{home_id}/vacancies"
_CONFIRM = "POST /api/v1/homes/{home_id}/vacancies/confirm"
_HOME = "PUT /api/v1/homes/{home_id}"
_REPORTS = "POST /api/v1/reports"
_WRITING = [_REPORT, _CONFIRM, _HOME, _REPORTS]

# Newest first. Existing clients must be able to ignore what is added.
CHANGES = (
    ApiChange(
        date=date(2026, 11, 27),
        kind="added",
        paths=[*_WRITING, "GET /api/v1/vacancies", "GET /api/v1/vacancies/stream"],
        text="There are limits: 429 `too_many_requests` or `too_many_viewers`, and 503"
        " `overloaded`, both with `Retry-After`. docs/overload.md says how much is too much.",
    ),
    ApiChange(
        date=date(2026, 11, 27),
        kind="added",
        paths=_WRITING,
        text="Where a municipality approves new homes, one that you create has the `standing`"
        " `waiting` and the warning `home_waiting`, later perhaps `refused` and `home_refused`:"
        " what you send is kept, and readers get 404. From which number of places on details are"
        " public is for the municipality to say; 30 unless it does.",
    ),
    ApiChange(
        date=date(2026, 11, 27),
        kind="added",
        paths=[_REPORT, _CONFIRM, _REPORTS],
        text="`Freiplatz-Portal`: the name of a portal that passes reports on. It stands in the"
        " history of the home, and such reports are passed on to no other portal.",
    ),
    ApiChange(
        date=date(2026, 11, 27),
        kind="added",
        paths=[
            "GET /api/v1/vacancies",
            "GET /api/v1/vacancies/stream",
            "GET /api/v1/homes/{origin}/{home_id}",
        ],
        text="Homes of neighbouring services are shown too where an operator follows one. Their ids"
        " hold a slash, and they have `origin`: the neighbour's `name`, its page of the home as"
        " `url`, and `silent_since`. `origin=own` leaves them out of a search.",
    ),
    ApiChange(
        date=date(2026, 11, 27),
        kind="added",
        paths=[
            "GET /api/v1/homes/{home_id}",
            "GET /api/v1/vacancies",
            "GET /api/v1/vacancies/stream",
        ],
        text="`standing` says what the municipality says of a home's reports: `normal`; `frozen`:"
        " they are being checked, and the home is `unknown`, without `observed_at` and"
        " `confirmed_at`; `declined`: it does not report here."
        " Reports of a frozen home get the warning `home_frozen`.",
    ),
    ApiChange(
        date=date(2026, 11, 27),
        kind="changed",
        paths=[_HOME],
        text="`municipality` is what the provider states. Where municipalities take part with their"
        " boundaries, answers and readers have the one in which the home lies.",
    ),
    ApiChange(
        date=date(2026, 11, 26),
        kind="added",
        paths=["GET /api/v1/vacancies/facets"],
        text="How many homes each choice of a search would leave.",
    ),
    ApiChange(
        date=date(2026, 11, 26),
        kind="added",
        paths=["GET /api/v1/places/suggest"],
        text="Places for what somebody has typed so far, in spite of slips of the finger, from"
        " the built-in gazetteer alone.",
    ),
    ApiChange(
        date=date(2026, 11, 26),
        kind="added",
        paths=[_HOME, "GET /api/v1/vacancies"],
        text="Homes have `languages`, `ownership` and `quality_url`; a search takes `language` and"
        " `ownership` (repeatable: or), and `available_until` with `nights` for a stay that ends.",
    ),
    ApiChange(
        date=date(2026, 11, 26),
        kind="added",
        paths=[
            "GET /api/v1/vacancies",
            "GET /api/v1/vacancies/points",
            "GET /api/v1/vacancies/stream",
        ],
        text="`bbox` together with `near` or `place`: the box is the area, distances and order are"
        " from the place. Both were refused before.",
    ),
    ApiChange(
        date=date(2026, 11, 26),
        kind="added",
        paths=["GET /api/v1/places", "GET /api/v1/vacancies"],
        text="Places, and the candidates for a `place` that is ambiguous, say their `land` and a"
        " larger `near_town`. An unknown `place` (404) may have `candidates`: names that are"
        " nearly so.",
    ),
    ApiChange(
        date=date(2026, 11, 25),
        kind="added",
        paths=[_REPORT, _CONFIRM, _REPORTS],
        text="`warnings`: a list of `{code, field, detail}` about what looks like a slip. The"
        " report is taken all the same. The member is absent where there is nothing to ask.",
    ),
    ApiChange(
        date=date(2026, 11, 25),
        kind="added",
        paths=_WRITING,
        text="Test keys (`fpt_…`): each call answers as it would, and changes nothing. The answer"
        " has the header `Freiplatz-Test: true` and the member `test`.",
    ),
    ApiChange(
        date=date(2026, 11, 25),
        kind="added",
        paths=_WRITING,
        text="Keys for one home, keys that end by themselves, and rotation: answers carry `Sunset`"
        " if the key ends, and `Deprecation` if another one is in its place.",
    ),
    ApiChange(
        date=date(2026, 11, 25),
        kind="added",
        paths=[_REPORTS],
        text="Takes files too: `text/csv` and XLSX. The results are one for each home, with the"
        " `rows` of the file that speak of it.",
    ),
    ApiChange(
        date=date(2026, 11, 25),
        kind="added",
        paths=["GET /api/v1/changes"],
        text="This list.",
    ),
    ApiChange(
        date=date(2026, 11, 23),
        kind="added",
        paths=["GET /api/v1/vacancies/points"],
        text="All homes of a search in columns, for maps.",
    ),
    ApiChange(
        date=date(2026, 11, 23),
        kind="added",
        paths=["/api/v1"],
        text="The first version: places, vacancies, the stream, homes and reports.",
    ),
)


@changes.get("/api/v1/changes")
async def api_changes() -> Response:
    """What has changed, for programs and for people who look after them."""
    return Response(
        _encoded(),
        content_type="application/json",
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"},
    )


@cache
def _encoded() -> bytes:
    return msgspec.json.encode(ApiChanges(changes=list(CHANGES)))


def changes_page() -> str:
    """The list as Markdown."""
    lines = [
        "# Changes of the HTTP API",
        "",
        "Newest first; as JSON at `/api/v1/changes`. The interface stays at version 1: members and",
        "headers are added, so ignore those that you do not know. What is to go is marked as",
        "deprecated for a year before it does.",
        "",
        "| date | | where | what |",
        "|---|---|---|---|",
    ]
    for change in CHANGES:
        where = "<br>".join(f"`{path}`" for path in change.paths)
        lines.append(f"| {change.date} | {change.kind} | {where} | {change.text} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(changes_page(), end="")
