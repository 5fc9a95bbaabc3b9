"""What homes have sent, and what they were told of it; and whether that is true in the end."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

Fate = Literal["sent", "acknowledged", "refused", "unknown"]


class Entry(NamedTuple):
    """Report `number` of `home`, and what became of it: numbers of one home rise in the order in
    which it has sent them. `is_dated`: it said when it was true, so an older one cannot come
    after it."""

    number: int
    home: str
    fate: Fate
    is_dated: bool


class Ledger:
    """A file with a line for every report that is sent, and one for every answer, each written
    before the home goes on."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._path = path

    def write(self, entry: Entry) -> None:
        self._file.write(json.dumps(entry) + "\n")

    def read(self) -> list[Entry]:
        """Every report with the last that is known of it, in the order of the numbers. One that was
        sent and never answered is unknown."""
        known: dict[int, Entry] = {}
        for line in self._path.read_text().splitlines():
            entry = Entry(*json.loads(line))
            known[entry.number] = entry
        return [
            entry._replace(fate="unknown") if entry.fate == "sent" else entry
            for _, entry in sorted(known.items())
        ]

    def close(self) -> None:
        self._file.close()


class Stored(NamedTuple):
    """The database: report numbers of each home's history, in the order of their revisions, and the
    number that its state holds."""

    history: dict[str, list[int]]
    state: dict[str, int | None]


@dataclass
class Verdict:
    """`lost`: acknowledged, and not in the history, or overtaken in the state by one that was sent
    before it. `repeated`: stored twice. `contradicted`: refused, and stored all the same."""

    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    contradicted: list[str] = field(default_factory=list)


def judge(entries: Iterable[Entry], stored: Stored) -> Verdict:
    by_home: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_home[entry.home].append(entry)
    verdict = Verdict()
    for home, told in by_home.items():
        _judge_home(home, told, stored, verdict)
    return verdict


def _judge_home(home: str, told: Sequence[Entry], stored: Stored, verdict: Verdict) -> None:
    times = Counter(stored.history.get(home, ()))
    for entry in told:
        found = times[entry.number]
        if entry.fate == "acknowledged":
            verdict.acknowledged += 1
            if not found:
                verdict.lost.append(f"{home}: {entry.number} is not in the history")
        if entry.fate == "refused" and found:
            verdict.contradicted.append(f"{home}: {entry.number} was refused and is stored")
        if found > 1:
            verdict.repeated.append(f"{home}: {entry.number} is stored {found} times")
    last = max((entry.number for entry in told if entry.fate == "acknowledged"), default=None)
    if last is None:
        return
    state = stored.state.get(home)
    # Without a date a report whose answer never came may be stored after a later one: nobody
    # can tell that it is older.
    may_be_there = {last} | {
        entry.number
        for entry in told
        if entry.fate == "unknown" and (entry.number > last or not entry.is_dated)
    }
    if state not in may_be_there:
        verdict.lost.append(f"{home}: {last} was acknowledged last, and the state holds {state}")
