"""The dumps are what their formats ask for, and do no harm to who opens them."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from tests.conftest import Service
from tests.web.opendata.conftest import fetch
from vacancies.models import CareForm
from web.opendata.dumps import CSV, GEOJSON

DOCS = Path(__file__).parents[3] / "docs" / "open-data.md"


# What RFC 7946 demands of a collection of points: our own types, not the published JSON Schema.
class PointGeometry(Struct, forbid_unknown_fields=True):
    type: Literal["Point"]
    coordinates: tuple[
        Annotated[float, Meta(ge=-180, le=180)],  # longitude first, section 3.1.1
        Annotated[float, Meta(ge=-90, le=90)],
    ]


class Feature(Struct, forbid_unknown_fields=True):
    type: Literal["Feature"]
    id: str
    geometry: PointGeometry
    properties: dict[str, Any]


class Collection(Struct, forbid_unknown_fields=True):
    """With our foreign members (section 6.1), none of which has a name of RFC 7946."""

    type: Literal["FeatureCollection"]
    features: list[Feature]
    licence: str
    attribution: str
    revision: int
    last_updated: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


async def table(service: Service) -> list[dict[str, str]]:
    _, body, _ = await fetch(service, CSV.path)
    return list(csv.DictReader(io.StringIO(body.decode("utf-8"), newline=""), strict=True))


async def test_geojson_is_as_the_rfc_has_it(region: Service) -> None:
    _, body, _ = await fetch(region, GEOJSON.path)
    found = msgspec.json.decode(body, type=Collection)
    assert found.licence == "https://www.govdata.de/dl-de/by-2-0"
    assert found.attribution == 'Kreis "Muster\\stadt"'
    assert found.revision == region.state.board.revision
    places = {feature.id: feature.geometry.coordinates for feature in found.features}
    assert places == {"a": (8.38, 51.9), "b": (8.38, 51.9), "full": (8.38, 51.85)}


async def test_features_are_those_of_the_api(region: Service) -> None:
    _, body, _ = await fetch(region, GEOJSON.path)
    for home in ("a", "b", "full"):
        _, feature, _ = await fetch(region, f"/api/v1/homes/{home}")
        assert feature in body


async def test_a_region_without_homes_has_files(service: Service) -> None:
    _, body, _ = await fetch(service, GEOJSON.path)
    assert msgspec.json.decode(body, type=Collection).features == []
    assert await table(service) == []


async def test_the_table_is_plain_csv(region: Service) -> None:
    _, body, _ = await fetch(region, CSV.path)
    assert not body.startswith(b"\xef\xbb\xbf")
    lines = body.decode().split("\r\n")
    assert (len(lines), lines[-1]) == (5, "")
    assert "\n" not in "".join(lines)
    a, b, full = await table(region)
    assert (b["id"], b["free"], b["free_long_term"], b["free_short_term"]) == ("b", "3", "2", "1")
    assert (b["capacity"], b["capacity_long_term"], b["free_day"]) == ("44", "40", "0")
    assert (full["free"], full["free_long_term"], full["freshness"]) == ("0", "0", "fresh")
    assert (a["free"], a["free_long_term"], a["freshness"]) == ("", "", "unknown")
    assert (a["longitude"], a["latitude"], a["municipality"]) == ("8.38", "51.9", "05754008")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", b["observed_at"])
    assert a["observed_at"] == ""
    for row in (a, b, full):
        assert row["licence"] == "https://www.govdata.de/dl-de/by-2-0"
        assert row["attribution"] == 'Kreis "Muster\\stadt"'
        assert row["last_updated"].endswith("Z")


async def test_a_home_that_takes_nobody_has_nothing_free(region: Service) -> None:
    await region.report("a", {"count": 5})
    await region.put_home(
        "a", admission_stop={"reason": "staff", "until": "2100-01-01"}, waiting_list="closed"
    )
    row = (await table(region))[0]
    assert (row["free"], row["free_long_term"]) == ("0", "0")
    assert (row["admission_stop"], row["admission_stop_until"]) == ("staff", "2100-01-01")
    assert row["waiting_list"] == "closed"


FORMULAS = (
    '=HYPERLINK("http://evil.example";"x")',
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "  =1+1",
    "|calc",
    "＝1+1",
)


@pytest.mark.parametrize("formula", FORMULAS)
async def test_nothing_is_calculated(service: Service, formula: str) -> None:
    await service.put_home(
        "evil",
        name=formula,
        address={"street": formula, "postcode": "33330", "city": formula},
        contact={"phone": "+49 5241 850"},
    )
    (row,) = await table(service)
    for cell in (row["name"], row["street"], row["city"]):
        assert cell == f"'{formula.strip()}"
    assert row["phone"] == "'+49 5241 850"
    for column, cell in row.items():
        if cell.startswith(("=", "+", "@", "|", "\t", "\r", "＝")):
            pytest.fail(f"{column}: {cell}")


async def test_a_small_home_stays_coarse(service: Service) -> None:
    """In a small home the details of one place could reveal a death."""
    await service.put_home("small", capacity={"long_term": 9})
    await service.report(
        "small", {"count": 1, "sex": "female", "room": "double", "note": "Zimmer 4, bald"}
    )
    for path in (GEOJSON.path, CSV.path, "/opendata/live/status.json"):
        body = (await fetch(service, path))[1].decode()
        assert "female" not in body
        assert "Zimmer 4" not in body
    assert (await table(service))[0]["free_long_term"] == "1"


async def test_every_column_is_described(region: Service) -> None:
    docs = DOCS.read_text("utf-8")
    (row, *_) = await table(region)
    for column in row:
        form = next((form for form in CareForm if column.endswith(f"_{form}")), None)
        name = column.removesuffix(form) + "…" if form else column
        assert f"`{name}`" in docs, column
