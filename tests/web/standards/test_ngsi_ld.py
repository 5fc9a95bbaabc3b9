"""NGSI-LD: entities are expanded by rdflib's JSON-LD parser, and their shape is checked by pySHACL.

The context is ours as it is served; for ETSI's there is a stand-in (`core_context.py` says why).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyshacl import validate
from rdflib import RDF, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection

from tests.conftest import Service
from tests.web.standards.core_context import CORE
from tests.web.standards.region import BASE, LICENCE, OPEN, get
from web.standards.ngsi_ld_entities import CORE_CONTEXT

# rdflib's parser uses a class of its own that it calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")

JSON_LD = "application/ld+json"
ENTITIES = "/ngsi-ld/v1/entities"
NGSI = Namespace("https://uri.etsi.org/ngsi-ld/")
SCHEMA = Namespace("https://schema.org/")

# What clause 4.5 demands of an attribute, in our own words; ETSI publishes no shapes.
SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix ngsi: <https://uri.etsi.org/ngsi-ld/> .
[] a sh:NodeShape ;
   sh:targetClass ngsi:Property, ngsi:GeoProperty ;
   sh:property [ sh:path ngsi:hasValue ; sh:minCount 1 ] ;
   sh:property [ sh:path ngsi:observedAt ; sh:maxCount 1 ; sh:datatype ngsi:DateTime ] ;
   sh:property [ sh:path ngsi:unitCode ; sh:maxCount 1 ; sh:minLength 3 ; sh:maxLength 3 ] .
[] a sh:NodeShape ;
   sh:targetClass ngsi:Relationship ;
   sh:property [ sh:path ngsi:hasObject ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] .
"""


async def entities(service: Service, query: str = "type=CareHome") -> dict[str, Any]:
    """By our own id."""
    status, body, _ = await get(service, f"{ENTITIES}?{query}")
    assert status == 200, body
    return {each["id"].removeprefix("urn:ngsi-ld:CareHome:"): each for each in body}


async def expanded(service: Service, body: Any) -> Graph:
    """As triples; no context is fetched but ours."""
    own = f"{BASE}/ngsi-ld/v1/context.jsonld"
    status, document, _ = await get(service, own)
    assert status == 200

    def load(context: Any) -> list[Any]:
        if isinstance(context, list):
            return [inner for each in context for inner in load(each)]
        if isinstance(context, str):
            return load({own: document["@context"], CORE_CONTEXT: CORE}[context])
        return [context]

    whole = [{**each, "@context": load(each["@context"])} for each in body]
    return Graph().parse(data=json.dumps(whole), format="json-ld")


async def test_a_report_flows_into_the_entity(service: Service) -> None:
    await service.put_home("1", capacity={"long_term": 40})
    (before,) = (await entities(service)).values()
    assert "freePlaces" not in before
    said = (await service.report("1", {"count": 3}))["properties"]
    (after,) = (await entities(service)).values()
    wanted = {"type": "Property", "value": 3, "observedAt": said["observed_at"], "unitCode": "C62"}
    assert (after["freePlaces"], after["freeLongTerm"]) == (wanted, wanted)
    assert after["licensedLongTerm"]["value"] == 40
    status, one, _ = await get(service, f"{ENTITIES}/{after['id']}")
    assert (status, one) == (200, after)


async def test_every_state_is_said_honestly(region: Service) -> None:
    found = await entities(region, "type=CareHome&format=simplified")
    assert tuple(found) == OPEN
    places = {name: each.get("freePlaces") for name, each in found.items()}
    assert list(places.values()) == [4, 0, None, 0, None, 4, 1, 1]
    assert found["b_full~1"]["freeDay"] == 0
    assert found["d-stopped"]["admissionStop"] == "infection"
    assert found["e-stale"]["freshness"] == "stale"
    assert found["a-free"]["monthlyCosts"] == 2980.5
    assert "Zi. 7" not in str(found["h-small"])


