"""Inviting homes: who is asked to report, by mail or by a printed letter, and what came of it."""

from __future__ import annotations

from datetime import UTC, datetime

from quart import Blueprint, Response, current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden, NotFound

from providers.desks import insert_act
from providers.home_invitations import (
    Asked,
    Candidate,
    Failure,
    insert_invitations,
    select_asked,
    select_candidates,
    select_newest,
    select_own_invitation,
    select_progress,
    withdraw_home_invitation,
)
from providers.staff import delete_membership
from vacancies.database import borrowed
from web.desk.access import AtDesk, require_desk
from web.desk.inviter import Inviter
from web.desk.pages import desk_page
from web.numbers import whole_number
from web.origin import sign_in_origin
from web.pages import link
from web.staff import check_form, redirect_to
from web.state import state
from web.words import N_

invitations = Blueprint("desk_invitations", __name__)

# Why an invitation was not sent, and what to do.
FAILURES: dict[Failure, str] = {
    "address": N_("That is no e-mail address. Correct it, or print a letter."),
    "often": N_("Enough mail for today went there. Invite again tomorrow, or print a letter."),
    "refused": N_("The mail server refused the address. Correct it, or print a letter."),
    "away": N_("The mail server did not answer for an hour. Invite again."),
    "void": N_("The home is closed, or who invited works here no more. Invite again."),
}


@invitations.get("/desk/<key>/invitations")
async def show(key: str) -> Response:
    at = await require_desk(key)
    async with at.reading() as connection:
        seen, seen_letters = await select_newest(connection)
        homes = await select_candidates(connection, at.desk)
        asked = await select_asked(connection, at.desk)
        progress = await select_progress(connection)
    return await desk_page(
        "desk_invitations.html",
        at,
        homes=homes,
        failed=[home for home in homes if home.failure],
        fresh=[home for home in homes if home.email and is_fresh(home)],
        unreachable=[home for home in homes if not home.email],
        open_ones=[each for each in asked if each.membership_id is None],
        people=[each for each in asked if each.membership_id is not None],
        progress=progress,
        failures=FAILURES,
        now=datetime.now(UTC),
        seen=seen,
        seen_letters=seen_letters,
        can_invite=sign_in_origin() is not None,
        asked=whole_number(request.args.get("asked", "")) or 0,
        left=whole_number(request.args.get("left", "")) or 0,
    )


def is_fresh(home: Candidate) -> bool:
    """Whether nobody has asked the home yet, by mail."""
    return home.invited is None


@invitations.post("/desk/<key>/invitations/mail")
async def send(key: str) -> Response:
    """Enter the invitations that are to be sent; `all` are those that nobody has asked yet. The
    page then says how far that is."""
    form = await check_form()
    at = await require_desk(key)
    if sign_in_origin() is None:
        raise Forbidden
    async with at.writing() as connection:
        chosen = chosen_homes(form, await select_candidates(connection, at.desk))
        if form.get("which") == "all":
            chosen = [home for home in chosen if home.email and is_fresh(home)]
        ids = [home.id for home in chosen]
        count = await insert_invitations(
            connection, at.desk, ids, whole_number(form.get("seen", "")) or 0
        )
        if count:
            await insert_act(connection, at.desk, "homes_invited", count=count)
    inviter: Inviter = current_app.extensions["inviter"]
    inviter.wake()
    told = MultiDict({"asked": str(count), "left": str(len(chosen) - count)})
    return redirect_to(link(f"/desk/{key}/invitations", told))


def chosen_homes(form: MultiDict[str, str], homes: list[Candidate]) -> list[Candidate]:
    """Those that the form names, or all."""
    named = set(form.getlist("home"))
    return homes if form.get("which") == "all" else [home for home in homes if home.id in named]


@invitations.post("/desk/<key>/invitations/<number>/withdraw")
async def withdraw(key: str, number: str) -> Response:
    """Take an invitation back; who has accepted it reports no more, for that home."""
    await check_form()
    at = await require_desk(key)
    found = await _own(at, number)
    async with borrowed(state().deployment.pool) as connection, connection.transaction():
        await withdraw_home_invitation(connection, found.id)
        if found.membership_id is not None:
            await delete_membership(connection, found.membership_id)
    act = "home_invitation_withdrawn" if found.membership_id is None else "home_person_removed"
    async with at.writing() as connection:
        await insert_act(connection, at.desk, act, found.home_id, email=found.email)
    return redirect_to(link(f"/desk/{key}/invitations"))


async def _own(at: AtDesk, number: str) -> Asked:
    async with at.reading() as connection:
        found = await select_own_invitation(connection, at.desk, whole_number(number) or 0)
    if found is None:
        raise NotFound
    return found
