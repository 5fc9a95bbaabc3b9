"""Tries targets, each in a process of its own that is forked once all is imported.

With Atheris (libFuzzer) what is tried is guided by which lines were reached. Its makers build it
for Linux on x86_64 only; elsewhere the seeds are changed blindly.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn

from tests.fuzzing.target import Target

try:
    import atheris
except ImportError:
    atheris = None

HANG_SECONDS = 20
MOST_MEMORY_MB = 2048
_RUNS = "stat::number_of_executed_units:"  # as libFuzzer says it
_MOST_SAID = 4000


class Trial(NamedTuple):
    """What came of it. `fault` is empty, or what was said of it, and `input` the file that led to
    it."""

    target: str
    engine: str
    seconds: int
    seed: int
    runs: int
    fault: str
    input: str


def load_targets() -> dict[str, Target]:
    """All targets by name, our own code ready to be watched."""
    watched = contextlib.nullcontext()
    if atheris is not None:
        watched = atheris.instrument_imports(
            include=["vacancies", "providers", "web"],
            # Atheris keeps what is compared; here these are arrays with all names, 0.5 MB a run.
            exclude=["vacancies.name_index"],
        )
    # It names every module that it looks at.
    with watched, Path(os.devnull).open("w") as nothing, contextlib.redirect_stderr(nothing):
        from tests.fuzzing import bodies, files, words
    return {**bodies.TARGETS, **files.TARGETS, **words.TARGETS}


def try_target(name: str, target: Target, folder: Path, *, seconds: int, seed: int) -> Trial:
    """Try that target; what is at fault is kept in a folder of its name below `folder`."""
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.glob("*-*"))
    log = folder / "log"
    sys.stdout.flush()
    sys.stderr.flush()
    if (child := os.fork()) == 0:
        _be_child(target, folder, log, seconds, seed)
    _, status = os.waitpid(child, 0)
    said = log.read_text(errors="replace")
    runs = re.search(rf"{re.escape(_RUNS)}\s+(\d+)", said)
    found = sorted(set(folder.glob("*-*")) - before)
    return Trial(
        name,
        "blind" if atheris is None else "atheris",
        seconds,
        seed,
        int(runs[1]) if runs else 0,
        (said[-_MOST_SAID:] or f"ended with {status}") if status or found else "",
        str(found[0]) if found else "",
    )


def _be_child(target: Target, folder: Path, log: Path, seconds: int, seed: int) -> NoReturn:
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    if atheris is None:
        os._exit(_try_blindly(target, folder, seconds, seed))
    _try_guided(target, folder, seconds, seed)
    # As a whole process: libFuzzer keeps the input at fault while it ends.
    sys.exit(0)


def _try_guided(target: Target, folder: Path, seconds: int, seed: int) -> None:
    """Ends the process, unless nothing was at fault."""
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for data in target.seeds:
        (corpus / _name(data)).write_bytes(data)
    options = {
        "max_total_time": seconds,
        "seed": seed,
        "timeout": HANG_SECONDS,
        "rss_limit_mb": MOST_MEMORY_MB,
        "max_len": target.longest,
        "artifact_prefix": f"{folder}/",
        "print_final_stats": 1,
    }
    atheris.Setup(["fuzz", str(corpus), *(f"-{key}={v}" for key, v in options.items())], target)
    atheris.Fuzz()


def _try_blindly(target: Target, folder: Path, seconds: int, seed: int) -> int:
    """The code with which the process ends."""
    chance = random.Random(seed)
    signal.signal(signal.SIGALRM, _hang)
    ends_at, runs = time.monotonic() + seconds, 0
    while time.monotonic() < ends_at:
        data = target.seeds[runs] if runs < len(target.seeds) else _changed(target.seeds, chance)
        data, runs = data[: target.longest], runs + 1
        signal.alarm(HANG_SECONDS)
        try:
            target(data)
        except Exception:  # whatever comes of it is what is looked for
            traceback.print_exc()
            (folder / f"crash-{_name(data)}").write_bytes(data)
            return 1
        finally:
            signal.alarm(0)
    os.write(2, f"{_RUNS} {runs}\n".encode())
    return 0


def _hang(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"It took more than {HANG_SECONDS} s.")


def _name(data: bytes) -> str:
    return sha256(data).hexdigest()[:16]


def _changed(seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    """One of the seeds, changed in some places."""
    data = bytearray(chance.choice(seeds))

    def put(at: int, length: int, part: bytes) -> None:
        data[at : at + length] = part

    changes: tuple[Callable[[int], Any], ...] = (
        lambda at: put(at, 1, bytes([chance.randrange(256)])),
        lambda at: put(at, 0, bytes([chance.randrange(256)])),
        lambda at: put(at, chance.randint(1, 8), b""),
        lambda at: put(at, 0, bytes(data[at : at + chance.randint(1, 40)])),
        lambda at: put(at, 0, chance.choice(seeds)[: chance.randint(1, 40)]),
    )
    for _ in range(chance.randint(1, 6)):
        chance.choice(changes)(chance.randrange(len(data) + 1))
    return bytes(data)
