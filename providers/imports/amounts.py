"""Numbers as people write them: decimal commas, thousands separators, money, counts of places."""

from __future__ import annotations

import re

MOST_PLACES = 2_000
# A month in the dearest home costs half of it. Beyond, "95.500" is more likely to be 95.5 as a
# database writes it than a number with a thousands separator.
MOST_EUROS = 20_000

_DEGREES = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{0,20})?")
# "1 234", "1'234", "1.234.567": a head of up to three digits (no zero), then groups of three.
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:(?P<mark>[.,' ])[0-9]{3})(?:(?P=mark)[0-9]{3})*")
_PLAIN = re.compile(r"[+-]?[0-9]{1,12}")
_LONGEST = 60
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
    text = " ".join(value[:_LONGEST].translate(_SPACES).split())
    if _GROUPED.fullmatch(text):
        return float(re.sub(r"[.,' ]", "", text))
    whole, mark, decimals = text, "", ""
    at = max(text.rfind("."), text.rfind(","))
    if at >= 0:
        whole, mark, decimals = text[:at], text[at], text[at + 1 :]
        if not re.fullmatch(r"[0-9]{0,15}", decimals) or mark in whole:
            return None
    grouped = _GROUPED.fullmatch(whole)
    if grouped is None and not _PLAIN.fullmatch(whole):
        return None
    return float(f"{re.sub(r'[^+0-9-]', '', whole)}.{decimals or 0}")


def read_euros(value: str | None) -> float | None:
    """Euros per month up to 20,000, with or without a sign and "pro Monat"; None for other
    things, among them other currencies and other times."""
    short = " ".join((value or "")[:_LONGEST].translate(_SPACES).split())
    text = _AROUND_MONEY.sub("", short).strip(" .:")
    amount = read_amount(_NO_CENTS.sub("", text).strip())
    return amount if amount is not None and 0 <= amount <= MOST_EUROS else None


def read_places(value: str | None) -> int | None:
    """A number of places; "73+9" is 82, "48,0" and a database's "48.000" are 48, "1.200" is
    1,200. None if it is no count up to 2,000, or could be two ("2.000")."""
    if not value or len(value) > _LONGEST:
        return None
    text = _AROUND_PLACES.sub("", value.strip()).strip()
    parts = text.split("+")
    counts = [_count(part) for part in parts]
    if len(parts) > 2 or None in counts:
        return None
    total = sum(count for count in counts if count is not None)
    return total if total <= MOST_PLACES else None


def _count(text: str) -> int | None:
    readings = {
        int(number)
        for number in (read_decimal(text), read_amount(text))
        if number is not None and 0 <= number <= MOST_PLACES and number.is_integer()
    }
    return readings.pop() if len(readings) == 1 else None
