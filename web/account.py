"""A person's own page: name, language, where they are signed in, their passkeys, their homes."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from quart import Blueprint, Response
from werkzeug.exceptions import NotFound

from providers.desks import select_desks_of
from providers.passkeys import delete_passkey, select_passkeys
from providers.sessions import revoke_session, revoke_sessions, select_sessions
from providers.staff import (
    Membership,
    record_reminders_wanted,
    select_homes_of,
    select_memberships,
    update_staff,
)
from vacancies.database import borrowed
from vacancies.models import Freshness
from web.cards import last_said_at
from web.language import languages
from web.pages import current_language, in_language, link, page
from web.reporter import home_report_path
from web.signin import can_use_passkeys
from web.staff import check_form, redirect_to, require_staff
from web.state import state
from web.words import N_

account = Blueprint("account", __name__)

_MOST_NAME_CHARACTERS = 80
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
# To those who report; what the public reads (`words.FRESHNESS`) says to telephone.
_AGES = {
    Freshness.FRESH: N_("Reported %(age)s"),
    Freshness.AGEING: N_("Reported %(age)s. Please report again."),
    Freshness.STALE: N_("Reported %(age)s. Nothing is shown as free any more."),
    Freshness.UNKNOWN: N_("Not reported yet"),
}


@account.get("/account")
async def show() -> Response:
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        memberships = await select_memberships(connection, found.staff.id)
        homes = await select_homes_of(connection, found.staff.id)
        sessions = await select_sessions(connection, found.staff.id)
        passkeys = await select_passkeys(connection, found.staff.id)
        desks = await select_desks_of(connection, found.staff.id)
    return await page(
        "account.html",
        is_private=True,
        is_admin=is_admin(memberships),
        staff=found.staff,
        homes=[_row(home_id, name) for home_id, name in homes],
        reminders=[
            {
                "number": each.id,
                "home": dict(homes).get(each.home_id or ""),
                "provider": each.provider_name,
                "is_wanted": each.wants_reminders,
            }
            for each in memberships
        ],
        providers=[m.provider_name for m in memberships if m.home_id is None],
        desks=desks,
        sessions=sessions,
        own=found.session,
        passkeys=passkeys,
        can_use_passkeys=can_use_passkeys(),
        client={"next": "", "language": current_language().code},
    )


@account.post("/account")
async def change() -> Response:
    """Name and language; everything else belongs to the address."""
    form = await check_form()
    found = await require_staff()
    name = " ".join("".join(c for c in form.get("name", "") if c.isprintable()).split())
    language = form.get("language", "")
    if language not in languages(reporting=True):
        language = found.staff.language
    async with borrowed(state().deployment.pool) as connection:
        await update_staff(
            connection, found.staff.id, name=name[:_MOST_NAME_CHARACTERS], language=language
        )
    return redirect_to(in_language("/account", language))


@account.post("/account/reminders")
async def remind() -> Response:
    """For what the person is to be reminded by mail: what is not ticked is off."""
    form = await check_form()
    found = await require_staff()
    numbers = [int(text) for text in form.getlist("remind") if _NUMBER.fullmatch(text)]
    async with borrowed(state().deployment.pool) as connection:
        await record_reminders_wanted(connection, found.staff.id, numbers)
    return redirect_to(link("/account"))


@account.post("/account/sessions/<number>/end")
async def end(number: str) -> Response:
    """Sign out there."""
    await check_form()
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        await revoke_session(connection, found.staff.id, from_number(number))
    return redirect_to(link("/account"))


@account.post("/account/sessions/end")
async def end_all() -> Response:
    """Sign out everywhere, here too."""
    await check_form()
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        await revoke_sessions(connection, found.staff.id)
    return redirect_to(link("/signin"))


@account.post("/account/passkeys/<number>/remove")
async def remove_passkey(number: str) -> Response:
    await check_form()
    found = await require_staff()
    async with borrowed(state().deployment.pool) as connection:
        await delete_passkey(connection, found.staff.id, from_number(number))
    return redirect_to(link("/account"))


def _row(home_id: str, name: str) -> dict[str, str]:
    """A home with the age of what it has said, as the public sees it."""
    language, listing = current_language(), state().board.get(home_id)
    freshness = listing.freshness if listing else Freshness.UNKNOWN
    said_at = last_said_at(listing) if listing else None
    age = language.age(said_at, datetime.now(UTC)) if said_at else ""
    return {
        "id": home_id,
        "name": name,
        "report": home_report_path(home_id),
        "freshness": freshness.value,
        "age": language.gettext(_AGES[freshness], age=age),
    }


def is_admin(memberships: list[Membership]) -> bool:
    """Whether the person chooses for any provider who reports."""
    return any(membership.home_id is None for membership in memberships)


def from_number(number: str) -> bytes:
    """What the `number` of a session, passkey or invitation stands for; raises `NotFound`."""
    try:
        return bytes.fromhex(number)
    except ValueError:
        raise NotFound from None
