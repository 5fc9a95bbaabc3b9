"""Puts programs to compare with on this machine, from Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path


class Missing(Exception):
    """A program to compare with is not here and cannot be installed: measure without it."""


def install(program: str, *packages: str) -> str:
    """The path of `program` (a name, or a pattern for the path of any file), after installing
    `packages` if it is not there. Raises `Missing`, with what to do."""
    if found := _find(program):
        return found
    words = " ".join(packages)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Missing(f"{program} is not here. As root on Debian: apt-get install {words}")
    print(f"Installing {words} to compare with.", file=sys.stderr)
    if not (_update() and _apt("install", "-y", "-qq", "--no-install-recommends", *packages)):
        raise Missing(f"apt-get could not install {words}.")
    if found := _find(program):
        return found
    raise Missing(f"{words} brought no {program}.")


@cache
def _update() -> bool:
    return _apt("update", "-qq")


def _apt(*arguments: str) -> bool:
    # Debian starts a service when it is installed, unless a policy forbids it; we start our own
    # copies on ports of our own, and leave those of the system as they are.
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(
        ["apt-get", *arguments], env=environ, stdout=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0


def _find(program: str) -> str | None:
    if "/" in program:
        return max(map(str, Path("/").glob(program.lstrip("/"))), default=None)
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return shutil.which(program, path=os.pathsep.join([*folders, "/usr/sbin", "/usr/local/sbin"]))
