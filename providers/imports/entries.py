"""One row of a list to one home, or to the reason why not."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter

import msgspec

from providers.imports.cells import (
    clean_text,
    fold_street,
    fold_words,
    read_care_forms,
    read_country,
    read_decimal,
    read_email,
    read_flag,
    read_phone,
    read_places,
    read_website,
)
from providers.imports.columns import CAPACITY_FIELDS, COST_FIELDS, OFFER_FIELDS
from providers.imports.mapping import Mapping
from providers.imports.tables import Row, Table, fold
from vacancies.models import Address, CareForm, Contact, Point
from vacancies.placenames import normal_postcode
from vacancies.provider import slug_of

_ADDRESS = re.compile(r"^(?P<street>.*?),?\s*\b(?:D-)?(?P<postcode>\d{4,5})\s+(?P<city>[^\d].*)$")
_POSTCODE_CITY = re.compile(r"^\s*(?:[A-Z]{1,2}-)?(?P<postcode>\d{4,5})\s+(?P<city>.+)$")
_OSM_ID = re.compile(r"(?:node|way|relation)/\d+")


class Refusal(msgspec.Struct, frozen=True):
    """Why a row was not taken: the field at fault, and a sentence that helps to mend it."""

    row: int
    field: str
    reason: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a row says of a home. None, and what is absent, means that it says nothing."""

    row: int
    identity: str
    name: str
    provider: str
    address: Address
    contact: Contact
    point: Point | None = None
    capacity: dict[CareForm, int] = {}
    costs: dict[str, float] = {}
    municipality: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def home_id(self) -> str:
        return home_id_of(self.identity)


def home_id_of(identity: str) -> str:
    """The public id of a home that a list brings: opaque, and always the same."""
    digest = hashlib.sha256(identity.encode()).digest()
    return "h" + base64.b32encode(digest[:10]).decode().lower()


