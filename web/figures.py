"""What the web processes of one service count, in memory that they share.

Any of them can answer for all: whoever asks for `/metrics` on the shared port reaches one of
them, and not always the same.
"""

from __future__ import annotations

import mmap
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_STATE = (
    *("is_there", "started_at", "viewers", "behind", "revision", "caught_up_at"),
    *("steady_since", "clock_ahead", "is_listening", "repairs", "writes", "tasks"),
    *("refused", "dropped"),
)
# Counters have names, with their labels in it; a row has room for so many.
COUNTERS = 192
_COUNTER = np.dtype([("name", "S56"), ("count", np.float64)])
_ROW = np.dtype([*((name, np.float64) for name in _STATE), ("counters", _COUNTER, (COUNTERS,))])
_REST = "errors other"  # for what has no room

# Bounds of histograms, in seconds. What Freiplatz promises (3 s without Redis) is one of them.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
_SECONDS = (*(f"{bound:g}" for bound in BOUNDS), "+Inf")


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all processes: sums of `viewers`, `behind`, `repairs`, `writes`, `tasks`, `refused`
    (requests) and `dropped` (connections, bodies and viewers that kept us waiting), the earliest
    and the latest start, since when one of them was never out of date (unix seconds), the worst of
    the rest."""

    processes: int
    started_at: float
    last_started_at: float
    steady_since: float
    viewers: int
    behind: int
    revision: int
    lag_seconds: float
    clock_ahead_seconds: float
    is_listening: bool
    repairs: int
    writes: int
    tasks: int
    refused: int
    dropped: int


class Figures:
    """A row a process; each writes its own. `fd` is a file of `size(rows)` bytes that they
    share; without one the memory is this process's own.

    What is counted goes on where the process that had the row before has stopped, so that it
    never falls.
    """

    def __init__(self, rows: int = 1, row: int = 0, fd: int = -1) -> None:
        self._rows = np.frombuffer(mmap.mmap(fd, self.size(rows)), dtype=_ROW)
        self._own = self._rows[row : row + 1]
        self._repairs, self._writes = self._own["repairs"][0], self._own["writes"][0]
        self._refused, self._dropped = self._own["refused"][0], self._own["dropped"][0]
        self._names = self._own["counters"]["name"][0]
        self._counts = self._own["counters"]["count"][0]
        self._slots = {name.decode(): slot for slot, name in enumerate(self._names) if name}
        self._started_at = time.time()

    @staticmethod
    def size(rows: int) -> int:
        return rows * _ROW.itemsize

    def write(
        self,
        *,
        viewers: int,
        behind: int,
        revision: int,
        caught_up_at: float,
        steady_since: float,
        clock_ahead_seconds: float,
        is_listening: bool,
        repairs: int,
        writes: int,
        tasks: int,
        refused: int = 0,
        dropped: int = 0,
    ) -> None:
        """Enter the figures of this process; `caught_up_at` is a `time.monotonic()`, a clock
        that processes share, so that the lag of one that hangs grows."""
        own = self._own
        own["is_there"], own["started_at"] = 1, self._started_at
        own["viewers"], own["behind"], own["revision"] = viewers, behind, revision
        own["caught_up_at"], own["steady_since"] = caught_up_at, steady_since
        own["clock_ahead"] = clock_ahead_seconds
        own["is_listening"] = is_listening
        own["repairs"], own["writes"] = repairs + self._repairs, writes + self._writes
        own["tasks"] = tasks
        own["refused"], own["dropped"] = refused + self._refused, dropped + self._dropped

    def count(self, name: str, times: float = 1.0) -> None:
        """Count on what has that name: of a metric, or with its label `name label`."""
        slot = self._slots.get(name)
        if slot is None:
            if len(self._slots) >= COUNTERS - 1 and name != _REST:
                return self.count(_REST, times)
            slot = self._slots[name] = len(self._slots)
            self._names[slot] = name.encode()
        self._counts[slot] += times
        return None

    def observe(self, name: str, seconds: float, times: int = 1) -> None:
        """Enter something that took so long, in the histogram of that name."""
        self.count(f"{name} {_SECONDS[bisect_left(BOUNDS, seconds)]}", times)
        self.count(f"{name} sum", seconds * times)

    def forget(self, row: int) -> None:
        """The process of that row is no more; what it counted stays."""
        self._rows["is_there"][row] = 0

    def totals(self) -> Totals:
        """Raises `ValueError` while no process has entered anything."""
        there = self._rows[self._rows["is_there"] > 0]
        ahead = there["clock_ahead"]
        return Totals(
            processes=len(there),
            started_at=float(there["started_at"].min()),
            last_started_at=float(there["started_at"].max()),
            steady_since=float(there["steady_since"].min()),
            viewers=int(there["viewers"].sum()),
            behind=int(there["behind"].sum()),
            revision=int(there["revision"].min()),
            lag_seconds=max(0.0, time.monotonic() - float(there["caught_up_at"].min())),
            clock_ahead_seconds=float(ahead[np.abs(ahead).argmax()]),
            is_listening=bool(there["is_listening"].min()),
            repairs=int(self._rows["repairs"].sum()),
            writes=int(self._rows["writes"].sum()),
            tasks=int(there["tasks"].sum()),
            refused=int(self._rows["refused"].sum()),
            dropped=int(self._rows["dropped"].sum()),
        )

    def counts(self) -> Mapping[str, dict[str, float]]:
        """What all processes have counted, ever: by metric, then by label."""
        found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        counters = self._rows["counters"]
        for entry in counters[counters["name"] != b""]:
            name, _, label = entry["name"].decode().partition(" ")
            found[name][label] += float(entry["count"])
        return found

    def buckets(self, name: str) -> tuple[list[tuple[str, float]], float]:
        """The histogram of that name as Prometheus wants it: how many took at most so long, for
        each bound; and the sum of all, in seconds."""
        counts = self.counts()[name]
        so_many = np.cumsum([counts.get(label, 0.0) for label in _SECONDS]).tolist()
        return list(zip(_SECONDS, so_many, strict=True)), counts.get("sum", 0.0)
