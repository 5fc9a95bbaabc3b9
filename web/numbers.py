"""Whole numbers in addresses and forms."""

from __future__ import annotations

MOST_DIGITS = 18  # what Postgres takes as bigint, whatever the digits


def whole_number(text: str, digits: int = MOST_DIGITS) -> int | None:
    """The number that `text` is, of at most so many ASCII digits and nothing else; else None. `int`
    alone takes signs, underscores, blanks and digits of other scripts, and any length."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None
