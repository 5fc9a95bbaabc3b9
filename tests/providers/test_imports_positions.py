"""Coordinates in named systems, from columns, GeoJSON and GML; what is not named is not guessed."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from providers.imports.entries import Entry, Reader, Refusal
from providers.imports.errors import InvalidMapping, UnreadableList
from providers.imports.files import read_table
from providers.imports.gml import read_gml
from providers.imports.mapping import Mapping, complete_mapping
from providers.imports.projections import point_in, system_in_column, system_named
from vacancies.errors import FreiplatzError
from vacancies.models import Point

# A corner of the town hall of Gütersloh, and a place in Zürich.
GUETERSLOH, ZURICH = Point(51.9064, 8.3782), Point(47.3717, 8.5423)


def projected(code: int, point: Point = GUETERSLOH) -> tuple[float, float]:
    """Easting and northing, to the centimetre."""
    transformer = Transformer.from_crs(4326, code, always_xy=True)
    x, y = transformer.transform(point.longitude, point.latitude)
    return round(x, 2), round(y, 2)


def read(content: str, mapping: Mapping | None = None) -> Entry | Refusal:
    table = read_table(content.encode())
    return Reader(table, complete_mapping(table, mapping), "P").read(table.rows[0])


def is_at(entry: Entry | Refusal, point: Point = GUETERSLOH, tolerance: float = 2e-6) -> bool:
    assert isinstance(entry, Entry), entry
    assert entry.point is not None, entry.warnings
    return math.isclose(entry.point.latitude, point.latitude, abs_tol=tolerance) and math.isclose(
        entry.point.longitude, point.longitude, abs_tol=tolerance
    )


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("EPSG:25832", 25832),
        ("epsg:25833", 25833),
        ("25832", 25832),
        ("urn:ogc:def:crs:EPSG::31467", 31467),
        ("urn:ogc:def:crs:EPSG:6.9:4326", 4326),
        ("http://www.opengis.net/def/crs/EPSG/0/3857", 3857),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", 4326),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 4326),
        ("urn:adv:crs:ETRS89_UTM32", 25832),
        ("urn:adv:crs:DE_DHDN_3GK3", 31467),
        ("ETRS89 / UTM zone 33N", 25833),
        ("UTM32", 25832),
        ("Gauß-Krüger Zone 4", 31468),
        ("GK5", 31469),
        ("LV95", 2056),
        ("WGS84", 4326),
        ("EPSG:99999", None),
        ("EPSG:5773", None),  # heights only
        ("local", None),
        ("", None),
    ],
)
def test_names_of_systems(name: str, code: int | None) -> None:
    system = system_named(name)
    assert (system.code if system else None) == code


@pytest.mark.parametrize(
    ("column", "code", "rest"),
    [
        ("x_25832", 25832, "x"),
        ("Rechtswert (EPSG:31467)", 31467, "Rechtswert"),
        ("utm32_e", 25832, "e"),
        ("ETRS89_UTM33_Ostwert", 25833, "Ostwert"),
        ("hochwert_gk3", 31467, "hochwert"),
        ("lv95_n", 2056, "n"),
    ],
)
def test_systems_in_names_of_columns(column: str, code: int, rest: str) -> None:
    found = system_in_column(column)
    assert found is not None
    assert (found[0].code, found[1]) == (code, rest)


def test_other_columns_name_no_system() -> None:
    assert [system_in_column(name) for name in ("utm_x", "plz_33330", "stand 2024", "gkv")] == [
        None,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("code", [25832, 25833, 31466, 31467, 31468, 31469, 3857])
def test_systems_by_option(code: int) -> None:
    x, y = projected(code)
    text = f"Name;PLZ;Ostwert;Nordwert\nHaus A;33330;{x};{y}\n".replace(".", ",")
    assert is_at(read(text, Mapping(crs=f"EPSG:{code}")))


def test_swiss_coordinates() -> None:
    x, y = projected(2056, ZURICH)
    text = f"Name;NPA;Ville;Pays;lv95_e;lv95_n\nEMS A;8001;Zurich;CH;{x:,.2f};{y:,.2f}\n"
    assert is_at(read(text.replace(",", "'")), ZURICH)


def test_degrees_of_a_named_system_are_no_thousands() -> None:
    text = "Name;PLZ;Ostwert;Nordwert\nHaus A;33330;8,378;51,906\n"
    assert is_at(read(text, Mapping(crs="EPSG:4258")), Point(51.906, 8.378))


@pytest.mark.parametrize(
    "head",
    ["x_25832;y_25832", "utm32_e;utm32_n", "Rechtswert UTM32;Hochwert UTM32"],
)
def test_columns_that_name_their_system(head: str) -> None:
    x, y = projected(25832)
    assert is_at(read(f"Name;PLZ;{head}\nHaus A;33330;{x};{y}\n"))


def test_a_column_that_names_the_system_of_each_row() -> None:
    x, y = projected(31467)
    assert is_at(read(f"Name;PLZ;Rechtswert;Hochwert;EPSG\nHaus A;33330;{x};{y};31467\n"))


@pytest.mark.parametrize("separator", [".", " ", "'"])
def test_thousands_and_a_zone_before_the_easting(separator: str) -> None:
    x, y = (round(number) for number in projected(25832))
    east, north = (f"{n:,}".replace(",", separator) for n in (32_000_000 + x, y))
    text = f"Name;PLZ;utm_x;utm_y\nHaus A;33330;{east};{north}\n"
    assert is_at(read(text, Mapping(crs="EPSG:25832")), tolerance=2e-5)


def test_exchanged_columns_of_a_projection_are_told_by_its_area() -> None:
    x, y = projected(31467)
    assert is_at(read(f"Name;PLZ;x_31467;y_31467\nHaus A;33330;{y};{x}\n"))


def test_latitude_and_longitude_that_are_metres() -> None:
    x, y = projected(25832)
    text = f"Name;PLZ;lat;lon\nHaus A;33330;{y};{x}\n"
    assert is_at(read(text, Mapping(crs="EPSG:25832")))
    entry = read(text)
    assert isinstance(entry, Entry)
    assert entry.point is None
    assert "--crs EPSG:25832" in entry.warnings[0]


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("utm_x;utm_y", "457222;5750800"),  # no zone
        ("Rechtswert;Hochwert", "3457222;5752600"),  # which datum?
        ("x_25833;y_25833", "32457222;5750800"),  # says zone 32 in zone 33
        ("x_25832;y_25832", "57222;575"),  # the sea
        ("x_25832;y_25832", "here;there"),
    ],
)
def test_what_is_not_certain_falls_back_to_the_address(columns: str, cells: str) -> None:
    entry = read(f"Name;PLZ;{columns}\nHaus A;33330;{cells}\n")
    assert isinstance(entry, Entry)
    assert entry.point is None
    assert "the address was used" in entry.warnings[0]
    refused = read(f"Name;PLZ;{columns}\nHaus A;;{cells}\n")
    assert isinstance(refused, Refusal)
    assert refused.field == "coordinates"


def test_pairs_in_one_cell() -> None:
    for pair in (
        "51.9064, 8.3782",
        "51,9064; 8,3782",
        "51,9064 8,3782",
        "(51.9064,8.3782)",
        "POINT(8.3782 51.9064)",
        "SRID=4326;POINT Z (8.3782 51.9064 80)",
    ):
        assert is_at(read(f'Name\tPLZ\tKoordinaten\nHaus A\t33330\t"{pair}"\n')), pair


def test_an_unknown_system_stops_the_import() -> None:
    with pytest.raises(InvalidMapping, match="EPSG:25832"):
        read("Name;PLZ\nHaus A;33330\n", Mapping(crs="EPSG:1"))


def test_old_geojson_names_its_system() -> None:
    x, y = projected(25832)
    square = [[x - 5, y - 5], [x + 5, y - 5], [x + 5, y + 5], [x - 5, y + 5], [x - 5, y - 5]]
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}},
        "features": [
            {
                "type": "Feature",
                "id": "homes.fid-5f2a_18c_-7ffe",
                "properties": {"name": "Haus A"},
                "geometry": {"type": "Polygon", "coordinates": [square]},
            }
        ],
    }
    assert is_at(read(json.dumps(document)))
    assert "id" not in read_table(json.dumps(document).encode()).columns
    del document["crs"]
    assert is_at(read(json.dumps(document), Mapping(crs="EPSG:25832")))


def gml(version: str, srs: str, place: str, *, member: str = "member") -> str:
    namespace = "http://www.opengis.net/gml" + ("/3.2" if version == "3.2" else "")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><wfs:FeatureCollection'
        f' xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="{namespace}" xmlns:k="urn:kreis">'
        f"<gml:boundedBy><gml:Envelope srsName='{srs}'/></gml:boundedBy>"
        f"<wfs:{member}><k:heim gml:id='heim.1'><k:name>Haus Ähre</k:name>"
        f"<k:adresse><k:plz>33330</k:plz><k:ort>Gütersloh</k:ort></k:adresse>"
        f"<k:geom>{place.format(srs=srs)}</k:geom></k:heim></wfs:{member}></wfs:FeatureCollection>"
    )


POINT2 = "<gml:Point srsName='{srs}'><gml:coordinates>{{}},{{}}</gml:coordinates></gml:Point>"
POINT2_COORD = (
    "<gml:Point><gml:coord><gml:X>{{}}</gml:X><gml:Y>{{}}</gml:Y></gml:coord></gml:Point>"
)
POINT3 = "<gml:Point srsName='{srs}'><gml:pos>{{}} {{}}</gml:pos></gml:Point>"
POINT_3D = (
    "<gml:Point srsName='{srs}' srsDimension='3'><gml:pos>{{}} {{}} 75.5</gml:pos></gml:Point>"
)


@pytest.mark.parametrize("place", [POINT2, POINT2_COORD, POINT3, POINT_3D])
@pytest.mark.parametrize(
    ("srs", "north_first"),
    [
        ("EPSG:25832", False),
        ("urn:ogc:def:crs:EPSG::25832", False),
        ("urn:ogc:def:crs:EPSG::31467", True),
        ("EPSG:31467", False),
        ("urn:ogc:def:crs:EPSG::4326", True),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", False),
        ("EPSG:4326", True),  # some servers
        ("urn:ogc:def:crs:OGC:1.3:CRS84", False),
        ("urn:ogc:def:crs:EPSG::4258", True),
        ("http://www.opengis.net/def/crs/EPSG/0/4258", True),
    ],
)
@pytest.mark.parametrize("version", ["2", "3.2"])
def test_gml_points(version: str, srs: str, north_first: bool, place: str) -> None:
    system = system_named(srs)
    assert system is not None
    code = system.code
    x, y = (8.3782, 51.9064) if code in (4326, 4258) else projected(code)
    member = "member" if version == "3.2" else "featureMember"
    text = gml(version, srs, place, member=member).format(*((y, x) if north_first else (x, y)))
    entry = read(text)
    assert is_at(entry)
    assert isinstance(entry, Entry)
    assert (entry.name, entry.address.postcode) == ("Haus Ähre", "33330")


def test_gml_areas() -> None:
    x, y = projected(25832)
    ring = f"{x - 9} {y - 9} {x + 9} {y - 9} {x + 9} {y + 9} {x - 9} {y + 9} {x - 9} {y - 9}"
    small = f"{x + 50} {y} {x + 51} {y} {x + 51} {y + 1} {x + 50} {y}"

    def polygon(places: str) -> str:
        return (
            "<gml:surfaceMember><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>"
            f"{places}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
            "</gml:surfaceMember>"
        )

    surface = f"<gml:MultiSurface srsName='EPSG:25832'>{polygon(small)}{polygon(ring)}"
    assert is_at(read(gml("3.2", "", surface + "</gml:MultiSurface>")))
    numbers = ring.split()
    old = " ".join(f"{a},{b}" for a, b in zip(numbers[::2], numbers[1::2], strict=True))
    place = (
        "<gml:Polygon><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>"
        f"{old}</gml:coordinates></gml:LinearRing></gml:outerBoundaryIs></gml:Polygon>"
    )
    assert is_at(read(gml("2", "EPSG:25832", place, member="featureMember")))


def test_gml_in_other_encodings_and_several_features() -> None:
    one = gml("3.2", "EPSG:4258", "").replace("UTF-8", "ISO-8859-1")
    table = read_table(one.encode("latin-1"))
    assert table.rows[0].cells["name"] == "Haus Ähre"
    assert table.rows[0].cells["gml:id"] == "heim.1"
    start, end = one.index("<k:heim"), one.index("</wfs:member")
    three = one[:end] + one[start:end] * 2 + one[end:]
    assert [row.number for row in read_table(three.encode("latin-1")).rows] == [1, 2, 3]


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>'
    "<a><name>&c;</name></a>"
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        ("<!DOCTYPE html><html><body>Heime</body></html>", "web page"),
        ("<a>" * 1_000 + "</a>" * 1_000, "deeply"),
        ("<a><b></a>", "not valid XML"),
        ("<a><b/></a>", "no features"),
        (
            "<r:ExceptionReport xmlns:r='r'><a>No such layer</a></r:ExceptionReport>",
            "No such layer",
        ),
    ],
)
def test_xml_that_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableList, match=reason):
        read_table(text.encode())


@settings(deadline=None)
@given(st.text(max_size=200), st.sampled_from(["pos", "posList", "coordinates", "name"]))
@example("1 2 3", "posList")
@example("nan inf", "pos")
@example("1e309 5", "pos")
@example("1,", "coordinates")
def test_any_content_of_gml_is_read_or_refused(text: str, tag: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("{", "").replace("}", "")
    place = f"<gml:LineString><gml:{tag}>{escaped}</gml:{tag}></gml:LineString>"
    try:
        table = read_gml(gml("3.2", "EPSG:25832", place))
        entry = Reader(table, complete_mapping(table), "P").read(table.rows[0])
    except FreiplatzError:
        return
    assert isinstance(entry, Entry)


@settings(deadline=None)
@given(st.floats(allow_nan=True), st.floats(allow_nan=True), st.sampled_from([25832, 31467, 3857]))
def test_any_numbers_are_a_point_or_none(x: float, y: float, code: int) -> None:
    system = system_named(str(code))
    assert system is not None
    point = point_in(system, x, y)
    assert point is None or (abs(point.latitude) <= 90 and abs(point.longitude) <= 180)


def test_latitude_and_longitude_in_each_others_place_are_not_believed() -> None:
    """Off the coast of Africa there is no home; which of the two is wrong is not guessed."""
    refusal = read("Name;lat;lon\nHaus A;8.3782;51.9064\n")
    assert isinstance(refusal, Refusal)
    assert "changed places" in refusal.reason
    entry = read("Name;PLZ;lat;lon\nHaus A;33330;8.3782;51.9064\n")
    assert isinstance(entry, Entry)
    assert entry.point is None
    assert "the address was used" in entry.warnings[0]
    feature = {
        "type": "Feature",
        "properties": {"name": "Haus A"},
        "geometry": {"type": "Point", "coordinates": [51.9064, 8.3782]},
    }
    assert isinstance(
        read(json.dumps({"type": "FeatureCollection", "features": [feature]})), Refusal
    )
