"""Where many people can go tonight: the homes around a place that together have enough free
places, those that can be relied on first. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import msgspec
import numpy as np

from vacancies.board import Board
from vacancies.models import CareForm, Freshness, HomeStatus, Listing, Point
from vacancies.search import Query

# Where somebody can sleep tonight without moving into a flat.
BEDS = (CareForm.LONG_TERM, CareForm.SHORT_TERM, CareForm.RESPITE)
MOST_CALLS = 50


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """A home that is `km` away, with so many places `free` tonight; `total` counts them up from
    the first home on."""

    listing: Listing
    km: float
    free: int = 0
    total: int = 0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`sure`: reported lately. `unsure`: reported a while ago, and only as many as are needed
    beside those. `calls`: nothing is known to be free there, but one can ask for emergency beds."""

    sure: list[Stay]
    unsure: list[Stay]
    calls: list[Stay]

    @property
    def total(self) -> int:
        return max((stay.total for stay in (*self.sure, *self.unsure)), default=0)


def plan_evacuation(
    board: Board,
    centre: Point,
    wanted: int,
    today: date,
    *,
    forms: Collection[CareForm] = BEDS,
    radius_km: float = 50.0,
    without: str | None = None,
) -> Plan:
    """Nearest first, until `wanted` places are found. `without` is the home that is emptied."""
    slots, distances = board.in_area(Query(centres=(centre,), radius_km=radius_km))
    order = np.argsort(distances, kind="stable")
    sure: list[Stay] = []
    ageing: list[Stay] = []
    calls: list[Stay] = []
    total = 0
    for slot, km in zip(slots[order].tolist(), distances[order].tolist(), strict=True):
        listing = board.listing(slot)
        if listing.profile.status is not HomeStatus.OPEN or listing.id == without:
            continue
        free = free_tonight(listing, forms, today)
        if free and listing.freshness is Freshness.FRESH:
            if total < wanted:
                total += free
                sure.append(Stay(listing=listing, km=km, free=free, total=total))
        elif free:
            ageing.append(Stay(listing=listing, km=km, free=free))
        elif len(calls) < MOST_CALLS and _has_beds(listing, forms):
            calls.append(Stay(listing=listing, km=km))
        if total >= wanted and len(calls) + len(ageing) >= MOST_CALLS:
            break
    unsure: list[Stay] = []
    for stay in ageing:
        if total < wanted:
            total += stay.free
            unsure.append(msgspec.structs.replace(stay, total=total))
        else:
            calls.append(stay)
    calls.sort(key=lambda stay: stay.km)
    return Plan(sure=sure, unsure=unsure, calls=calls[:MOST_CALLS])


def free_tonight(listing: Listing, forms: Collection[CareForm], today: date) -> int:
    """Public free places of those care forms that can be had today."""
    return sum(
        line.count
        for line in listing.vacancies
        if line.care_form in forms
        and (line.available_from is None or line.available_from <= today)
        and (line.available_until is None or line.available_until >= today)
    )


def _has_beds(listing: Listing, forms: Collection[CareForm]) -> bool:
    """Whether it offers such a care form; unknown capacity may be any."""
    capacity = listing.profile.capacity
    return not capacity or any(form in capacity for form in forms)
