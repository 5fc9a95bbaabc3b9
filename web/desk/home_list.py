"""Taking over a list of homes: it is sent, looked at, and then taken as it was looked at."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from msgspec.structs import replace
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound, RequestEntityTooLarge

from providers.desks import insert_act
from providers.home_lists import HomeList, delete_list, insert_list, select_list
from providers.imports.errors import InvalidMapping, MappingNeeded, UnreadableList
from providers.imports.files import read_table
from providers.imports.intake import Intake
from providers.imports.mapping import Mapping, complete_mapping
from providers.imports.report import ImportReport
from providers.imports.tables import Table
from providers.report_files import read_aside
from web.desk.access import AtDesk, require_desk
from web.desk.area import own_area
from web.desk.pages import desk_page
from web.open_form import visible_text
from web.pages import current_language, link
from web.staff import check_form, redirect_to
from web.state import state
from web.words import N_

home_list = Blueprint("desk_home_list", __name__)

# What can be told by hand where it was not recognised; the other columns are recognised or left.
FIELDS = {
    "name": N_("Name of the home"),
    "street": N_("Street and number"),
    "postcode": N_("Postcode"),
    "city": N_("Town"),
    "provider": N_("Provider"),
    "phone": N_("Telephone"),
    "email": N_("E-mail address"),
    "capacity.long_term": N_("Licensed places in long-term care"),
    "capacity.short_term": N_("Licensed places in short-term care"),
    "capacity.day": N_("Licensed places in day care"),
}
REASONS = {
    "place": N_("It lies outside of the municipality."),
    "postcode": N_("Postcode and town are not known."),
    "name": N_("The name is missing, or stands there twice."),
}
_SHOWN = 200


@home_list.get("/desk/<key>/list")
async def show(key: str) -> Response:
    """Where a list is chosen."""
    return await _ask(await require_desk(key))


@home_list.post("/desk/<key>/list")
async def send(key: str) -> Response:
    """Keep the list for a day, and go on to what it would change."""
    await check_form()
    at = await require_desk(key)
    _ = current_language().gettext
    chosen = (await request.files).get("file")
    if chosen is None or not chosen.filename:
        return await _ask(at, 422, _("Please choose a file first."))
    content = chosen.read()
    try:
        await read_aside(partial(read_table, content))
    except UnreadableList as error:
        return await _ask(at, 422, _("This file cannot be read."), error.detail)
    async with at.writing() as connection:
        number = await insert_list(
            connection, at.desk, visible_text(chosen.filename)[:200], content
        )
    return redirect_to(link(f"/desk/{key}/list/{number}"))


@home_list.get("/desk/<key>/list/<uuid:number>")
async def look(key: str, number: UUID) -> Response:
    """What the list would change. Nothing changes by it."""
    at = await require_desk(key)
    found = await _found(at, number)
    table = await read_aside(partial(read_table, found.content))
    given = _given(request.args)
    provider = visible_text(request.args.get("provider", "")) or at.desk.name
    report = None
    try:
        report = await _take(at, table, given, provider, dry_run=True)
        recognised = complete_mapping(table, given)
    except (MappingNeeded, InvalidMapping):
        recognised = given
    return await desk_page(
        "desk_list_preview.html",
        at,
        list=found,
        report=report,
        provider=provider,
        headers=table.columns,
        fields=[(field, label, recognised.of(field)) for field, label in FIELDS.items()],
        refused=_refused(report) if report else [],
        query=MultiDict(request.args.items(multi=True)),
    )


@home_list.post("/desk/<key>/list/<uuid:number>")
async def take(key: str, number: UUID) -> Response:
    """Take the list over. A second press finds it gone, and says so."""
    form = await check_form()
    at = await require_desk(key)
    found = await _found(at, number)
    table = await read_aside(partial(read_table, found.content))
    provider = visible_text(form.get("provider", "")) or at.desk.name
    try:
        report = await _take(at, table, _given(form), provider, dry_run=False)
    except (MappingNeeded, InvalidMapping):
        return redirect_to(link(f"/desk/{key}/list/{number}"))
    async with at.writing() as connection:
        await delete_list(connection, number)
        await insert_act(
            connection,
            at.desk,
            "list_taken",
            file=found.file_name,
            taken=report.taken,
            changed=report.changed,
        )
    return await desk_page(
        "desk_list_done.html", at, list=found, report=report, refused=_refused(report)
    )


@home_list.post("/desk/<key>/list/<uuid:number>/discard")
async def discard(key: str, number: UUID) -> Response:
    await check_form()
    at = await require_desk(key)
    async with at.writing() as connection:
        await delete_list(connection, number)
    return redirect_to(link(f"/desk/{key}/list"))


@home_list.errorhandler(RequestEntityTooLarge)
async def _too_large(error: RequestEntityTooLarge) -> Response:
    _ = current_language().gettext
    at = await require_desk((request.view_args or {})["key"])
    return await _ask(at, 413, _("This file is too large: 2 MB are possible here."))


async def _found(at: AtDesk, number: UUID) -> HomeList:
    async with at.reading() as connection:
        found = await select_list(connection, number)
    if found is None:
        raise NotFound
    return found


def _given(args: MultiDict[str, str]) -> Mapping:
    """What was told by hand: columns by field; an empty choice leaves the field out."""
    columns = {field: args[field] for field in FIELDS if field in args}
    return Mapping(columns=dict(columns))


async def _take(
    at: AtDesk, table: Table, given: Mapping, provider: str, *, dry_run: bool
) -> ImportReport:
    deployment = state().deployment
    intake = Intake(
        deployment.pool,
        None if dry_run else deployment.writer,
        provider=provider[:200],
        mapping=given,
        actor=replace(at.actor, via="import"),
        lies_within=await own_area(at),
        own_name=at.desk.name,
    )
    return await intake.take(table)


def _refused(report: ImportReport) -> list[tuple[int, str, str]]:
    """Row, why in words, and what the reader of lists says (English) where that says more."""
    _ = current_language().gettext
    return [
        (each.row, _(REASONS[each.field]) if each.field in REASONS else "", each.reason)
        for each in report.refused[:_SHOWN]
    ]


async def _ask(at: AtDesk, status: int = 200, wrong: str = "", why: str = "") -> Response:
    """`why` is what the reader of files says, which is English."""
    return await desk_page("desk_list.html", at, status, wrong=wrong, why=why)
