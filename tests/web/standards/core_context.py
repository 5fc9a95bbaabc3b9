"""A stand-in for ETSI's core context of NGSI-LD, which cannot be fetched in the tests.

It is in no package. These are only the terms that our entities use, written after annex B of
ETSI GS CIM 009; the real one has more, and is protected like this one.
"""

from __future__ import annotations

from typing import Any

CORE: dict[str, Any] = {
    "@version": 1.1,
    "@protected": True,
    "ngsi-ld": "https://uri.etsi.org/ngsi-ld/",
    "geojson": "https://purl.org/geojson/vocab#",
    "id": "@id",
    "type": "@type",
    "DateTime": "ngsi-ld:DateTime",
    "GeoProperty": "ngsi-ld:GeoProperty",
    "Point": "geojson:Point",
    "Property": "ngsi-ld:Property",
    "Relationship": "ngsi-ld:Relationship",
    "coordinates": {"@container": "@list", "@id": "geojson:coordinates"},
    "location": "ngsi-ld:location",
    "object": {"@id": "ngsi-ld:hasObject", "@type": "@id"},
    "observedAt": {"@id": "ngsi-ld:observedAt", "@type": "DateTime"},
    "unitCode": "ngsi-ld:unitCode",
    "value": "ngsi-ld:hasValue",
    "@vocab": "https://uri.etsi.org/ngsi-ld/default-context/",
}
