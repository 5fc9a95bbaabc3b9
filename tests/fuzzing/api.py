"""The API by its own description: Schemathesis with all its checks, as it has them by default, also
from call to call."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import Service, served
from vacancies.config import Settings
from vacancies.database import migrate, open_pool
from vacancies.servers import local_servers

CONFIG = Path(__file__).with_name("schemathesis.toml")
# The stream never ends; `tests/web/test_api.py` tests its parameters.
STREAM = "/api/v1/vacancies/stream"


async def try_api(service: Service, folder: Path, *, seconds: int, seed: int) -> tuple[int, str]:
    """How Schemathesis ended, and what it said. `folder` is for what it writes."""
    for home in ("a", "b"):
        await service.put_home(home)
        await service.report(home, {"count": 1})
    run = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "schemathesis",
        *("--config-file", CONFIG, "run", f"{service.url}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {await service.key()}"),
        *("--exclude-path", STREAM, "--no-color", "--continue-on-failure"),
        *("--generation-database", "none", "--max-time", str(seconds), "--seed", str(seed)),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said = (await run.communicate())[0].decode()
    assert run.returncode is not None
    return run.returncode, said


def try_own_api(*, seconds: int, seed: int) -> int:
    """The same with servers of its own; prints what is said."""
    with (
        tempfile.TemporaryDirectory(prefix="freiplatz-fuzz-") as name,
        local_servers(Path(name) / "servers", lambda line: print(line, file=sys.stderr)) as servers,
    ):
        settings = Settings(
            database_url=servers.database_url,
            redis_url=servers.redis_url,
            data_dir=Path(name),
            secret_key="x" * 32,
        )
        code, said = asyncio.run(_try_own_api(settings, seconds, seed))
    print(said)
    return code


async def _try_own_api(settings: Settings, seconds: int, seed: int) -> tuple[int, str]:
    assert settings.database_url is not None
    pool = await open_pool(settings.database_url, size=1)
    await migrate(pool)
    await pool.close()
    async with served(settings) as service:
        return await try_api(service, settings.data_dir, seconds=seconds, seed=seed)
