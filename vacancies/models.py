"""The nouns of the domain: frozen, typed, without I/O. They hold no cycles, so the garbage
collector need not look at them (`gc=False`): there are many.

Three times that are never mixed: `observed_at` (when it was true at the home),
`reported_at` (when it reached us), `confirmed_at` (when the home last said "still so").
All times are UTC. Dates are calendar days in the region of the deployment (Europe/Berlin).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec


class CareForm(StrEnum):
    """How care is given; codes are stable API values."""

    LONG_TERM = "long_term"  # Dauerpflege
    SHORT_TERM = "short_term"  # Kurzzeitpflege, § 42 SGB XI
    RESPITE = "respite"  # Verhinderungspflege, § 39 SGB XI
    DAY = "day"  # Tagespflege, § 41 SGB XI
    NIGHT = "night"  # Nachtpflege, § 41 SGB XI
    ASSISTED_LIVING = "assisted_living"  # Betreutes Wohnen
    SHARED_FLAT = "shared_flat"  # Pflege-WG
    HOSPICE = "hospice"  # Hospiz, § 39a SGB V


class Focus(StrEnum):
    """What a home or a place specialises in."""

    DEMENTIA = "dementia"
    VENTILATION = "ventilation"  # außerklinische Intensivpflege, § 37c SGB V
    PALLIATIVE = "palliative"
    YOUNG = "young"  # Junge Pflege
    PROTECTED = "protected"  # geschützter Bereich
    BARIATRIC = "bariatric"


class Need(StrEnum):
    """What a home can cope with."""

    MRSA = "mrsa"
    DIALYSIS = "dialysis"
    TRACHEOSTOMY = "tracheostomy"
    WANDERING = "wandering"
    COUPLES = "couples"
    SOCIAL_ASSISTANCE = "social_assistance"  # Sozialhilfe, SGB XII, is accepted
    WEEKEND_ADMISSION = "weekend_admission"


class Ownership(StrEnum):
    """Who runs a home (Trägerschaft), as the care statistics (Pflegestatistik) divide them."""

    PUBLIC = "public"  # öffentlich: a municipality, a district
    NONPROFIT = "nonprofit"  # freigemeinnützig: churches, welfare associations
    PRIVATE = "private"  # privat


class SpokenLanguage(StrEnum):
    """Languages that somebody in the home speaks, besides German; codes of ISO 639-1, and
    -3 for sign language. Those that carers and residents in Germany mostly bring along."""

    SIGN = "gsg"  # Deutsche Gebärdensprache
    ALBANIAN = "sq"
    ARABIC = "ar"
    BOSNIAN = "bs"
    BULGARIAN = "bg"
    CHINESE = "zh"
    CROATIAN = "hr"
    CZECH = "cs"
    DANISH = "da"
    DUTCH = "nl"
    ENGLISH = "en"
    FRENCH = "fr"
    GREEK = "el"
    HUNGARIAN = "hu"
    ITALIAN = "it"
    KURDISH = "ku"
    PERSIAN = "fa"
    POLISH = "pl"
    PORTUGUESE = "pt"
    ROMANIAN = "ro"
    RUSSIAN = "ru"
    SERBIAN = "sr"
    SORBIAN = "hsb"
    SPANISH = "es"
    TURKISH = "tr"
    UKRAINIAN = "uk"
    VIETNAMESE = "vi"


class Sex(StrEnum):
    """Who may take the place; matters in double rooms."""

    ANY = "any"
    FEMALE = "female"
    MALE = "male"


class Room(StrEnum):
    ANY = "any"
    SINGLE = "single"
    DOUBLE = "double"


class StopReason(StrEnum):
    """Why a home takes nobody for now (Aufnahmestopp)."""

    STAFF = "staff"
    ORDERED = "ordered"
    INFECTION = "infection"
    BUILDING = "building"
    OTHER = "other"


class WaitingList(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Freshness(StrEnum):
    """Age of what a home said last; see `Policy` for the limits."""

    FRESH = "fresh"
    AGEING = "ageing"
    STALE = "stale"
    UNKNOWN = "unknown"


class HomeStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class Standing(StrEnum):
    """What its municipality says of a home and its reports; codes are stable API values."""

    NORMAL = "normal"
    FROZEN = "frozen"  # its reports are false: kept, and not shown
    DECLINED = "declined"  # it does not report here, and nobody reminds it
    WAITING = "waiting"  # it is new, and not approved yet: nobody else sees it
    REFUSED = "refused"  # it was not approved


HIDDEN = frozenset({Standing.WAITING, Standing.REFUSED})  # from all but its own people
AWAITED = frozenset({Standing.NORMAL, Standing.FROZEN})  # somebody waits for its reports


class Precision(StrEnum):
    """How exactly a point is known."""

    EXACT = "exact"  # given by the source
    ADDRESS = "address"  # geocoded to the house or street
    POSTCODE = "postcode"  # centre of the postcode
    TOWN = "town"  # centre of the town
    REGION = "region"  # somewhere among neighbouring postcodes


class Point(msgspec.Struct, frozen=True, gc=False):
    """WGS 84, degrees; latitude first everywhere but in GeoJSON."""

    latitude: float
    longitude: float


class Vacancy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One line of a report: `count` free places of one care form, for whom, from when.

    An empty tuple of grades or focuses means no restriction. `available_from` None means
    now; `available_until` is the last day (short-term windows).
    """

    care_form: CareForm
    count: int
    sex: Sex = Sex.ANY
    room: Room = Room.ANY
    care_grades: tuple[int, ...] = ()
    focuses: tuple[Focus, ...] = ()
    available_from: date | None = None
    available_until: date | None = None
    note: str | None = None


