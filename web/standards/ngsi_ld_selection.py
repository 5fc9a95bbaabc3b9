"""Which homes a subscription is about, and what of them it watches."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

import msgspec

from vacancies.models import HomeStatus, Listing
from vacancies.search import Query
from web.standards.ngsi_ld_entities import TYPE, URN, Entity
from web.standards.ngsi_ld_query import Shape, read_area, vocabulary
from web.standards.ngsi_ld_subscription import (
    DELETED,
    EntitySelector,
    Subscription,
    ids_of,
    read_pattern,
)

_DIGEST_BYTES = 12


class Selector(NamedTuple):
    """Homes by id, else by a pattern, else all."""

    ids: frozenset[str]
    pattern: re.Pattern[str] | None

    def has(self, entity_id: str) -> bool:
        if self.ids:
            return entity_id in self.ids
        return self.pattern is None or bool(self.pattern.search(entity_id))


class Selection(NamedTuple):
    """Homes that one of `selectors` has, in `area`, but not in `not_in`. Without `watched` any
    change of a home counts."""

    selectors: tuple[Selector, ...]
    area: Query
    not_in: Query | None
    watched: frozenset[str]
    is_told_of_changes: bool
    is_told_of_ends: bool

    def has(self, listing: Listing) -> bool:
        """Wherever it lies; homes of neighbours are theirs to give away."""
        if listing.origin is not None:
            return False
        entity_id = URN + listing.id
        return any(selector.has(entity_id) for selector in self.selectors)

    def seen(self, entity: Entity) -> str | None:
        """Digest of what is watched of an entity."""
        if not self.watched:
            return None
        members = {name: entity.get(name) for name in sorted(self.watched)}
        return hashlib.blake2b(msgspec.json.encode(members), digest_size=_DIGEST_BYTES).hexdigest()


def is_open(listing: Listing) -> bool:
    return listing.profile.status is HomeStatus.OPEN


def select(wish: Subscription, address: str) -> Selection:
    """`address` is the public one: full names begin with it. Raises what a query would."""
    words = vocabulary(address)
    geo = wish.geoQ
    args: dict[str, str] = {}
    if geo is not None:
        text = geo.coordinates
        coordinates = text if isinstance(text, str) else msgspec.json.encode(text).decode()
        args = {
            "georel": geo.georel,
            "geometry": geo.geometry,
            "coordinates": coordinates,
            "geoproperty": geo.geoproperty,
        }
    area, not_in = read_area(args)
    triggers = wish.triggers()
    everybody = [EntitySelector(type=TYPE)] if wish.entities is None else wish.entities
    return Selection(
        selectors=tuple(
            Selector(
                frozenset(ids_of(each)),
                None if each.idPattern is None else read_pattern(each.idPattern),
            )
            for each in everybody
            if set(re.split(r"[,|]", each.type)) & {"*", TYPE, words + TYPE}
        ),
        area=area,
        not_in=not_in,
        watched=_short(wish.watchedAttributes, words),
        is_told_of_changes=triggers != {DELETED},
        is_told_of_ends=DELETED in triggers,
    )


def shape_of(wish: Subscription, address: str) -> Shape:
    """What of an entity is sent."""
    return Shape(
        attrs=_short(wish.notification.attributes, vocabulary(address)),
        pick=frozenset(),
        omit=frozenset(),
        simple=wish.notification.format != "normalized",
    )


def _short(names: list[str] | None, words: str) -> frozenset[str]:
    return frozenset(name.removeprefix(words) for name in names or ())
