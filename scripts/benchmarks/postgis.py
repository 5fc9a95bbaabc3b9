"""Debian's PostgreSQL with PostGIS beside us: a cluster of its own in a temporary folder."""

from __future__ import annotations

import os
import pwd
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import asyncpg

from scripts.benchmarks.debian import install
from scripts.benchmarks.server import started

# For questions that are read from memory; what is lost in a crash is not missed.
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "1GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "fsync": "off",
    "autovacuum": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}


@asynccontextmanager
async def postgis() -> AsyncIterator[str]:
    """The address, for asyncpg, of an empty database with PostGIS. Raises `Missing`."""
    control = install("/usr/share/postgresql/*/extension/postgis.control", "postgresql-postgis")
    binaries = Path("/usr/lib/postgresql") / Path(control).parts[-3] / "bin"
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="bench-postgis-") as folder:
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        data = str(Path(folder) / "data")
        initdb = [str(binaries / "initdb"), "-D", data, "-U", "bench", "-A", "trust", "-N"]
        async with started([*initdb, "--locale=C", "-E", "UTF8"], "Success", user=user):
            pass
        settings = {**_SETTINGS, "unix_socket_directories": folder}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        server = [str(binaries / "postgres"), "-D", data, *options]
        async with started(server, "ready to accept connections", user=user, stop=signal.SIGINT):
            address = f"postgresql://bench@/postgres?host={quote(folder, safe='')}"
            connection = await asyncpg.connect(address)
            await connection.execute("CREATE EXTENSION postgis")
            await connection.close()
            yield address
