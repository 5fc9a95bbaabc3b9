"""Feedback after a phone call: one tap on a home's page or on the shortlist.

These forms are for everybody: no cookie and no session stand behind them, so there is no token to
check either. They must come from a page of ours (`Origin`), or a foreign page could let its readers
talk a competitor down; and everything that is said is limited (`providers/call_feedback.py`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import cast, get_args
from urllib.parse import quote
from uuid import UUID

from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from providers.call_feedback import (
    UNDO_SECONDS,
    Feedback,
    Kind,
    TooMuchFeedback,
    delete_feedback,
    has_reported_since,
    record_feedback,
    select_feedback,
)
from providers.limits import Limit
from providers.reminder_post import choose_recipients
from providers.staff import select_members_of
from vacancies.database import borrowed
from vacancies.errors import HomeGone, InvalidInput, UnknownHome
from vacancies.models import CareForm, HomeStatus
from web.origin import client_network, require_our_page
from web.pages import current_language, link, message_page, page
from web.staff import open_to_programs, redirect_to
from web.state import state

feedback = Blueprint("feedback", __name__)

# Beside the limits in Postgres, which are by the day: a flood does not reach the database.
TAPPING = Limit("feedback", most=30, seconds=600)
_BACK = re.compile(r"/(homes/|shortlist\?)[\x21-\x5b\x5d-\x7e]{1,4000}")
_REVISION = re.compile(r"[0-9]{1,18}")


@feedback.post("/homes/<home_id>/feedback")
@open_to_programs
async def send(home_id: str) -> Response:
    """Store what the caller found out, and go on to the page that says what happens next."""
    require_our_page()
    form = await request.form
    kind = form.get("kind", "")
    if kind not in get_args(Kind):
        raise InvalidInput("Choose one of the three answers.", field="kind")
    _check_open(home_id)
    here = state()
    network = client_network()
    if not await here.limiter.allows(TAPPING, network):
        return await _too_often(home_id)
    try:
        async with borrowed(here.deployment.pool) as connection:
            said = await record_feedback(
                connection,
                home_id,
                cast("Kind", kind),
                care_form=_care_form(form.get("care_form", "")),
                revision=_revision(form.get("revision", "")),
                network=network,
            )
    except TooMuchFeedback:
        return await _too_often(home_id)
    back = form.get("back", "")
    args = MultiDict([("back", back)] if _BACK.fullmatch(back) else [])
    return redirect_to(link(f"/feedback/{said.id}", args))


@feedback.get("/feedback/<feedback_id>")
async def answer(feedback_id: str) -> Response:
    """What becomes of it, and for a minute the way to take it back."""
    said = await _find(feedback_id)
    if said is None:
        return await _nothing_there()
    listing = state().board.get(said.home_id)
    seconds = UNDO_SECONDS - int((datetime.now(UTC) - said.at).total_seconds())
    response = await page(
        "feedback.html",
        said=said,
        name=listing.profile.name if listing else "",
        will_ask=said.kind == "taken" and await _can_be_asked(said),
        has_reported=await has_reported_since(state().deployment.pool, said.home_id, said.revision),
        can_undo=seconds > 0 and said.outcome is None,
        back=_back(said.home_id),
    )
    return _unlisted(response)


@feedback.post("/feedback/<feedback_id>/undo")
@open_to_programs
async def undo(feedback_id: str) -> Response:
    """Delete the row, if no mail has gone out. Whoever knows its random number may."""
    require_our_page()
    _ = current_language().gettext
    said = await _find(feedback_id)
    if said is None:
        return await _nothing_there()
    way_back = (_("Back"), _back(said.home_id))
    if await delete_feedback(state().deployment.pool, said.id):
        title, text = _("Taken back"), _("Nothing of it is kept.")
        return _unlisted(await message_page(200, title, text, [way_back]))
    title, text = _("It is too late to take it back"), _("It only counts. It changes no listing.")
    return _unlisted(await message_page(409, title, text, [way_back]))


def _check_open(home_id: str) -> None:
    listing = state().board.get(home_id)
    if listing is None:
        raise UnknownHome("There is no such home.")
    if listing.profile.status is not HomeStatus.OPEN:
        raise HomeGone("This home is closed.")


def _care_form(text: str) -> CareForm | None:
    if not text:
        return None
    try:
        return CareForm(text)
    except ValueError:
        raise InvalidInput("There is no such care form.", field="care_form") from None


def _revision(text: str) -> int:
    """The state that the caller had before them. None is newer than what is known here."""
    if not _REVISION.fullmatch(text):
        raise InvalidInput("Load the page again.", field="revision")
    return min(int(text), state().board.revision)


async def _find(feedback_id: str) -> Feedback | None:
    try:
        known = UUID(feedback_id)
    except ValueError:
        return None
    return await select_feedback(state().deployment.pool, known)


async def _can_be_asked(said: Feedback) -> bool:
    async with borrowed(state().deployment.pool) as connection:
        members = await select_members_of(connection, [said.home_id])
    return bool(choose_recipients("staff", members[said.home_id]))


def _back(home_id: str) -> str:
    """Where the tap was made."""
    wanted = request.args.get("back", "")
    return wanted if _BACK.fullmatch(wanted) else link(f"/homes/{quote(home_id)}")


def _unlisted(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


async def _too_often(home_id: str) -> Response:
    _ = current_language().gettext
    title = _("That was a lot of feedback today")
    text = _("Nothing was stored. You can go on calling, of course.")
    return await message_page(429, title, text, [(_("Back"), link(f"/homes/{quote(home_id)}"))])


async def _nothing_there() -> Response:
    _ = current_language().gettext
    title, text = _("There is no such feedback"), _("It was taken back, or is long past.")
    return await message_page(404, title, text, [(_("To the search"), link("/"))])