class Costs(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Per home and month, in euros. `care_eur` is the home's uniform own share
    (EEE, einrichtungseinheitlicher Eigenanteil, § 84 (2) SGB XI)."""

    care_eur: float | None = None
    training_eur: float | None = None
    board_eur: float | None = None
    investment_eur: float | None = None

    def total_eur(self) -> float | None:
        """The sum, or None while any part is unknown."""
        parts = (self.care_eur, self.training_eur, self.board_eur, self.investment_eur)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None


class AdmissionStop(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The home takes nobody up to and including `until` (None: until further notice)."""

    reason: StopReason
    until: date | None = None


class Address(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str = "DE"  # ISO 3166-1 alpha-2


class Contact(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How to reach the home; `person` is whom to ask about admissions, `hours` when."""

    phone: str | None = None
    email: str | None = None
    website: str | None = None
    person: str | None = None
    hours: str | None = None


class Profile(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What seldom changes about a home. `capacity` is licensed places (zugelassene
    Plätze) per care form; an absent form is unknown. `quality_url` is where its quality
    results are published (§ 115 (1a) SGB XI)."""

    name: str
    point: Point
    precision: Precision = Precision.EXACT
    address: Address = Address()
    contact: Contact = Contact()
    municipality: str | None = None  # AGS: 8 digits, or of its district (5) or state (2)
    capacity: dict[CareForm, int] = {}
    costs: Costs = Costs()
    focuses: tuple[Focus, ...] = ()
    needs: tuple[Need, ...] = ()
    languages: tuple[SpokenLanguage, ...] = ()
    ownership: Ownership | None = None
    quality_url: str | None = None
    waiting_list: WaitingList | None = None
    admission_stop: AdmissionStop | None = None
    status: HomeStatus = HomeStatus.OPEN
    merged_into: str | None = None


AssignedBy = Literal["position", "hand"]


class Assignment(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How a home came to its municipality: `by` its position or by hand; None: as its provider
    has `stated`, or not at all. `boundaries` is the generation of boundaries by which it was last
    looked at; 0: not yet."""

    stated: str | None = None
    by: AssignedBy | None = None
    boundaries: int = 0


class Origin(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The neighbouring deployment that a home was taken over from (docs/federation.md).

    `said` is how fresh the home is as the neighbour judges it. `silent_since` is since when
    nothing has come from there; None while the neighbour is heard.
    """

    slug: str
    name: str
    url: str  # without a slash at the end
    said: Freshness
    silent_since: datetime | None = None


# In a home with fewer licensed places, details of one place could reveal a death.
SMALL_HOME_PLACES = 30


class Policy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Limits that a municipality may set; these are the defaults. A report is fresh, then
    ageing, and stale from the age of `ageing_for` on. Of a home with fewer licensed places than
    `detail_places` the public sees how many are free, and not for whom."""

    fresh_for: timedelta = timedelta(hours=24)
    ageing_for: timedelta = timedelta(hours=72)
    detail_places: int = SMALL_HOME_PLACES


DEFAULT_POLICY = Policy()


class CareHome(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A licensed home at one place, with all that it has reported: not for the public.

    `evaluated_at` is the moment for which freshness and dates were last judged; a listing
    is a pure function of this object, so that every process shows the same.
    `identity` recognises the home in the next import of the same list. `policy` is that of its
    municipality, as the home was last judged by.
    """

    id: str
    provider_id: int
    provider: str
    profile: Profile
    identity: str | None = None
    assignment: Assignment = Assignment()
    origin: Origin | None = None  # None: a home of ours
    standing: Standing = Standing.NORMAL
    vacancies: tuple[Vacancy, ...] = ()
    observed_at: datetime | None = None
    reported_at: datetime | None = None
    confirmed_at: datetime | None = None
    evaluated_at: datetime
    next_transition_at: datetime | None = None
    closed_at: datetime | None = None
    policy: Policy = DEFAULT_POLICY
    revision: int = 0
    moved_revision: int = 0

    @property
    def last_said_at(self) -> datetime | None:
        """The later of `observed_at` and `confirmed_at`; freshness counts from here."""
        observed, confirmed = self.observed_at, self.confirmed_at
        if observed is None or confirmed is None:
            return observed or confirmed
        return max(observed, confirmed)


class Listing(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What the public sees of a home, in the state of `revision`.

    `vacancies` holds public lines only: none while the home is full, stopped, stale or
    unknown, and coarse ones for small homes. `free` sums them per care form. From
    `valid_until` on `freshness` is a worse one, unless the home says something before.
    A frozen home is unknown, as if it had never reported. One that was not approved
    (`is_hidden`) is closed, and has no name.
    """

    id: str
    provider: str
    revision: int
    moved_revision: int
    profile: Profile
    freshness: Freshness
    standing: Standing = Standing.NORMAL
    free: dict[CareForm, int] = {}
    vacancies: tuple[Vacancy, ...] = ()
    admission_stop: AdmissionStop | None = None
    observed_at: datetime | None = None
    confirmed_at: datetime | None = None
    valid_until: datetime | None = None
    closed_at: datetime | None = None
    origin: Origin | None = None

    @property
    def is_hidden(self) -> bool:
        """Whether the public is to see no trace of it."""
        return self.standing in HIDDEN
