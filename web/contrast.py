"""A colour of somebody's own, made readable: the only look that a town can bring along.

Contrast as WCAG 2.2 defines it ("relative luminance", "contrast ratio"). The colour is that of
buttons, and of links and chips as text on the ground, so more is asked of it than the 3:1 of
success criterion 1.4.11: 4.5:1 (1.4.3) both ways.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Colour = tuple[int, int, int]  # red, green, blue as sRGB, 0 to 255 each

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
MIN_RATIO = 4.5
_STEPS = 100
_CODE = re.compile(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a page lies on, light or dark. `tints` are how much of the accent stands over the
    ground of what is pointed at or pressed (KERN), `towards` is where the accent goes until it
    is readable."""

    grounds: tuple[Colour, ...]
    tints: tuple[float, ...]
    towards: Colour


@dataclass(frozen=True, slots=True)
class Accent:
    """A colour that can be read on its ground, and what is written on it."""

    colour: Colour
    on: Colour


# --surface and --ground of _layout.scss; a test compares them in a browser.
LIGHT = Scheme((WHITE, (243, 244, 247)), (0.08, 0.16), BLACK)
DARK = Scheme((BLACK, (19, 21, 37)), (0.12, 0.24), WHITE)


def parse_colour(text: str) -> Colour | None:
    """`#rrggbb`, also without the sign, which must be written `%23` in an address."""
    found = _CODE.fullmatch(text)
    if found is None:
        return None
    red, green, blue = (int(part, 16) for part in found.groups())
    return red, green, blue


def code(colour: Colour) -> str:
    """`#rrggbb` in small letters."""
    return "#" + bytes(colour).hex()


def luminance(colour: Colour) -> float:
    """Relative luminance: 0 (black) to 1 (white)."""
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio, 1 to 21, whichever of the two is the lighter."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with that share (0 to 1) of `other` over it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def accent_in(colour: Colour, scheme: Scheme) -> Accent:
    """`colour`, or the nearest on its way to black (to white, in the dark) that is readable."""
    steps = (mixed(colour, scheme.towards, step / _STEPS) for step in range(_STEPS + 1))
    readable = next(shade for shade in steps if is_readable(shade, scheme))
    return Accent(readable, max(WHITE, BLACK, key=lambda text: contrast(text, readable)))


def is_readable(colour: Colour, scheme: Scheme) -> bool:
    """Whether `colour` can be read on every ground, also while that is tinted with it."""
    shares = (0.0, *scheme.tints)
    return all(
        contrast(colour, mixed(ground, colour, share)) >= MIN_RATIO
        for ground in scheme.grounds
        for share in shares
    )
