"""A page of a search, and the token by which the next one goes on behind it."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import msgspec

from vacancies.bands import sort_name
from vacancies.errors import InvalidParameter
from vacancies.geojson import EncodedFeature
from vacancies.models import CareForm, Listing
from vacancies.search import Query


class Hit(NamedTuple):
    listing: Listing
    distance_km: float | None
    feature: EncodedFeature


class Page(NamedTuple):
    """One page of a search. `total` homes match in all, with `free_total` places per care
    form; `next` is the token of the next page, None on the last."""

    hits: list[Hit]
    total: int
    free_total: dict[CareForm, int]
    revision: int
    next: str | None


def page_token(query: Query, distance_km: float, last: Listing) -> str:
    """Names the place behind `last` by its sort key."""
    raw = msgspec.json.encode([query.fingerprint(), distance_km, *sort_name(last)])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_page_token(query: Query, token: str) -> tuple[float, tuple[str, str]]:
    """The sort key of the last hit before. Raises `InvalidParameter`."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        read = msgspec.json.decode(raw, type=tuple[str, float, str, str])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        read = ("", 0.0, "", "")
    fingerprint, distance_km, name, home_id = read
    if fingerprint != query.fingerprint():
        raise InvalidParameter(
            "This cursor is not from the same search. Begin again without it.", field="cursor"
        )
    return distance_km, (name, home_id)
