"""A listing as a GeoJSON Feature (RFC 7946), encoded once and shared by all who get it.

Only the distance differs from viewer to viewer, so the bytes come in two parts between
which it is put.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

import msgspec

from vacancies.models import (
    Address,
    AdmissionStop,
    CareForm,
    Contact,
    Costs,
    Focus,
    Freshness,
    HomeStatus,
    Listing,
    Need,
    Ownership,
    Precision,
    SpokenLanguage,
    Standing,
    Vacancy,
    WaitingList,
)

_encoder = msgspec.json.Encoder()


class PublicOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """Whose home it is where that is not ours: the neighbour's name, its page of the home, and
    since when nothing has been heard from it (null while it is heard)."""

    name: str
    url: str
    silent_since: datetime | None


class Properties(msgspec.Struct, frozen=True, kw_only=True):
    """The `properties` of a Feature; times are RFC 3339 UTC. `distance_km` is put in front
    of these where the search has a centre."""

    name: str
    provider: str
    status: HomeStatus
    freshness: Freshness
    standing: Standing
    free: dict[CareForm, int]
    vacancies: tuple[Vacancy, ...]
    capacity: dict[CareForm, int]
    costs: Costs
    focuses: tuple[Focus, ...]
    needs: tuple[Need, ...]
    languages: tuple[SpokenLanguage, ...]
    ownership: Ownership | None
    quality_url: str | None
    waiting_list: WaitingList | None
    admission_stop: AdmissionStop | None
    observed_at: datetime | None
    confirmed_at: datetime | None
    revision: int
    contact: Contact
    address: Address
    precision: Precision
    municipality: str | None
    merged_into: str | None
    origin: PublicOrigin | msgspec.UnsetType = msgspec.UNSET  # only there for homes of neighbours


class EncodedFeature(msgspec.Struct, frozen=True, gc=False):
    """The bytes of a Feature before and after `distance_km`."""

    head: bytes
    tail: bytes

    def at(self, distance_km: float | None) -> bytes:
        """The whole Feature, seen from `distance_km` away (None: from nowhere)."""
        if distance_km is None:
            return self.head + self.tail
        return b'%b"distance_km":%.3f,%b' % (self.head, distance_km, self.tail)


def encode_feature(listing: Listing) -> EncodedFeature:
    point = listing.profile.point
    head = b'{"type":"Feature","id":%b,"geometry":{"type":"Point","coordinates":[%b,%b]},' % (
        _encoder.encode(listing.id),
        _encoder.encode(point.longitude),
        _encoder.encode(point.latitude),
    )
    # The encoded properties begin with "{", which moves before the distance.
    return EncodedFeature(head + b'"properties":{', _encoder.encode(properties(listing))[1:] + b"}")


def properties(listing: Listing) -> Properties:
    profile = listing.profile
    return Properties(
        name=profile.name,
        provider=listing.provider,
        status=profile.status,
        freshness=listing.freshness,
        standing=listing.standing,
        free=listing.free,
        vacancies=listing.vacancies,
        capacity=profile.capacity,
        costs=profile.costs,
        focuses=profile.focuses,
        needs=profile.needs,
        languages=profile.languages,
        ownership=profile.ownership,
        quality_url=profile.quality_url,
        waiting_list=profile.waiting_list,
        admission_stop=listing.admission_stop,
        observed_at=listing.observed_at,
        confirmed_at=listing.confirmed_at,
        revision=listing.revision,
        contact=profile.contact,
        address=profile.address,
        precision=profile.precision,
        municipality=profile.municipality,
        merged_into=profile.merged_into,
        origin=public_origin(listing) or msgspec.UNSET,
    )


def public_origin(listing: Listing) -> PublicOrigin | None:
    """None for a home of ours."""
    origin = listing.origin
    if origin is None:
        return None
    _, _, home_id = listing.id.partition("/")
    return PublicOrigin(
        name=origin.name,
        url=f"{origin.url}/homes/{quote(home_id)}",
        silent_since=origin.silent_since,
    )
