"""A home for search engines: JSON-LD in the words of schema.org.

schema.org has no type for care homes. `MedicalBusiness` is the closest that is one (a
`LocalBusiness`, so an `Organization` and a `Place`): what is said below belongs to one of them,
or to `Offer`. Free places are offers with `inventoryLevel`; their time ends when the listing
stops being counted. A home without free places has no offers: nobody sells a full house.
"""

from __future__ import annotations

from typing import Any

from vacancies.models import Listing, Vacancy
from web import words
from web.cards import Card
from web.language import choose

# The words of an offer are for machines: in the language of the country.
_GERMAN = "de"


def linked_data(listing: Listing, view: Card, address: str) -> dict[str, Any]:
    """The home at `address`; empty members are left out."""
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
        "@type": "MedicalBusiness",
        "@id": address,
        "name": profile.name,
        "telephone": profile.contact.phone,
        "email": profile.contact.email,
        "url": view.website,
        "address": _filled(postal),
        "geo": {
            "@type": "GeoCoordinates",
            "latitude": profile.point.latitude,
            "longitude": profile.point.longitude,
        },
        "maximumAttendeeCapacity": sum(profile.capacity.values()),
        "knowsLanguage": [str(code) for code in profile.languages],
        "makesOffer": [_offer(listing, line) for line in listing.vacancies if line.count > 0],
    }
    return _filled(data)


def _offer(listing: Listing, line: Vacancy) -> dict[str, Any]:
    form = choose(_GERMAN).gettext(words.CARE_FORMS[line.care_form])
    start, until = line.available_from, listing.valid_until
    return _filled(
        {
            "@type": "Offer",
            "itemOffered": {"@type": "Service", "serviceType": form},
            "availability": "https://schema.org/LimitedAvailability",
            "availabilityStarts": start.isoformat() if start else None,
            "availabilityEnds": line.available_until.isoformat() if line.available_until else None,
            "inventoryLevel": {"@type": "QuantitativeValue", "value": line.count},
            "validThrough": until.isoformat() if until else None,
        }
    )


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value}
