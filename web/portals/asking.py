"""What an admin enters for a link: the address, the key there, and other ids; checked."""

from __future__ import annotations

import re
from collections.abc import Iterable

from yarl import URL

from vacancies.config import Settings
from vacancies.errors import InvalidInput
from vacancies.outbound import Outbound
from web.link_mail import public_address

PATH = "/api/v1/reports"

_KEY = re.compile(r"fp_[A-Za-z0-9_-]{20,100}")
_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_BETWEEN = re.compile(r"\s*[=;,\t]\s*")


def read_address(text: str, outbound: Outbound, settings: Settings) -> str:
    """Where reports are sent to, for the address of a Freiplatz as people enter it. Raises
    `AddressRefused`, and `InvalidInput` for our own."""
    url = outbound.check(text.strip())
    if url.raw_query_string:
        raise InvalidInput("Leave out ? and what follows.", field="address")
    if url.origin() == URL(public_address(settings)).origin():
        raise InvalidInput("This is the Freiplatz that you are on.", field="address")
    base = str(url).rstrip("/").removesuffix(PATH)
    return base + PATH


def read_key(text: str) -> str:
    """The key, checked by its looks. What is wrong with it is said without it."""
    key = text.strip()
    if key.startswith("fpt_"):
        raise InvalidInput("This key is for trying out: it reports nothing.", field="key")
    if not _KEY.fullmatch(key):
        raise InvalidInput("A key begins with fp_.", field="key")
    return key


def read_ids(text: str, own: Iterable[str]) -> dict[str, str]:
    """Own id → id there, from lines `own id = id there` (or with a comma, semicolon or tab), for
    the homes `own` of a provider. Raises `InvalidInput`, which names the line."""
    homes, ids = set(own), {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = _BETWEEN.split(line.strip())
        if len(parts) != 2 or not _ID.fullmatch(parts[1]):
            raise InvalidInput(f"Line {number} is not: own id = id there.", field="ids")
        home_id, there = parts
        if home_id not in homes:
            raise InvalidInput(f"Line {number}: {home_id} is no home of yours.", field="ids")
        if home_id in ids:
            raise InvalidInput(f"Line {number}: {home_id} stands there twice.", field="ids")
        ids[home_id] = there
    targets: dict[str, str] = {}
    for home_id in sorted(homes):
        there = ids.get(home_id, home_id)
        if there in targets:
            raise InvalidInput(
                f"{targets[there]} and {home_id} would both be {there} there.", field="ids"
            )
        targets[there] = home_id
    return ids
