"""What a backup says of itself: at its beginning, and when all of it is written."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import TypeVar

import msgspec

from vacancies.errors import BackupError

FORMAT = 1
MANIFEST, CONTENTS = "manifest.json", "contents.json"

Part = TypeVar("Part", "Manifest", "Contents")


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table and the columns that are written of it, in their order."""

    name: str
    columns: list[str]


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A migration that the database has seen."""

    number: int
    hash: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`taken_at` is when the snapshot was taken, by the clock of the database: later commits are
    not in it. `secret` tells whether a secret key is the one that was in use, see `secret_mark`."""

    format: int
    version: str
    server: str
    taken_at: datetime
    revision: int
    secret: str
    migrations: list[Ran]
    tables: list[Table]


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows a table has, and the digest of all (`tally.py`)."""

    rows: int
    digest: str


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """The last number that a column has given out."""

    table: str
    column: str
    value: int


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    tables: dict[str, Amount]
    sequences: list[Sequence]

    @property
    def rows(self) -> int:
        return sum(amount.rows for amount in self.tables.values())


def decode(kind: type[Part], content: bytes) -> Part:
    """Raises `BackupError`."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise BackupError(f"This is no backup that this version can read: {error}.") from error


def secret_mark(secret_key: str) -> str:
    """Tells whether two secret keys are the same, and nothing else about them."""
    return hmac.digest(secret_key.encode(), b"freiplatz backup", "sha256")[:8].hex()
