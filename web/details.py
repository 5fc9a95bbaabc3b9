"""What a home's own page says beyond its card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from vacancies.listings import local_date
from vacancies.models import Listing
from web import words
from web.cards import Card, line_details, when
from web.language import Language


def labellers(language: Language) -> dict[str, Callable[[str], str]]:
    """Functions from code to label, by kind of code, for the template."""

    def labeller(table: Mapping[Any, str]) -> Callable[[str], str]:
        return lambda code: language.gettext(table[code])

    return {
        "form": labeller(words.CARE_FORMS),
        "focus": labeller(words.FOCUSES),
        "need": labeller(words.NEEDS),
    }


def free_lines(listing: Listing, language: Language, now: datetime) -> list[dict[str, str]]:
    """Every free line in words."""
    today = local_date(now)
    return [
        {
            "count": language.number(line.count),
            "form": language.gettext(words.CARE_FORMS[line.care_form]),
            "when": when(line, language, today),
            "details": " · ".join(line_details(line, language)),
            "note": line.note or "",
        }
        for line in listing.vacancies
        if line.count > 0
    ]


def linked_data(listing: Listing, view: Card, address: str) -> dict[str, Any]:
    """The home for search engines (schema.org); empty members are left out."""
    profile = listing.profile
    postal = {
        "@type": "PostalAddress",
        "streetAddress": profile.address.street,
        "postalCode": profile.address.postcode,
        "addressLocality": profile.address.city,
        "addressCountry": profile.address.country,
    }
    data = {
        "@context": "https://schema.org",
        "@type": "LocalBusiness",
        "@id": address,
        "name": profile.name,
        "telephone": profile.contact.phone,
        "email": profile.contact.email,
        "url": view.website,
        "address": {key: value for key, value in postal.items() if value},
        "geo": {
            "@type": "GeoCoordinates",
            "latitude": profile.point.latitude,
            "longitude": profile.point.longitude,
        },
    }
    return {key: value for key, value in data.items() if value}
