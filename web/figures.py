"""What the web processes of one service count, in memory that they share.

Any of them can answer for all: whoever asks for `/metrics` on the shared port reaches one of
them, and not always the same.
"""

from __future__ import annotations

import mmap
import time
from dataclasses import dataclass

import numpy as np

_NAMES = "is_there viewers revision caught_up_at is_listening repairs writes"
_ROW = np.dtype([(name, np.float64) for name in _NAMES.split()])


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all processes: sums of `viewers`, `repairs` and `writes`, the worst of the rest."""

    processes: int
    viewers: int
    revision: int
    lag_seconds: float
    is_listening: bool
    repairs: int
    writes: int


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

    @staticmethod
    def size(rows: int) -> int:
        return rows * _ROW.itemsize

    def write(
        self,
        *,
        viewers: int,
        revision: int,
        caught_up_at: float,
        is_listening: bool,
        repairs: int,
        writes: int,
    ) -> None:
        """Enter the figures of this process; `caught_up_at` is a `time.monotonic()`, a clock
        that processes share, so that the lag of one that hangs grows."""
        repairs, writes = repairs + self._repairs, writes + self._writes
        self._own[0] = (1, viewers, revision, caught_up_at, is_listening, repairs, writes)

    def forget(self, row: int) -> None:
        """The process of that row is no more; what it counted stays."""
        self._rows["is_there"][row] = 0

    def totals(self) -> Totals:
        """Raises `ValueError` while no process has entered anything."""
        there = self._rows[self._rows["is_there"] > 0]
        return Totals(
            processes=len(there),
            viewers=int(there["viewers"].sum()),
            revision=int(there["revision"].min()),
            lag_seconds=max(0.0, time.monotonic() - float(there["caught_up_at"].min())),
            is_listening=bool(there["is_listening"].min()),
            repairs=int(self._rows["repairs"].sum()),
            writes=int(self._rows["writes"].sum()),
        )
