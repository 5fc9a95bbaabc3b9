"""What the page and the catalogue list. A new one is one more line here."""

from __future__ import annotations

from dataclasses import dataclass

from web.opendata.archive import INDEX_PATH, INDEX_SECONDS
from web.opendata.dumps import CSV, GEOJSON
from web.opendata.feed import INDEX, STATUS
from web.words import N_


@dataclass(frozen=True, slots=True)
class Distribution:
    """`key` names it in the catalogue. Its data are new every `seconds` at most. `file_type` is a
    code of the EU's vocabulary of file types; `text` says for whom it is, in English, to be
    translated."""

    key: str
    title: str
    path: str
    seconds: int
    media_type: str
    file_type: str
    text: str


DISTRIBUTIONS = (
    Distribution(
        *("geojson", "GeoJSON", GEOJSON.path, GEOJSON.seconds, "application/geo+json", "GEOJSON"),
        N_("For maps: all homes, with all that they have said."),
    ),
    Distribution(
        *("csv", "CSV", CSV.path, CSV.seconds, "text/csv", "CSV"),
        N_("For tables and statistics: one row for each home."),
    ),
    Distribution(
        *("live", "JSON, live", INDEX.path, STATUS.seconds, "application/json", "JSON"),
        N_("For apps: what seldom changes, and what is free now, in two files."),
    ),
    Distribution(
        *("fhir", "HL7 FHIR R4", "/fhir/HealthcareService", 5, "application/fhir+json", "JSON"),
        N_("For hospitals: homes as Location, their care forms as HealthcareService."),
    ),
    Distribution(
        *("hsds", "Open Referral HSDS 3.1", "/hsds/services", 5, "application/json", "JSON"),
        N_("For directories of social services: one service for each care form of a home."),
    ),
    Distribution(
        *("ngsi-ld", "NGSI-LD", "/ngsi-ld/v1/entities?type=CareHome", 5),
        *("application/json", "JSON"),
        N_("For the data platforms of towns: one entity for each home."),
    ),
)
# A dataset of its own in the catalogue: what was, not what is.
ARCHIVE = Distribution(
    *("archive-index", "JSON", INDEX_PATH, INDEX_SECONDS, "application/json", "JSON"),
    N_("For research: where the files of each day are, with their size and SHA-256."),
)
