"""Texts of others in tables that somebody opens with a spreadsheet."""

from __future__ import annotations

# A spreadsheet would calculate what begins like that, the wide forms in some countries too.
_FORMULA = ("=", "+", "-", "@", "|", "＝", "＋", "－", "＠")


def safe_cell(text: str | None) -> str:
    """In one line, and nothing that a spreadsheet would calculate: that begins with `'` then."""
    line = " ".join((text or "").split())
    return f"'{line}" if line.startswith(_FORMULA) else line
