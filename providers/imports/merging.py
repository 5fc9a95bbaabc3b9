"""What a list says of a home that is known already, laid over what is known."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import asdict, replace

from providers.imports.cells import fold_street, fold_words
from providers.imports.entries import Entry
from vacancies.models import (
    Address,
    CareForm,
    CareHome,
    Contact,
    Costs,
    Point,
    Precision,
    Profile,
)

Part = TypeVar("Part", Address, Contact)


def merged_profile(
    entry: Entry, home: CareHome | None, point: Point, precision: Precision
) -> Profile:
    """What the row says, and what it does not speak of as it was."""
    if home is None:
        return replace(
            Profile(name=entry.name, point=point, precision=precision),
            address=entry.address,
            contact=entry.contact,
            capacity=_capacity({}, entry.capacity),
            costs=Costs(**entry.costs),
            municipality=entry.municipality,
        )
    before = home.profile
    return replace(
        before,
        name=entry.name,
        point=point,
        precision=precision,
        address=_over(before.address, entry.address),
        contact=_over(before.contact, entry.contact),
        capacity=_capacity(before.capacity, entry.capacity),
        costs=replace(before.costs, **entry.costs),
        municipality=entry.municipality or home.assignment.stated,
    )


def _over(before: Part, now: Part) -> Part:
    """An empty cell says nothing."""
    return replace(before, **{k: v for k, v in asdict(now).items() if v is not None})


def _capacity(before: dict[CareForm, int], now: dict[CareForm, int]) -> dict[CareForm, int]:
    """A known number is not replaced by "offered, number unknown"."""
    merged = before | {form: count or before.get(form, 0) for form, count in now.items()}
    return dict(sorted(merged.items()))


def same_address(before: Address, now: Address) -> bool:
    return (
        fold_street(before.street) == fold_street(now.street)
        and (before.postcode or "") == (now.postcode or "")
        and fold_words(before.city or "") == fold_words(now.city or "")
        and before.country == now.country
    )
