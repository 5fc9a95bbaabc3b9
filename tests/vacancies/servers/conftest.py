"""One data folder for most tests, so that its cluster is made only once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vacancies.servers.processes import pids


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that most tests share; with a space, as folders of users have."""
    return tmp_path_factory.mktemp("shared data")


@pytest.fixture(autouse=True)
def nothing_runs_before_or_after(data_dir: Path) -> Iterator[None]:
    """No test may leave the servers of the shared folder running."""
    assert pids(data_dir) == (None, None)
    yield
    assert pids(data_dir) == (None, None)
