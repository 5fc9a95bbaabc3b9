"""What is broken when: drawn from the seed, before anything runs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.chaos_harness.abilities import Abilities

WEB = ("web0", "web1")
DISK = ("postgres",)  # a disk that is full is Postgres's trouble
EVERYTHING = (*WEB, "postgres", "valkey")
CLOCK_SHIFTS = (-4 * 86_400, -86_400, -3_600, -90, 90, 3_600, 86_400, 4 * 86_400)


@dataclass(frozen=True)
class Kind:
    """`targets` of a fault, one of which is drawn (`is_on_all`: all of them); how likely it is
    against the others (`weight`); how long it lasts; `rest_seconds` leaves the targets alone
    afterwards. `needs` names what the machine must allow."""

    name: str
    targets: tuple[str, ...]
    weight: float
    shortest_seconds: float = 0.0
    longest_seconds: float = 0.0
    rest_seconds: float = 0.5
    is_on_all: bool = False
    needs: str | None = None


# A web process takes two to four seconds to come back, Postgres one. Networks are cut for less than
# it takes TCP to try again only after the 10 seconds at the end.
KINDS = (
    Kind("kill a web process", WEB, 1.6, rest_seconds=3.0),
    Kind("stop a web process in order", WEB, 0.8, rest_seconds=3.0),
    Kind("freeze a web process", WEB, 2.0, 0.2, 4.0),
    Kind("kill Postgres", ("postgres",), 2.0, rest_seconds=1.0),
    Kind("kill a session of Postgres", ("postgres",), 2.0, rest_seconds=1.0),
    Kind("freeze Postgres", ("postgres",), 1.5, 0.2, 3.0),
    Kind("kill Valkey", ("valkey",), 3.0),
    Kind("freeze Valkey", ("valkey",), 2.0, 0.2, 4.0),
    Kind("fill the disk", DISK, 1.0, 0.5, 2.0, 1.0, needs="a small disk"),
    Kind("fill the disk and its log", DISK, 0.7, 0.5, 2.0, 1.5, needs="a small disk"),
    Kind("cut off from Postgres", WEB, 2.0, 0.2, 4.0, needs="networks"),
    Kind("cut off from Valkey", WEB, 2.0, 0.2, 4.0, needs="networks"),
    Kind("cut off from clients", WEB, 1.5, 0.2, 3.0, needs="networks"),
    Kind("cut off from everybody", WEB, 1.0, 0.2, 3.0, needs="networks"),
    Kind("slow way to Postgres", WEB, 1.5, 0.5, 4.0),
    Kind("slow way to Valkey", WEB, 1.5, 0.5, 4.0),
    Kind("break connections to Postgres", WEB, 2.0),
    Kind("break connections to Valkey", WEB, 1.0),
    Kind("shift the clock of a web process", WEB, 2.0, 1.5, 4.0, needs="clocks"),
    Kind("restart everything", EVERYTHING, 0.5, 0.2, 1.5, 4.0, is_on_all=True),
)


@dataclass(frozen=True)
class Fault:
    """Begins `at_seconds` after the start of the run and lasts `seconds`. `amount` is a number
    of the fault's own, below 1; `order` that in which several targets are treated."""

    kind: Kind
    at_seconds: float
    seconds: float
    targets: tuple[str, ...]
    amount: float
    order: tuple[str, ...]


def possible(kinds: Sequence[Kind], abilities: Abilities) -> tuple[list[Kind], dict[str, str]]:
    """What can be done here, and why the rest cannot."""
    can, cannot = [], {}
    for kind in kinds:
        reason = abilities.missing.get(kind.needs) if kind.needs else None
        if reason is None:
            can.append(kind)
        else:
            cannot[kind.name] = reason
    return can, cannot


def plan(
    seed: int, run_seconds: float, kinds: Sequence[Kind], pause_seconds: float = 0.5
) -> list[Fault]:
    """Faults with a pause in between, exponentially distributed: several are there at once,
    but never two on one target. So what TCP or a client must notice by itself stays within what
    they promise: a process is not killed while nobody could be told of it."""
    draw = random.Random(seed)
    free_at = dict.fromkeys(EVERYTHING, 0.0)
    faults: list[Fault] = []
    at = 0.0
    while True:
        at += draw.expovariate(1 / pause_seconds)
        [kind] = draw.choices(kinds, [kind.weight for kind in kinds])
        targets = kind.targets if kind.is_on_all else (draw.choice(kind.targets),)
        seconds = draw.uniform(kind.shortest_seconds, kind.longest_seconds)
        amount = draw.random()
        order = tuple(draw.sample(targets, len(targets)))
        if at + seconds > run_seconds:
            return faults
        if kind.is_on_all:
            at = max(at, *free_at.values())
        if any(free_at[target] > at for target in targets):
            continue
        for target in targets:
            free_at[target] = at + seconds + kind.rest_seconds
        faults.append(Fault(kind, at, seconds, targets, amount, order))
