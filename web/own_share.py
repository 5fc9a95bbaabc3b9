"""One's own share of a home's price, in words: what `vacancies/costs.py` computes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from werkzeug.datastructures import MultiDict

from vacancies.costs import (
    GRADES,
    YEARS,
    Share,
    about_eur,
    amount_on,
    figures,
    shares_by_year,
    supplement_on,
)
from vacancies.errors import InvalidParameter
from vacancies.models import CareForm, Listing
from web.language import Language
from web.words import N_

# What a home asks is the same for all grades from 2 on: any of them will do.
_ANY_GRADE = 2
STAYS = {
    1: N_("new, or up to 12 months"),
    2: N_("more than 12 months"),
    3: N_("more than 24 months"),
    4: N_("more than 36 months"),
}
_YEARS = {
    1: N_("First year"),
    2: N_("Second year"),
    3: N_("Third year"),
    4: N_("From the fourth year"),
}
_LATER = {
    2: N_("In the second year: %(amount)s."),
    3: N_("In the third year: %(amount)s."),
    4: N_("From the fourth year: %(amount)s."),
}
PARTS = {
    "care_eur": N_("Care, own share"),
    "training_eur": N_("Training levy"),
    "board_eur": N_("Board and lodging"),
    "investment_eur": N_("Investment costs"),
}


@dataclass(frozen=True, slots=True)
class Situation:
    """Whose share: the care grade (None: one from 2 to 5), and the year of stay in any home
    (4: the fourth or a later one)."""

    grade: int | None = None
    year: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A year of stay."""

    year: int
    label: str
    supplement: str
    own: str


@dataclass(frozen=True, slots=True)
class ShareView:
    """All that the page says of costs. `by_year` are the sentences from which the client
    chooses: by year of stay, and 0 for grade 1. `rows` is empty where nothing can be computed;
    `parts` are those that the home has named."""

    situation: Situation
    stays: dict[int, str]
    parts: list[tuple[str, str]]
    total: str
    sentence: str
    by_year: dict[int, str]
    rows: list[Row]
    missing: str
    law: str
    checked: str
    short: list[str]
    children: str


def read_situation(args: MultiDict[str, str]) -> Situation:
    """From `?grade=3&since=2`; empty values count as not given. Raises `InvalidParameter`."""
    grade = _number(args, "grade", GRADES)
    return Situation(grade, _number(args, "since", YEARS) or 1)


def _number(args: MultiDict[str, str], name: str, possible: range) -> int | None:
    text = args.get(name, "").strip()
    if not text:
        return None
    if text not in map(str, possible):
        raise InvalidParameter(f"{name} must be from {possible[0]} to {possible[-1]}.", field=name)
    return int(text)


def own_share_view(
    listing: Listing, situation: Situation, language: Language, today: date
) -> ShareView | None:
    """None for a home that says nothing of costs, and has no care form for which the insurance
    pays a yearly amount."""
    costs = listing.profile.costs
    named = [
        (label, eur) for key, label in PARTS.items() if (eur := getattr(costs, key)) is not None
    ]
    short = _short(listing, language, today)
    if not named and not short:
        return None
    shares = (
        shares_by_year(costs, _ANY_GRADE, today) if _has(listing, (CareForm.LONG_TERM,)) else {}
    )
    by_year = _sentences(shares, language, today)
    rule, total = supplement_on(today), costs.total_eur()
    children = amount_on("child_income_year", today)
    return ShareView(
        situation=situation,
        stays={year: language.gettext(label) for year, label in STAYS.items()},
        parts=[(language.gettext(label), language.euros(eur)) for label, eur in named],
        total=language.euros(total) if total is not None else "",
        sentence=by_year.get(0 if situation.grade == 1 else situation.year, ""),
        by_year=by_year,
        rows=[_row(year, share, language) for year, share in shares.items()],
        missing=_missing(shares, language),
        law=rule.law if rule else "",
        checked=language.day(figures().checked_on, date.min),
        short=short,
        children=language.euros(children.eur) if children else "",
    )


def _has(listing: Listing, forms: Collection[CareForm]) -> bool:
    """Whether the home offers one of `forms`, as far as is known: if it does not say what it
    is licensed for, it may."""
    licensed = listing.profile.capacity
    return not licensed or any(form in licensed or form in listing.free for form in forms)


def _sentences(shares: dict[int, Share], language: Language, today: date) -> dict[int, str]:
    if not shares:
        return {}
    about = {year: language.euros(about_eur(share.own_eur)) for year, share in shares.items()}
    first = N_("You pay about %(amount)s a month.")
    if shares[1].missing:
        first = N_("You pay at least about %(amount)s a month.")
    said = {}
    for year, amount in about.items():
        said[year] = language.gettext(first, amount=amount)
        if year + 1 in about:
            said[year] += " " + language.gettext(_LATER[year + 1], amount=about[year + 1])
    if grade_1 := amount_on("grade_1_month", today):
        said[0] = language.gettext(
            "With care grade 1 the insurance pays %(amount)s a month. Ask the home for its price.",
            amount=language.euros(grade_1.eur),
        )
    return said


def _row(year: int, share: Share, language: Language) -> Row:
    return Row(
        year=year,
        label=language.gettext(_YEARS[year]),
        supplement=language.euros(share.supplement_eur),
        own=language.euros(share.own_eur),
    )


def _missing(shares: dict[int, Share], language: Language) -> str:
    if not shares or not shares[1].missing:
        return ""
    names = ", ".join(language.gettext(PARTS[name]) for name in shares[1].missing)
    return language.gettext("The home does not say yet: %(parts)s.", parts=names)


def _short(listing: Listing, language: Language, today: date) -> list[str]:
    """What the insurance pays for a stay that ends."""
    stay, relief = amount_on("stay_year", today), amount_on("relief_month", today)
    if not _has(listing, (CareForm.SHORT_TERM, CareForm.RESPITE)) or not stay or not relief:
        return []
    return [
        language.gettext(
            "With care grade 2 to 5 the care insurance pays up to %(amount)s a year, for at most"
            " eight weeks.",
            amount=language.euros(stay.eur),
        ),
        language.gettext("The sum is for short-term and respite care together."),
        language.gettext("Board, lodging and investment costs you pay yourself."),
        language.gettext(
            "You may use the relief amount for them: %(amount)s a month.",
            amount=language.euros(relief.eur),
        ),
    ]
