"""What durability alone costs on this machine."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path


def fsyncs(folder: Path, times: int = 50) -> list[float]:
    """Milliseconds of writing 8 kB and fsync, each time, on the disk of `folder`."""
    found = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(b"x" * 8192)
            file.flush()
            os.fsync(file.fileno())
            found.append((time.perf_counter() - began) * 1000)
    return found
