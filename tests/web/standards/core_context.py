"""A stand-in for ETSI's core context of NGSI-LD, which cannot be fetched in the tests.

It is in no package. These are only the terms that our entities and notifications use, written
after annex B of ETSI GS CIM 009; the real one has more, and is protected like this one.
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
    "Notification": "ngsi-ld:Notification",
    "GeoProperty": "ngsi-ld:GeoProperty",
    "Point": "geojson:Point",
    "Property": "ngsi-ld:Property",
    "Relationship": "ngsi-ld:Relationship",
    "coordinates": {"@container": "@list", "@id": "geojson:coordinates"},
    "data": "ngsi-ld:notificationData",
    "location": "ngsi-ld:location",
    "notifiedAt": {"@id": "ngsi-ld:notifiedAt", "@type": "DateTime"},
    "object": {"@id": "ngsi-ld:hasObject", "@type": "@id"},
    "observedAt": {"@id": "ngsi-ld:observedAt", "@type": "DateTime"},
    "subscriptionId": {"@id": "ngsi-ld:subscriptionId", "@type": "@id"},
    "unitCode": "ngsi-ld:unitCode",
    "value": "ngsi-ld:hasValue",
    "@vocab": "https://uri.etsi.org/ngsi-ld/default-context/",
}
