"""Numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.imports.amounts import read_amount, read_decimal, read_euros, read_places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234,50", 1234.5),
        ("1,234.50", 1234.5),
        ("1 234", 1234.0),
        ("1\u00a0234,5", 1234.5),
        ("1\u202f234", 1234.0),
        ("1'234", 1234.0),
        ("1’234.5", 1234.5),
        ("1.234", 1234.0),
        ("1.234.567", 1234567.0),
        ("5.754.123,75", 5754123.75),
        ("405123.456", 405123.456),
        ("12,5", 12.5),
        ("-7", -7.0),
        ("0.125", 0.125),
        ("0,750", 0.75),
        ("١٢", None),
        ("１２", None),
        ("1.23.456", None),
        ("12.34,5", None),
        ("1,2,3", None),
        ("1e5", None),
        ("", None),
        ("viel", None),
    ],
)
def test_amounts(text: str, expected: float | None) -> None:
    assert read_amount(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234,50 €", 1234.5),
        ("€ 1,234.50", 1234.5),
        ("1234.5 EUR", 1234.5),
        ("ca. 1.200 Euro pro Monat", 1200.0),
        ("1'234.- €/Monat", 1234.0),
        ("980,– € mtl.", 980.0),
        ("850 € / mois", 850.0),
        ("0", 0.0),
        ("45,20 € pro Tag", None),
        ("95.500", None),  # 95.5 of a database; nobody pays 95,500 a month
        ("1 " + " " * 60_000 + "€", 1.0),  # in linear time
        ("CHF 4000", None),
        ("-5", None),
        ("1.000.000", None),
    ],
)
def test_euros(text: str, expected: float | None) -> None:
    assert read_euros(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("48", 48),
        ("48,0", 48),
        ("48.000", 48),  # of a database with three decimals: nobody has 48,000 places
        ("1.200", 1200),
        ("1 200", 1200),
        ("1.000", None),  # 1 of a database, or 1,000
        ("2.000", None),
        ("100+-20", None),
        ("٤٨", None),
        ("48 Plätze", 48),
        ("60 lits", 60),
        ("73+9", 82),
        ("48,5", None),
        ("-3", None),
        ("1+2+3", None),
    ],
)
def test_places(text: str, expected: int | None) -> None:
    assert read_places(text) == expected


@given(
    st.integers(0, 99_999_999), st.sampled_from([(".", ","), (",", "."), ("'", "."), (" ", ",")])
)
def test_written_and_read_is_the_same(cents: int, marks: tuple[str, str]) -> None:
    thousands, decimal = marks
    text = f"{cents // 100:,}".replace(",", "\0").replace("\0", thousands)
    assert read_amount(f"{text}{decimal}{cents % 100:02}") == pytest.approx(cents / 100)


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_none(text: str) -> None:
    for number in (read_amount(text), read_decimal(text), read_euros(text), read_places(text)):
        assert number is None or number == number
