"""The homes that are exported, in an order that lasts, and what each offers.

Only what the public sees: a listing has no more, and coarse values where a home is small.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import NamedTuple

from vacancies.board import Board
from vacancies.models import CareForm, Freshness, Listing, Vacancy
from vacancies.search import Query

FORMS = tuple(CareForm)
FORM_NUMBERS = {form: number for number, form in enumerate(FORMS, start=1)}
# Homes of neighbours are theirs to give away.
EVERYBODY = Query(include_full=True, own_only=True)
_AT_ONCE = 500


class Offer(NamedTuple):
    """One care form of one home; None where a home has not said which it has."""

    listing: Listing
    form: CareForm | None

    @property
    def key(self) -> tuple[str, int]:
        """Its place in the order: by home, then by care form."""
        return self.listing.id, FORM_NUMBERS[self.form] if self.form else 0


def homes(board: Board, query: Query = EVERYBODY) -> list[Listing]:
    """All open homes, full ones too, in ascending order of their ids. `query` may name an area."""
    slots, _ = board.match(query)
    return [board.listing(slot) for slot in board.by_id(slots).tolist()]


def find(board: Board, home_id: str) -> Listing | None:
    """The home, closed ones too; None if there is none, or it is not ours."""
    listing = board.get(home_id)
    return listing if listing is not None and listing.origin is None else None


def changes(board: Board, revision: int, query: Query, at_most: int) -> list[tuple[Listing, bool]]:
    """The first homes that changed after `revision`, in ascending revision, closed ones too; each
    with whether it lies in the area of `query`, which names nothing else."""
    slots = board.changed_since(revision)[:at_most]
    inside = set(board.in_area(query, slots)[0].tolist())
    return [(board.listing(slot), slot in inside) for slot in slots.tolist()]


def forms(listing: Listing) -> list[CareForm]:
    """The care forms that a home has: by licensed places or by what it reports."""
    known = {form for form, places in listing.profile.capacity.items() if places}
    known.update(line.care_form for line in listing.vacancies)
    return [form for form in FORMS if form in known]


async def offers(board: Board) -> list[Offer]:
    """What all open homes offer, in the order of `Offer.key`; each home has one at least.

    The state is that of the moment of calling; others have their turn while it is looked through.
    """
    state, kept = (board.epoch, board.revision), _kept(board)
    if (known := kept.get(state)) is not None:  # by somebody who asks for page after page
        return known
    found: list[Offer] = []
    for number, home in enumerate(homes(board), start=1):
        # A home that has said nothing is there too.
        found += [Offer(home, form) for form in forms(home) or (None,)]
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    kept.clear()
    kept[state] = found
    return found


@lru_cache(maxsize=4)
def _kept(board: Board) -> dict[tuple[str, int], list[Offer]]:
    """The offers of the last state of that board that somebody asked for."""
    return {}


def free(listing: Listing, form: CareForm | None = None) -> int | None:
    """Free places of a care form, or of all; None where nothing is known that still holds.

    A home with an admission stop has none: its places count as not free.
    """
    if listing.freshness in (Freshness.STALE, Freshness.UNKNOWN):
        return None
    return sum(listing.free.values()) if form is None else listing.free.get(form, 0)


def lines(listing: Listing, form: CareForm) -> list[Vacancy]:
    """The public lines of that care form that have places."""
    return [line for line in listing.vacancies if line.care_form is form and line.count > 0]
