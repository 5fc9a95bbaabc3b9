"""What a place in a home costs whoever moves in: pure rules over the figures of the law.

The figures stand in `care_costs.toml`, each with its law, where it was published, and the days
on which it holds.

What a home asks for grades 2 to 5 is the same whatever the grade (EEE, § 84 (2) SGB XI), and
the benefits of § 43 (2) SGB XI are taken off it already. The supplement of § 43c takes a part
off what remains for care and for training, by how long one has lived in a home; board, lodging
and investment are paid in full. For grade 1 there is no such price: nothing is computed.

Amounts are euros a month. The supplement is rounded to the cent, half up. In a sentence a share
stands as "about": rounded up to ten euros (`about_eur`), so that nobody is told too little.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from math import ceil
from pathlib import Path
from typing import TypeVar

import msgspec

from vacancies.models import Costs

GRADES = range(1, 6)
YEARS = range(1, 5)  # of stay; the fourth stands for all that follow
PARTS = ("care_eur", "training_eur", "board_eur", "investment_eur")
# What § 43c counts as care: the circular of the funds (RS 2024/08, § 43c no. 4).
SUPPLEMENTED = PARTS[:2]

_CENT = Decimal("0.01")


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What every figure says of itself. `valid_until` is the last day, None while no end is
    known; `open` is what could not be looked up while it is not `verified`."""

    valid_from: date
    valid_until: date | None = None
    law: str
    published: str
    source: str
    verified: bool
    open: str | None = None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For who has been paid for more than so many months."""

    more_than_months: int
    percent: int


class Supplement(Figure, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """§ 43c SGB XI; `steps` ascend."""

    grades: tuple[int, ...]
    steps: tuple[Step, ...]


class Amount(Figure, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    eur: int


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the file holds. `checked_on` is when somebody last compared it with the law."""

    checked_on: date
    supplement: tuple[Supplement, ...]
    amount: tuple[Amount, ...]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one pays in a month: `own_eur` of the `asked_eur` of the home. While parts of the
    price are `missing`, it is what one pays at least."""

    asked_eur: float
    supplement_eur: float
    own_eur: float
    percent: int
    missing: tuple[str, ...] = ()


_F = TypeVar("_F", bound=Figure)


@cache
def figures() -> Figures:
    content = (Path(__file__).parent / "care_costs.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(content), Figures)


def amount_on(name: str, day: date) -> Amount | None:
    """The amount with that name as it is on `day`, None if there was none yet."""
    return _on((each for each in figures().amount if each.name == name), day)


def supplement_on(day: date) -> Supplement | None:
    return _on(figures().supplement, day)


def _on(known: Iterable[_F], day: date) -> _F | None:
    return next((each for each in known if each.holds_on(day)), None)


def supplement_percent(grade: int, months: int, day: date) -> int:
    """The part of one's own share of care that the insurance takes over, in percent.

    `months` are those for which § 43 was paid, this one included, and those counted in part
    (§ 43c sentence 5): 12 is still the first step, 13 the second. Other homes count too.
    """
    rule = supplement_on(day)
    if rule is None or grade not in rule.grades or months < 1:
        return 0
    return max((s.percent for s in rule.steps if months > s.more_than_months), default=0)


def own_share(costs: Costs, grade: int, months: int, day: date) -> Share | None:
    """What one pays in a month, with that care grade, in the `months`-th month in a home.

    None for grade 1, whose price is another and not known here, and while the home does not
    say what care costs. A missing part counts as nothing, and is named: as the supplement is
    less than the whole, one pays at least this.
    """
    if grade not in GRADES or grade == 1 or costs.care_eur is None:
        return None
    parts = {name: getattr(costs, name) for name in PARTS}
    known = {name: Decimal(str(eur)) for name, eur in parts.items() if eur is not None}
    percent = supplement_percent(grade, months, day)
    care = sum((known.get(name, Decimal()) for name in SUPPLEMENTED), Decimal())
    off = (care * percent / 100).quantize(_CENT, ROUND_HALF_UP)
    asked = sum(known.values(), Decimal())
    return Share(
        asked_eur=float(asked),
        supplement_eur=float(off),
        own_eur=float(asked - off),
        percent=percent,
        missing=tuple(name for name, eur in parts.items() if eur is None),
    )


def first_month(year: int) -> int:
    """The first month of that year of stay."""
    return 12 * (year - 1) + 1


def shares_by_year(costs: Costs, grade: int, day: date) -> dict[int, Share]:
    """The share in each year of stay, as the law is on `day`; empty where `own_share` is None."""
    found = {year: own_share(costs, grade, first_month(year), day) for year in YEARS}
    return {year: share for year, share in found.items() if share is not None}


def about_eur(eur: float) -> int:
    """For a sentence that says "about": up to the next ten euros."""
    return ceil(Decimal(str(eur)) / 10) * 10