async def test_a_json_ld_library_reads_what_we_mean(region: Service) -> None:
    status, body, headers = await get(region, f"{ENTITIES}?type=CareHome", Accept=JSON_LD)
    assert (status, headers["Content-Type"]) == (200, JSON_LD)
    graph = await expanded(region, body)
    own = Namespace(f"{BASE}/ngsi-ld/v1/context.jsonld#")
    home = URIRef("urn:ngsi-ld:CareHome:a-free")
    assert set(graph.subjects(RDF.type, own.CareHome)) == {URIRef(each["id"]) for each in body}

    free = graph.value(home, own.freeLongTerm)
    assert graph.value(free, RDF.type) == NGSI.Property
    assert graph.value(free, NGSI.hasValue) == Literal(3)
    assert graph.value(free, NGSI.unitCode) == Literal("C62")
    observed = next(each for each in body if each["id"] == str(home))["freePlaces"]["observedAt"]
    assert graph.value(free, NGSI.observedAt) == Literal(observed, datatype=NGSI.DateTime)

    geometry = graph.value(graph.value(home, NGSI.location), NGSI.hasValue)
    point = graph.value(geometry, URIRef("https://purl.org/geojson/vocab#coordinates"))
    assert point is not None
    assert [float(str(each)) for each in Collection(graph, point)] == [8.38, 51.9]
    address = graph.value(graph.value(home, SCHEMA.address), NGSI.hasValue)
    assert graph.value(address, SCHEMA.addressLocality) == Literal("Gütersloh")
    assert graph.value(address, RDF.type) == SCHEMA.PostalAddress
    licence = graph.value(home, URIRef("http://purl.org/dc/terms/license"))
    assert graph.value(licence, NGSI.hasObject) == URIRef(LICENCE)

    unknown = {str(p) for p in graph.predicates() if "default-context" in str(p)}
    assert unknown == set(), "words that no context explains"
    conforms, _, report = validate(graph, shacl_graph=Graph().parse(data=SHAPES, format="turtle"))
    assert conforms, report


async def test_wrong_attributes_are_seen(region: Service) -> None:
    """Else that ours are right would say nothing."""
    shapes = Graph().parse(data=SHAPES, format="turtle")
    _, body, _ = await get(region, f"{ENTITIES}?id=urn:ngsi-ld:CareHome:a-free", Accept=JSON_LD)
    for name, wrong in (
        ("freePlaces", {"type": "Property", "observedAt": "2026-11-27T00:00:00Z"}),
        ("freePlaces", {"type": "Property", "value": 1, "unitCode": "pieces"}),
        ("provider", {"type": "Relationship", "value": "urn:x:y"}),
    ):
        graph = await expanded(region, [{**body[0], name: wrong}])
        assert not validate(graph, shacl_graph=shapes)[0]
    graph = await expanded(region, [{**body[0], "colour": {"type": "Property", "value": 1}}])
    assert any("default-context/colour" in str(p) for p in graph.predicates())


async def test_the_context_stands_in_the_body_or_in_a_header(region: Service) -> None:
    own = f"{BASE}/ngsi-ld/v1/context.jsonld"
    path = f"{ENTITIES}/urn:ngsi-ld:CareHome:a-free"
    _, body, headers = await get(region, path)
    assert "@context" not in body
    link = f'<{own}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
    assert link in headers.getall("Link")
    _, body, headers = await get(region, path, Accept=JSON_LD)
    assert body["@context"] == [own, CORE_CONTEXT]
    assert headers.getall("Link") == [f'<{LICENCE}>; rel="license"']
    _, document, headers = await get(region, own)
    assert document["@context"][1] == CORE_CONTEXT
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Access-Control-Allow-Origin"] == "*"


QUERIES = [
    ("type=CareHome", list(OPEN)),
    ("type=Person,CareHome", list(OPEN)),
    ("type={url}/ngsi-ld/v1/context.jsonld%23CareHome", list(OPEN)),
    ("type=Person", []),
    ("id=urn:ngsi-ld:CareHome:g.day,urn:x:y", ["g.day"]),
    ("attrs=freeNight", ["g.day"]),
    ("attrs=freeNight,freeHospice&type=CareHome", ["g.day"]),
    ("pick=id,type,name", list(OPEN)),
    ("pick=id,freeDay", list(OPEN)),
    ("georel=near;maxDistance==2000&geometry=Point&coordinates=[11.5,48.1]", ["g.day"]),
    ("georel=near;minDistance==2000&geometry=Point&coordinates=[8.38,51.9]", ["g.day"]),
    ("type=CareHome&limit=2&offset=3&local=true", list(OPEN[3:5])),
]


async def test_entities_are_found(region: Service) -> None:
    for query, wanted in QUERIES:
        found = await entities(region, query.format(url=BASE))
        assert list(found) == wanted, query


