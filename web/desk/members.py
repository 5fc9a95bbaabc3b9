"""Who works at the desk: inviting, and taking leave. For its admins."""

from __future__ import annotations

from quart import Blueprint, Response, current_app
from werkzeug.exceptions import Forbidden, NotFound

from providers.desks import (
    DeskRole,
    LastDeskAdmin,
    delete_desk_member,
    insert_act,
    select_desk_members,
)
from providers.people import select_invitations_to_desk, withdraw_invitation_to_desk
from providers.post import MailSender, PostRefused, sender_address
from providers.sessions import hash_secret
from providers.signin import TooManyInvitations, checked_email, issue_invitation
from providers.staff import select_staff
from vacancies.database import borrowed
from vacancies.errors import InvalidInput
from web.account import from_number
from web.desk.access import AtDesk, require_desk
from web.desk.invitation_mail import invitation_mail
from web.desk.pages import desk_page
from web.language import choose
from web.numbers import whole_number
from web.origin import sign_in_origin
from web.pages import current_language, link, message_page
from web.signin_mail import offer_address
from web.staff import check_form, redirect_to
from web.state import state
from web.words import N_

members = Blueprint("desk_members", __name__)

ROLES: dict[DeskRole, str] = {
    "clerk": N_("Works on homes"),
    "admin": N_("Works on homes, invites people, changes settings (admin)"),
}


@members.get("/desk/<key>/people")
async def show(key: str) -> Response:
    """All who work at the desk, and who is invited to it."""
    return await _show(await require_desk(key, admin=True))


async def _show(at: AtDesk, status: int = 200, wrong: str = "", entered: str = "") -> Response:
    async with at.reading() as connection:
        everybody = await select_desk_members(connection, at.key)
    invitations = await select_invitations_to_desk(state().deployment.pool, at.key)
    return await desk_page(
        "desk_members.html",
        at,
        status,
        members=everybody,
        invitations=invitations,
        roles=ROLES,
        wrong=wrong,
        entered=entered,
    )


@members.post("/desk/<key>/people/invite")
async def invite(key: str) -> Response:
    """Send an invitation; what is wrong is said on the page."""
    form = await check_form()
    at = await require_desk(key, admin=True)
    _ = current_language().gettext
    entered = form.get("email", "")
    try:
        await _invite(at, entered, form.get("role", ""))
    except InvalidInput:
        return await _show(at, 422, _("This is no e-mail address."), entered)
    except TooManyInvitations:
        return await _show(
            at, 429, _("That is enough invitations for today. Try again tomorrow."), entered
        )
    except PostRefused:
        return await _show(at, 502, _("The mail could not be sent. Check the address."), entered)
    return redirect_to(link(f"/desk/{key}/people"))


async def _invite(at: AtDesk, entered: str, role: str) -> None:
    """Nobody becomes an admin because a field was left out."""
    origin = sign_in_origin()
    known_role: DeskRole | None = next((each for each in ROLES if each == role), None)
    if origin is None or known_role is None:
        raise Forbidden
    email = checked_email(entered)
    async with borrowed(state().deployment.pool) as connection:
        token = await issue_invitation(
            connection,
            email,
            None,
            municipality=at.key,
            role=known_role,
            invited_by=at.found.staff.id,
        )
        known = await select_staff(connection, email)
    language = choose(known.language, reporting=True) if known else current_language()
    sender: MailSender = current_app.extensions["mail"]
    mail = invitation_mail(
        sender_address(state().settings),
        email,
        offer_address(origin, token, language),
        at.desk.name,
        at.found.staff.name or at.found.staff.email,
        language,
    )
    try:
        await sender.send(mail)
    except PostRefused:
        await withdraw_invitation_to_desk(state().deployment.pool, at.key, hash_secret(token))
        raise
    async with at.writing() as connection:
        await insert_act(connection, at.desk, "member_invited", email=email, role=known_role)


@members.post("/desk/<key>/people/invitations/<number>/withdraw")
async def withdraw(key: str, number: str) -> Response:
    await check_form()
    at = await require_desk(key, admin=True)
    await withdraw_invitation_to_desk(state().deployment.pool, at.key, from_number(number))
    return redirect_to(link(f"/desk/{key}/people"))


@members.post("/desk/<key>/people/<number>/remove")
async def remove(key: str, number: str) -> Response:
    """The person's pages of this desk close at once."""
    await check_form()
    at = await require_desk(key, admin=True)
    if (membership := whole_number(number)) is None:
        raise NotFound
    try:
        async with borrowed(state().deployment.pool) as connection:
            gone = await delete_desk_member(connection, at.key, membership)
    except LastDeskAdmin:
        _ = current_language().gettext
        return await _show(at, 409, _("This is the last admin. Invite another one first."))
    if gone is None:
        raise NotFound
    async with at.writing() as connection:
        await insert_act(connection, at.desk, "member_removed", email=gone.email)
    return redirect_to(
        link("/desk/" if gone.staff_id == at.desk.staff_id else f"/desk/{key}/people")
    )


@members.errorhandler(Forbidden)
async def _no_admin(error: Forbidden) -> Response:
    _ = current_language().gettext
    return await message_page(
        403,
        _("Only admins of the desk can do this"),
        _("Ask one of them, or let yourself be made one."),
        [(_("To the desk"), link("/desk/"))],
    )
