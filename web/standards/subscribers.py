"""Who may subscribe: data platforms that the operator has given a token. Whoever else could
subscribe would have us call whom he likes."""

from __future__ import annotations

import hashlib
import secrets

import msgspec

from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError, Unauthenticated

PREFIX = "fps_"


class NameTaken(FreiplatzError):
    """There is a subscriber of that name."""

    code = "name_taken"


class Subscriber(msgspec.Struct, frozen=True):
    """`failing` counts those of its subscriptions that are not delivered just now."""

    name: str
    subscriptions: int
    failing: int


async def insert_subscriber(connection: Connection | Pool, name: str) -> str:
    """Enter a subscriber and return its token: the only time that anybody sees it. Raises
    `NameTaken`."""
    token = PREFIX + secrets.token_urlsafe(32)
    done = await connection.execute(
        "INSERT INTO subscriber (name, hash) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        name,
        _hash(token),
    )
    if done != "INSERT 0 1":
        raise NameTaken(f"There is a subscriber {name!r} already.")
    return token


async def select_subscribers(connection: Connection | Pool) -> list[Subscriber]:
    """All, by name."""
    rows = await connection.fetch(
        "SELECT b.name, count(w.id), count(w.id) FILTER (WHERE w.failing_since IS NOT NULL)"
        " FROM subscriber b LEFT JOIN ngsi_subscription s ON s.subscriber_id = b.id"
        " LEFT JOIN webhook w ON w.id = s.webhook_id GROUP BY b.id ORDER BY b.name"
    )
    return [Subscriber(*row) for row in rows]


async def delete_subscriber(connection: Connection, name: str) -> bool:
    """Remove a subscriber with all of its subscriptions; False if there is none of that name.
    Must run in a transaction."""
    number = await connection.fetchval("SELECT id FROM subscriber WHERE name = $1 FOR UPDATE", name)
    await connection.execute(
        "DELETE FROM webhook w USING ngsi_subscription s"
        " WHERE s.webhook_id = w.id AND s.subscriber_id = $1",
        number,
    )
    await connection.execute("DELETE FROM subscriber WHERE id = $1", number)
    return number is not None


async def authenticate(connection: Connection | Pool, authorization: str | None) -> int:
    """The number of the subscriber whose token stands in an `Authorization: Bearer fps_…` header.

    Raises `Unauthenticated`, in the same words whatever the reason.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and token.startswith(PREFIX) and len(token) < 200:
        number: int | None = await connection.fetchval(
            "SELECT id FROM subscriber WHERE hash = $1", _hash(token.strip())
        )
        if number is not None:
            return number
    raise Unauthenticated(
        "Subscribing needs a token, which the operator gives: send the header"
        " `Authorization: Bearer fps_…`."
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
