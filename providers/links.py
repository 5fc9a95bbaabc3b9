"""One-tap links: they open the report page of one home for one person, without a password.

A link names a membership, a home and the moment it was made, and is signed. It lives for 48
hours, may be used again until then (to correct a slip), and dies when the membership's links are
revoked or the membership ends. It says who reports, so it is good for reporting only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import msgspec

from providers.staff import Membership, select_membership
from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError

LIVES = timedelta(hours=48)
_SIGNATURE_BYTES = 16


class LinkRefused(FreiplatzError):
    """The link is none of ours, or was revoked: it opens nothing."""

    code = "link_refused"


class LinkExpired(LinkRefused):
    """The link was good until its time was over; `membership` may ask for a new one."""

    code = "link_expired"

    def __init__(self, detail: str, *, membership: Membership, home_id: str) -> None:
        super().__init__(detail)
        self.membership = membership
        self.home_id = home_id


class _Token(msgspec.Struct, frozen=True, array_like=True):
    membership_id: int
    made_at: int  # seconds since 1970
    home_id: str


class Opened(msgspec.Struct, frozen=True):
    """What a link opens, and until when."""

    membership: Membership
    home_id: str
    expires_at: datetime


def make_token(secret: str, membership_id: int, home_id: str, made_at: datetime) -> str:
    """What stands in the address of a link: letters, digits, - and _."""
    body = msgspec.msgpack.encode(_Token(membership_id, int(made_at.timestamp()), home_id))
    packed = base64.urlsafe_b64encode(_sign(secret, body) + body)
    return packed.rstrip(b"=").decode()


async def open_token(
    connection: Connection | Pool, secret: str, token: str, now: datetime
) -> Opened:
    """What the link with that `token` opens; raises `LinkRefused` and `LinkExpired`."""
    found = _read(secret, token)
    membership = await select_membership(connection, found.membership_id) if found else None
    if found is None or membership is None or membership.home_id not in (None, found.home_id):
        raise LinkRefused("This link is not valid.")
    made_at = datetime.fromtimestamp(found.made_at, UTC)
    if made_at < membership.links_from:
        raise LinkRefused("This link was revoked.")
    if now >= made_at + LIVES:
        raise LinkExpired(
            "This link was good for 48 hours.", membership=membership, home_id=found.home_id
        )
    return Opened(membership, found.home_id, made_at + LIVES)


def _sign(secret: str, body: bytes) -> bytes:
    key = hashlib.sha256(b"freiplatz one-tap link\0" + secret.encode()).digest()
    return hmac.digest(key, body, "sha256")[:_SIGNATURE_BYTES]


def _read(secret: str, token: str) -> _Token | None:
    """None for anything that was not signed here."""
    try:
        packed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    signature, body = packed[:_SIGNATURE_BYTES], packed[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(secret, body)):
        return None
    return msgspec.msgpack.decode(body, type=_Token)
