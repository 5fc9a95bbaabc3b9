"""All open homes in one file: GeoJSON for maps, CSV for tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from providers.safe_cells import safe_cell
from vacancies.geojson import encode_feature
from vacancies.models import CareForm, Freshness, Listing
from web.api import GEOJSON_TYPE
from web.opendata.served import LAST_UPDATED, Document, Taken, rfc3339
from web.opendata.terms import Terms

SECONDS = 60
CSV_TYPE = "text/csv; charset=utf-8; header=present"

_COUNTED = (Freshness.FRESH, Freshness.AGEING)
_HEADER = (
    *("id", "name", "provider", "ownership"),
    *("street", "postcode", "city", "country", "municipality"),
    *("latitude", "longitude", "precision"),
    *("phone", "email", "website", "quality_url"),
    *("freshness", "observed_at", "confirmed_at", "revision"),
    *("admission_stop", "admission_stop_until", "waiting_list"),
    *("free", *(f"free_{form}" for form in CareForm)),
    *("capacity", *(f"capacity_{form}" for form in CareForm)),
    *("care_eur", "training_eur", "board_eur", "investment_eur"),
    *("focuses", "needs", "languages"),
    *("last_updated", "licence", "attribution"),
)


def geojson(taken: Taken, terms: Terms) -> bytes:
    """A FeatureCollection (RFC 7946) of the same Features that the API gives."""
    features = b",\n".join([encode_feature(home).at(None) for home in taken.homes])
    return (
        b'{"type":"FeatureCollection",%b,"revision":%d,"last_updated":"%b","features":[\n%b\n]}\n'
        % (terms.members, taken.revision, LAST_UPDATED, features)
    )


def table(taken: Taken, terms: Terms) -> bytes:
    """RFC 4180 in UTF-8, a row for each home; docs/open-data.md describes the columns. Licence and
    source stand in each row: a table has no other place for them that stays with it."""
    text = io.StringIO()
    rows = csv.writer(text)  # commas and CRLF
    rows.writerow(_HEADER)
    end = (LAST_UPDATED.decode(), terms.licence.text_url, safe_cell(terms.attribution))
    for home in taken.homes:
        rows.writerow((*_who(home), *_what(home), *end))
    return text.getvalue().encode()


def _who(home: Listing) -> Iterable[object]:
    profile, address, contact = home.profile, home.profile.address, home.profile.contact
    yield from (home.id, safe_cell(profile.name), home.provider, profile.ownership or "")
    yield from map(safe_cell, (address.street, address.postcode, address.city, address.country))
    yield from (profile.municipality or "", profile.point.latitude, profile.point.longitude)
    yield profile.precision
    yield from map(safe_cell, (contact.phone, contact.email, contact.website, profile.quality_url))


def _what(home: Listing) -> Iterable[object]:
    profile, stop, costs = home.profile, home.admission_stop, home.profile.costs
    yield from (home.freshness, rfc3339(home.observed_at), rfc3339(home.confirmed_at))
    yield home.revision
    yield from (stop.reason, stop.until or "") if stop else ("", "")
    yield profile.waiting_list or ""
    # Nobody knows what is free in a home that has not reported for long: that is no zero.
    is_known = home.freshness in _COUNTED
    yield sum(home.free.values()) if is_known else ""
    yield from (home.free.get(form, 0) if is_known else "" for form in CareForm)
    yield sum(profile.capacity.values()) or ""
    yield from (profile.capacity.get(form) or "" for form in CareForm)
    for amount in (costs.care_eur, costs.training_eur, costs.board_eur, costs.investment_eur):
        yield "" if amount is None else amount
    for codes in (profile.focuses, profile.needs, profile.languages):
        yield " ".join(codes)


GEOJSON = Document("/opendata/vacancies.geojson", GEOJSON_TYPE, SECONDS, geojson)
CSV = Document("/opendata/vacancies.csv", CSV_TYPE, SECONDS, table)