async def test_members_are_picked(region: Service) -> None:
    one = "id=urn:ngsi-ld:CareHome:a-free"
    found = (await entities(region, f"{one}&attrs=name"))["a-free"]
    assert set(found) == {"id", "type", "name"}
    found = (await entities(region, f"{one}&pick=id,freePlaces&options=keyValues"))["a-free"]
    assert (set(found), found["freePlaces"]) == ({"id", "freePlaces"}, 4)
    found = (await entities(region, f"{one}&omit=address,location"))["a-free"]
    assert "name" in found
    assert not {"address", "location"} & set(found)
    path = f"{ENTITIES}/urn:ngsi-ld:CareHome:a-free"
    _, body, _ = await get(region, f"{path}?format=simplified&pick=location,provider")
    assert body == {
        "location": {"type": "Point", "coordinates": [8.38, 51.9]},
        "provider": "urn:ngsi-ld:Organization:caritas-musterstadt",
    }


async def test_pages_lose_and_repeat_nothing(region: Service) -> None:
    seen, path = list[str](), f"{ENTITIES}?type=CareHome&limit=3&count=true"
    while path:
        status, body, headers = await get(region, path)
        assert (status, headers["NGSILD-Results-Count"]) == (200, str(len(OPEN)))
        seen += [each["homeId"]["value"] for each in body]
        links = [link for link in headers.getall("Link") if 'rel="next"' in link]
        path = links[0][1:].partition(">")[0] if links else ""
    assert tuple(seen) == OPEN
    status, body, headers = await get(region, f"{ENTITIES}?type=CareHome&limit=0&count=true")
    assert (body, headers["NGSILD-Results-Count"]) == ([], str(len(OPEN)))


async def test_what_is_known_is_not_sent_again(region: Service) -> None:
    for path in (f"{ENTITIES}?type=CareHome", f"{ENTITIES}/urn:ngsi-ld:CareHome:a-free"):
        _, _, headers = await get(region, path)
        known = {"If-None-Match": headers["ETag"]}
        assert (await get(region, path, **known))[0] == 304
        assert (await get(region, path, Accept=JSON_LD, **known))[0] == 200
        await region.report("a-free", {"count": 9})
        assert (await get(region, path, **known))[0] == 200


ERRORS = [
    ("", 400, "BadRequestData"),
    ("?limit=5", 400, "BadRequestData"),
    ("?type=CareHome&limit=0", 400, "BadRequestData"),
    ("?type=CareHome&limit=1001", 400, "BadRequestData"),
    ("?type=CareHome&offset=x", 400, "BadRequestData"),
    ("?type=CareHome&count=1", 400, "BadRequestData"),
    ("?type=CareHome&colour=blue", 400, "BadRequestData"),
    ("?type=CareHome&attrs=a&pick=b", 400, "BadRequestData"),
    ("?id=nonsense", 400, "BadRequestData"),
    ("?georel=near;maxDistance==1", 422, "OperationNotSupported"),
    ("?georel=near;maxDistance==x&geometry=Point&coordinates=[1,2]", 400, "BadRequestData"),
    ("?georel=near;maxDistance==1&geometry=Point&coordinates=1,2", 400, "BadRequestData"),
    ("?georel=near;maxDistance==1.2.3&geometry=Point&coordinates=[1,2]", 400, "BadRequestData"),
    ("?georel=within&geometry=Polygon&coordinates=[]", 422, "OperationNotSupported"),
    ("?type=CareHome&coordinates=[1,2]", 400, "BadRequestData"),
    ("?type=CareHome&q=freePlaces>1", 422, "OperationNotSupported"),
    ("?type=CareHome&options=concise", 422, "OperationNotSupported"),
    ("/nonsense", 400, "BadRequestData"),
    ("/urn:ngsi-ld:CareHome:nobody", 404, "ResourceNotFound"),
    ("/urn:ngsi-ld:CareHome:z-closed", 404, "ResourceNotFound"),
    ("/urn:ngsi-ld:CareHome:a-free?attrs=freeDay", 404, "ResourceNotFound"),
]


async def test_errors_have_types_of_etsi(region: Service) -> None:
    for path, wanted, kind in ERRORS:
        status, body, headers = await get(region, ENTITIES + path)
        assert (status, body["status"]) == (wanted, wanted), path
        assert body["type"] == f"https://uri.etsi.org/ngsi-ld/errors/{kind}", path
        assert headers["Content-Type"] == "application/problem+json"
    status, body, _ = await get(region, f"{ENTITIES}?type=CareHome", **{"NGSILD-Tenant": "x"})
    assert (status, body["type"].rpartition("/")[2]) == (404, "NonexistentTenant")
    status, body, _ = await get(region, "/ngsi-ld/v1/types")
    assert (status, body["type"].rpartition("/")[2]) == (404, "ResourceNotFound")
    assert (await get(region, f"{ENTITIES}?type=CareHome", Accept="text/turtle"))[0] == 406
