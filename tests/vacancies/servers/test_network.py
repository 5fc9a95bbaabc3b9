"""Postgres over a network: who vanishes without a word must not hold locks for hours."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from vacancies import servers
from vacancies.database import open_pool
from vacancies.servers import local_servers, postgres
from vacancies.servers.folder import Folder
from vacancies.servers.valkey import VALKEY


async def test_postgres_asks_over_the_network_whether_its_clients_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    def listening(folder: Folder) -> list[str]:
        return [*postgres.command(folder), "-c", "listen_addresses=127.0.0.1"]

    monkeypatch.setattr(postgres, "PORT", port)
    server = replace(postgres.POSTGRES, command=listening)
    monkeypatch.setattr(servers, "SERVERS", (server, VALKEY))
    with local_servers(tmp_path / "data", lambda line: None):
        pool = await open_pool(f"postgresql://freiplatz@127.0.0.1:{port}/freiplatz", size=1)
        try:
            # What the kernel says of the socket, not what was asked for: 7,200 by itself.
            idle, every, times = [
                int(await pool.fetchval(f"SHOW tcp_keepalives_{name}"))
                for name in ("idle", "interval", "count")
            ]
            unanswered = await pool.fetchval("SHOW tcp_user_timeout")
        finally:
            await pool.close()
    assert idle + every * times <= 30
    assert int(unanswered) == 25_000  # milliseconds
