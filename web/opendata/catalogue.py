"""The catalogue for data portals: DCAT-AP 3.0 with the German additions of DCAT-AP.de 3.0.

One catalogue with two datasets: what is free now, with a distribution for each line of
`distributions.py`, and the archive, with the list of its days. A dataset for each day would be
thousands, for which no portal has a place. What is not known is left out: a portal shows an empty
field better than a wrong one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from vacancies.models import Listing
from web.language import choose
from web.opendata.archive import ROOT
from web.opendata.distributions import ARCHIVE, DISTRIBUTIONS, Distribution
from web.opendata.rdf import Node, Value, iri, iri_text, json_ld, plain, said, turtle, typed
from web.opendata.served import Document, Taken
from web.opendata.terms import Terms

SECONDS = 3600
PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dcatde": "http://dcat-ap.de/def/dcatde/",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "gsp": "http://www.opengis.net/ont/geosparql#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
}
_EU = "http://publications.europa.eu/resource/authority"
_PLACES = "http://dcat-ap.de/def/politicalGeocoding"
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types"
_THEMES = ("HEAL", "SOCI")  # health; population and society
_DISTRICT_DIGITS = 5  # of the eight of an AGS: Land, Regierungsbezirk, Kreis

_TITLE = said(de="Freie Plätze in Pflegeeinrichtungen", en="Free places in care homes")
_TEXT = said(
    de="Welche Pflegeeinrichtungen der Region freie Plätze haben: für welche Pflegeform, wie viele,"
    " ab wann, und wie alt die Meldung ist. Die Einrichtungen melden selbst, Änderungen stehen"
    " nach Sekunden in den Dateien.",
    en="Which care homes of the region have free places: for which form of care, how many, from"
    " when, and how old the report is. The homes report themselves, and changes are in the files"
    " within seconds.",
)
_ARCHIVE_TITLE = said(
    de="Freie Plätze in Pflegeeinrichtungen: Tagesarchiv",
    en="Free places in care homes: daily archive",
)
_ARCHIVE_TEXT = said(
    de="Die Dateien eines jeden Tages, so wie sie an diesem Tag waren, gepackt, mit Prüfsumme."
    " Tage, die fehlen, sind genannt.",
    en="The files of each day as they were on that day, packed, with a checksum. Days that are"
    " missing are named.",
)
_KEYWORDS = {
    "de": ("Pflege", "Pflegeheim", "Pflegeplatz", "Kurzzeitpflege", "freie Plätze", "Echtzeit"),
    "en": ("care home", "nursing home", "short-term care", "vacancies", "real time"),
}


def graph(taken: Taken, terms: Terms) -> list[Node]:
    address = f"{terms.base}/opendata/"
    publisher, contact, region = (iri(address + name) for name in ("#who", "#contact", "#region"))
    homepage, licence = iri(address), iri(terms.licence.uri)
    spatial = [region] if taken.homes else [iri(f"{_EU}/country/DEU")]
    common: Node = {
        "dct:publisher": [publisher],
        "dct:language": [iri(f"{_EU}/language/DEU")],
        "dct:spatial": spatial,
    }
    catalog: Node = {
        "@id": iri_text(f"{address}#catalog"),
        "@type": ["dcat:Catalog"],
        "dct:title": said(de="Offene Daten von Freiplatz", en="Open data of Freiplatz"),
        "dct:description": _TEXT,
        **common,
        "dct:license": [licence],
        "foaf:homepage": [homepage],
        "dcat:themeTaxonomy": [iri(f"{_EU}/data-theme")],
        "dcat:dataset": [iri(f"{address}#dataset"), iri(f"{address}#archive")],
    }
    shared: Node = {
        **common,
        "dcat:theme": [iri(f"{_EU}/data-theme/{theme}") for theme in _THEMES],
        "dcat:keyword": [
            word
            for code, words in _KEYWORDS.items()
            for text in words
            for word in said(**{code: text})
        ],
        "dct:accessRights": [iri(f"{_EU}/access-right/PUBLIC")],
        **_districts(taken.homes),
        **({"dcat:contactPoint": [contact]} if terms.email else {}),
        **({"dcatde:contributorID": [iri(terms.contributor)]} if terms.contributor else {}),
    }
    nodes = [
        catalog,
        {
            **_dataset(f"{address}#dataset", "CONT", homepage, DISTRIBUTIONS),
            "dct:title": _TITLE,
            "dct:description": _TEXT,
            **shared,
        },
        {
            **_dataset(f"{address}#archive", "DAILY", iri(terms.base + ROOT), (ARCHIVE,)),
            "dct:title": _ARCHIVE_TITLE,
            "dct:description": _ARCHIVE_TEXT,
            "dct:source": [iri(f"{address}#dataset")],
            **shared,
        },
        *(_distribution(each, terms, licence) for each in (*DISTRIBUTIONS, ARCHIVE)),
    ]
    who = {"@id": publisher["@id"], "@type": ["foaf:Agent"]}
    nodes.append({**who, "foaf:name": [plain(terms.publisher)]})
    if taken.homes:
        where = {"@id": region["@id"], "@type": ["dct:Location"]}
        nodes.append({**where, "dcat:bbox": [_bbox(taken.homes)]})
    if terms.email:
        card = {"@id": contact["@id"], "@type": ["vcard:Kind", "vcard:Organization"]}
        mail = iri(f"mailto:{terms.email}")
        nodes.append({**card, "vcard:fn": [plain(terms.publisher)], "vcard:hasEmail": [mail]})
    return nodes


def _dataset(name: str, frequency: str, page: Value, distributions: Iterable[Distribution]) -> Node:
    """What tells a dataset from the other; `frequency` is a code of the EU."""
    catalogue = name.partition("#")[0]
    return {
        "@id": iri_text(name),
        "@type": ["dcat:Dataset"],
        "dct:identifier": [plain(name)],
        "dct:accrualPeriodicity": [iri(f"{_EU}/frequency/{frequency}")],
        "dcat:landingPage": [page],
        "dcat:distribution": [iri(f"{catalogue}#{each.key}") for each in distributions],
    }


def _distribution(each: Distribution, terms: Terms, licence: Value) -> Node:
    address = iri(terms.base + each.path)
    return {
        "@id": iri_text(f"{terms.base}/opendata/#{each.key}"),
        "@type": ["dcat:Distribution"],
        "dct:title": said(de=each.title, en=each.title),
        "dct:description": said(de=choose("de").gettext(each.text), en=each.text),
        "dcat:accessURL": [address],
        "dcat:downloadURL": [address],
        "dct:format": [iri(f"{_EU}/file-type/{each.file_type}")],
        "dcat:mediaType": [iri(f"{_MEDIA_TYPES}/{each.media_type}")],
        "dct:license": [licence],
        "dcatde:licenseAttributionByText": [plain(terms.attribution)],
        "dcatap:availability": [iri(f"{_EU}/planned-availability/AVAILABLE")],
    }


def _districts(homes: list[Listing]) -> Node:
    """The districts (Kreise and kreisfreie Städte) in which there are homes, as far as known."""
    keys = {home.profile.municipality or "" for home in homes}
    districts = sorted({key[:_DISTRICT_DIGITS] for key in keys if len(key) >= _DISTRICT_DIGITS})
    if not districts:
        return {}
    return {
        "dcatde:politicalGeocodingLevelURI": [iri(f"{_PLACES}/Level/administrativeDistrict")],
        "dcatde:politicalGeocodingURI": [iri(f"{_PLACES}/districtKey/{key}") for key in districts],
    }


def _bbox(homes: list[Listing]) -> Value:
    """A rectangle around all homes, to a tenth of a degree outwards, so that it seldom changes."""
    points = [home.profile.point for home in homes]
    longitudes = [point.longitude * 10 for point in points]
    latitudes = [point.latitude * 10 for point in points]
    west, south = math.floor(min(longitudes)) / 10, math.floor(min(latitudes)) / 10
    east, north = math.ceil(max(longitudes)) / 10, math.ceil(max(latitudes)) / 10
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    ring = ", ".join(f"{x} {y}" for x, y in corners)
    return typed(f"POLYGON(({ring}))", "gsp:wktLiteral")


TURTLE = Document(
    "/opendata/catalog.ttl",
    "text/turtle; charset=utf-8",
    SECONDS,
    lambda taken, terms: turtle(graph(taken, terms), PREFIXES),
)
JSON_LD = Document(
    "/opendata/catalog.jsonld",
    "application/ld+json",
    SECONDS,
    lambda taken, terms: json_ld(graph(taken, terms), PREFIXES),
)
