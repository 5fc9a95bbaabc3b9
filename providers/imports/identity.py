"""What makes a home of a list the same home as one that is known."""

from __future__ import annotations

import base64
import hashlib
import re

from providers.imports.cells import fold_street, fold_words
from providers.imports.tables import fold
from vacancies.models import Address, Point
from vacancies.provider import slug_of

_OSM_ID = re.compile(r"(?:node|way|relation)/\d+")
_BY_ADDRESS = "address:"


def home_id_of(identity: str) -> str:
    """The public id of a home that a list brings: opaque, and always the same."""
    digest = hashlib.sha256(identity.encode()).digest()
    return "h" + base64.b32encode(digest[:10]).decode().lower()


def identity_by_id(source_id: str, provider: str) -> str:
    """Of the id of a source, which is unique for one provider (OpenStreetMap's: anywhere)."""
    if _OSM_ID.fullmatch(source_id):
        return f"osm:{source_id}"
    return f"id:{slug_of(provider)}:{source_id}"


def identity_by_address(name: str, address: Address, point: Point | None) -> str:
    """Of name, street and postcode, else town. Without an address the point stands for it."""
    where = [fold_street(address.street), address.postcode or fold(address.city or "")]
    if not any(where) and point is not None:
        where = [f"{point.latitude:.4f},{point.longitude:.4f}"]
    return ":".join([_BY_ADDRESS[:-1], fold_words(name), *where])


def is_by_address(identity: str) -> bool:
    return identity.startswith(_BY_ADDRESS)


def source_id_of(identity: str) -> str | None:
    """The id that the source gave, whoever runs the home; None for an identity by address."""
    if is_by_address(identity):
        return None
    return identity.partition(":")[2] if identity.startswith("osm:") else identity.split(":", 2)[2]
