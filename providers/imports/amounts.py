"""Numbers as people write them: decimal commas, thousands separators, money, counts of places."""

from __future__ import annotations

import re

MOST_PLACES = 2_000
MOST_EUROS = 100_000

_DEGREES = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{0,20})?")
# "1 234", "1'234", "1.234.567": a head of up to three digits, then groups of three.
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?P<mark>[.,' ])\d{3})(?:(?P=mark)\d{3})*")
_PLAIN = re.compile(r"[+-]?\d{1,12}")
_SPACES = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009\u2007", " ") | dict.fromkeys("’‘´`", "'"))
# "1.234,50 € / Monat", "Fr. 1'234.-"
_AROUND_MONEY = re.compile(
    r"€|\beuros?\b|\beur\b|\bca\.?|/?\s*(?:pro |je |im |per |par )?\b(?:monat(?:lich)?|month(?:ly)?"
    r"|mois|mtl\.?)",
    re.IGNORECASE,
)
_NO_CENTS = re.compile(r"[.,]\s*[-–—]{1,2}$")
_AROUND_PLACES = re.compile(
    r"(?:plaetze|plätze|platz|places|betten|beds|lits)\b\.?$", re.IGNORECASE
)


def read_decimal(value: str | None) -> float | None:
    """A decimal with a point or a comma, and no other marks: degrees."""
    text = (value or "").strip().replace(",", ".")
    return float(text) if _DEGREES.fullmatch(text) else None


def read_amount(value: str | None) -> float | None:
    """A number that may have thousands separators: "1.234,50", "1,234.50", "1 234", "1'234".

    Of two different marks the last one is the decimal's; a single one before exactly three
    digits parts thousands (nobody writes thousandths of euros or metres so).
    """
    if not value:
        return None
    text = " ".join(value.translate(_SPACES).split())
    if _GROUPED.fullmatch(text):
        return float(re.sub(r"[.,' ]", "", text))
    whole, mark, decimals = text, "", ""
    at = max(text.rfind("."), text.rfind(","))
    if at >= 0:
        whole, mark, decimals = text[:at], text[at], text[at + 1 :]
        if not re.fullmatch(r"\d{0,15}", decimals) or mark in whole:
            return None
    grouped = _GROUPED.fullmatch(whole)
    if grouped is None and not _PLAIN.fullmatch(whole):
        return None
    return float(f"{re.sub(r'[^+0-9-]', '', whole)}.{decimals or 0}")


def read_euros(value: str | None) -> float | None:
    """Euros per month up to 100,000, with or without a sign and "pro Monat"; None for other
    things, among them other currencies and other times."""
    text = _AROUND_MONEY.sub("", (value or "").translate(_SPACES)).strip(" .:")
    amount = read_amount(_NO_CENTS.sub("", text).strip())
    return amount if amount is not None and 0 <= amount <= MOST_EUROS else None


def read_places(value: str | None) -> int | None:
    """A number of places; "73+9" is 82, "48,0" is 48. None if it is no count up to 2,000."""
    if not value:
        return None
    text = _AROUND_PLACES.sub("", value.strip()).strip()
    parts = text.split("+")
    counts = [_count(part) for part in parts]
    if len(parts) > 2 or None in counts:
        return None
    total = sum(count for count in counts if count is not None)
    return total if 0 <= total <= MOST_PLACES else None


def _count(text: str) -> int | None:
    amount = read_amount(text)
    if amount is not None and amount > MOST_PLACES:
        # "48.000" of a database that gives three decimals.
        amount = read_decimal(text)
    return int(amount) if amount is not None and amount.is_integer() else None
