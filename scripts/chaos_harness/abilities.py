"""What this machine lets the harness do, and what not and why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from scripts.benchmarks.debian import Missing, install

# Everything that is started lives in here and ends with it, however it ends: also the network, the
# mounts and the shared memory of a killed Postgres.
NAMESPACES = ("--fork", "--pid", "--kill-child", "--mount-proc", "--net", "--ipc")
CLOCK_LIBRARY = "/usr/lib/*/faketime/libfaketime.so.1"


@dataclass(frozen=True)
class Abilities:
    """`has_networks`: each web process can have a network of its own, which can be cut;
    `has_mounts`: a small disk can be had; `clock` is the library that shifts clocks. `missing`
    says why something cannot be done, by what it is."""

    has_networks: bool
    has_mounts: bool
    clock: Path | None
    missing: dict[str, str] = field(default_factory=dict)


def enter_namespaces(arguments: list[str], is_inside: bool) -> str | None:
    """Begin anew in namespaces of our own, with `--inside` among the arguments. Returns why
    not where that cannot be done, None where we are there already."""
    if is_inside:
        return None
    if os.geteuid() != 0:
        return "it does not run as root"
    unshare = shutil.which("unshare")
    if unshare is None:
        return "there is no program unshare"
    tried = subprocess.run(
        [unshare, *NAMESPACES, "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode != 0:
        return f"the machine allows no namespaces ({tried.stderr.strip()})"
    python = [sys.executable, "-m", "scripts.chaos_harness"]
    return os.execv(unshare, [unshare, *NAMESPACES, "--", *python, *arguments, "--inside"])


def find_abilities(refusal: str | None) -> Abilities:
    """`refusal`: why there are no namespaces, or None. As root on Debian what is missing is
    installed before (`prepare`)."""
    missing: dict[str, str] = {}
    if refusal is not None:
        missing = {"networks": refusal, "a small disk": refusal}
    elif shutil.which("nft") is None or shutil.which("ip") is None:
        missing["networks"] = "nft or ip is not here (Debian: nftables, iproute2)"
    clock = max(Path("/").glob(CLOCK_LIBRARY.lstrip("/")), default=None)
    if clock is None:
        missing["clocks"] = "libfaketime is not here (Debian: libfaketime)"
    return Abilities(
        has_networks="networks" not in missing,
        has_mounts="a small disk" not in missing,
        clock=clock,
        missing=missing,
    )


def prepare() -> None:
    """Install what can be: before the namespaces are entered, which have no network."""
    for program, package in (
        ("nft", "nftables"),
        ("ip", "iproute2"),
        (CLOCK_LIBRARY, "libfaketime"),
    ):
        try:
            install(program, package)
        except Missing as error:
            print(error, file=sys.stderr)
