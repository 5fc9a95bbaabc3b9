"""Homes as FHIR R4 resources: a `Location` each, and a `HealthcareService` for each care form.

https://hl7.org/fhir/R4/location.html, https://hl7.org/fhir/R4/healthcareservice.html. R4 has no
element for free places, so they stand in an extension of ours, `availability`; what it holds is
described at its own address (`fhir_terms.py`). The municipality is where the German base profiles
have it (http://fhir.de/StructureDefinition/destatis/ags).
"""

from __future__ import annotations

import re
from typing import Any

from vacancies.models import CareForm, Listing, Vacancy
from web.cards import last_said_at, safe_website
from web.standards import fhir_terms as terms
from web.standards.ids import find_home, find_offer, home_uuid, offer_uuid
from web.standards.offers import FORMS, Offer, find, forms, free, lines
from web.standards.source import Source, is_there
from web.state import state

Resource = dict[str, Any]

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")  # https://hl7.org/fhir/R4/datatypes.html#id
_AGS = "http://fhir.de/StructureDefinition/destatis/ags"
_AGS_KEYS = "http://fhir.de/sid/destatis/ags"
_AGS_DIGITS = 8
_CARE_FACILITY = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
    "code": "NCCF",
    "display": "Nursing or custodial care facility",
}


def location_id(listing: Listing) -> str:
    """Our own id where FHIR allows it, else the home's UUID."""
    return listing.id if _ID.fullmatch(listing.id) else str(home_uuid(listing.id))


def service_id(listing: Listing, form: CareForm) -> str:
    plain = f"{location_id(listing)}.{form.replace('_', '-')}"
    return plain if _ID.fullmatch(plain) else str(offer_uuid(listing.id, form))


def find_location(resource_id: str) -> Listing | None:
    """The home whose `Location` has that id, closed ones too."""
    known = find(state().board, resource_id) or find_home(resource_id)
    return known if known and location_id(known) == resource_id else None


def find_service(resource_id: str) -> tuple[Listing, CareForm] | None:
    """The home and the care form of the `HealthcareService` with that id, closed ones too."""
    home, form = find_offer(resource_id) or (None, None)
    if home is None:
        head, _, tail = resource_id.rpartition(".")
        home = find_location(head)
        form = next((form for form in FORMS if form.replace("_", "-") == tail), None)
    if home is None or form is None or service_id(home, form) != resource_id:
        return None
    return home, form


def location(listing: Listing, source: Source) -> Resource:
    profile = listing.profile
    point = {"latitude": profile.point.latitude, "longitude": profile.point.longitude}
    resource = {
        "resourceType": "Location",
        "id": location_id(listing),
        "meta": _meta(listing, source),
        "extension": [_availability(listing, None, source)],
        "identifier": [{"system": f"{source.address}/homes", "value": listing.id}],
        "status": "active",
        "name": profile.name,
        "mode": "instance",
        "type": [{"coding": [_CARE_FACILITY]}],
        "telecom": _telecom(listing),
        "address": _address(listing),
        "position": point,
        "managingOrganization": {"display": listing.provider},
    }
    return _filled(resource)


def service(offer: Offer, source: Source) -> Resource:
    listing, form = offer
    assert form is not None
    profile = listing.profile
    resource = {
        "resourceType": "HealthcareService",
        "id": service_id(listing, form),
        "meta": _meta(listing, source),
        "extension": [_availability(listing, form, source)],
        "active": True,
        "providedBy": {"display": listing.provider},
        "type": [terms.concept(source.address, "care-form", form)],
        "location": [{"reference": f"Location/{location_id(listing)}", "display": profile.name}],
        "name": f"{profile.name}: {terms.german('care-form', form)}",
        "telecom": _telecom(listing),
        "characteristic": [
            *(terms.concept(source.address, "focus", code) for code in profile.focuses),
            *(terms.concept(source.address, "need", code) for code in profile.needs),
        ],
        "communication": [
            {"coding": [{"system": "urn:ietf:bcp:47", "code": code}]} for code in profile.languages
        ],
    }
    return _filled(resource)


def tags(source: Source) -> list[dict[str, str]]:
    """Licence and attribution: they stand in each resource, since resources are passed on."""
    system = f"{source.address}/fhir/CodeSystem"
    code, address = source.licence.code, source.licence.text_url
    return [
        {"system": f"{system}/licence", "code": code, "display": address},
        {"system": f"{system}/attribution", "code": "source", "display": source.attribution},
    ]


def _meta(listing: Listing, source: Source) -> dict[str, Any]:
    """`versionId` is our revision; `lastUpdated` when the home last said something."""
    meta = {
        "versionId": str(listing.revision),
        "lastUpdated": last_said_at(listing),
        "source": source.page_of(listing),
        "tag": tags(source),
    }
    return _filled(meta)


def _availability(listing: Listing, form: CareForm | None, source: Source) -> dict[str, Any]:
    """Of one care form, or of the whole home. No `free`: nothing is known that still holds."""
    capacity = listing.profile.capacity
    licensed = capacity.get(form, 0) if form else sum(capacity.get(f, 0) for f in forms(listing))
    stop = listing.admission_stop
    parts = [
        _part("free", "valueInteger", free(listing, form)),
        _part("licensed", "valueInteger", licensed or None),
        _part("freshness", "valueCode", listing.freshness),
        _part("observedAt", "valueDateTime", listing.observed_at),
        _part("confirmedAt", "valueDateTime", listing.confirmed_at),
        _part("validUntil", "valueDateTime", listing.valid_until),
        _part("admissionStop", "valueCode", stop.reason if stop else None),
        *(map(_line, lines(listing, form)) if form else ()),
    ]
    return {
        "url": terms.availability_address(source.address),
        "extension": [part for part in parts if part],
    }


def _line(line: Vacancy) -> dict[str, Any]:
    parts = [
        _part("count", "valueInteger", line.count),
        _part("sex", "valueCode", line.sex),
        _part("room", "valueCode", line.room),
        _part("availableFrom", "valueDate", line.available_from),
        _part("availableUntil", "valueDate", line.available_until),
        *(_part("careGrade", "valueInteger", grade) for grade in line.care_grades),
    ]
    return {"url": "line", "extension": [part for part in parts if part]}


def _part(name: str, kind: str, value: object) -> dict[str, Any]:
    return {} if value is None else {"url": name, kind: value}


def _telecom(listing: Listing) -> list[dict[str, str]]:
    contact = listing.profile.contact
    points = (
        ("phone", (contact.phone or "").strip()),
        ("email", (contact.email or "").strip()),
        ("url", safe_website(contact.website)),
    )
    return [{"system": system, "value": value, "use": "work"} for system, value in points if value]


def _address(listing: Listing) -> dict[str, Any]:
    address, key = listing.profile.address, listing.profile.municipality
    city = (address.city or "").strip()
    is_whole = key is not None and len(key) == _AGS_DIGITS  # of some only the district is known
    municipality = {"url": _AGS, "valueCoding": {"system": _AGS_KEYS, "code": key}}
    return _filled(
        {
            "use": "work",
            "type": "physical",
            "line": [address.street.strip()] if address.street and address.street.strip() else [],
            "city": city,
            "_city": {"extension": [municipality]} if city and is_whole else None,
            "postalCode": (address.postcode or "").strip(),
            "country": address.country,
        }
    )


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if is_there(value)}
