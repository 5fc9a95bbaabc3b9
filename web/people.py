"""For admins of a provider: who reports for which home, inviting, and taking leave."""

from __future__ import annotations

from quart import Blueprint, Response, current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden, NotFound

from providers.people import (
    LastAdmin,
    remove_person,
    select_invitations,
    select_people,
    withdraw_invitation,
)
from providers.post import MailSender, PostRefused, sender_address
from providers.sessions import hash_secret
from providers.signin import TooManyInvitations, checked_email, issue_invitation
from providers.staff import (
    Membership,
    revoke_links,
    select_homes_of_provider,
    select_membership,
    select_staff,
)
from vacancies.database import Connection, borrowed
from vacancies.errors import InvalidInput
from web.account import from_number
from web.in_charge import address_for, chosen_of, in_charge_of
from web.language import choose
from web.numbers import whole_number
from web.origin import sign_in_origin
from web.pages import current_language, link, message_page, page
from web.signin_mail import invitation_mail, offer_address
from web.staff import SignedIn, check_form, redirect_to, require_staff
from web.state import state

people = Blueprint("people", __name__)


@people.get("/people")
async def show() -> Response:
    """All who report for the homes of the provider; whoever is in charge of several chooses."""
    return await _show(await require_staff())


async def _show(found: SignedIn, status: int = 200, wrong: str = "", entered: str = "") -> Response:
    async with borrowed(state().deployment.pool) as connection:
        mine = await in_charge_of(connection, found)
        chosen = chosen_of(mine)
        homes = dict(await select_homes_of_provider(connection, chosen.provider_id))
        everybody = await select_people(connection, chosen.provider_id)
        invitations = await select_invitations(connection, chosen.provider_id)
    return await page(
        "people.html",
        status,
        is_private=True,
        is_admin=True,
        staff=found.staff,
        chosen=chosen,
        others=[m for m in mine if m is not chosen],
        homes=homes,
        people=everybody,
        invitations=invitations,
        wrong=wrong,
        entered=entered,
        address_of=address_for,
    )


@people.post("/people/invite")
async def invite() -> Response:
    """Send an invitation; what is wrong is said on the page."""
    form = await check_form()
    found = await require_staff()
    _ = current_language().gettext
    entered = form.get("email", "")
    try:
        await _invite(found, entered, form.get("home", ""))
    except InvalidInput:
        return await _show(found, 422, _("This is no e-mail address."), entered)
    except TooManyInvitations:
        return await _show(
            found, 429, _("That is enough invitations for today. Try again tomorrow."), entered
        )
    except PostRefused:
        return await _show(found, 502, _("The mail could not be sent. Check the address."), entered)
    return _back()


async def _invite(found: SignedIn, entered: str, choice: str) -> None:
    """`choice` is home:ID or all; nobody becomes an admin because a field was left out."""
    origin = sign_in_origin()
    home_id = choice.removeprefix("home:") if choice.startswith("home:") else None
    if origin is None or (home_id is None and choice != "all"):
        raise Forbidden
    email = checked_email(entered)
    async with borrowed(state().deployment.pool) as connection:
        chosen = chosen_of(await in_charge_of(connection, found))
        homes = dict(await select_homes_of_provider(connection, chosen.provider_id))
        if home_id is not None and home_id not in homes:
            raise Forbidden
        token = await issue_invitation(
            connection,
            email,
            chosen.provider_id,
            home_id,
            invited_by=found.staff.id,
        )
        known = await select_staff(connection, email)
    language = choose(known.language, reporting=True) if known else current_language()
    sender: MailSender = current_app.extensions["mail"]
    mail = invitation_mail(
        sender_address(state().settings),
        email,
        offer_address(origin, token, language),
        chosen.provider_name if home_id is None else homes[home_id],
        found.staff.name or found.staff.email,
        language,
    )
    try:
        await sender.send(mail)
    except PostRefused:
        async with borrowed(state().deployment.pool) as connection:
            await withdraw_invitation(connection, chosen.provider_id, hash_secret(token))
        raise


@people.post("/people/invitations/<number>/withdraw")
async def withdraw(number: str) -> Response:
    await check_form()
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        chosen = chosen_of(await in_charge_of(connection, found))
        await withdraw_invitation(connection, chosen.provider_id, from_number(number))
    return _back()


@people.post("/people/<number>/remove")
async def remove(number: str) -> Response:
    """End a membership: pages and links of the person close at once."""
    await check_form()
    found = await require_staff()
    try:
        async with borrowed(state().deployment.pool) as connection:
            membership = await _in_my_charge(connection, found, number)
            await remove_person(connection, membership.provider_id, membership.id)
    except LastAdmin:
        _ = current_language().gettext
        wrong = _("This is the last admin. Invite another one first.")
        return await _show(found, 409, wrong)
    return _back()


@people.post("/people/<number>/links")
async def kill_links(number: str) -> Response:
    """The one-tap links in the person's mails open nothing any more; new ones will."""
    await check_form()
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        membership = await _in_my_charge(connection, found, number)
        await revoke_links(connection, membership.id)
    return _back()


@people.errorhandler(Forbidden)
async def _not_in_charge(error: Forbidden) -> Response:
    _ = current_language().gettext
    return await message_page(
        403,
        _("You are not in charge of this"),
        _("Only an admin of the provider chooses who reports."),
        [(_("To your account"), link("/account"))],
    )


async def _in_my_charge(connection: Connection, found: SignedIn, number: str) -> Membership:
    """The membership with that number, if it is of a provider that the person is in charge of."""
    mine = await in_charge_of(connection, found)
    known = whole_number(number)
    membership = None if known is None else await select_membership(connection, known)
    if membership is None or membership.provider_id not in {m.provider_id for m in mine}:
        raise NotFound
    return membership


def _back() -> Response:
    return redirect_to(link("/people", MultiDict({"provider": request.args.get("provider", "")})))
