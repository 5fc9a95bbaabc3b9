"""The pages of planning at the desk of a municipality, and their files."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from vacancies.errors import InvalidParameter
from vacancies.planning import Head, select_head, select_raw
from web.desk.access import AtDesk, require_desk
from web.desk.pages import desk_page
from web.language import Language
from web.pages import NO_TRACE, current_language, link
from web.planning.asked import Asked, choices, read_asked
from web.planning.comparisons import comparisons, place_name
from web.planning.course import over_time
from web.planning.files import CSV_TYPE, XLSX_TYPE, history, spreadsheet
from web.planning.period import quarter_of
from web.planning.reading import Found, read, select_towns
from web.planning.section import Section

planning = Blueprint("planning", __name__, url_prefix="/desk/<key>")


@planning.get("/planning")
async def show(key: str) -> Response:
    """A time, for which homes, and what the history says of it."""
    at = await require_desk(key)
    async with at.reading() as connection:
        head = await select_head(connection)
        if head is None:
            return await desk_page("desk_planning.html", at, head=None)
        asked = read_asked(request.args, at.key, head)
        found = await read(connection, at.key, asked.part, head)
    language = current_language()
    return await desk_page(
        "desk_planning.html",
        at,
        head=head,
        sections=_sections(asked, found, language),
        choices=choices(asked, found, at.key, language),
        notes=_notes(head, language),
        files={kind: _address(at, f"planning.{kind}", asked.given) for kind in ("csv", "xlsx")},
        print_address=_print_address(at, asked, head),
    )


@planning.get("/planning/<quarter>")
async def show_quarter(key: str, quarter: str) -> Response:
    """A quarter on paper: charts by days, tables by months, nothing to press."""
    at = await require_desk(key)
    async with at.reading() as connection:
        head = await select_head(connection)
        if head is None or not quarter_of(head.since) <= quarter <= quarter_of(head.until):
            raise NotFound
        try:
            asked = read_asked({**request.args, "period": quarter}, at.key, head)
        except InvalidParameter as error:
            if error.field == "period":
                raise NotFound from None
            raise
        if asked.part.step != "day":
            raise NotFound  # a year
        found = await read(connection, at.key, asked.part, head)
        by_months = await read(connection, at.key, replace(asked.part, step="month"), head)
    language = current_language()
    months = over_time(by_months, asked.period.by_months, language)
    course = over_time(found, asked.period, language)
    return await desk_page(
        "desk_planning_quarter.html",
        at,
        sections=[
            *(replace(each, table=month.table) for each, month in zip(course, months, strict=True)),
            *comparisons(found, language),
        ],
        about=_about(at, asked, found, language),
        notes=_notes(head, language),
        back=_address(at, "planning", {**asked.given, "period": quarter}),
    )


@planning.get("/planning.csv")
async def as_csv(key: str) -> Response:
    """The counted history behind the page."""
    at = await require_desk(key)
    async with at.reading() as connection:
        head = await _head(await select_head(connection))
        asked = read_asked(request.args, at.key, head)
        rows = await select_raw(connection, asked.part)
        names = await select_towns(connection)
    body = await asyncio.to_thread(history, rows, names, current_language())
    return _file(at, asked, body, CSV_TYPE, "csv")


@planning.get("/planning.xlsx")
async def as_spreadsheet(key: str) -> Response:
    """The tables of the page."""
    at = await require_desk(key)
    async with at.reading() as connection:
        head = await _head(await select_head(connection))
        asked = read_asked(request.args, at.key, head)
        found = await read(connection, at.key, asked.part, head)
    language = current_language()
    about = _about(at, asked, found, language)
    about += [("", note) for note in _notes(head, language)]
    sections = _sections(asked, found, language)
    about += [(section.title, section.note) for section in sections if section.note]
    body = await asyncio.to_thread(spreadsheet, about, sections)
    return _file(at, asked, body, XLSX_TYPE, "xlsx")


async def _head(head: Head | None) -> Head:
    if head is None:
        raise NotFound
    return head


def _sections(asked: Asked, found: Found, language: Language) -> list[Section]:
    return [*over_time(found, asked.period, language), *comparisons(found, language)]


def _about(at: AtDesk, asked: Asked, found: Found, language: Language) -> list[tuple[str, str]]:
    """What a file or a sheet of paper is about, in words."""
    _ = language.gettext
    chosen = choices(asked, found, at.key, language)
    form, size = (
        next(choice.label for choice in chosen[name] if choice.is_chosen)
        for name in ("care_form", "size")
    )
    place = at.desk.name
    if asked.part.municipality != at.key:
        place = place_name(asked.part.municipality, found.names, language)
    return [
        (_("Municipality"), place),
        (_("Time"), asked.period.label(language)),
        (_("Care form"), form),
        (_("Size of the home"), size),
    ]


def _notes(head: Head, language: Language) -> list[str]:
    """How far all of this can be trusted."""
    _ = language.gettext

    def day(of: Any) -> str:
        return language.day(of, head.until)

    notes = [
        _("Counted from %(since)s to %(until)s.", since=day(head.since), until=day(head.until))
    ]
    if head.due:
        notes.append(
            language.ngettext(
                "%(num)s day of these is not counted yet.",
                "%(num)s days of these are not counted yet.",
                head.due,
            )
        )
    if head.since < head.recorded_from:
        notes.append(
            _(
                "Licensed places, size and municipality of the homes are recorded since %(day)s."
                " For days before, those of that day stand in.",
                day=day(head.recorded_from),
            )
        )
    return notes


def _address(at: AtDesk, page: str, given: dict[str, str]) -> str:
    return link(f"/desk/{at.key}/{page}", MultiDict(given))


def _print_address(at: AtDesk, asked: Asked, head: Head) -> str:
    """Of the quarter that is shown, else of the newest."""
    quarter = asked.period.code if asked.part.step == "day" else quarter_of(head.until)
    others = {name: text for name, text in asked.given.items() if name != "period"}
    return _address(at, f"planning/{quarter}", others)


def _file(at: AtDesk, asked: Asked, body: bytes, kind: str, ending: str) -> Response:
    name = f"freiplatz-{asked.part.municipality}-{asked.period.code}.{ending}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": NO_TRACE,
    }
    return Response(body, content_type=kind, headers=headers)
