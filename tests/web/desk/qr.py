"""Reads a QR code from a picture, as ISO/IEC 18004 has it, without the library that draws ours:
versions 3 to 6, bytes, unharmed (so without correcting errors)."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise

from PIL import Image

# Data codewords of each block, by version and level.
_BLOCKS = {
    (3, "L"): [55], (3, "M"): [44], (3, "Q"): [17] * 2, (3, "H"): [13] * 2,
    (4, "L"): [80], (4, "M"): [32] * 2, (4, "Q"): [24] * 2, (4, "H"): [9] * 4,
    (5, "L"): [108], (5, "M"): [43] * 2, (5, "Q"): [15, 15, 16, 16], (5, "H"): [11, 11, 12, 12],
    (6, "L"): [68] * 2, (6, "M"): [27] * 4, (6, "Q"): [19] * 4, (6, "H"): [15] * 4,
}  # fmt: skip
_LEVELS = {0b01: "L", 0b00: "M", 0b11: "Q", 0b10: "H"}
_MASKS: tuple[Callable[[int, int], int], ...] = (
    lambda r, c: (r + c) % 2,
    lambda r, c: r % 2,
    lambda r, c: c % 3,
    lambda r, c: (r + c) % 3,
    lambda r, c: (r // 2 + c // 3) % 2,
    lambda r, c: r * c % 2 + r * c % 3,
    lambda r, c: (r * c % 2 + r * c % 3) % 2,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2,
)


def read_qr(png: bytes) -> tuple[str, str]:
    """What the code in the picture says, and its level of error correction."""
    modules = _modules(Image.open(io.BytesIO(png)).convert("L"))
    size = len(modules)
    version = (size - 17) // 4
    places = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]
    described = int("".join(str(modules[r][c]) for r, c in places), 2) ^ 0x5412
    level, mask = _LEVELS[described >> 13], _MASKS[described >> 10 & 7]
    bits = "".join(
        str(modules[r][c] ^ (mask(r, c) == 0)) for r, c in _path(size) if not _is_fixed(size, r, c)
    )
    words = [int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)]
    lengths = _BLOCKS[version, level]
    blocks: list[list[int]] = [[] for _ in lengths]
    following = iter(words)
    for turn in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if turn < length:
                block.append(next(following))
    data = "".join(f"{word:08b}" for block in blocks for word in block)
    assert data[:4] == "0100", "bytes"
    count = int(data[4:12], 2)
    content = bytes(int(data[at : at + 8], 2) for at in range(12, 12 + 8 * count, 8))
    return content.decode(), level


def _modules(picture: Image.Image) -> list[list[int]]:
    """1 for dark, row by row: from the corners of what is dark, in steps of a seventh of the mark
    in the corner."""
    dark = picture.point(lambda light: 255 if light < 128 else 0)
    box = dark.getbbox()
    assert box is not None
    left, top, right, _ = box
    row = [dark.getpixel((x, top + 1)) for x in range(left, right)]
    mark = next(at for at, (one, two) in enumerate(pairwise(row), 1) if one and not two)
    size = round((right - left) / (mark / 7))
    step = (right - left) / size
    middles = [round((at + 0.5) * step - 0.5) for at in range(size)]
    return [[int(bool(dark.getpixel((left + x, top + y)))) for x in middles] for y in middles]


def _path(size: int) -> list[tuple[int, int]]:
    """From the lower right corner, two columns at a time, up and down in turns."""
    columns = [c for c in range(size - 1, 0, -2) if c > 6] + [5, 3, 1]
    path = []
    for turn, column in enumerate(columns):
        rows = range(size) if turn % 2 else range(size - 1, -1, -1)
        path += [(r, c) for r in rows for c in (column, column - 1)]
    return path


def _is_fixed(size: int, r: int, c: int) -> bool:
    """Marks in three corners with their surroundings, the two lines between them, and the small
    mark, of which these versions have one."""
    corner = (r < 9 and (c < 9 or c >= size - 8)) or (r >= size - 8 and c < 9)
    small = abs(r - (size - 7)) <= 2 and abs(c - (size - 7)) <= 2
    return corner or small or 6 in (r, c)
