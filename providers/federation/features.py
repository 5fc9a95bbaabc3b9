"""What a neighbour says of a home, read as strictly as what our own providers send.

Members that we do not know are passed over, and so are codes of needs, focuses and languages of a
home: the neighbour may run a newer release. Everything else must be as our own API takes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from providers.payloads import (
    MAX_LINES,
    AddressBody,
    ContactBody,
    CostsBody,
    Count,
    Moment,
    Name,
    StopBody,
    VacancyLine,
    Website,
)
from vacancies.errors import FreiplatzError
from vacancies.gazetteer import load_gazetteer
from vacancies.geo import apart_km
from vacancies.models import (
    CareForm,
    Focus,
    Freshness,
    Need,
    Ownership,
    Point,
    Precision,
    Profile,
    SpokenLanguage,
    Vacancy,
    WaitingList,
)

# Germany and what adjoins it.
SOUTH, NORTH, WEST, EAST = 45.0, 56.0, 4.0, 18.0
# The largest German postcodes reach some 20 km from their centre.
POSTCODE_KM = 50.0
# Ids of homes as every deployment makes them. The words after `/homes/…/` are pages of ours.
_HOME_ID = re.compile(r"(?!\.{1,2}$|(?:trail|wrong|feedback|vacancies)$)[A-Za-z0-9._~-]{1,64}")
_PROVIDER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_Code = TypeVar("_Code", bound=StrEnum)
_Codes = Annotated[tuple[Annotated[str, Meta(max_length=50)], ...], Meta(max_length=50)]


class Refused(Exception):
    """What a neighbour said cannot be, and why. `home_id` is of what home it was, if that can be
    told."""

    def __init__(self, why: str, home_id: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.home_id = home_id


class Told(NamedTuple):
    """A home as its neighbour shows it; `home_id` and `provider` are as they are there."""

    home_id: str
    provider: str
    profile: Profile
    vacancies: tuple[Vacancy, ...]
    freshness: Freshness
    observed_at: datetime | None
    confirmed_at: datetime | None


class _Address(AddressBody, frozen=True, kw_only=True, forbid_unknown_fields=False):
    pass


class _Contact(ContactBody, frozen=True, kw_only=True, forbid_unknown_fields=False):
    pass


class _Costs(CostsBody, frozen=True, kw_only=True, forbid_unknown_fields=False):
    pass


class _Stop(StopBody, frozen=True, kw_only=True, forbid_unknown_fields=False):
    pass


class _Line(VacancyLine, frozen=True, kw_only=True, forbid_unknown_fields=False):
    pass


class _Geometry(msgspec.Struct, frozen=True):
    type: Literal["Point"]
    coordinates: tuple[
        Annotated[float, Meta(ge=-180, le=180)], Annotated[float, Meta(ge=-90, le=90)]
    ]


class _Properties(msgspec.Struct, frozen=True, kw_only=True):
    name: Name
    provider: Annotated[str, Meta(max_length=60)]
    status: Literal["open"]
    freshness: Freshness
    vacancies: Annotated[tuple[_Line, ...], Meta(max_length=MAX_LINES)]
    capacity: dict[CareForm, Count]
    costs: _Costs
    focuses: _Codes
    needs: _Codes
    languages: _Codes = ()
    ownership: Ownership | None = None
    quality_url: Website | None = None
    waiting_list: WaitingList | None
    admission_stop: _Stop | None
    observed_at: Moment | None
    confirmed_at: Moment | None
    contact: _Contact
    address: _Address
    precision: Precision
    origin: None = None  # a home of a third deployment is for that one to tell of


class _Feature(msgspec.Struct, frozen=True):
    type: Literal["Feature"]
    id: str
    geometry: _Geometry
    properties: _Properties


class _Named(msgspec.Struct, frozen=True):
    id: str


_feature = msgspec.json.Decoder(_Feature)
_named = msgspec.json.Decoder(_Named)
# msgspec raises the second and third for text that is none, and for what is nested very deeply;
# the last one is for times that no calendar of UTC has.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError)


def read_id(data: bytes) -> str:
    """The id of the home that an event is about. Raises `Refused`."""
    try:
        home_id = _named.decode(data).id
    except UNREADABLE as error:
        raise Refused(f"It names no home: {error}"[:200]) from None
    if not _HOME_ID.fullmatch(home_id):
        raise Refused("The id of a home is none that Freiplatz gives.")
    return home_id


def read_feature(data: bytes) -> Told:
    """A home from its Feature. Raises `Refused`."""
    home_id = read_id(data)
    try:
        found = _feature.decode(data)
        told = _told(home_id, found.geometry, found.properties)
    except UNREADABLE as error:
        raise Refused(str(error)[:200], home_id) from None
    except FreiplatzError as error:
        raise Refused(f"{error.field}: {error.detail}"[:200], home_id) from None
    if (why := misplaced(told.profile)) is not None:
        raise Refused(why, home_id)
    return told


def _told(home_id: str, geometry: _Geometry, said: _Properties) -> Told:
    if not _PROVIDER.fullmatch(said.provider):
        raise Refused("The name of its provider is none that Freiplatz gives.", home_id)
    lines = tuple(line.vacancy(f"vacancies[{n}]") for n, line in enumerate(said.vacancies))
    if lines and said.observed_at is None:
        raise Refused("It has free places, but does not say as of when.", home_id)
    longitude, latitude = geometry.coordinates
    profile = Profile(
        name=" ".join(said.name.split()),
        point=Point(latitude, longitude),
        precision=said.precision,
        address=said.address.address(),
        contact=said.contact.contact(),
        # Not its municipality: a neighbour puts no homes onto desks here.
        capacity=said.capacity,
        costs=said.costs.costs(),
        focuses=_known(said.focuses, Focus),
        needs=_known(said.needs, Need),
        languages=_known(said.languages, SpokenLanguage),
        ownership=said.ownership,
        quality_url=said.quality_url,
        waiting_list=said.waiting_list,
        admission_stop=said.admission_stop.stop() if said.admission_stop else None,
    )
    return Told(
        home_id=home_id,
        provider=said.provider,
        profile=profile,
        vacancies=lines,
        freshness=said.freshness,
        observed_at=said.observed_at and said.observed_at.astimezone(UTC),
        confirmed_at=said.confirmed_at and said.confirmed_at.astimezone(UTC),
    )


def _known(codes: Sequence[str], kind: type[_Code]) -> tuple[_Code, ...]:
    named = set(codes)
    return tuple(code for code in kind if code in named)


def misplaced(profile: Profile) -> str | None:
    """Why the home cannot lie where it is said to; None if it can."""
    point, address = profile.point, profile.address
    if not (SOUTH <= point.latitude <= NORTH and WEST <= point.longitude <= EAST):
        return "It lies neither in Germany nor beside it."
    centre = load_gazetteer().postcodes.get(address.postcode or "")
    if (
        address.country == "DE"
        and centre is not None
        and apart_km(point, Point(*centre)) > POSTCODE_KM
    ):
        return f"It lies more than {POSTCODE_KM:g} km from its postcode."
    return None
