"""Where real lists and boundaries are, on machines that have them: they are in no repository."""

from __future__ import annotations

import os
from pathlib import Path

REAL_LISTS = Path(
    os.environ.get("TEST_DATA_DIR") or Path(__file__).parents[1].parent / "shared" / "data"
)
MISSING = "the real lists are not here; TEST_DATA_DIR names their folder"
