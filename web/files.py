"""How the files that a process may open are shared out: each connection is one."""

from __future__ import annotations

import resource

OTHER_FILES = 200  # Postgres, Redis, the log, the port
MOST_CONNECTIONS = 4_000  # of HTTP; more are refused long before a process could answer them


def most_files() -> int:
    """What `serve` asks for: all that it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return hard if hard != resource.RLIM_INFINITY else 2**30


def connections_of(files: int) -> int:
    """How many connections that are no streams `files` leave room for: a quarter."""
    return min(MOST_CONNECTIONS, max(1, (files - OTHER_FILES) // 4))


def viewers_of(files: int) -> int:
    """And how many live streams: the rest."""
    return max(1, files - OTHER_FILES - connections_of(files))
