"""What compose.yaml describes, as processes behind Caddy: nothing is lost when it is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.deployment_trial.load import Load
from scripts.deployment_trial.looks import look_around, secrets_in_log
from scripts.deployment_trial.topology import caddy_program, running

pytestmark = pytest.mark.slow


async def test_replicas_behind_the_proxy(tmp_path: Path) -> None:
    async with running(tmp_path, caddy_program()) as topology:
        key = await topology.run("key", "create", await topology.run("provider", "add", "Trial"))
        seen = await look_around(topology, key)
        assert seen["stream_protocol"] == "HTTP/2"
        assert seen["stream_encoding"] == "", "compression would hold events back"
        assert seen["page_encoding"] == seen["search_encoding"] == "gzip"
        assert seen["if_match_status"] == 200, "the proxy must leave ETags alone"
        assert seen["closed_statuses"] == [404, 404]
        async with Load(topology.url, key, viewers=20, pushes_per_second=10) as load:
            await topology.roll()
            await load.settle()
        outcome = load.outcome
        assert outcome.failed_pushes == []
        assert (outcome.lost_events, outcome.never_back, outcome.resets) == (0, 0, 0)
        assert len(outcome.returns_seconds) >= 20, "every viewer had to come back"
        assert secrets_in_log(topology) == 0
