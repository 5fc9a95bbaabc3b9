"""Programs of the servers, run as the account that the servers have."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from vacancies.servers import launch
from vacancies.servers.folder import Folder, ServersError

# Numbers of Linux capabilities.
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2

# The servers get nothing of our environment: a PGPORT or a TZ in there would change them.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

LOG_LINES_SHOWN = 12


def package_folder(name: str) -> Path:
    """The folder of an installed package that holds binaries. Raises `ServersError`."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ServersError(
            f"The package {name.replace('_', '-')} is not installed. Install requirements.txt, or "
            "set FREIPLATZ_DATABASE_URL and FREIPLATZ_REDIS_URL to servers of your own."
        )
    return Path(spec.origin).resolve().parent


def run(folder: Folder, command: list[str], stdin: str = "") -> str:
    """Run a program to its end as the account of the servers; its output.

    Raises `ServersError` with the last lines that it wrote.
    """
    done = run_as_account(folder, command, stdin=stdin)
    if done.returncode != 0:
        raise ServersError(f"{Path(command[0]).name} failed:\n{last_lines(done.stdout)}")
    return done.stdout


def run_as_account(
    folder: Folder,
    command: list[str],
    *,
    lock: Path | None = None,
    log: Path | None = None,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a program by way of `launch.py`, with as little of root's power as it needs.

    To its end; or, with `lock` and `log`, as a server that has begun when this returns. The exit
    code is not 0 if the program fails, or cannot be run. Raises `ServersError`.
    """
    account = folder.account
    wanted: launch.Launch = {
        "command": command,
        "environment": ENVIRONMENT,
        "folders": [str(folder.sockets), str(folder.path)],
        "uid": account.uid if account else None,
        "gid": account.gid if account else None,
        "capabilities": [],
        "lock": str(lock) if lock else None,
        "log": str(log) if log else None,
        "start_lock": folder.start_lock,
    }
    if account is not None:
        wanted["capabilities"] = _needed_capabilities(wanted)
    return _run_launch(wanted, stdin)


def _needed_capabilities(wanted: launch.Launch) -> list[int]:
    """What the account needs to reach the data and the program, for instance below /root.

    Tried by running `program --version` in the folders: mostly nothing; else the right to walk
    through folders and read; else (containers without that one, programs installed under a
    umask of 077) the right to pass over permissions. Changing the modes of folders that are
    not ours is no way. Raises `ServersError`.
    """
    trial: launch.Launch = {**wanted, "lock": None, "log": None}
    trial["command"] = [wanted["command"][0], "--version"]
    said = ""
    for capabilities in ([], [CAP_DAC_READ_SEARCH], [CAP_DAC_OVERRIDE]):
        trial["capabilities"] = capabilities
        done = _run_launch(trial, "")
        if done.returncode == 0:
            return capabilities
        said = done.stdout
    raise ServersError(
        f"The user nobody, as whom root runs the servers, cannot run {wanted['command'][0]} in "
        f"{wanted['folders'][-1]} ({said.strip()}). Put the project and FREIPLATZ_DATA_DIR into "
        "folders that every user may enter, or run this command as an ordinary user."
    )


def _run_launch(wanted: launch.Launch, stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", launch.__file__, json.dumps(wanted)],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # Ctrl-C in the terminal must not end it half-way.
        pass_fds=() if wanted["start_lock"] is None else (wanted["start_lock"],),
        check=False,
    )


def last_lines(text: str) -> str:
    """The end of an output, short enough for a message."""
    return "\n".join(text.strip().splitlines()[-LOG_LINES_SHOWN:])
