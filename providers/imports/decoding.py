"""Bytes to text: which encoding a list was saved in."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from providers.imports.errors import UnreadableList

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What offices here save that is not UTF-8: Windows, an older Mac, "CSV (MS-DOS)".
# In this order where the text does not tell; Latin-1 for bytes that Windows-1252 lacks.
_SINGLE_BYTE = ("cp1252", "mac_roman", "cp850", "latin-1")
_UMLAUTS = frozenset("äöüÄÖÜß")
_LETTERS = frozenset("éèêëàâáçîïíôóûúùñœæøåÉÈÀÂÇÔÎŒÆØÅ")
_MARKS_OF_TEXT = frozenset("„“”‚‘’–—…•·°€§´«»\u00a0\u00ad²³©®ªº½¼")
_MOST_LOOKED_AT = 20_000
_SAMPLE_BYTES = 4_096
# Bytes that no text has: control characters other than tab and line ends (NUL is dropped later).
_CONTROLS = bytes({*range(1, 9), *range(14, 28), 127})


def decode_text(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding.

    A byte order mark decides, then zero bytes (UTF-16 or UTF-32 without a mark), then strict
    UTF-8, because other text hardly ever passes for it; of the rest what reads most like
    German. Raises `UnreadableList`.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decode(content, encoding), encoding
    wide = _wide_encoding(content)
    if wide is not None:
        text = _decode(content, wide)
        if _is_text(text):
            return text, wide
    if b"\0" in content[:10_000] or len(content.translate(None, _CONTROLS)) < 0.9 * len(content):
        raise UnreadableList(
            "This is not a text file. Save the list as CSV (UTF-8), XLSX, or JSON and try again."
        )
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        encoding = _likeliest(content)
        return content.decode(encoding), encoding


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableList(
            f"The file cannot be read as {encoding}. Save it as UTF-8 and try again."
        ) from error


def _wide_encoding(content: bytes) -> str | None:
    """Text in Latin script has its zero bytes always in the same places."""
    sample = content[:_SAMPLE_BYTES]
    sample = sample[: len(sample) - len(sample) % 4]
    if len(sample) < 8:
        return None
    zeros = [sample[place::4].count(0) / len(sample[place::4]) for place in range(4)]
    patterns: tuple[tuple[str, Callable[[float], bool], tuple[int, ...]], ...] = (
        ("utf-32-le", lambda share: share > 0.9, (1, 2, 3)),
        ("utf-32-be", lambda share: share > 0.9, (0, 1, 2)),
        ("utf-16-le", lambda share: share > 0.5, (1, 3)),
        ("utf-16-be", lambda share: share > 0.5, (0, 2)),
    )
    for encoding, is_zero, places in patterns:
        if all(is_zero(zeros[place]) == (place in places) for place in range(4)):
            return encoding
    return None


def _is_text(text: str) -> bool:
    sample = text[:_SAMPLE_BYTES]
    return sum(c < " " and c not in "\t\r\n\f" for c in sample) <= 0.01 * len(sample)


def _likeliest(content: bytes) -> str:
    """The single-byte encoding in which the text reads best; the first of equals."""
    scores: dict[str, int] = {}
    for encoding in _SINGLE_BYTE:
        try:
            scores[encoding] = _score(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    return max(scores, key=lambda encoding: scores[encoding])


def _score(text: str) -> int:
    """How well the characters beyond ASCII fit between their neighbours."""
    score = looked_at = 0
    for at, char in enumerate(text):
        if char < "\x80":
            continue
        looked_at += 1
        if looked_at > _MOST_LOOKED_AT:
            break
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        score += _fit(char, before, after)
    return score


def _fit(char: str, before: str, after: str) -> int:
    if char in _UMLAUTS or char in _LETTERS:
        worth = 3 if char in _UMLAUTS else 2
        # "öHaus" and "HeimÄ" are what wrongly decoded quotation marks look like.
        odd = (char.islower() and after.isupper() and not before.isupper()) or (
            char.isupper() and before.islower()
        )
        return -2 if odd else worth
    if char in _MARKS_OF_TEXT:
        between = before.isalpha() and after.isalpha()
        return -2 if between and char not in "’\u00ad–" else 1
    return -3
