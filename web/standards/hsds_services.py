"""Homes as services of the Human Services Data Specification, HSDS 3.1 (Open Referral).

https://docs.openreferral.org/en/3.1/hsds/schema_reference.html. A service is one care form of one
home, so that its `service_capacity` says of one kind of place how many there are. What HSDS has no
field for is an `attribute` with a `label` and a `value`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from vacancies.models import AdmissionStop, CareForm, Listing
from vacancies.municipalities import LANDS
from web import words
from web.cards import last_said_at, safe_website
from web.language import choose
from web.standards.ids import home_uuid, namespace, offer_uuid, part_uuid
from web.standards.offers import Offer, free
from web.standards.source import Source, is_there

_GERMAN = "de"  # names are for people: in the language of the country
# Wholly residential care, which is what the uniform own share is for (§ 84 (2) SGB XI).
_WITH_COSTS = (CareForm.LONG_TERM, None)
_COSTS = (
    ("care_eur", "Pflegebedingter Eigenanteil (EEE)"),
    ("training_eur", "Ausbildungsumlage"),
    ("board_eur", "Unterkunft und Verpflegung"),
    ("investment_eur", "Investitionskosten"),
)


def service(offer: Offer, source: Source) -> dict[str, Any]:
    """The service with everything in it ("fully nested")."""
    listing, form = offer
    profile = listing.profile
    own = offer_uuid(listing.id, form)
    said_at, spoken = last_said_at(listing), choose(_GERMAN).spoken
    return _filled(
        {
            "id": str(own),
            "name": f"{profile.name}: {_form_name(form)}" if form else profile.name,
            "description": _form_name(form) if form else "Pflegeeinrichtung",
            "url": safe_website(profile.contact.website),
            "additional_urls": [_page(listing, own, source)],
            "email": profile.contact.email,
            "status": "active",
            "alert": _alert(listing.admission_stop),
            "assured_date": said_at.date().isoformat() if said_at else None,
            "last_modified": _moment(said_at),
            "phones": _phones(listing, own),
            "languages": [
                {"id": str(part_uuid(own, code)), "name": spoken(code), "code": str(code)}
                for code in profile.languages
            ],
            "organization": _organization(listing.provider),
            "service_at_locations": [
                {"id": str(part_uuid(own, "at")), "location": _location(listing)}
            ],
            "capacities": _capacities(offer, own),
            "cost_options": _cost_options(listing, own) if form in _WITH_COSTS else [],
            "attributes": [
                *_terms(offer, own, source),
                _attribute(own, "freshness", str(listing.freshness)),
                _attribute(own, "license", source.licence.text_url),
                _attribute(own, "attribution", source.attribution),
            ],
        }
    )


def _capacities(offer: Offer, own: UUID) -> list[dict[str, Any]]:
    """None where nothing is known that still holds: HSDS wants a number, and 0 would be a lie.

    `updated` is when it was true at the home, or when the home said that it still is.
    """
    listing, form = offer
    said_at, available = last_said_at(listing), free(listing, form)
    if said_at is None or available is None:
        return []
    unit = {"id": str(part_uuid(namespace(), "unit/place")), "name": "Platz"}
    capacity = {
        "id": str(part_uuid(own, "capacity")),
        "unit": unit,
        "available": available,
        "maximum": listing.profile.capacity.get(form, 0) or None if form else None,
        "description": f"Freie Plätze: {_form_name(form)}" if form else "Freie Plätze",
        "updated": _moment(said_at),
    }
    return [_filled(capacity)]


def _location(listing: Listing) -> dict[str, Any]:
    profile = listing.profile
    own = home_uuid(listing.id)
    return _filled(
        {
            "id": str(own),
            "location_type": "physical",
            "name": profile.name,
            "latitude": profile.point.latitude,
            "longitude": profile.point.longitude,
            "external_identifier": listing.id,
            "external_identifier_type": "Freiplatz",
            "addresses": _addresses(listing, own),
            "phones": _phones(listing, own),
        }
    )


def _addresses(listing: Listing, own: UUID) -> list[dict[str, str]]:
    """HSDS wants every part of an address: what is not known is an empty text."""
    address = listing.profile.address
    if not (address.city or address.postcode):
        return []
    return [
        {
            "id": str(part_uuid(own, "address")),
            "address_1": address.street or "",
            "city": address.city or "",
            "state_province": LANDS.get((listing.profile.municipality or "")[:2], ""),
            "postal_code": address.postcode or "",
            "country": address.country,
            "address_type": "physical",
        }
    ]


def _phones(listing: Listing, whole: UUID) -> list[dict[str, str]]:
    contact = listing.profile.contact
    if not contact.phone:
        return []
    phone = {
        "id": str(part_uuid(whole, "phone")),
        "number": contact.phone,
        "type": "voice",
        "description": contact.hours,
    }
    return [_filled(phone)]


def _organization(provider: str) -> dict[str, str]:
    """Of a provider the public sees the short name."""
    own = part_uuid(namespace(), f"provider/{provider}")
    return {"id": str(own), "name": provider, "description": "Träger von Pflegeeinrichtungen"}


def _cost_options(listing: Listing, own: UUID) -> list[dict[str, Any]]:
    costs = listing.profile.costs
    return [
        {
            "id": str(part_uuid(own, name)),
            "option": option,
            "currency": "EUR",
            "amount": amount,
            "amount_description": "im Monat",
        }
        for name, option in _COSTS
        if (amount := getattr(costs, name)) is not None
    ]


def _terms(offer: Offer, own: UUID, source: Source) -> list[dict[str, Any]]:
    """Care form, focuses and needs as terms of our taxonomies, which are FHIR's code systems."""
    listing, form = offer
    codes: list[tuple[str, str, str]] = []
    if form:
        codes.append(("care-form", form, _form_name(form)))
    codes += [("focus", code, _german(words.FOCUSES[code])) for code in listing.profile.focuses]
    codes += [("need", code, _german(words.NEEDS[code])) for code in listing.profile.needs]
    return [
        {
            "id": str(part_uuid(own, f"{taxonomy}/{code}")),
            "link_entity": "service",
            "taxonomy_term": {
                "id": str(part_uuid(namespace(), f"{taxonomy}/{code}")),
                "code": str(code),
                "name": name,
                "description": name,
                "taxonomy": f"{source.address}/fhir/CodeSystem/{taxonomy}",
                "language": "de",
            },
        }
        for taxonomy, code, name in codes
    ]


def _attribute(own: UUID, label: str, value: str) -> dict[str, str]:
    id_ = str(part_uuid(own, label))
    return {"id": id_, "link_entity": "service", "label": label, "value": value}


def _page(listing: Listing, own: UUID, source: Source) -> dict[str, str]:
    return {
        "id": str(part_uuid(own, "page")),
        "label": "Freiplatz",
        "url": source.page_of(listing),
    }


def _alert(stop: AdmissionStop | None) -> str:
    if stop is None:
        return ""
    until = f" bis {stop.until.isoformat()}" if stop.until else ""
    return f"Aufnahmestopp{until}: {_german(words.STOP_REASONS[stop.reason])}"


def _moment(at: datetime | None) -> str | None:
    """HSDS wants milliseconds."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z" if at else None


def _form_name(form: CareForm) -> str:
    return _german(words.CARE_FORMS[form])


def _german(message: str) -> str:
    return choose(_GERMAN).gettext(message)


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if is_there(value)}
