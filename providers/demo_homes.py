"""What a single demo home is like: sizes, costs, needs, and what it reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from random import Random
from typing import TypeVar

from msgspec.structs import replace

from providers import demo_names
from vacancies.listings import local_date
from vacancies.models import (
    Address,
    AdmissionStop,
    CareForm,
    Contact,
    Costs,
    Focus,
    Need,
    Ownership,
    Point,
    Profile,
    Room,
    Sex,
    SpokenLanguage,
    StopReason,
    Vacancy,
    WaitingList,
)


class State(Enum):
    """What a demo home shows when the database has just been filled."""

    FREE = "free"
    FULL = "full"
    AGEING = "ageing"
    STALE = "stale"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


_PREFIXES = {
    CareForm.LONG_TERM: ("Seniorenzentrum", "Pflegezentrum", "Haus", "Wohnstift", "Altenheim"),
    CareForm.DAY: ("Tagespflege",),
    CareForm.SHARED_FLAT: ("Pflege-WG",),
    CareForm.ASSISTED_LIVING: ("Betreutes Wohnen",),
    CareForm.SHORT_TERM: ("Kurzzeitpflege",),
    CareForm.HOSPICE: ("Hospiz",),
}
_SIZES = {
    CareForm.DAY: (12, 24),
    CareForm.SHARED_FLAT: (8, 12),
    CareForm.ASSISTED_LIVING: (14, 60),
    CareForm.SHORT_TERM: (10, 28),
    CareForm.HOSPICE: (8, 16),
}
_FOCUSES = {
    Focus.DEMENTIA: 0.45,
    Focus.PALLIATIVE: 0.2,
    Focus.PROTECTED: 0.12,
    Focus.BARIATRIC: 0.06,
    Focus.YOUNG: 0.05,
    Focus.VENTILATION: 0.04,
}
_NEEDS = {
    Need.SOCIAL_ASSISTANCE: 0.85,
    Need.MRSA: 0.4,
    Need.WANDERING: 0.35,
    Need.WEEKEND_ADMISSION: 0.3,
    Need.COUPLES: 0.25,
    Need.TRACHEOSTOMY: 0.1,
    Need.DIALYSIS: 0.08,
}

# Beside German; carers from about 150 countries work in German homes.
_LANGUAGES = {
    SpokenLanguage.ENGLISH: 0.5,
    SpokenLanguage.POLISH: 0.4,
    SpokenLanguage.RUSSIAN: 0.35,
    SpokenLanguage.TURKISH: 0.3,
    SpokenLanguage.ARABIC: 0.12,
    SpokenLanguage.UKRAINIAN: 0.1,
    SpokenLanguage.ROMANIAN: 0.08,
    SpokenLanguage.CROATIAN: 0.08,
    SpokenLanguage.SIGN: 0.02,
}
# Of nursing homes in Germany (Pflegestatistik): about 53 % nonprofit, 43 % private, 4 % public.
_OWNERSHIPS = (Ownership.NONPROFIT, Ownership.PRIVATE, Ownership.PUBLIC)
_OWNERSHIP_WEIGHTS = (53, 43, 4)

Code = TypeVar("Code")


def made_up_profile(
    kind: CareForm, state: State, address: Address, point: Point, now: datetime, random: Random
) -> Profile:
    is_home = kind is CareForm.LONG_TERM
    stop = None
    if state is State.STOPPED:
        until = local_date(now) + timedelta(days=random.randint(2, 20))
        stop = AdmissionStop(
            reason=random.choice(list(StopReason)), until=random.choice((until, until, None))
        )
    waiting = random.choice((WaitingList.OPEN, WaitingList.OPEN, WaitingList.CLOSED, None))
    return Profile(
        name=demo_names.home_name(random, random.choice(_PREFIXES[kind])),
        point=point,
        address=replace(address, street=demo_names.street(random)),
        contact=Contact(phone=demo_names.phone(random), email="aufnahme@demo.example"),
        capacity=_capacity(kind, random),
        costs=_costs(random) if is_home and random.random() < 0.88 else Costs(),
        focuses=_some(_FOCUSES, random) if is_home else (),
        needs=_some(_NEEDS, random) if is_home else (),
        languages=_some(_LANGUAGES, random),
        ownership=random.choices(_OWNERSHIPS, weights=_OWNERSHIP_WEIGHTS)[0],
        waiting_list=waiting if state is State.FULL else None,
        admission_stop=stop,
    )


def _some(shares: dict[Code, float], random: Random) -> tuple[Code, ...]:
    return tuple(value for value, share in shares.items() if random.random() < share)


def _capacity(kind: CareForm, random: Random) -> dict[CareForm, int]:
    if kind is not CareForm.LONG_TERM:
        return {kind: random.randint(*_SIZES[kind])}
    # Seven in ten of all homes: nine in ten of these, and hardly any of the others.
    large = random.random() < 0.91
    capacity: dict[CareForm, int] = {
        kind: random.randint(34, 140) if large else random.randint(12, 24)
    }
    if large and random.random() < 0.6:
        capacity[CareForm.SHORT_TERM] = random.randint(2, 8)
        capacity[CareForm.RESPITE] = random.randint(1, 4)
    return capacity


def _costs(random: Random) -> Costs:
    """Own shares as German homes ask for them (vdek: about 3,000 euros in the first year)."""
    return Costs(
        care_eur=round(random.uniform(1250, 2050), 2),
        training_eur=round(random.uniform(70, 160), 2),
        board_eur=round(random.uniform(820, 1080), 2),
        investment_eur=round(random.uniform(330, 640), 2),
    )


def observed_at(state: State, now: datetime, random: Random) -> datetime | None:
    """Most have said something today."""
    hours = {
        State.UNKNOWN: None,
        State.STALE: random.uniform(4 * 24, 30 * 24),
        State.AGEING: random.uniform(25, 66),
    }.get(state, 14 * random.random() ** 2 + 0.05)
    return None if hours is None else (now - timedelta(hours=hours)).replace(microsecond=0)


def made_up_lines(
    state: State, profile: Profile, variant: int, now: datetime, random: Random
) -> tuple[Vacancy, ...] | None:
    if state is State.UNKNOWN:
        return None
    if state is State.FULL or (state is not State.FREE and random.random() < 0.4):
        return ()
    main = next(iter(profile.capacity))
    count = random.choices((1, 2, 3, 4, 6), weights=(45, 28, 15, 8, 4))[0]
    lines = [_line(main, count, variant, profile, now, random)]
    if CareForm.SHORT_TERM in profile.capacity and main is not CareForm.SHORT_TERM:
        start = local_date(now) + timedelta(days=random.randint(0, 12))
        if variant % 3 == 0:
            lines.append(
                Vacancy(
                    care_form=CareForm.SHORT_TERM,
                    count=1,
                    room=Room.SINGLE,
                    available_from=start,
                    available_until=start + timedelta(days=random.randint(10, 27)),
                )
            )
        elif random.random() < 0.3:
            lines.append(Vacancy(care_form=CareForm.RESPITE, count=1))
    return tuple(lines)


def _line(
    form: CareForm, count: int, variant: int, profile: Profile, now: datetime, random: Random
) -> Vacancy:
    """Each kind of line in turn, so that all can be seen in a small demo too."""
    line: Sequence[dict[str, object]] = (
        {},
        {"available_from": local_date(now) + timedelta(days=random.randint(2, 45))},
        {"sex": random.choice((Sex.FEMALE, Sex.FEMALE, Sex.MALE)), "room": Room.DOUBLE, "count": 1},
        {"room": Room.SINGLE},
        {"care_grades": (2, 3) if variant % 2 else (3, 4, 5)},
        {"focuses": profile.focuses[:1], "note": "Besichtigung täglich nach Anruf."},
    )
    return replace(Vacancy(care_form=form, count=count), **line[variant % 6])
