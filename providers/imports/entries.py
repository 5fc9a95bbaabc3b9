"""One row of a list to one home, or to the reason why not."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial

import msgspec

from providers.imports.addresses import has_lost_zero, read_address
from providers.imports.amounts import read_euros, read_places
from providers.imports.cells import (
    clean_text,
    read_care_forms,
    read_country,
    read_email,
    read_flag,
    read_phone,
    read_website,
)
from providers.imports.identity import home_id_of, identity_by_address, identity_by_id
from providers.imports.mapping import Mapping
from providers.imports.names import CAPACITY_FIELDS, COST_FIELDS, OFFER_FIELDS
from providers.imports.positions import read_position
from providers.imports.shifts import Shape
from providers.imports.tables import Row, Table
from vacancies.models import Address, CareForm, Contact, Point

# Patterns that look for something take the square of it in the worst case.
_LONGEST_CELL = 2_000
_FOUR_DIGITS = re.compile(r"[0-9]{4}(?:[.,]0+)?")


class Refusal(msgspec.Struct, frozen=True):
    """Why a row was not taken: the field at fault, and a sentence that helps to mend it."""

    row: int
    field: str
    reason: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a row says of a home. None, and what is absent, means that it says nothing."""

    row: int
    identity: str  # by its id, else by its address
    by_address: str
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


class Reader:
    """Reads the rows of one table.

    `provider` is the name for rows that name none.
    """

    def __init__(self, table: Table, mapping: Mapping, provider: str) -> None:
        self._mapping = mapping
        self._provider = provider
        self._system = mapping.system()
        self._eastings = next(iter(mapping.of("easting")), None)
        self._country = mapping.country or self._usual_country(table)
        self._shape = Shape(table, mapping)
        self._lost_zeros = self._have_lost_zeros(table)

    def _usual_country(self, table: Table) -> str:
        """The one country that rows name, for those that name none."""
        named = Counter(
            code
            for row in table.rows
            if (code := read_country(self._cell(row, "country"))) is not None
        )
        return next(iter(named)) if len(named) == 1 else "DE"

    def _have_lost_zeros(self, table: Table) -> bool:
        """Whether postcodes of four digits are German ones as a rule. Then those with a town
        that nobody knows, such as a district, are so too."""
        cells = [(self._cell(row, "postcode").strip(), row) for row in table.rows]
        short = [(cell, row) for cell, row in cells if _FOUR_DIGITS.fullmatch(cell)]
        found = [has_lost_zero(cell, clean_text(self._cell(row, "city"))) for cell, row in short]
        return sum(found) >= 0.6 * len(found)

    def _is_foreign(self, row: Row, point: Point | None) -> bool:
        """Whether the postcode of a row is too doubtful to look for its place in Germany."""
        postcode = self._cell(row, "postcode").strip()
        if point is not None or self._lost_zeros or not _FOUR_DIGITS.fullmatch(postcode):
            return False
        says_country = self._mapping.country or read_country(self._cell(row, "country"))
        city = clean_text(self._cell(row, "city"))
        return not says_country and not has_lost_zero(postcode, city)

    def _cell(self, row: Row, field: str) -> str:
        cells = (row.cells.get(column, "") for column in self._mapping.of(field))
        return next((cell[:_LONGEST_CELL] for cell in cells if cell), "")

    def read(self, row: Row) -> Entry | Refusal:
        """The home of a row, or why there is none."""
        if row.fault is not None:
            return Refusal(row.number, "row", f"The row {row.fault}.")
        if (fault := self._shape.fault(row)) is not None:
            return Refusal(row.number, "row", fault)
        name = clean_text(self._cell(row, "name"))
        if name is None or not any(c.isalpha() for c in name):
            return Refusal(row.number, "name", f"The home has no name{self._clue(row)}.")
        warnings: list[str] = []
        cell = partial(self._cell, row)
        point, problem = read_position(cell, self._system, self._eastings)
        address = read_address(cell, self._country, point)
        if point is None and address.postcode is None and address.city is None:
            reason = "Neither coordinates, nor a postcode, nor a town is given."
            reason = f"{problem}; and there is no address." if problem else reason
            return Refusal(row.number, "coordinates" if problem else "postcode", reason)
        if self._is_foreign(row, point):
            reason = (
                f"{self._cell(row, 'postcode').strip()} is no German postcode, not even with a"
                " zero in front, or belongs to another town. Add the zero, or a column with the"
                " country."
            )
            return Refusal(row.number, "postcode", reason)
        if problem is not None:
            warnings.append(f"{problem}; the address was used.")
        provider = clean_text(self._cell(row, "provider")) or self._provider
        source_id = clean_text(self._cell(row, "id"))
        by_address = identity_by_address(name, address, point)
        return Entry(
            row=row.number,
            identity=identity_by_id(source_id, provider) if source_id else by_address,
            by_address=by_address,
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

    def _clue(self, row: Row) -> str:
        """What helps to find a home without a name: not everybody counts rows of GeoJSON."""
        cells = (self._cell(row, field) for field in ("id", "street", "house_number", "city"))
        said = " ".join(cell for cell in map(clean_text, cells) if cell)
        return f" ({said[:80]})" if said else ""

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
        elif total is None and (said := clean_text(text, 40)) is not None:
            warnings.append(f"{said!r} is not a number of places.")
        for field in CAPACITY_FIELDS:
            text = self._cell(row, field)
            count = read_places(text)
            if count:
                capacity[CareForm(field.partition(".")[2])] = count
            elif count is None and (said := clean_text(text, 40)) is not None:
                warnings.append(f"{said!r} is not a number of places ({field}).")
        return capacity

    def _costs(self, row: Row, warnings: list[str]) -> dict[str, float]:
        costs = {}
        for field in COST_FIELDS:
            text = self._cell(row, field)
            amount = read_euros(text)
            if amount is not None:
                costs[field.partition(".")[2]] = amount
            elif (said := clean_text(text, 40)) is not None:
                warnings.append(f"{said!r} is not an amount in euros per month ({field}).")
        return costs

    def _municipality(self, row: Row) -> str | None:
        """The AGS; spreadsheets drop its leading zero."""
        digits = self._cell(row, "municipality").strip()
        if not re.fullmatch(r"\d{7,8}", digits):
            return None
        return digits.zfill(8)
