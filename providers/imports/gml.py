"""GML to rows: what a WFS answers (GML 2, 3.1 and 3.2), and the files of GIS programs.

Safe for files of strangers: a document type, and so every entity, is refused by a first pass
that stops at it, before a tree is made of anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET
from xml.parsers import expat

from providers.imports.errors import UnreadableList
from providers.imports.geometry import Ring, pair, widest
from providers.imports.positions import geometry_cells
from providers.imports.tables import Row, Table

_DEEPEST = 60
_LONGEST_CELL = 2_000  # of several values in one
_MEMBERS = frozenset({"featureMember", "featureMembers", "member"})
_GEOMETRIES = frozenset(
    {"Point", "LineString", "Curve", "CompositeCurve", "Polygon", "Surface", "CompositeSurface"}
    | {"PolyhedralSurface", "MultiPoint", "MultiLineString", "MultiCurve", "MultiPolygon"}
    | {"MultiSurface", "MultiGeometry", "Solid"}
)
_SAVE_AS = "Save the list as CSV, GeoJSON, or GML without a document type and try again."


class _TypeFound(Exception):
    """The document declares a type."""


def looks_like_xml(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def read_gml(text: str) -> Table:
    """One row for each feature, the first being 1; raises `UnreadableList`.

    Properties become columns, nested ones as `address.town`; the geometry becomes the columns
    that `positions` knows; `gml:id` stands in a column of that name, but is no id by itself:
    many servers number features anew for each answer.
    """
    text = text.lstrip("\ufeff \t\r\n")
    _check(text)
    try:
        root = ET.fromstring(text)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UnreadableList(f"This is not valid XML: {error}.") from error
    if "Exception" in _local(root):
        said = " ".join(" ".join(root.itertext()).split())[:300]
        raise UnreadableList(f"The service answered with an error: {said}")
    features = list(_features(root))
    if not features:
        raise UnreadableList(f"There are no features (gml:featureMember) in this XML. {_SAVE_AS}")
    outer = _system_of_bounds(root)
    rows = [_row(number, feature, outer) for number, feature in enumerate(features, start=1)]
    columns = list(dict.fromkeys(name for row in rows for name in row.cells))
    if not columns:
        raise UnreadableList("The features in this XML have no properties.")
    return Table(columns=columns, rows=rows, notes=["GML"])


def _check(text: str) -> None:
    """A pass over the file that builds nothing; raises `UnreadableList`."""
    depth = 0

    def opened(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise UnreadableList(f"This XML is nested too deeply. {_SAVE_AS}")

    def closed(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def typed(*_: object) -> None:
        raise _TypeFound

    parser = expat.ParserCreate()
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.StartDoctypeDeclHandler = typed
    parser.EntityDeclHandler = typed
    try:
        parser.Parse(text, True)
    except _TypeFound:
        kind = "a web page" if "<html" in text[:2_000].lower() else "XML with a document type"
        raise UnreadableList(f"This is {kind}, which is not read. {_SAVE_AS}") from None
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnreadableList(f"This is not valid XML: {error}. {_SAVE_AS}") from error


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _features(root: ET.Element) -> Iterator[ET.Element]:
    """What stands in members; collections in collections are gone through."""
    for element in root:
        if _local(element) in _MEMBERS:
            for feature in element:
                if _local(feature) in ("FeatureCollection", "Tuple", "SimpleFeatureCollection"):
                    yield from _features(feature)
                else:
                    yield feature


def _system_of_bounds(element: ET.Element) -> str:
    """The system that the envelope of a collection or of a feature names, for geometries
    that name none."""
    bounds = next((child for child in element if _local(child) == "boundedBy"), None)
    if bounds is None:
        return ""
    return next((name for part in bounds.iter() if (name := part.get("srsName"))), "")


def _row(number: int, feature: ET.Element, outer: str) -> Row:
    cells: dict[str, str] = {}
    found: list[ET.Element] = []
    _flatten(feature, "", cells, found)
    identifier = next((v for k, v in feature.items() if k.rpartition("}")[2] in ("id", "fid")), "")
    if identifier:
        cells.setdefault("gml:id", identifier)
    if found:
        system = _system_of_bounds(feature) or outer
        cells |= _position(found[0], system)
    return Row(number, cells)


def _flatten(
    element: ET.Element,
    path: str,
    cells: dict[str, str],
    found: list[ET.Element],
) -> None:
    for child in element:
        name = _local(child)
        if name == "boundedBy":
            continue
        if name in _GEOMETRIES:
            found.append(child)
            continue
        inner = f"{path}.{name}" if path else name
        if len(child):
            _flatten(child, inner, cells, found)
        elif (text := (child.text or "").strip()) and len(cells.get(inner, "")) < _LONGEST_CELL:
            cells[inner] = f"{cells[inner]}, {text}" if inner in cells else text


def _position(geometry: ET.Element, outer: str) -> dict[str, str]:
    try:
        place = _place(geometry)
    except (ValueError, IndexError, OverflowError):
        return {}
    named = (name for part in geometry.iter() if (name := part.get("srsName")))
    return {} if place is None else geometry_cells(*place, next(named, outer), is_gml=True)


def _place(geometry: ET.Element) -> tuple[float, float] | None:
    """Its first two coordinates as they stand there: of areas, of a place inside."""
    areas = [
        rings
        for part in geometry.iter()
        if _local(part) in ("Polygon", "PolygonPatch") and (rings := list(_rings(part)))
    ]
    if areas:
        return widest(areas)
    places = _places(geometry)
    return places[len(places) // 2] if places else None


def _rings(polygon: ET.Element) -> Iterator[Ring]:
    """The outer ring first."""
    for names in (("exterior", "outerBoundaryIs"), ("interior", "innerBoundaryIs")):
        for boundary in polygon:
            if _local(boundary) in names and (ring := _places(boundary)):
                yield ring


def _places(element: ET.Element) -> Ring:
    """All positions in `element`; heights are dropped. Raises `ValueError`."""
    found: Ring = []
    outer = next((d for part in element.iter() if (d := part.get("srsDimension"))), "2")
    for part in element.iter():
        match _local(part):
            case "pos":
                found.append(pair((part.text or "").split()))
            case "posList":
                numbers = (part.text or "").split()
                step = max(2, int(part.get("srsDimension") or outer))
                found += [pair(numbers[at : at + step]) for at in range(0, len(numbers), step)]
            case "coordinates":
                found += _of_gml2(part)
            case "coord":
                found.append(pair([(axis.text or "") for axis in part]))
    return found


def _of_gml2(element: ET.Element) -> Ring:
    """`<coordinates>`, whose separators may be other ones."""
    decimal, comma, space = (
        element.get("decimal", "."),
        element.get("cs", ","),
        element.get("ts", " "),
    )
    text = element.text or ""
    tuples = text.split() if space.isspace() else text.split(space)
    return [
        pair([number.strip().replace(decimal, ".") for number in part.split(comma)])
        for part in tuples
        if part.strip()
    ]
