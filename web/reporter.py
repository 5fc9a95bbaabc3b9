"""Who reports on the report page, and for which home: by a one-tap link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from quart import Response

from providers.links import LIVES, LinkRefused, make_token, open_token
from providers.staff import Membership, select_homes_of_provider
from vacancies.commands import Actor, Via
from vacancies.errors import UnknownHome
from vacancies.homes import select_homes
from vacancies.models import CareHome, HomeStatus
from web.pages import prefer_language
from web.state import state


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports for `home`, by which way; `address` is where this page stands."""

    membership: Membership
    home: CareHome
    via: Via
    address: str
    expires_at: datetime

    @property
    def actor(self) -> Actor:
        return self.membership.actor(self.via)

    @property
    def staff_id(self) -> int:
        return self.membership.staff.id


async def reporter_by_link(token: str) -> Reporter:
    """Raises `LinkRefused`, `LinkExpired`, and `UnknownHome` for a home that is closed. The page
    is in the person's language unless the address says otherwise."""
    pool, secret = state().deployment.pool, state().settings.secret_key
    opened = await open_token(pool, secret, token, datetime.now(UTC))
    prefer_language(opened.membership.staff.language)
    found = await select_homes(pool, [opened.home_id])
    if not found or found[0].provider_id != opened.membership.provider_id:
        raise LinkRefused("This link is not valid.")
    if found[0].profile.status is not HomeStatus.OPEN:
        raise UnknownHome("This home is closed.")
    return Reporter(
        membership=opened.membership,
        home=found[0],
        via="link",
        address=f"/report/link/{token}",
        expires_at=opened.expires_at,
    )


async def other_homes(reporter: Reporter) -> list[dict[str, Any]]:
    """All homes of an admin of a provider, each with a link of its own, as old as this one. A
    link for the staff of one home opens that home only: it may have been passed on."""
    member = reporter.membership
    if member.home_id is not None:
        return []
    secret, made_at = state().settings.secret_key, reporter.expires_at - LIVES
    return [
        {
            "id": home_id,
            "name": name,
            "href": f"/report/link/{make_token(secret, member.id, home_id, made_at)}",
            "isThis": home_id == reporter.home.id,
        }
        for home_id, name in await select_homes_of_provider(
            state().deployment.pool, member.provider_id
        )
    ]


def private(response: Response) -> Response:
    """The address holds a secret: no cache, no referrer, no index."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
