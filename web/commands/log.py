"""The log of a command."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_log() -> None:
    """It goes to stderr: stdout is for results."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *(() if sys.stderr.isatty() else (structlog.processors.format_exc_info,)),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
            if not sys.stderr.isatty()
            # Plain tracebacks: the rich ones show values, and with them people's data.
            else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
