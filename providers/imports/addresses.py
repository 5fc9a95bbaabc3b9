"""The address of a row, from however many columns."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from providers.imports.cells import clean_text, read_country
from vacancies.gazetteer import load_gazetteer
from vacancies.geo import distances_km
from vacancies.geocoding import CONTRADICTION_KM
from vacancies.models import Address, Point
from vacancies.placenames import normal_postcode

_ADDRESS = re.compile(
    r"^(?P<street>.*?),?\s*\b(?P<postcode>(?:[A-Z]{1,2}-)?\d{4,5})\s+(?P<city>[^\d].*)$"
)
_POSTCODE_CITY = re.compile(r"^\s*(?P<postcode>(?:[A-Z]{1,2}-)?\d{4,5})\s+(?P<city>[^\d\s].*)$")
_WITH_COUNTRY = re.compile(r"([A-Z]{1,2})\s?[-–]\s?(?=\d)")
# The signs on cars, which people write before postcodes.
_CAR_SIGNS = {"D": "DE", "A": "AT", "F": "FR", "B": "BE", "L": "LU", "I": "IT"}
# A number that a spreadsheet has made of a postcode: "1067.0", "33.330", "33 330".
_AS_DECIMAL = re.compile(r"(\d{4,5})[.,]0+")
_AS_THOUSANDS = re.compile(r"(\d{1,2})[.,' \u00a0](\d{3})")


def read_address(cell: Callable[[str], str], usual_country: str, point: Point | None) -> Address:
    """The address that `cell` (text of a field) gives; `usual_country` for rows that name none.

    A German postcode of four digits has lost its zero, unless `point` says that it is not
    German at all.
    """
    street = clean_text(cell("street"))
    number = clean_text(cell("house_number"), 20)
    postcode = clean_text(cell("postcode"), 60)
    city = clean_text(cell("city"), 100)
    whole = clean_text(cell("address"), 300)
    both = clean_text(cell("postcode_city"), 120) or postcode
    if whole is not None and (match := _ADDRESS.match(whole)):
        street, postcode, city = match["street"] or street, match["postcode"], match["city"]
    elif whole is not None:
        street = street or whole
    if both is not None and (match := _POSTCODE_CITY.match(both)):
        postcode, city = match["postcode"], city if both == postcode and city else match["city"]
    if street is not None and number is not None and not street.endswith(f" {number}"):
        street = f"{street} {number}"
    country = read_country(cell("country"))
    if postcode is not None and (sign := _WITH_COUNTRY.match(postcode)):
        postcode = postcode[sign.end() :]
        country = country or _CAR_SIGNS.get(sign[1], sign[1] if len(sign[1]) == 2 else None)
    country = country or usual_country
    if postcode is not None and country == "DE":
        postcode = german_postcode(postcode, point) or postcode
    return Address(
        street=street[:200] if street else None,
        postcode=postcode[:12] if postcode else None,
        city=city[:100] if city else None,
        country=country,
    )


def german_postcode(text: str, point: Point | None = None) -> str | None:
    """Five digits as spreadsheets and people write them, None if it is something else."""
    text = _AS_DECIMAL.sub(r"\1", text) if _AS_DECIMAL.fullmatch(text) else text
    text = _AS_THOUSANDS.sub(r"\1\2", text) if _AS_THOUSANDS.fullmatch(text) else text
    found = normal_postcode(text)
    if found is None or point is None or sum(c.isdigit() for c in text) > 4:
        return found
    return found if is_near(found, point) is not False else None


def has_lost_zero(postcode: str, city: str | None) -> bool:
    """Whether four digits are a German postcode without its zero: with it, it lies near a town
    of that name, or, if none is named, it exists. Vienna and Zürich have four digits too."""
    whole = f"0{postcode[:4]}"
    gazetteer = load_gazetteer()
    if not city:
        return whole in gazetteer.postcodes
    return any(is_near(whole, town.point) for town in gazetteer.named(city))


def is_near(postcode: str, point: Point) -> bool | None:
    """Whether `point` lies within 50 km of a German postcode, or, of one that does not exist,
    of its neighbours; None if nothing is known of it."""
    gazetteer = load_gazetteer()
    there = gazetteer.postcodes.get(postcode)
    around = [there] if there is not None else gazetteer.neighbours(postcode)
    if not around or len(postcode) != 5:
        return None
    latitudes, longitudes = (np.array(axis) for axis in zip(*around, strict=True))
    return bool(distances_km(point, latitudes, longitudes).min() <= CONTRADICTION_KM)
