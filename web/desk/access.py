"""Who may be at which desk. Every page under /desk/<key> begins with `await require_desk(key)`."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import msgspec
from werkzeug.exceptions import Forbidden, NotFound

from providers.desks import Desk, at_desk, select_desks_of
from vacancies.actors import Actor
from vacancies.database import PoolConnection, borrowed
from web.staff import SignedIn, require_staff
from web.state import state


class AtDesk(msgspec.Struct, frozen=True):
    """Somebody who is signed in, at the desk of a municipality; `others` are more desks at which
    the person works."""

    found: SignedIn
    desk: Desk
    others: list[Desk]

    @property
    def key(self) -> str:
        return self.desk.key

    @property
    def actor(self) -> Actor:
        return self.desk.actor

    def reading(self) -> AbstractAsyncContextManager[PoolConnection]:
        """A transaction that sees what belongs to the municipality, and can change nothing."""
        return at_desk(state().deployment.desks, self.key)

    def writing(self) -> AbstractAsyncContextManager[PoolConnection]:
        """A transaction that sees and changes what belongs to the municipality. Homes are changed
        by commands of the `actor` alone."""
        return at_desk(state().deployment.desks, self.key, writing=True)


async def require_desk(key: str, *, admin: bool = False) -> AtDesk:
    """Who asks, at the desk of the municipality `key`. Sends the browser to sign in first; for
    who does not work there the page does not exist (404), and with `admin` it is forbidden (403)
    to clerks."""
    found = await require_staff()
    desks = await desks_of(found)
    mine = next((desk for desk in desks if desk.key == key), None)
    if mine is None:
        raise NotFound
    if admin and not mine.is_admin:
        raise Forbidden
    return AtDesk(found, mine, [desk for desk in desks if desk is not mine])


async def desks_of(found: SignedIn) -> list[Desk]:
    """All desks at which the person works."""
    async with borrowed(state().deployment.pool) as connection:
        return await select_desks_of(connection, found.staff.id)
