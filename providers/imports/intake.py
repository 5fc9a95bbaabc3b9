"""Entries to homes: recognised, compared, and written through the one door of all changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from providers.imports.addresses import is_near
from providers.imports.entries import Entry, Reader, Refusal
from providers.imports.mapping import Mapping, complete_mapping, left_out, sounds_like_homes
from providers.imports.merging import merged_profile, same_address
from providers.imports.register import (
    Ambiguous,
    Known,
    Register,
    identity_to_store,
    select_known,
)
from providers.imports.report import ImportReport, LeftOut
from providers.imports.tables import Row, Table
from vacancies.actors import Actor
from vacancies.command import Outcome
from vacancies.commands import Describe
from vacancies.database import Pool
from vacancies.errors import FreiplatzError
from vacancies.geocoding import OfflineGeocoder
from vacancies.homes import select_homes
from vacancies.models import CareHome, Point, Precision
from vacancies.provider import Provider, ensure_provider, select_provider, slug_of
from vacancies.writer import Writer

CHUNK_ROWS = 200
OPERATOR = Actor(via="import")


class Intake:
    """Takes one table into a database; `writer` None means a dry run that changes nothing.

    On behalf of the desk of a municipality it takes homes `lies_within` its area alone. A provider
    that reports elsewhere is not made to have homes there by its name on a list: then one of that
    name and `own_name` is.
    """

    def __init__(
        self,
        pool: Pool,
        writer: Writer | None,
        *,
        provider: str,
        mapping: Mapping | None = None,
        geocoder: OfflineGeocoder | None = None,
        actor: Actor = OPERATOR,
        lies_within: Callable[[Point], bool] = lambda point: True,
        own_name: str = "",
    ) -> None:
        self._pool = pool
        self._writer = writer
        self._provider = provider
        self._given = mapping
        self._geocoder = geocoder or OfflineGeocoder()
        self._actor = actor
        self._lies_within = lies_within
        self._own_name = own_name
        self._providers: dict[str, Provider] = {}

    async def take(
        self, table: Table, progress: Callable[[int], None] = lambda _: None
    ) -> ImportReport:
        """Take every row that can be taken; `progress` hears how many rows are done.

        Raises `MappingNeeded` and `InvalidMapping` before anything is changed, and what the
        writer raises when the database goes away: then the import can simply be run again.
        """
        mapping = complete_mapping(table, self._given)
        report = ImportReport(
            rows=len(table.rows), notes=list(table.notes), dry_run=self._writer is None
        )
        if not sounds_like_homes(table, mapping):
            report.notes.append("hardly any name sounds like a care home: is this the right list?")
        reader = Reader(table, mapping, self._provider)
        seen: dict[str, int] = {}
        chunks = [
            (len(rows), list(_entries(rows, reader, mapping, seen, report)))
            for rows in _chunks(table.rows)
        ]
        entries = [entry for _, chunk in chunks for entry in chunk]
        register = Register(await select_known(self._pool), entries)
        met: dict[str, int] = {}
        for rows, chunk in chunks:
            await self._write(list(_met(chunk, register, met, report)), report)
            progress(rows)
        report.vanished = register.vanished(met, {slug_of(entry.provider) for entry in entries})
        if report.vanished and any(refusal.field == "row" for refusal in report.refused):
            report.notes.append("vanished homes may stand in rows that were refused")
        report.refused.sort(key=lambda refusal: refusal.row)
        report.providers = len(self._providers)
        return report

    async def _write(
        self, matched: Sequence[tuple[Entry, Known | None]], report: ImportReport
    ) -> None:
        # Read anew: what the register knows may have changed since.
        ids = [known.id if known else entry.home_id for entry, known in matched]
        stored = {home.id: home for home in await select_homes(self._pool, ids)}
        used: list[Entry] = []
        commands: list[Describe] = []
        for (entry, known), home_id in zip(matched, ids, strict=True):
            identity = identity_to_store(known, entry)
            command = await self._command(entry, stored.get(home_id), home_id, identity, report)
            if command is not None:
                used.append(entry)
                commands.append(command)
        if not commands:
            return
        if self._writer is None:
            outcomes = [_try(command, stored.get(command.home_id)) for command in commands]
        else:
            outcomes = (await self._writer.submit(commands)).outcomes
        for entry, outcome in zip(used, outcomes, strict=True):
            report.count(entry.row, outcome)

    async def _command(
        self,
        entry: Entry,
        home: CareHome | None,
        home_id: str,
        identity: str,
        report: ImportReport,
    ) -> Describe | None:
        place = self._place(entry, home, report)
        if place is None:
            given = entry.address.country == "DE"
            reason = (
                "Neither the postcode nor the town is known, or the town is not unique."
                if given
                else f"Places in {entry.address.country} need coordinates."
            )
            report.refused.append(Refusal(entry.row, "postcode", reason))
            return None
        if not self._lies_within(place[0]):
            reason = "This home lies outside of the municipality."
            report.refused.append(Refusal(entry.row, "place", reason))
            return None
        far_km = None if entry.point else self._geocoder.contradiction_km(entry.address)
        if far_km is not None:
            report.warnings.append(
                f"Row {entry.row}: postcode and town are {far_km:.0f} km apart;"
                " the postcode was used."
            )
        report.warnings += [f"Row {entry.row}: {warning}" for warning in entry.warnings]
        profile = merged_profile(entry, home, *place)
        if home is None and profile.municipality is None:
            profile = replace(profile, municipality=self._actor.municipality)
        provider = await self._ensure(entry.provider)
        return Describe(
            home_id=home_id,
            provider_id=provider.id,
            provider=provider.slug,
            profile=profile,
            identity=identity,
            actor=self._actor,
        )

    def _place(
        self, entry: Entry, home: CareHome | None, report: ImportReport
    ) -> tuple[Point, Precision] | None:
        """Given, or already known more exactly for the same address, or looked up."""
        address = entry.address
        if entry.point is not None:
            is_german = address.country == "DE" and address.postcode is not None
            if not is_german or is_near(address.postcode or "", entry.point) is not False:
                return entry.point, Precision.EXACT
            report.warnings.append(
                f"Row {entry.row}: the coordinates are more than 50 km from the postcode"
                f" {address.postcode}; the address was used."
            )
        if home is not None and same_address(home.profile.address, entry.address):
            return home.profile.point, home.profile.precision
        place = self._geocoder.locate(entry.address)
        return (place.point, place.precision) if place else None

    async def _ensure(self, name: str) -> Provider:
        slug = slug_of(name)
        if slug not in self._providers:
            found = await select_provider(self._pool, name)
            if found is not None and await self._is_a_stranger(found):
                name = f"{name} ({self._own_name})"
                found = await select_provider(self._pool, name)
            if found is None and self._writer is None:
                found = Provider(id=0, slug=slug_of(name), name=name)
            self._providers[slug] = found or await ensure_provider(self._pool, name)
        return self._providers[slug]

    async def _is_a_stranger(self, provider: Provider) -> bool:
        """Whether the provider has people or software here, and no home at the desk for which this
        list is: else whoever writes lists could look at and turn to the people of all."""
        actor = self._actor
        if actor.municipality is None:
            return False
        return bool(
            await self._pool.fetchval(
                "SELECT (EXISTS (SELECT FROM membership WHERE provider_id = $1)"
                "  OR EXISTS (SELECT FROM api_key WHERE provider_id = $1))"
                " AND NOT EXISTS (SELECT FROM care_home h WHERE h.provider_id = $1"
                "  AND h.status = 'open' AND starts_with(h.municipality, $2)"
                "  AND NOT EXISTS (SELECT FROM unnest($3::text[]) AS part"
                "   WHERE starts_with(h.municipality, part)))",
                provider.id,
                actor.municipality,
                list(actor.but_not_in),
            )
        )


def _met(
    entries: Sequence[Entry], register: Register, met: dict[str, int], report: ImportReport
) -> Iterator[tuple[Entry, Known | None]]:
    """Entries, each with the home that it means; `met` gets the rows of homes by their ids."""
    for entry in entries:
        try:
            known = register.find(entry)
        except Ambiguous:
            reason = "Several known homes have this name, street and postcode. Give the id too."
            report.refused.append(Refusal(entry.row, "name", reason))
            continue
        first = met.setdefault(known.id if known else entry.home_id, entry.row)
        if first != entry.row:
            reason = f"The same home as in row {first}: the same name, street and postcode."
            report.refused.append(Refusal(entry.row, "name", reason))
            continue
        yield entry, known


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), CHUNK_ROWS):
        yield rows[start : start + CHUNK_ROWS]


def _entries(
    rows: Sequence[Row],
    reader: Reader,
    mapping: Mapping,
    seen: dict[str, int],
    report: ImportReport,
) -> Iterator[Entry]:
    """The rows that may become homes; the others are noted in `report`."""
    for row in rows:
        reason = left_out(mapping, row.cells)
        if reason is not None:
            report.left_out += 1
            report.left_out_rows.append(LeftOut(row.number, reason))
            continue
        entry = reader.read(row)
        if isinstance(entry, Refusal):
            report.refused.append(entry)
            continue
        first = seen.setdefault(entry.identity, row.number)
        if first != row.number:
            field = "id" if not entry.identity.startswith("address:") else "name"
            reason = f"The same home as in row {first}: the same {_IDENTIFIED[field]}."
            report.refused.append(Refusal(row.number, field, reason))
            continue
        yield entry


_IDENTIFIED = {"id": "id", "name": "name, street and postcode"}


def _try(command: Describe, home: CareHome | None) -> Outcome:
    """What the writer would do."""
    try:
        after = command.decide(home, datetime.now(UTC))
    except FreiplatzError as error:
        return Outcome(error=error)
    return Outcome(home=after, changed=after is not home, created=home is None)
