"""The fault harness: what it draws, what it takes for a loss, and a short run of it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from scripts.chaos_harness.abilities import Abilities
from scripts.chaos_harness.leaks import Footprint, compare
from scripts.chaos_harness.ledger import Entry, Fate, Ledger, Stored, judge
from scripts.chaos_harness.plan import KINDS, plan, possible
from tests.flow.program import ROOT

# It has faults of many kinds, also where neither networks nor disks can be had.
SEED, SECONDS = 1649, 18


def test_the_same_seed_is_the_same_plan() -> None:
    one, same, other = (plan(seed, 100, KINDS) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_a_target_has_one_fault_at_a_time_and_all_end_in_time() -> None:
    faults = plan(3, 300, KINDS)
    assert len(faults) > 150
    assert {fault.kind for fault in faults} == {*KINDS}
    over_at = dict.fromkeys(("web0", "web1", "postgres", "valkey"), 0.0)
    for fault in faults:
        assert fault.at_seconds + fault.seconds <= 300
        for target in fault.targets:
            assert fault.at_seconds >= over_at[target]
            over_at[target] = fault.at_seconds + fault.seconds + fault.kind.rest_seconds


def test_what_cannot_be_done_here_is_said() -> None:
    missing = {"networks": "it does not run as root", "a small disk": "it does not run as root"}
    nothing = Abilities(has_networks=False, has_mounts=False, clock=Path("/x"), missing=missing)
    can, cannot = possible(KINDS, nothing)
    assert {kind.name for kind in can} | set(cannot) == {kind.name for kind in KINDS}
    assert cannot["fill the disk"] == cannot["cut off from clients"] == "it does not run as root"
    assert "shift the clock of a web process" not in cannot


def entry(number: int, fate: Fate, *, is_dated: bool = True) -> Entry:
    return Entry(number, "h", fate, is_dated)


def stored(*history: int, state: int | None) -> Stored:
    return Stored({"h": [*history]}, {"h": state})


def test_all_is_well() -> None:
    told = [entry(1, "acknowledged"), entry(2, "refused"), entry(3, "acknowledged")]
    found = judge(told, stored(1, 3, state=3))
    assert (found.acknowledged, found.lost, found.repeated, found.contradicted) == (2, [], [], [])


def test_an_acknowledged_report_that_is_nowhere_is_lost() -> None:
    told = [entry(1, "acknowledged"), entry(2, "acknowledged")]
    assert len(judge(told, stored(2, state=2)).lost) == 1
    assert len(judge(told, stored(1, 2, state=1)).lost) == 1  # in the history, not in the state
    assert len(judge(told, Stored({}, {})).lost) == 3


def test_one_whose_answer_never_came_may_be_stored_or_not() -> None:
    told = [entry(1, "acknowledged"), entry(2, "unknown")]
    assert not judge(told, stored(1, state=1)).lost
    assert not judge(told, stored(1, 2, state=2)).lost


def test_an_older_report_with_a_date_never_stands_above_a_newer_one() -> None:
    for is_dated, losses in ((True, 1), (False, 0)):
        told = [
            entry(1, "unknown", is_dated=is_dated),
            entry(2, "acknowledged", is_dated=is_dated),
        ]
        assert len(judge(told, stored(2, 1, state=1)).lost) == losses


def test_what_is_stored_twice_or_although_refused_is_told() -> None:
    told = [entry(1, "acknowledged"), entry(2, "refused")]
    found = judge(told, stored(1, 1, 2, state=1))
    assert len(found.repeated) == 1
    assert len(found.contradicted) == 1


def test_the_ledger_keeps_the_last_that_is_known(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    written: list[tuple[int, Fate]] = [(1, "sent"), (2, "sent"), (1, "acknowledged"), (3, "sent")]
    for number, fate in written:
        ledger.write(entry(number, fate))
    ledger.close()
    fates = [(one.number, one.fate) for one in ledger.read()]
    assert fates == [(1, "acknowledged"), (2, "unknown"), (3, "unknown")]


def test_what_grows_is_a_leak() -> None:
    new = Footprint(megabytes=100, tasks=40, files=60, clients=0, postgres=3, valkey=2)
    used = Footprint(megabytes=130, tasks=41, files=80, clients=0, postgres=13, valkey=4)
    left = Footprint(megabytes=300, tasks=90, files=80, clients=5, postgres=14, valkey=4)
    assert compare(new, used) == []
    assert [line.split()[0] for line in compare(new, left)] == [
        "megabytes",
        "tasks",
        "clients",
        "postgres",
    ]


async def test_nothing_is_lost_in_a_short_run(tmp_path: Path) -> None:
    """The whole of it, with real processes. Without root, networks and disks are left out."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.chaos_harness"),
        *("--seconds", str(SECONDS), "--seed", str(SEED), "--json"),
        *("--keep", str(tmp_path / "kept")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await running.communicate()
    assert out, said.decode()
    found = json.loads(out)
    print(out.decode())
    assert found["what"] == []
    assert running.returncode == 0
    for name in ("lost", "repeated", "contradicted", "failures", "differing", "leaks"):
        assert found[name] == 0
    assert found["viewers"] == 100
    assert found["faults"] >= 8
    assert len(found["by_kind"]) >= 5
    assert found["acknowledged"] > 0
    kinds = {kind.name for kind in KINDS}
    assert set(found["by_kind"]) | set(found["not_done"]) <= kinds
