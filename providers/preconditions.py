"""Headers that say how a call counts: `If-Match`, only on the state that one has seen;
`Idempotency-Key`, only once; `Freiplatz-Portal`, as passed on from there."""

from __future__ import annotations

import re

from quart import request

from vacancies.commands import ANY_STATE
from vacancies.errors import InvalidParameter

PORTAL_HEADER = "Freiplatz-Portal"
# The name of a host, or a few words: it stands in the history for people to read.
PORTAL_NAME = r"[A-Za-z0-9]([A-Za-z0-9 ._:-]{0,78}[A-Za-z0-9])?"
_TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*')


def if_match() -> frozenset[int] | None:
    """The revisions that `If-Match` names; None if it is absent.

    A tag that is not of ours, or a weak one, matches nothing (RFC 9110, section 13.1.1).
    """
    header = request.headers.get("If-Match")
    if header is None:
        return None
    if header.strip() == "*":
        return ANY_STATE
    revisions = set()
    for part in header.split(","):
        tag = _TAG.fullmatch(part)
        if tag is None:
            raise InvalidParameter(
                'If-Match must hold an ETag in quotes, such as "42".', field="If-Match"
            )
        weak, value = tag.groups()
        if weak is None and re.fullmatch(r"[0-9]{1,18}", value):
            revisions.add(int(value))
    return frozenset(revisions)


def idempotency_key() -> str | None:
    """What names the call, so that it counts once; None if it has no name."""
    name = request.headers.get("Idempotency-Key")
    if name is not None and not (1 <= len(name) <= 200 and name.isprintable()):
        raise InvalidParameter(
            "An Idempotency-Key has 1 to 200 printable characters.", field="Idempotency-Key"
        )
    return name


def portal_name() -> str | None:
    """The portal from which the reports of the call were passed on; None if from none."""
    name = request.headers.get(PORTAL_HEADER)
    if name is not None and not re.fullmatch(PORTAL_NAME, name):
        raise InvalidParameter(
            f"{PORTAL_HEADER} has 1 to 80 letters, digits, blanks and the signs . _ : - of ASCII,"
            " with a letter or digit at both ends.",
            field=PORTAL_HEADER,
        )
    return name
