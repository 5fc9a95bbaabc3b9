"""Who reports on the report page, and for which home: by a one-tap link, or signed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from quart import Response

from providers.links import LIVES, LinkRefused, make_token, open_token
from providers.staff import (
    Membership,
    membership_for,
    select_homes_of,
    select_homes_of_provider,
)
from vacancies.actors import Actor, Via
from vacancies.errors import ForeignHome, UnknownHome
from vacancies.homes import select_homes
from vacancies.models import CareHome, HomeStatus
from web.origin import sign_in_origin
from web.pages import NO_TRACE, prefer_language
from web.staff import require_staff, sign_in_address
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
    def is_signed_in(self) -> bool:
        return self.via == "page"

    @property
    def sign_in(self) -> str:
        """Where to sign in to report for this home; empty where nobody can."""
        return sign_in_address(home_report_path(self.home.id)) if sign_in_origin() else ""

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


async def reporter_signed_in(home_id: str) -> Reporter:
    """Raises `NotSignedIn`, `ForeignHome` unless the person may report for that home (also where
    there is none), and `UnknownHome` for a home that is closed."""
    found, pool = await require_staff(), state().deployment.pool
    membership = await membership_for(pool, found.staff.id, home_id)
    if membership is None:
        raise ForeignHome("You may not report for this home.")
    (home,) = await select_homes(pool, [home_id])
    if home.profile.status is not HomeStatus.OPEN:
        raise UnknownHome("This home is closed.")
    return Reporter(
        membership=membership,
        home=home,
        via="page",
        address=home_report_path(home_id),
        expires_at=found.session.expires_at,
    )


async def as_it_is_now(reporter: Reporter) -> Reporter:
    """The same with the home as it is stored by now."""
    (home,) = await select_homes(state().deployment.pool, [reporter.home.id])
    return replace(reporter, home=home)


def home_report_path(home_id: str) -> str:
    """The report page of that home for people who are signed in."""
    return f"/report/home/{quote(home_id, safe='')}"


async def other_homes(reporter: Reporter) -> list[dict[str, Any]]:
    """All homes between which the person moves: whoever is signed in, all of theirs. An admin of
    a provider with a link, those of the provider, each with a link of its own, as old as this one.
    A link for the staff of one home opens that home only: it may have been passed on."""
    member = reporter.membership
    if reporter.is_signed_in:
        return [
            {
                "id": home_id,
                "name": name,
                "href": home_report_path(home_id),
                "isThis": home_id == reporter.home.id,
            }
            for home_id, name in await select_homes_of(state().deployment.pool, reporter.staff_id)
        ]
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
    """The address of a link holds a secret: no cache, no referrer, no index."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def unshared(response: Response) -> Response:
    """For the person who is signed in alone; the address holds no secret."""
    response.headers["Cache-Control"] = NO_TRACE
    response.headers["X-Robots-Tag"] = "noindex"
    return response
