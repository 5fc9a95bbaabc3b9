"""Who is in charge of a provider that reports: its admins, and of which one a page is."""

from __future__ import annotations

from quart import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden

from providers.staff import Membership, select_memberships
from vacancies.database import Connection
from web.pages import link
from web.staff import SignedIn


async def in_charge_of(connection: Connection, found: SignedIn) -> list[Membership]:
    """The memberships that make the person an admin; raises `Forbidden` if there is none."""
    memberships = await select_memberships(connection, found.staff.id)
    mine = [membership for membership in memberships if membership.home_id is None]
    if not mine:
        raise Forbidden
    return mine


def chosen_of(mine: list[Membership]) -> Membership:
    """The one for the provider that the address names (its slug); the first if none is named."""
    provider = request.args.get("provider", "")
    if not provider:
        return mine[0]
    chosen = next((membership for membership in mine if membership.provider == provider), None)
    if chosen is None:
        raise Forbidden
    return chosen


def address_for(path: str, chosen: Membership) -> str:
    """The page of ours at `path`, for that provider."""
    return link(path, MultiDict({"provider": chosen.provider}))
