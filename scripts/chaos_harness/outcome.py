"""What a run has come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scripts.chaos_harness.ledger import Verdict


@dataclass
class Outcome:
    """What `scripts/chaos` prints. `late_seconds`: how long after the last fault all viewers
    agreed, where that was after the promise; None: never."""

    seed: int
    faults: int
    by_kind: dict[str, int]
    missed: int
    not_done: dict[str, str]
    verdict: Verdict
    answers: dict[str, int]
    viewers: int
    connections: int
    differing: list[str]
    late_seconds: float | None
    leaks: list[str]
    web_starts: int
    server_starts: int

    def as_dict(self) -> dict[str, Any]:
        verdict = self.verdict
        return {
            "seed": self.seed,
            "faults": self.faults,
            "acknowledged": verdict.acknowledged,
            "lost": len(verdict.lost),
            "repeated": len(verdict.repeated),
            "contradicted": len(verdict.contradicted),
            "failures": self.failures,
            "viewers": self.viewers,
            "differing": len(self.differing),
            "leaks": len(self.leaks),
            "by_kind": self.by_kind,
            "missed": self.missed,
            "not_done": self.not_done,
            "answers": self.answers,
            "connections": self.connections,
            "web_starts": self.web_starts,
            "server_starts": self.server_starts,
            "late_seconds": self.late_seconds,
            "what": verdict.lost
            + verdict.repeated
            + verdict.contradicted
            + self.differing
            + self.leaks,
        }

    @property
    def failures(self) -> int:
        """Answers that say nothing: 503 has a code, 500 has none."""
        return self.answers.get("500", 0)

    @property
    def is_good(self) -> bool:
        return not self.failures and not self.as_dict()["what"]
