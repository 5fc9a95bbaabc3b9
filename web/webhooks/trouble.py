"""Trouble in the background: it ends the piece of work that it hits, and nothing else."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable

import structlog

from vacancies.database import is_connection_error
from vacancies.errors import FreiplatzError

log = structlog.get_logger()


async def survive(work: Awaitable[object], what: str = "webhooks") -> bool:
    """Do `work` for `what`; False if it failed, which is in the log then."""
    try:
        await work
    except FreiplatzError as error:
        log.warning("work in the background failed", what=what, code=error.code)
    except Exception as error:
        if is_connection_error(error):
            log.warning("work in the background failed", what=what, error=type(error).__name__)
        else:
            # Not the message: Postgres puts whole rows into its details, with addresses that
            # may hold secrets.
            where = "".join(traceback.format_tb(error.__traceback__)[-5:])
            log.error(
                "work in the background failed", what=what, error=type(error).__name__, where=where
            )
    else:
        return True
    return False
