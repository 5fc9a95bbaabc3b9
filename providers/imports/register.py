"""The homes that are known already, and which of them the rows of a list mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from providers.imports.cells import fold_street
from providers.imports.entries import Entry
from providers.imports.identity import identity_by_address, is_by_address, source_id_of
from vacancies.database import Connection, Pool
from vacancies.models import Address, HomeStatus, Point


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What recognises a home. `identity` is None unless a list brought it."""

    id: str
    identity: str | None
    name: str
    provider: str
    is_open: bool
    address: Address
    point: Point


class Vanished(msgspec.Struct, frozen=True):
    """A home that a former list had and this one has not."""

    home_id: str
    name: str


class Ambiguous(Exception):
    """Several known homes have the name and the address of a row."""


async def select_known(connection: Connection | Pool) -> list[Known]:
    """All homes of ours, shortened to what recognises them."""
    rows = await connection.fetch(
        "SELECT h.id, h.identity, h.name, p.slug AS provider, h.status, h.street, h.postcode,"
        " h.city, h.country, h.latitude, h.longitude"
        " FROM care_home h JOIN provider p ON p.id = h.provider_id"
        " WHERE h.origin IS NULL ORDER BY h.id"
    )
    return [
        Known(
            id=row["id"],
            identity=row["identity"],
            name=row["name"],
            provider=row["provider"],
            is_open=row["status"] == HomeStatus.OPEN,
            address=Address(
                street=row["street"],
                postcode=row["postcode"],
                city=row["city"],
                country=row["country"],
            ),
            point=Point(row["latitude"], row["longitude"]),
        )
        for row in rows
    ]


class Register:
    """Finds the home of each entry of one list.

    An id that is known decides. Else name, street and postcode (or town, where one of the two
    has no postcode) do: so homes are found again when a list gains or loses its ids, numbers
    them anew, or comes under the name of another provider. A home whose id stands in another
    row of the list is not taken for that.
    """

    def __init__(self, known: Sequence[Known], entries: Iterable[Entry]) -> None:
        self._known = known
        self._by_identity = {home.identity: home for home in known if home.identity}
        self._by_place: dict[str, list[Known]] = defaultdict(list)
        for home in known:
            for key in _keys(home.name, home.address, home.point):
                self._by_place[key].append(home)
        self._by_source_id: dict[str, list[Known]] = defaultdict(list)
        for home in known:
            source_id = source_id_of(home.identity) if home.identity else None
            if source_id is not None and (street := fold_street(home.address.street)):
                key = f"{source_id}:{street}:{home.address.postcode}"
                self._by_source_id[key].append(home)
        named = (self._by_identity.get(entry.identity) for entry in entries)
        self._named = {home.id for home in named if home is not None}
        self._doubtful: set[str] = set()

    def find(self, entry: Entry) -> Known | None:
        """The home that `entry` means, None for a new one; raises `Ambiguous`."""
        if (home := self._by_identity.get(entry.identity)) is not None:
            return home
        for key in _keys(entry.name, entry.address, entry.point):
            found = [
                home
                for home in self._by_place.get(key, [])
                if home.id not in self._named and _may_be(home, entry, key)
            ]
            if len(found) > 1:
                self._doubtful |= {home.id for home in found}
                raise Ambiguous
            if found:
                return found[0]
        return self._renamed(entry)

    def _renamed(self, entry: Entry) -> Known | None:
        """The same id in the same house, under another provider and another name."""
        source_id, street = source_id_of(entry.identity), fold_street(entry.address.street)
        if source_id is None or not street or not entry.address.postcode:
            return None
        key = f"{source_id}:{street}:{entry.address.postcode}"
        found = [home for home in self._by_source_id.get(key, []) if home.id not in self._named]
        return found[0] if len(found) == 1 else None

    def vanished(self, met: Mapping[str, int], providers: set[str]) -> list[Vanished]:
        """Open homes that earlier lists brought, of `providers` (slugs) or of those who run the
        homes that were `met` (ids), which this list has not."""
        providers = providers | {home.provider for home in self._known if home.id in met}
        return [
            Vanished(home.id, home.name)
            for home in self._known
            if home.identity
            and home.is_open
            and home.provider in providers
            and home.id not in met
            and home.id not in self._doubtful
        ]


def identity_to_store(home: Known | None, entry: Entry) -> str:
    """An id goes before an address, and a new id before an old one of the same source; what
    another source calls the home does not replace what the first one does."""
    stored = home.identity if home is not None else None
    if stored is None or stored == entry.identity:
        return entry.identity
    if is_by_address(entry.identity):
        return stored
    same_source = stored.rpartition(":")[0] == entry.identity.rpartition(":")[0]
    return entry.identity if same_source or is_by_address(stored) else stored


def _keys(name: str, address: Address, point: Point | None) -> list[str]:
    """By postcode first, then by town."""
    by_city = Address(street=address.street, city=address.city, country=address.country)
    keys = [identity_by_address(name, address, point)]
    if address.postcode and address.city:
        keys.append(identity_by_address(name, by_city, None))
    return keys


def _may_be(home: Known, entry: Entry, key: str) -> bool:
    """Two postcodes that differ are two places, whatever the town."""
    ours, theirs = home.address.postcode, entry.address.postcode
    return key == entry.by_address or not (ours and theirs) or ours == theirs
