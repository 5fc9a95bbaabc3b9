"""For whom the pages are opened, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field

from scripts.accessibility_record.pages import View
from scripts.accessibility_record.walk import Walk


@dataclass(frozen=True)
class Reader:
    """How somebody opens every page. Each has a language of their own: German has the longest
    words, Arabic is written from right to left (so is what has no Arabic text, by script).
    Where only the words are others, nobody `walks` again, and the window is so high that no
    button that stays in reach lies over anything."""

    key: str
    width: int
    height: int
    language: str
    is_right_to_left: bool = False
    walks: bool = True


DESK = Reader("desk", 1280, 800, "en")
# WCAG 1.4.10: 1280 x 1024 at 400 %.
ZOOMED = Reader("400 %", 320, 256, "de")
MIRRORED = Reader("right to left", 320, 256, "ar", True)
IN_OTHER_WORDS = tuple(
    Reader(language, 360, 3000, language, walks=False)
    for language in ("de-simple", "tr", "ru", "pl")
)
# Each group meets a service of its own: what is limited for one address, or for one network, is
# enough for three readers.
GROUPS = ((DESK, ZOOMED, MIRRORED), IN_OTHER_WORDS[:3], IN_OTHER_WORDS[3:])
READERS = tuple(reader for group in GROUPS for reader in group)


@dataclass(frozen=True)
class Finding:
    """What one reader has met on one page."""

    view: View
    reader: Reader
    violations: list[str] = field(default_factory=list)
    undecided: set[str] = field(default_factory=set)
    too_wide: list[str] = field(default_factory=list)
    walk: Walk = field(default_factory=Walk)

    @property
    def faults(self) -> list[str]:
        return [*self.violations, *self.too_wide, *self.walk.faults]
