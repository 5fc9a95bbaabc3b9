"""Fetches the files of portals, beside the same task of all other processes: each file is one
process's at a time, by a lease.

A home is reported when the file says something else of it than before. So a file that nobody
keeps lets its homes grow old, however often it is fetched.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec
import structlog
from msgspec.structs import replace

from providers.portals.files import (
    Claimed,
    News,
    claim_file,
    record_pull,
    record_trouble,
    select_taken,
)
from providers.report_rows import read_entries
from vacancies.actors import Actor
from vacancies.command import Outcome
from vacancies.commands import Report
from vacancies.database import Pool, borrowed, is_connection_error
from vacancies.errors import FreiplatzError, OutdatedReport
from vacancies.outbound import AddressRefused, CallFailed, Outbound
from vacancies.writer import Writer

log = structlog.get_logger()

LOOK_SECONDS = 5.0
FETCH_SECONDS = 15.0  # for the head, and again for the body
MOST_BYTES = 2_000_000  # as for a call
# Longer than a turn.
LEASE = timedelta(minutes=3)
MOST_WHY = 300


class Fetched(msgspec.Struct, frozen=True):
    """A file as it came."""

    content: bytes
    etag: str | None
    modified: str | None


class PullFailed(FreiplatzError):
    """The file was not got, or cannot be read. The sentence says why, without its address."""

    code = "pull_failed"


class Puller:
    """`outbound` must be open."""

    def __init__(self, pool: Pool, writer: Writer, outbound: Outbound) -> None:
        self._pool = pool
        self._writer = writer
        self._outbound = outbound

    async def run_for_ever(self) -> None:
        while True:
            try:
                while await self.pull() is not None:
                    pass
            except Exception as error:
                where = None if is_connection_error(error) else "pull"
                log.warning("files were not fetched", error=type(error).__name__, where=where)
            await asyncio.sleep(LOOK_SECONDS)

    async def pull(self, name: str | None = None) -> str | None:
        """Fetch the file that is due, or that of this `name`, and return its name; None if there
        is none that nobody else has just now. How it went is stored."""
        claimed = await claim_file(self._pool, LEASE, name)
        if claimed is None:
            return None
        try:
            fetched = await self._fetch(claimed)
            news = None if fetched is None else await self._take(claimed, fetched)
        except FreiplatzError as error:
            trouble = error.detail[:MOST_WHY]
            await record_trouble(self._pool, claimed, trouble)
            log.warning("a file of a portal was not taken", portal=claimed.name, code=error.code)
        else:
            async with borrowed(self._pool) as connection, connection.transaction():
                await record_pull(connection, claimed, news)
        return claimed.name

    async def _fetch(self, claimed: Claimed) -> Fetched | None:
        """None if the file is the same. Raises `PullFailed`."""
        known = {"If-None-Match": claimed.etag, "If-Modified-Since": claimed.modified}
        headers = {name: value for name, value in known.items() if value}
        headers["User-Agent"] = "freiplatz-portals/1"
        try:
            url = self._outbound.check(claimed.url)
            async with self._outbound.get(url, headers, seconds=FETCH_SECONDS) as reading:
                if reading.status == 304 and len(headers) > 1:
                    return None
                if reading.status != 200:
                    raise PullFailed(f"The portal answered {reading.status}, not 200.")
                content = await reading.whole(FETCH_SECONDS, MOST_BYTES)
        except AddressRefused as error:
            raise PullFailed(error.detail) from None
        except CallFailed as error:
            raise PullFailed(f"The portal did not answer ({error.trouble}).") from None
        if content is None or reading.is_packed:
            raise PullFailed("The file is packed, or larger than 2 MB.")
        return Fetched(content, reading.etag, reading.modified)

    async def _take(self, claimed: Claimed, fetched: Fetched) -> News:
        """Raises what reading the file does, and `Unavailable`."""
        actor = Actor(provider_id=claimed.provider_id, via="portal", portal=claimed.name)
        is_json = fetched.content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
        entries = await read_entries(fetched.content, actor, is_file=not is_json)
        faults: list[tuple[str | None, FreiplatzError]] = [
            (entry.home_id, entry.fault) for entry in entries if entry.fault
        ]
        # Of a home that stands there twice the last counts.
        said = {
            entry.home_id: entry.command for entry in entries if entry.home_id and entry.command
        }
        digests = {home_id: _digest(report) for home_id, report in said.items()}
        before = await select_taken(self._pool, claimed.name)
        due = [home_id for home_id in said if before.get(home_id) != digests[home_id]]
        outcomes: Sequence[Outcome] = ()
        if due:
            commands = [_as_of(said[home_id], fetched.modified) for home_id in due]
            outcomes = (await self._writer.submit(commands)).outcomes
        taken = {}
        for home_id, outcome in zip(due, outcomes, strict=True):
            if outcome.error is None or isinstance(outcome.error, OutdatedReport):
                taken[home_id] = digests[home_id]
            else:
                faults.append((home_id, outcome.error))
        return News(
            # What was refused is tried again, as soon as it is mended here.
            etag=None if faults else fetched.etag,
            modified=None if faults else fetched.modified,
            homes=len(said.keys() | {home_id for home_id, _ in faults}),
            refused=len(faults),
            refused_why=_why(*faults[0]) if faults else "",
            taken=taken,
        )


def _why(home_id: str | None, error: FreiplatzError) -> str:
    return f"{home_id or '?'}: {error.detail}"[:MOST_WHY]


def _digest(report: Report) -> str:
    """Of what the file says of the home."""
    said = (report.vacancies, report.observed_at)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:32]


def _as_of(report: Report, modified: str | None) -> Report:
    """What a file says without a time was so when it was written, not when we came for it."""
    if report.observed_at is not None or modified is None:
        return report
    try:
        written = parsedate_to_datetime(modified)
    except ValueError:
        return report
    written = written if written.tzinfo else written.replace(tzinfo=UTC)
    return replace(report, observed_at=min(written, datetime.now(UTC)))
