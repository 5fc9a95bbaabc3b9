"""Homes as NGSI-LD entities (ETSI GS CIM 009 v1.8.1), and the context that explains their words.

One entity of type `CareHome` for each home. Free places are properties, one for each care form and
one for all, so that a time series can follow each; `observedAt` is when it was true at the home.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vacancies.models import CareForm, Listing
from web.cards import safe_website
from web.standards.offers import forms, free
from web.standards.source import Source, is_there

Entity = dict[str, Any]

TYPE = "CareHome"
URN = f"urn:ngsi-ld:{TYPE}:"
CORE_CONTEXT = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
CONTEXT_PATH = "/ngsi-ld/v1/context.jsonld"
_PIECES = "C62"  # "one", a plain number (UN/CEFACT Recommendation 20)
_EUROS = "EUR"  # ISO 4217
# What every entity has.
EVERYWHERE = frozenset(("name", "homeId", "page", "location", "provider", "freshness", "license"))
# Words that others have defined already.
_KNOWN_WORDS = {
    "name": "schema:name",
    "address": "schema:address",
    "PostalAddress": "schema:PostalAddress",
    "streetAddress": "schema:streetAddress",
    "postalCode": "schema:postalCode",
    "addressLocality": "schema:addressLocality",
    "addressCountry": "schema:addressCountry",
    "telephone": "schema:telephone",
    "email": "schema:email",
    "website": "schema:url",
    "languages": "schema:knowsLanguage",
    "license": "http://purl.org/dc/terms/license",
    "attribution": "http://dcat-ap.de/def/dcatde/licenseAttributionByText",
}
_OWN_WORDS = (
    TYPE,
    "homeId",
    "page",
    "provider",
    "municipalityKey",
    "freePlaces",
    "freshness",
    "confirmedAt",
    "validUntil",
    "admissionStop",
    "admissionStopUntil",
    "waitingList",
    "focuses",
    "needs",
    "monthlyCosts",
)


def form_word(stem: str, form: CareForm) -> str:
    """`freeLongTerm` for the stem `free` and long-term care."""
    return stem + form.title().replace("_", "")


def context_address(address: str) -> str:
    return address + CONTEXT_PATH


def context_link(address: str) -> str:
    """The header that names the context beside plain JSON (clause 6.3.5)."""
    rel = "http://www.w3.org/ns/json-ld#context"
    return f'<{context_address(address)}>; rel="{rel}"; type="application/ld+json"'


def context(address: str) -> dict[str, Any]:
    """Our words, then ETSI's. A word never changes its meaning."""
    own = [*_OWN_WORDS, *(form_word(s, form) for s in ("free", "licensed") for form in CareForm)]
    words = {
        "freiplatz": context_address(address) + "#",
        "schema": "https://schema.org/",
        **{word: f"freiplatz:{word}" for word in own},
        **_KNOWN_WORDS,
    }
    return {"@context": [words, CORE_CONTEXT]}


def entity(listing: Listing, source: Source) -> Entity:
    """The entity in normalised form, without `@context`."""
    profile, contact, at = listing.profile, listing.profile.contact, listing.observed_at
    stop = listing.admission_stop
    point = [profile.point.longitude, profile.point.latitude]
    known = {
        "name": _property(profile.name),
        "homeId": _property(listing.id),
        "page": _property(source.page_of(listing)),
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": point}},
        "address": _property(_address(listing)),
        "telephone": _property(contact.phone),
        "email": _property(contact.email),
        "website": _property(safe_website(contact.website)),
        "provider": _relationship(f"urn:ngsi-ld:Organization:{listing.provider}"),
        "municipalityKey": _property(profile.municipality),
        "freePlaces": _property(free(listing), at, _PIECES),
        **_by_form(listing),
        "freshness": _property(str(listing.freshness), at),
        "confirmedAt": _property(_moment(listing.confirmed_at)),
        "validUntil": _property(_moment(listing.valid_until)),
        "admissionStop": _property(str(stop.reason) if stop else None),
        "admissionStopUntil": _property(stop.until.isoformat() if stop and stop.until else None),
        "waitingList": _property(str(profile.waiting_list) if profile.waiting_list else None),
        "focuses": _property([str(code) for code in profile.focuses]),
        "needs": _property([str(code) for code in profile.needs]),
        "languages": _property([str(code) for code in profile.languages]),
        "monthlyCosts": _property(profile.costs.total_eur(), None, _EUROS),
        "license": _relationship(source.licence.text_url),
        "attribution": _property(source.attribution),
    }
    head = {"id": URN + listing.id, "type": TYPE}
    return {**head, **{name: value for name, value in known.items() if value}}


def _by_form(listing: Listing) -> Entity:
    """Free and licensed places of each care form that the home has."""
    found: Entity = {}
    for form in forms(listing):
        found[form_word("free", form)] = _property(
            free(listing, form), listing.observed_at, _PIECES
        )
        places = listing.profile.capacity.get(form, 0)
        found[form_word("licensed", form)] = _property(places or None, None, _PIECES)
    return found


def simplified(whole: Entity) -> Entity:
    """Values without their metadata ("simplified representation", clause 4.5.4)."""
    return {
        name: (value.get("value", value.get("object")) if isinstance(value, dict) else value)
        for name, value in whole.items()
    }


def _property(value: object, at: datetime | None = None, unit: str | None = None) -> Entity:
    """Empty where there is no value: an attribute that is not known is left out."""
    if not is_there(value):
        return {}
    found: Entity = {"type": "Property", "value": value}
    if at is not None:
        found["observedAt"] = at
    if unit is not None:
        found["unitCode"] = unit
    return found


def _relationship(address: str) -> Entity:
    return {"type": "Relationship", "object": address}


def _moment(at: datetime | None) -> Entity | None:
    return {"@type": "DateTime", "@value": at} if at else None


def _address(listing: Listing) -> Entity:
    address = listing.profile.address
    parts = {
        "streetAddress": address.street,
        "postalCode": address.postcode,
        "addressLocality": address.city,
    }
    known = {name: value for name, value in parts.items() if value}
    if not known:
        return {}
    return {"type": "PostalAddress", **known, "addressCountry": address.country}
