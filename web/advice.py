"""The advice office of a place, for the pages."""

from __future__ import annotations

from dataclasses import dataclass

from vacancies.advice import office_for
from vacancies.models import Point
from web.cards import phone_href, safe_website
from web.state import state


@dataclass(frozen=True, slots=True)
class AdviceView:
    """An office as `advice.html` shows it: text, and addresses that are safe as links."""

    name: str
    place: str
    phone: str
    phone_href: str
    website: str


async def advice_at(point: Point, municipality: str | None = None) -> AdviceView | None:
    """Whom to ask at that place; None where nobody is known."""
    office = office_for(await state().advice.all(), point, municipality)
    if office is None:
        return None
    address = office.address
    town = " ".join(filter(None, (address.postcode, address.city)))
    return AdviceView(
        name=office.name,
        place=", ".join(filter(None, (address.street, town))),
        phone=office.contact.phone or "",
        phone_href=phone_href(office.contact.phone),
        website=safe_website(office.contact.website),
    )
