"""The resume cursor: search, epoch and revision in one opaque word.

Stateless: the server keeps nothing for a viewer that is away.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(r"([0-9a-f]{10})-([0-9a-f]{12})-([0-9]{1,18})")


class Cursor(NamedTuple):
    fingerprint: str
    epoch: str
    revision: int

    def __str__(self) -> str:
        return f"{cursor_prefix(self.fingerprint, self.epoch)}{self.revision}"


def cursor_prefix(fingerprint: str, epoch: str) -> str:
    """All of a cursor but the revision: the same for every event of a stream."""
    return f"{fingerprint}-{epoch}-"


def read_cursor(text: str) -> Cursor | None:
    """None if `text` is not a cursor at all."""
    found = _FORM.fullmatch(text.strip())
    return Cursor(found[1], found[2], int(found[3])) if found else None