class Reader:
    """Reads the rows of one table.

    `provider` is the name for rows that name none.
    """

    def __init__(self, table: Table, mapping: Mapping, provider: str) -> None:
        self._mapping = mapping
        self._provider = provider
        self._country = mapping.country or self._usual_country(table)

    def _usual_country(self, table: Table) -> str:
        """The one country that rows name, for those that name none."""
        named = Counter(
            code
            for row in table.rows
            if (code := read_country(self._cell(row, "country"))) is not None
        )
        return next(iter(named)) if len(named) == 1 else "DE"

    def _cell(self, row: Row, field: str) -> str:
        return next(
            (cell for column in self._mapping.of(field) if (cell := row.cells.get(column, ""))), ""
        )

    def read(self, row: Row) -> Entry | Refusal:
        """The home of a row, or why there is none."""
        if row.fault is not None:
            return Refusal(row.number, "row", f"The row {row.fault}.")
        name = clean_text(self._cell(row, "name"))
        if name is None or not any(c.isalpha() for c in name):
            return Refusal(row.number, "name", "The home has no name.")
        warnings: list[str] = []
        address = self._address(row)
        point = self._point(row, warnings)
        if point is None and address.postcode is None and address.city is None:
            return Refusal(
                row.number, "postcode", "Neither coordinates, nor a postcode, nor a town is given."
            )
        provider = clean_text(self._cell(row, "provider")) or self._provider
        return Entry(
            row=row.number,
            identity=self._identity(row, provider, name, address, point),
            name=name,
            provider=provider,
            address=address,
            contact=self._contact(row, address, warnings),
            point=point,
            capacity=self._capacity(row, warnings),
            costs=self._costs(row, warnings),
            municipality=self._municipality(row),
            warnings=tuple(warnings),
        )

    def _address(self, row: Row) -> Address:
        street = clean_text(self._cell(row, "street"))
        number = clean_text(self._cell(row, "house_number"), 20)
        postcode = clean_text(self._cell(row, "postcode"), 12)
        city = clean_text(self._cell(row, "city"), 100)
        whole = clean_text(self._cell(row, "address"), 300)
        both = clean_text(self._cell(row, "postcode_city"), 120)
        if whole is not None and (match := _ADDRESS.match(whole)):
            street, postcode, city = match["street"] or street, match["postcode"], match["city"]
        elif whole is not None:
            street = street or whole
        if both is not None and (match := _POSTCODE_CITY.match(both)):
            postcode, city = match["postcode"], match["city"]
        if street is not None and number is not None and not street.endswith(f" {number}"):
            street = f"{street} {number}"
        country = read_country(self._cell(row, "country")) or self._country
        if country == "DE":
            postcode = normal_postcode(postcode) or postcode
        return Address(
            street=street[:200] if street else None,
            postcode=postcode[:12] if postcode else None,
            city=city[:100] if city else None,
            country=country,
        )

    def _point(self, row: Row, warnings: list[str]) -> Point | None:
        texts = [self._cell(row, "latitude"), self._cell(row, "longitude")]
        if not any(texts) and (pair := self._cell(row, "coordinates")):
            texts = re.split(r"\s*[,;]\s*|\s+", pair.strip(" ()[]"))
        if not any(text.strip() for text in texts):
            return None
        numbers = [read_decimal(text) for text in texts]
        if len(numbers) == 2 and None not in numbers:
            latitude, longitude = (float(number or 0) for number in numbers)
            if abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0):
                return Point(latitude, longitude)
        warnings.append("The coordinates are not on the earth; the address was used.")
        return None

    def _contact(self, row: Row, address: Address, warnings: list[str]) -> Contact:
        cells = {field: self._cell(row, field) for field in ("phone", "email", "website")}
        contact = Contact(
            phone=read_phone(cells["phone"], address.country, address.city),
            email=read_email(cells["email"]),
            website=read_website(cells["website"]),
        )
        warnings += [
            f"The {field} {cleaned[:60]!r} was left out."
            for field, cell in cells.items()
            if getattr(contact, field) is None and (cleaned := clean_text(cell)) is not None
        ]
        return contact

    def _capacity(self, row: Row, warnings: list[str]) -> dict[CareForm, int]:
        """Places per care form; 0 where a form is offered and nobody says how many."""
        forms = next(
            (
                forms
                for column in self._mapping.of("care_form")
                if (forms := read_care_forms(row.cells.get(column)))
            ),
            [],
        )
        forms += [
            CareForm(field.partition(".")[2])
            for field in OFFER_FIELDS
            if read_flag(self._cell(row, field))
        ]
        capacity = dict.fromkeys(forms, 0)
        text = self._cell(row, "places")
        total = read_places(text)
        if total:
            # A total for several forms: most of it is long-term, if that is among them.
            main = CareForm.LONG_TERM if CareForm.LONG_TERM in forms or not forms else forms[0]
            capacity[main] = total if len(forms) < 2 else 0
        elif text.strip() and total is None:
            warnings.append(f"{text.strip()[:40]!r} is not a number of places.")
        for field in CAPACITY_FIELDS:
            count = read_places(self._cell(row, field))
            if count:
                capacity[CareForm(field.partition(".")[2])] = count
        return capacity

    def _costs(self, row: Row, warnings: list[str]) -> dict[str, float]:
        costs = {}
        for field in COST_FIELDS:
            text = self._cell(row, field).replace("€", "").replace("EUR", "").strip()
            if re.fullmatch(r"\d{1,3}(\.\d{3})+(,\d+)?", text):
                text = text.replace(".", "")
            amount = read_decimal(text)
            if amount is not None and 0 <= amount <= 100_000:
                costs[field.partition(".")[2]] = amount
            elif text:
                warnings.append(f"{text[:40]!r} is not an amount ({field}).")
        return costs

    def _municipality(self, row: Row) -> str | None:
        """The AGS; spreadsheets drop its leading zero."""
        digits = self._cell(row, "municipality").strip()
        if not re.fullmatch(r"\d{7,8}", digits):
            return None
        return digits.zfill(8)

    def _identity(
        self, row: Row, provider: str, name: str, address: Address, point: Point | None
    ) -> str:
        """By the source's id, which is unique for one provider (OpenStreetMap's: anywhere);
        else by name, street and postcode. Without an address the point stands for it."""
        source_id = clean_text(self._cell(row, "id"))
        if source_id is not None and _OSM_ID.fullmatch(source_id):
            return f"osm:{source_id}"
        if source_id is not None:
            return f"id:{slug_of(provider)}:{source_id}"
        where = [fold_street(address.street), address.postcode or fold(address.city or "")]
        if not any(where) and point is not None:
            where = [f"{point.latitude:.4f},{point.longitude:.4f}"]
        return ":".join(["address", fold_words(name), *where])
