"""A town's colour is always readable, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.contrast import (
    BLACK,
    DARK,
    LIGHT,
    WHITE,
    Colour,
    Scheme,
    accent_in,
    code,
    contrast,
    is_readable,
    luminance,
    mixed,
    parse_colour,
)

part = st.integers(0, 255)
colours = st.tuples(part, part, part)
schemes = st.sampled_from([LIGHT, DARK])


def test_contrast_is_that_of_wcag() -> None:
    """The greys on either side of the border are well known."""
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(WHITE, WHITE) == 1
    assert contrast((0x77, 0x77, 0x77), WHITE) == pytest.approx(4.48, abs=0.005)
    assert contrast((0x76, 0x76, 0x76), WHITE) == pytest.approx(4.54, abs=0.005)
    assert luminance((255, 0, 0)) == pytest.approx(0.2126)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#0a6e4f", (10, 110, 79)),
        ("0A6E4F", (10, 110, 79)),
        ("", None),
        ("#0a6", None),
        ("#0a6e4f00", None),
        ("red", None),
        ("##0a6e4", None),
        ("#0a6e4g", None),
        ("#0a6e4f\n", None),
        ("#٠a6e4f", None),
        ("#0a6e4f;}body{display:none", None),
    ],
)
def test_a_colour_is_six_digits(text: str, colour: Colour | None) -> None:
    assert parse_colour(text) == colour


def test_a_readable_colour_stays_as_it_is() -> None:
    green = (10, 110, 79)
    assert accent_in(green, LIGHT).colour == green
    assert accent_in(green, LIGHT).on == WHITE
    assert accent_in((255, 221, 0), DARK).colour == (255, 221, 0)
    assert accent_in((255, 221, 0), DARK).on == BLACK


def test_an_unreadable_one_is_moved_as_far_as_is_needed() -> None:
    yellow = (255, 221, 0)
    darker = accent_in(yellow, LIGHT).colour
    assert all(a <= b for a, b in zip(darker, yellow, strict=True))
    assert not is_readable(mixed(darker, yellow, 0.05), LIGHT)
    lighter = accent_in((10, 110, 79), DARK).colour
    assert all(a >= b for a, b in zip(lighter, (10, 110, 79), strict=True))
    assert code(lighter) == code(accent_in((10, 110, 79), DARK).colour)


@given(colours, schemes)
def test_text_is_readable_on_it_and_it_on_every_ground(colour: Colour, scheme: Scheme) -> None:
    accent = accent_in(colour, scheme)
    assert contrast(accent.on, accent.colour) >= 4.5
    for ground in scheme.grounds:
        assert contrast(accent.colour, ground) >= 4.5
        for tint in scheme.tints:
            assert contrast(accent.colour, mixed(ground, accent.colour, tint)) >= 4.5


@given(colours, schemes)
def test_what_is_readable_is_not_moved_again(colour: Colour, scheme: Scheme) -> None:
    once = accent_in(colour, scheme)
    assert accent_in(once.colour, scheme) == once


@given(colours)
def test_a_code_is_read_back(colour: Colour) -> None:
    assert parse_colour(code(colour)) == colour
