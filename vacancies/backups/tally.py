"""Whether two tables hold the same rows, in whatever order: a number that says so."""

from __future__ import annotations

from hashlib import blake2b

from vacancies.backups.manifest import Amount, Table
from vacancies.backups.tables import copy_rows
from vacancies.database import Connection

_BYTES = 16
_ABOVE = 1 << (8 * _BYTES)


class Tally:
    """How many rows there are, and the sum of their hashes. Rows are lines as COPY writes them."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, lines: bytes) -> None:
        """Whole lines, each with its end."""
        # A line end within a value is written as \\n: every real one ends a row.
        each = lines.split(b"\n")[:-1]
        self.rows += len(each)
        for line in each:
            self._sum += int.from_bytes(blake2b(line, digest_size=_BYTES).digest())

    def amount(self) -> Amount:
        # A sum and not an exclusive or, in which two equal rows would cancel out.
        return Amount(rows=self.rows, digest=f"{self._sum % _ABOVE:0{2 * _BYTES}x}")


async def tally_rows(connection: Connection, table: Table) -> Amount:
    """What is stored in a table now."""
    tally = Tally()

    async def take(lines: bytes) -> None:
        tally.add(lines)

    await copy_rows(connection, table, take)
    return tally.amount()
