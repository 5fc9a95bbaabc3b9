"""Two databases side by side, row by row: whether one is the other's restored backup."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from vacancies.backups.tables import select_tables
from vacancies.database import Connection

_PREFETCHED_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Comparison:
    """`differing` names a table and the place of its first row that differs, counted from 1 in the
    order of the rows as text. `epoch_renewed`: cursors of the one do not hold in the other."""

    tables: int
    rows: int
    differing: dict[str, int]
    epoch_renewed: bool

    @property
    def is_equal(self) -> bool:
        return not self.differing and self.epoch_renewed


async def compare_databases(
    one: Connection, two: Connection, progress: Callable[[int], None] = lambda tables: None
) -> Comparison:
    """Every row of every table of ours. Both connections are in transactions."""
    names = sorted({table.name for each in (one, two) for table in await select_tables(each)})
    rows, differing = 0, {}
    for name in names:
        place = 0
        first, second = await _rows(one, name), await _rows(two, name)
        while True:
            mine, theirs = await anext(first, None), await anext(second, None)
            if mine is None and theirs is None:
                break
            place += 1
            if mine != theirs:
                differing[name] = place
                break
        rows += place
        progress(1)
    epochs = [await each.fetchval("SELECT epoch FROM deployment") for each in (one, two)]
    return Comparison(len(names), rows, differing, epochs[0] != epochs[1])


# A row as text has all of its columns; of the one row of `deployment` the epoch is left out.
_ROWS = """
SELECT format('SELECT row FROM (SELECT %s AS row FROM public.%I AS t) AS r ORDER BY row COLLATE %I',
              CASE $1::text WHEN 'deployment' THEN '(to_jsonb(t) - ''epoch'')::text'
                            ELSE 't::text' END, $1::text, 'C')
WHERE to_regclass(format('public.%I', $1::text)) IS NOT NULL
"""


async def _rows(connection: Connection, table: str) -> AsyncIterator[str]:
    """All rows as text; none if there is no such table."""
    query = await connection.fetchval(_ROWS, table)

    async def read() -> AsyncIterator[str]:
        if query is not None:
            async for row in connection.cursor(query, prefetch=_PREFETCHED_ROWS):
                yield row["row"]

    return read()
