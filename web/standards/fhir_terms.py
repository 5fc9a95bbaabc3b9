"""Our words in FHIR: code systems, and the extension that says how many places are free.

Each has a canonical address under that of the deployment, and is served there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vacancies.models import CareForm, Focus, Need
from web import words
from web.language import choose
from web.standards.source import Source

FHIR_VERSION = "4.0.1"
WRITTEN_ON = "2026-11-27"
_GERMAN = "de"  # displays are for people: in the language of the country
_WORDS: dict[str, Mapping[Any, str]] = {
    "care-form": words.CARE_FORMS,
    "focus": words.FOCUSES,
    "need": words.NEEDS,
}
_CODES: dict[str, tuple[str, ...]] = {
    "care-form": tuple(CareForm),
    "focus": tuple(Focus),
    "need": tuple(Need),
}
_AVAILABILITY = "availability"
# Parts of the extension: name, type, how many, meaning.
_PARTS = (
    ("free", "integer", "1", "Free places. Absent: nothing is known that still holds; call."),
    ("licensed", "integer", "1", "Licensed places (zugelassene Plätze)."),
    ("freshness", "code", "1", "Age of the report: fresh, ageing, stale or unknown."),
    ("observedAt", "dateTime", "1", "When it was true at the home."),
    ("confirmedAt", "dateTime", "1", "When the home last said that it still is."),
    ("validUntil", "dateTime", "1", "When freshness is a worse one, unless the home reports."),
    ("admissionStop", "code", "1", "Why the home takes nobody; its places are not free then."),
    ("line", "", "*", "count, sex, room, availableFrom, availableUntil, careGrade of some places."),
)


def system(address: str, name: str) -> str:
    return f"{address}/fhir/CodeSystem/{name}"


def availability_address(address: str) -> str:
    return f"{address}/fhir/StructureDefinition/{_AVAILABILITY}"


def german(name: str, code: str) -> str:
    return choose(_GERMAN).gettext(_WORDS[name][code])


def concept(address: str, name: str, code: str) -> dict[str, Any]:
    """A CodeableConcept of one of our code systems."""
    display = german(name, code)
    coding = {"system": system(address, name), "code": str(code), "display": display}
    return {"coding": [coding], "text": display}


def code_system(name: str, source: Source) -> dict[str, Any] | None:
    if name not in _CODES:
        return None
    return {
        "resourceType": "CodeSystem",
        "id": name,
        "url": system(source.address, name),
        "name": "Freiplatz" + name.title().replace("-", ""),
        "status": "active",
        "date": WRITTEN_ON,
        "publisher": source.attribution,
        "copyright": _copyright(source),
        "caseSensitive": True,
        "content": "complete",
        "concept": [{"code": str(code), "display": german(name, code)} for code in _CODES[name]],
    }


def structure_definition(name: str, source: Source) -> dict[str, Any] | None:
    """What the extension holds, as a differential."""
    if name != _AVAILABILITY:
        return None
    elements: list[dict[str, Any]] = [
        {"id": "Extension", "path": "Extension", "short": "Free places of a home, and as of when"}
    ]
    for part, kind, most, meaning in _PARTS:
        root = f"Extension.extension:{part}"
        elements += [
            {
                "id": root,
                "path": "Extension.extension",
                "sliceName": part,
                "short": meaning,
                "min": 0,
                "max": most,
            },
            {"id": f"{root}.url", "path": "Extension.extension.url", "fixedUri": part},
        ]
        if kind:
            element = {"id": f"{root}.value[x]", "path": "Extension.extension.value[x]"}
            elements.append({**element, "type": [{"code": kind}]})
    return {
        "resourceType": "StructureDefinition",
        "id": _AVAILABILITY,
        "url": availability_address(source.address),
        "name": "FreiplatzAvailability",
        "status": "active",
        "date": WRITTEN_ON,
        "publisher": source.attribution,
        "copyright": _copyright(source),
        "fhirVersion": FHIR_VERSION,
        "kind": "complex-type",
        "abstract": False,
        "context": [
            {"type": "element", "expression": "Location"},
            {"type": "element", "expression": "HealthcareService"},
        ],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {"element": elements},
    }


def capability_statement(source: Source, searches: Mapping[str, Mapping[str, str]]) -> Any:
    """What this server can; `searches` are names and types of parameters by resource."""
    resources = [
        {
            "type": resource,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "versioning": "versioned",
            "readHistory": False,
            "searchParam": [{"name": name, "type": kind} for name, kind in parameters.items()],
        }
        for resource, parameters in searches.items()
    ]
    read_only = [
        {"type": name, "interaction": [{"code": "read"}]}
        for name in ("CodeSystem", "StructureDefinition")
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": WRITTEN_ON,
        "publisher": source.attribution,
        "copyright": _copyright(source),
        "kind": "instance",
        "software": {"name": "Freiplatz"},
        "implementation": {
            "description": "Free places in care homes, read only, without a key",
            "url": f"{source.address}/fhir",
        },
        "fhirVersion": FHIR_VERSION,
        "format": ["json", "application/fhir+json"],
        "rest": [{"mode": "server", "security": {"cors": True}, "resource": resources + read_only}],
    }


def _copyright(source: Source) -> str:
    code, address = source.licence.code, source.licence.text_url
    return f"{source.attribution}, {code}, {address}"
