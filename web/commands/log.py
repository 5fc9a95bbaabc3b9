"""The log of a command: one line an event, its fields as `name=value` (logfmt).

Nothing about people stands in it. So of an error the log names the kind and the place, never the
message: Postgres, for one, puts whole rows into its messages. The same goes for what libraries log.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import structlog
from structlog.typing import EventDict, WrappedLogger

FRAMES = 6  # innermost, of each error
_ROOT = str(Path(__file__).resolve().parents[2]) + "/"


def configure_log() -> None:
    """It goes to stderr: stdout is for results."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            name_the_error,
            structlog.dev.ConsoleRenderer()
            if sys.stderr.isatty()
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    logging.basicConfig(handlers=[_OfLibraries()], level=logging.WARNING, force=True)


def name_the_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put the kind and the place of `exc_info` in its stead: for structlog."""
    found = event.pop("exc_info", None)
    if isinstance(found, tuple):
        found = found[1]
    elif found and not isinstance(found, BaseException):
        found = sys.exc_info()[1]
    if isinstance(found, BaseException):
        event["error"] = " from ".join(type(each).__name__ for each in _chain(found))
        event["where"] = "; from ".join(map(_place, _chain(found)))
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, the newest first."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return " > ".join(
        f"{frame.filename.removeprefix(_ROOT)}:{frame.lineno} {frame.name}" for frame in frames
    )


class _OfLibraries(logging.Handler):
    """What libraries say through Python's own `logging`: that they did, and where. Their messages
    hold what they were busy with: addresses of pages, arguments, mails."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "a library complains",
            library=record.name,
            at=f"{record.module}:{record.lineno} {record.funcName}",
            exc_info=record.exc_info,
        )
