"""What one look at something has found."""

from __future__ import annotations

from typing import Literal

import msgspec

Verdict = Literal["good", "warning", "bad"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, how it is, and what to do about it (empty: nothing). `bad`: something
    that was promised does not hold; `warning`: it holds, and somebody should look after it."""

    check: str
    verdict: Verdict
    says: str
    remedy: str = ""


def good(check: str, says: str) -> Finding:
    return Finding(check=check, verdict="good", says=says)


def warning(check: str, says: str, remedy: str) -> Finding:
    return Finding(check=check, verdict="warning", says=says, remedy=remedy)


def bad(check: str, says: str, remedy: str) -> Finding:
    return Finding(check=check, verdict="bad", says=says, remedy=remedy)
