"""The catalogue is RDF, the same in both forms, and has what DCAT-AP.de asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import DCAT, DCTERMS, RDF, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.term import Node

from tests.conftest import Service, served
from tests.web.opendata.conftest import BASE, OPERATOR, fetch
from vacancies.config import OpenData, Settings
from vacancies.licences import LICENCES
from vacancies.operator import Operator
from web.opendata.catalogue import JSON_LD, TURTLE
from web.opendata.distributions import DISTRIBUTIONS
from web.opendata.rdf import iri, json_ld, plain, said, turtle, typed

# rdflib's own parser of JSON-LD still uses what rdflib has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")

SHAPES = Graph().parse(Path(__file__).parent / "shapes.ttl")
DCATAP = Namespace("http://data.europa.eu/r5r/")
DCATDE = Namespace("http://dcat-ap.de/def/dcatde/")
FOAF = Namespace("http://xmlns.com/foaf/0.1/")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
EU = "http://publications.europa.eu/resource/authority"


async def catalogue(service: Service) -> Graph:
    """From Turtle; that JSON-LD says the same is checked."""
    graphs = []
    for path, form in ((TURTLE.path, "turtle"), (JSON_LD.path, "json-ld")):
        _, body, _ = await fetch(service, path)
        graphs.append(Graph().parse(data=body, format=form))
    assert isomorphic(*graphs)
    return graphs[0]


def conforms(graph: Graph) -> tuple[bool, str]:
    ok, _, text = validate(graph, shacl_graph=SHAPES)
    return bool(ok), str(text)


def only(nodes: Iterator[Node]) -> Node:
    (node,) = nodes
    return node


async def test_it_has_what_dcat_ap_asks_for(region: Service) -> None:
    graph = await catalogue(region)
    ok, text = conforms(graph)
    assert ok, text
    dataset, archive = (URIRef(f"{BASE}/opendata/#{name}") for name in ("dataset", "archive"))
    assert set(graph.subjects(RDF.type, DCAT.Dataset)) == {dataset, archive}
    assert set(graph.objects(None, DCAT.dataset)) == {dataset, archive}
    assert str(graph.value(archive, DCTERMS.accrualPeriodicity)) == f"{EU}/frequency/DAILY"
    assert graph.value(archive, DCAT.landingPage) == URIRef(f"{BASE}/opendata/archive/")
    themes = {str(theme) for theme in graph.objects(dataset, DCAT.theme)}
    assert themes == {f"{EU}/data-theme/HEAL", f"{EU}/data-theme/SOCI"}
    assert str(graph.value(dataset, DCTERMS.accrualPeriodicity)) == f"{EU}/frequency/CONT"
    contributor = "http://dcat-ap.de/def/contributors/kreisMusterstadt"
    assert str(graph.value(dataset, DCATDE.contributorID)) == contributor
    place = "http://dcat-ap.de/def/politicalGeocoding/districtKey/05754"
    assert str(graph.value(dataset, DCATDE.politicalGeocodingURI)) == place
    region_of = graph.value(dataset, DCTERMS.spatial)
    box = "POLYGON((8.3 51.8, 8.4 51.8, 8.4 51.9, 8.3 51.9, 8.3 51.8))"
    assert str(graph.value(region_of, DCAT.bbox)) == box
    publisher = graph.value(dataset, DCTERMS.publisher)
    assert str(graph.value(publisher, FOAF.name)) == OPERATOR.name
    contact = graph.value(dataset, DCAT.contactPoint)
    assert graph.value(contact, VCARD.hasEmail) == URIRef("mailto:offen@kreis.example")


async def test_each_distribution_can_be_had(region: Service) -> None:
    graph = await catalogue(region)
    found = list(graph.subjects(RDF.type, DCAT.Distribution))
    assert len(found) == len(DISTRIBUTIONS) + 1
    assert len(set(graph.objects(None, DCAT.distribution))) == len(found)
    for node in found:
        address = str(graph.value(node, DCAT.downloadURL))
        assert address.startswith(BASE)
        status, _, headers = await fetch(region, address.removeprefix(BASE))
        assert status == 200
        kind = headers["Content-Type"].split(";")[0]
        media_type = URIRef(f"https://www.iana.org/assignments/media-types/{kind}")
        assert graph.value(node, DCAT.mediaType) == media_type
        assert graph.value(node, DCTERMS.license) == URIRef(LICENCES["dl-de/by-2-0"].uri)
        attribution = graph.value(node, DCATDE.licenseAttributionByText)
        assert attribution == Literal(OPERATOR.name)


PROMISED = (
    (DCAT.Catalog, DCTERMS.title),
    (DCAT.Catalog, DCTERMS.description),
    (DCAT.Catalog, DCTERMS.publisher),
    (DCAT.Catalog, DCAT.dataset),
    (DCAT.Dataset, DCTERMS.title),
    (DCAT.Dataset, DCTERMS.description),
    (DCAT.Dataset, DCAT.theme),
    (DCAT.Dataset, DCAT.contactPoint),
    (DCAT.Distribution, DCAT.accessURL),
    (DCAT.Distribution, DCTERMS.license),
    (DCAT.Distribution, DCATDE.licenseAttributionByText),
    (DCAT.Distribution, DCATAP.availability),
    (FOAF.Agent, FOAF.name),
    (VCARD.Kind, VCARD.hasEmail),
)


async def test_the_shapes_miss_what_is_taken_out(region: Service) -> None:
    """Else the validation would say nothing."""
    whole = await catalogue(region)
    for kind, name in PROMISED:
        graph = Graph() + whole
        subject = next(graph.subjects(RDF.type, kind))
        assert (subject, name, None) in graph
        graph.remove((subject, name, None))
        assert not conforms(graph)[0], (kind, name)


async def test_what_is_not_known_is_left_out(service: Service) -> None:
    """No operator, no e-mail address, no home yet."""
    graph = await catalogue(service)
    dataset = URIRef("http://127.0.0.1:8000/opendata/#dataset")
    assert (dataset, RDF.type, DCAT.Dataset) in graph
    for name in (DCAT.contactPoint, DCATDE.contributorID, DCATDE.politicalGeocodingURI):
        assert (dataset, name, None) not in graph
    assert graph.value(dataset, DCTERMS.spatial) == URIRef(f"{EU}/country/DEU")
    publisher = graph.value(dataset, DCTERMS.publisher)
    assert str(graph.value(publisher, FOAF.name)) == "http://127.0.0.1:8000"


HOSTILE = '"""\\" \n\r\t\\u0041 <x> @de ^^ ; . \u2028 ä 😀'


