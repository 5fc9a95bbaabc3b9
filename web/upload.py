"""Reporting for many homes with a file: it is looked at first, and then sent as it was looked at.

The file is read where it arrives and never stored. What was read goes to the page and comes back
from there, so it is judged anew: whoever changes it can report what they may report anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from quart import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from providers.imports.errors import UnreadableList
from providers.report_files import read_aside
from providers.report_preview import preview_file
from providers.report_seen import MOST_SEEN_BYTES, encode_seen, send_seen
from providers.staff import Membership, Staff, select_homes_of, select_memberships
from vacancies.actors import Actor
from vacancies.database import borrowed
from vacancies.errors import FreiplatzError, IdempotencyKeyInFlight, InvalidInput
from vacancies.homes import select_homes
from vacancies.models import CareHome
from web.account import is_admin
from web.pages import NO_TRACE, current_language, page
from web.problems import status_of
from web.report_words import REFUSALS
from web.staff import check_form, require_staff
from web.state import state
from web.upload_preview import Change, changes_in, code_words
from web.upload_sample import sample

upload = Blueprint("upload", __name__, url_prefix="/upload")

_FORM_BYTES = 10_000  # all of the form that is not what was looked at


@dataclass(frozen=True, slots=True)
class Uploader:
    """A person, and all open homes that they may report for, each with the membership by which."""

    staff: Staff
    is_admin: bool
    homes: dict[str, CareHome]
    memberships: dict[str, Membership]

    @property
    def actors(self) -> dict[str, Actor]:
        return {home_id: found.actor("page") for home_id, found in self.memberships.items()}

    @property
    def reader(self) -> Actor:
        """For looking at a file: `homes` says what is theirs, others are unknown here."""
        return Actor(staff_id=self.staff.id, via="page")


@upload.get("")
async def show() -> Response:
    """What a file must look like, and where it is chosen."""
    return await _ask(await _uploader())


@upload.get("/sample.csv")
async def sample_file() -> Response:
    """The person's homes as a file that can be filled in, with what they have free now."""
    uploader = await _uploader()
    language = current_language()
    response = Response(
        sample(uploader.homes.values(), language), content_type="text/csv; charset=utf-8"
    )
    name = language.gettext("free-places")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["Cache-Control"] = NO_TRACE
    return response


@upload.post("")
async def look() -> Response:
    """Show what a file would change. Nothing changes by it."""
    await check_form()
    uploader, _ = await _uploader(), current_language().gettext
    chosen = (await request.files).get("file")
    if chosen is None or not chosen.filename:
        return await _ask(uploader, 422, _("Please choose a file first."))
    read = partial(
        preview_file, chosen.read(), uploader.homes, actor=uploader.reader, at=datetime.now(UTC)
    )
    try:
        preview = await read_aside(read)
        seen = encode_seen(preview.seen).decode() if preview.seen else ""
    except UnreadableList as error:
        return await _ask(uploader, 422, _("This file cannot be read."), error.detail)
    changes = changes_in(preview.differences, current_language())
    named = {change.home_id for change in changes}
    return await _page(
        uploader,
        "upload_preview.html",
        changes=changes,
        counts=_counts(changes),
        absent=[home.profile.name for home in uploader.homes.values() if home.id not in named],
        sending=len(preview.seen),
        seen=seen,
    )


def _counts(changes: list[Change]) -> dict[str, int]:
    """How many homes change, stay as they are, look odd, and are refused."""
    taken = [change for change in changes if not change.refusal]
    changing = sum(change.is_change for change in taken)
    return {
        "changing": changing,
        "staying": len(taken) - changing,
        "odd": sum(change.is_odd for change in taken),
        "refused": len(changes) - len(taken),
    }


@upload.post("/send")
async def send() -> Response:
    """Report what was looked at, and say what became of each home."""
    request.max_form_memory_size = MOST_SEEN_BYTES + _FORM_BYTES
    form = await check_form()
    uploader, language = await _uploader(), current_language()
    _ = language.gettext
    try:
        sent = await send_seen(
            state().deployment.writer,
            form.get("seen", "").encode(),
            uploader.actors,
            uploader.staff.id,
        )
    except IdempotencyKeyInFlight as error:
        why = _("This is being reported just now. Please load the page again in a moment.")
        return await _ask(uploader, status_of(error), why)
    except InvalidInput:
        return await _ask(
            uploader, 422, _("The page was not complete. Please choose the file again.")
        )
    except FreiplatzError as error:
        return await _ask(uploader, status_of(error), _(REFUSALS.get(error.code, error.detail)))
    results = [
        {
            "name": uploader.homes[each.home_id].profile.name
            if each.home_id in uploader.homes
            else each.home_id,
            "id": each.home_id,
            "is_mine": each.home_id in uploader.homes,
            "refusal": code_words(each.code, language) if each.code else "",
        }
        for each in sent
    ]
    return await _page(
        uploader,
        "upload_done.html",
        refused=[result for result in results if result["refusal"]],
        reported=[result for result in results if not result["refusal"]],
    )


@upload.errorhandler(RequestEntityTooLarge)
async def _too_large(error: RequestEntityTooLarge) -> Response:
    _ = current_language().gettext
    return await _ask(
        await _uploader(), 413, _("This file is too large. 2 MB are possible. Split it.")
    )


async def _uploader() -> Uploader:
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        all_mine = await select_memberships(connection, found.staff.id)
        ids = [home_id for home_id, _ in await select_homes_of(connection, found.staff.id)]
        stored = {home.id: home for home in await select_homes(connection, ids)}
    # By name, as they are listed everywhere.
    homes = {home_id: stored[home_id] for home_id in ids if home_id in stored}
    ways = {home_id: _way(all_mine, home) for home_id, home in homes.items()}
    memberships = {home_id: way for home_id, way in ways.items() if way is not None}
    return Uploader(
        staff=found.staff,
        is_admin=is_admin(all_mine),
        homes={home_id: homes[home_id] for home_id in memberships},
        memberships=memberships,
    )


def _way(memberships: list[Membership], home: CareHome) -> Membership | None:
    """The membership for this home alone, else that for all homes of its provider."""
    of_provider = {m.home_id: m for m in memberships if m.provider_id == home.provider_id}
    return of_provider.get(home.id) or of_provider.get(None)


async def _ask(uploader: Uploader, status: int = 200, wrong: str = "", why: str = "") -> Response:
    """`why` is what the reader of files says, which is English."""
    return await _page(uploader, "upload.html", status, wrong=wrong, why=why)


async def _page(uploader: Uploader, template: str, status: int = 200, **values: Any) -> Response:
    response = await page(
        template,
        status,
        is_private=True,
        is_admin=uploader.is_admin,
        staff=uploader.staff,
        homes=uploader.homes,
        **values,
    )
    response.headers["X-Robots-Tag"] = "noindex"
    return response
