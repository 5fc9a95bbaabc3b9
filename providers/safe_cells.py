"""Texts of others in tables that somebody opens with a spreadsheet."""

from __future__ import annotations

# A spreadsheet would calculate what begins like that, the wide forms in some countries too.
_FORMULA = ("=", "+", "-", "@", "|", "\t", "\r", "＝", "＋", "－", "＠")


def safe_text(text: str) -> str:
    """The text as it is, but nothing that a spreadsheet would calculate: `'` before that."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def safe_cell(text: str | None) -> str:
    """As `safe_text`, and in one line."""
    return safe_text(" ".join((text or "").split()))