async def test_what_the_operator_writes_stays_text(settings: Settings) -> None:
    hostile = replace(
        settings,
        public_url='https://x.example/a b<>"{}|^`\\ü',
        operator=Operator(name=HOSTILE, email="a\"b<c>'\\@kreis.example"),
        open_data=OpenData(licence=LICENCES["cc-by/4.0"], attribution=HOSTILE),
    )
    async with served(hostile) as service:
        graph = await catalogue(service)
    for node in graph.subjects(RDF.type, DCAT.Distribution):
        attribution = graph.value(node, DCATDE.licenseAttributionByText)
        assert str(attribution) == HOSTILE
        assert graph.value(node, DCTERMS.license) == URIRef(LICENCES["cc-by/4.0"].uri)


def test_both_writers_say_the_same_of_every_value() -> None:
    prefixes = {"x": "https://x.example/ns#", "xsd": "http://www.w3.org/2001/XMLSchema#"}
    values = [
        *(plain(text) for text in ("", HOSTILE, "'", '"', "\\", "\x01\x7f", "a\\nb")),
        *said(de="Grüße", en=HOSTILE),
        typed("1.5", "xsd:decimal"),
        iri("https://x.example/ü?q=<a b>#c%20d"),
    ]
    node = {"@id": "https://x.example/1", "@type": ["x:Thing"], "x:says": values}
    graphs = [
        Graph().parse(data=turtle([node], prefixes), format="turtle"),
        Graph().parse(data=json_ld([node], prefixes), format="json-ld"),
    ]
    assert isomorphic(*graphs)
    assert len(graphs[0]) == len(values) + 1
    texts = {str(found) for found in graphs[0].objects(None, URIRef("https://x.example/ns#says"))}
    assert {"", HOSTILE, "\\", "\x01\x7f", "a\\nb"} <= texts
    assert "https://x.example/%C3%BC?q=%3Ca%20b%3E#c%20d" in texts
