"""Tries the deployment out and prints what was seen; ends with 1 if something was lost.

scripts/deploying                     # compose.yaml as processes, behind Caddy
scripts/deploying --way workers       # `freiplatz serve --workers 2` and SIGHUP, without a proxy
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from scripts.deployment_trial.load import Load
from scripts.deployment_trial.looks import look_around, secrets_in_log
from scripts.deployment_trial.topology import caddy_program, running

CALM_SECONDS = 5.0  # under load before and after what is tried


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def behind_proxy(folder: Path, viewers: int, pushes: float, caddy: str) -> dict[str, object]:
    """Looks, then a rolling restart, then the death of a replica, each with a load of its own."""
    note("Starting what compose.yaml names.")
    async with running(folder, caddy) as topology:
        provider = await topology.run("provider", "add", "Trial")
        key = await topology.run("key", "create", provider)
        seen: dict[str, object] = {"replicas": len(topology.replicas)}
        note("Looking at streams, compression and what is closed.")
        seen |= await look_around(topology, key)
        note(f"Replacing each replica, with {viewers} viewers and {pushes} pushes a second.")
        async with Load(topology.url, key, viewers, pushes) as load:
            seen["rolling"] = await _tried(load, topology.roll)
        note("Killing one replica, which is started again.")
        async with Load(topology.url, key, viewers, pushes) as load:
            doomed = topology.replicas[0]
            seen["killed"] = await _tried(load, lambda: topology.kill_and_restart(doomed))
        seen["secrets_in_proxy_log"] = secrets_in_log(topology)
    return seen


async def with_workers(folder: Path, viewers: int, pushes: float) -> dict[str, object]:
    """`freiplatz serve --workers 2` with servers of its own, and SIGHUP."""
    from scripts.deployment_trial.workers import serving_workers

    note("Starting two workers.")
    async with serving_workers(folder) as service:
        note(f"Replacing both, with {viewers} viewers and {pushes} pushes a second.")
        async with Load(service.url, service.key, viewers, pushes) as load:
            rolling = await _tried(load, service.replace_all)
    return {"workers": 2, "rolling": rolling}


async def _tried(load: Load, change: object) -> dict[str, object]:
    await asyncio.sleep(CALM_SECONDS)
    began = time.monotonic()
    await change()  # type: ignore[operator]
    taken = time.monotonic() - began
    await asyncio.sleep(CALM_SECONDS)
    await load.settle()
    for problem in sorted(set(load.outcome.failed_pushes)):
        note(f"  failed push: {problem}")
    return {**load.outcome.figures(), "change_seconds": round(taken, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/deploying",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--way", choices=("proxy", "workers"), default="proxy")
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--pushes", type=float, default=20.0, help="pushes a second")
    parser.add_argument("--caddy", default=caddy_program(), help="another Caddy")
    parser.add_argument("--folder", type=Path, help="where logs and data stay (default: nowhere)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        if options.way == "proxy":
            trial = behind_proxy(folder, options.viewers, options.pushes, options.caddy)
        else:
            trial = with_workers(folder, options.viewers, options.pushes)
        seen = asyncio.run(trial)
    print(json.dumps(seen, indent=2))
    rolling = seen["rolling"]
    assert isinstance(rolling, dict)
    sys.exit(bool(rolling["failed_pushes"] or rolling["lost_events"] or rolling["never_back"]))


if __name__ == "__main__":
    main()
