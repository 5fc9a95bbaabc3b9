"""What would happen: commands decide on the stored homes, and nothing is changed.

The way of a key in test mode. It takes the same decisions as the writer, and passes by the
writer itself, so that trying out never holds up those who report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vacancies.batch import Settled, Unit, rehearse
from vacancies.command import Command
from vacancies.database import Pool, borrowed
from vacancies.errors import FreiplatzError
from vacancies.idempotency import Remembered


async def rehearse_commands(
    pool: Pool, commands: Sequence[Command], *, remembered: Remembered | None = None
) -> Settled:
    """The outcomes that `Writer.submit` would give just now, revisions included.

    With `remembered` the first answer is kept and repeated, under the identity of the caller's
    key: a real key never meets it. Raises what `Writer.submit` raises for `remembered`.
    """
    unit = Unit(commands, remembered, asyncio.get_running_loop().create_future())
    async with borrowed(pool) as connection, connection.transaction():
        await rehearse(connection, unit)
    if isinstance(unit.settled, FreiplatzError):
        raise unit.settled
    return unit.settled or Settled(unit.outcomes)
