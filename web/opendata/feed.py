"""The same in two halves, for apps that ask often: what seldom changes, and what is free now.

After the conventions of GBFS 3.0 (General Bikeshare Feed Specification), which does this for
bicycles: `last_updated` (RFC 3339), `ttl` in seconds, `version`, `data`, and one file that lists
the others. `version` is that of this format, which is no GBFS.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from vacancies.models import (
    Address,
    AdmissionStop,
    CareForm,
    Contact,
    Costs,
    Focus,
    Freshness,
    Listing,
    Need,
    Ownership,
    Precision,
    SpokenLanguage,
    Standing,
    Vacancy,
    WaitingList,
)
from web.opendata.served import LAST_UPDATED, Document, Taken
from web.opendata.terms import Terms

VERSION = "1.0"
HOMES_SECONDS = 60
STATUS_SECONDS = 10
JSON_TYPE = "application/json"

_encoder = msgspec.json.Encoder()


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """What seldom changes about a home; degrees of WGS 84."""

    id: str
    name: str
    provider: str
    latitude: float
    longitude: float
    precision: Precision
    address: Address
    municipality: str | None
    contact: Contact
    capacity: dict[CareForm, int]
    costs: Costs
    focuses: tuple[Focus, ...]
    needs: tuple[Need, ...]
    languages: tuple[SpokenLanguage, ...]
    ownership: Ownership | None
    quality_url: str | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What is free in a home, and how old that is. `free` is empty where nothing is free, or
    nobody knows: `freshness` tells these apart."""

    id: str
    freshness: Freshness
    standing: Standing
    free: dict[CareForm, int]
    vacancies: tuple[Vacancy, ...]
    admission_stop: AdmissionStop | None
    waiting_list: WaitingList | None
    observed_at: datetime | None
    confirmed_at: datetime | None
    valid_until: datetime | None
    revision: int


def homes(taken: Taken, terms: Terms) -> bytes:
    return _file(terms, HOMES_SECONDS, "homes", map(_home, taken.homes))


def status(taken: Taken, terms: Terms) -> bytes:
    """With `revision`, so that one can go on with the live stream."""
    data = map(_status, taken.homes)
    return _file(terms, STATUS_SECONDS, "status", data, b'"revision":%d,' % taken.revision)


def index(taken: Taken, terms: Terms) -> bytes:
    """As `gbfs.json`: where the other files are."""
    feeds = [
        {"name": name, "url": terms.base + document.path}
        for name, document in (("homes", HOMES), ("status", STATUS))
    ]
    return _file(terms, HOMES_SECONDS, "feeds", feeds)


def _file(terms: Terms, ttl: int, name: str, items: Iterable[Any], more: bytes = b"") -> bytes:
    # One by one: a thread that encodes all in one call stops the loop for as long.
    data = b",\n".join([_encoder.encode(item) for item in items])
    return b'{"last_updated":"%b","ttl":%d,"version":"%b",%b,%b"data":{"%b":[\n%b\n]}}\n' % (
        *(LAST_UPDATED, ttl, VERSION.encode(), terms.members, more, name.encode(), data),
    )


def _home(home: Listing) -> Home:
    profile = home.profile
    return Home(
        id=home.id,
        name=profile.name,
        provider=home.provider,
        latitude=profile.point.latitude,
        longitude=profile.point.longitude,
        precision=profile.precision,
        address=profile.address,
        municipality=profile.municipality,
        contact=profile.contact,
        capacity=profile.capacity,
        costs=profile.costs,
        focuses=profile.focuses,
        needs=profile.needs,
        languages=profile.languages,
        ownership=profile.ownership,
        quality_url=profile.quality_url,
    )


def _status(home: Listing) -> Status:
    return Status(
        id=home.id,
        freshness=home.freshness,
        standing=home.standing,
        free=home.free,
        vacancies=home.vacancies,
        admission_stop=home.admission_stop,
        waiting_list=home.profile.waiting_list,
        observed_at=home.observed_at,
        confirmed_at=home.confirmed_at,
        valid_until=home.valid_until,
        revision=home.revision,
    )


HOMES = Document("/opendata/live/homes.json", JSON_TYPE, HOMES_SECONDS, homes)
STATUS = Document("/opendata/live/status.json", JSON_TYPE, STATUS_SECONDS, status)
INDEX = Document("/opendata/live/index.json", JSON_TYPE, HOMES_SECONDS, index)
