"""Names of homes as UUIDs, for standards that want them (RFC 9562, version 5).

A home's UUID is made from the public address of the deployment and its id, so it is the same in
every process and after every restart. What a home offers has the UUID of the home with the number
of the care form in its last byte: it can be read back, and nobody has to keep a list of them.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha1
from uuid import NAMESPACE_URL, UUID, uuid5

from vacancies.board import Board
from vacancies.models import CareForm, Listing
from web.standards.offers import FORM_NUMBERS, FORMS, find
from web.standards.source import own_address
from web.state import state


def namespace() -> UUID:
    """That of this deployment."""
    return _namespace(own_address())


@lru_cache(maxsize=8)
def _namespace(address: str) -> UUID:
    return uuid5(NAMESPACE_URL, address)


def home_uuid(home_id: str) -> UUID:
    return uuid5(namespace(), f"home/{home_id}")


def offer_uuid(home_id: str, form: CareForm | None) -> UUID:
    number = FORM_NUMBERS[form] if form else 0
    return UUID(bytes=home_uuid(home_id).bytes[:15] + bytes([number]))


def part_uuid(whole: UUID, part: str) -> UUID:
    """Of something that only exists in something else: its address, its telephone number."""
    return uuid5(whole, part)


def find_home(text: str) -> Listing | None:
    """The home with that UUID, closed ones too."""
    found = _find(text)
    return found[0] if found and home_uuid(found[0].id) == found[1] else None


def find_offer(text: str) -> tuple[Listing, CareForm | None] | None:
    """The home and the care form that a UUID names, whether the home has it or not."""
    found = _find(text)
    if found is None or found[1].bytes[15] > len(FORMS):
        return None
    home, uuid = found
    form = FORMS[uuid.bytes[15] - 1] if uuid.bytes[15] else None
    return (home, form) if offer_uuid(home.id, form) == uuid else None


def _find(text: str) -> tuple[Listing, UUID] | None:
    try:
        uuid = UUID(text)
    except ValueError:
        return None
    if str(uuid) != text.lower():  # braces, "urn:uuid:", no hyphens: names of others
        return None
    board = state().board
    home_id = _index(board, namespace()).home_id(board, uuid)
    listing = find(board, home_id) if home_id else None
    return (listing, uuid) if listing else None


@lru_cache(maxsize=4)
def _index(board: Board, space: UUID) -> _Index:
    return _Index(space)


class _Index:
    """From UUID back to home. Ids never go away, so it only grows with the board."""

    def __init__(self, space: UUID) -> None:
        self._space = space
        self._epoch = ""
        self._revision = 0
        self._homes: dict[bytes, str] = {}

    def home_id(self, board: Board, uuid: UUID) -> str | None:
        if board.epoch != self._epoch or board.revision < self._revision:
            self._epoch, self._revision, self._homes = board.epoch, 0, {}
        if board.revision > self._revision:
            self._learn(board)
        return self._homes.get(_key(uuid.bytes))

    def _learn(self, board: Board) -> None:
        for slot in board.changed_since(self._revision).tolist():
            home_id = board.listing(slot).id
            # As `uuid5` does it, without the object that it makes of it: there are many.
            name = self._space.bytes + f"home/{home_id}".encode()
            self._homes[_key(sha1(name, usedforsecurity=False).digest())] = home_id
        self._revision = board.revision


def _key(digest: bytes) -> bytes:
    """What is left of the digest in a UUID: neither version and variant, nor the last byte."""
    return digest[:6] + digest[7:8] + digest[9:15]
