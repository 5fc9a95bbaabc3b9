"""The record as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from scripts.accessibility_record.checks import TAGS
from scripts.accessibility_record.pages import View
from scripts.accessibility_record.record import (
    DESK,
    IN_OTHER_WORDS,
    MIRRORED,
    READERS,
    ZOOMED,
    Finding,
    Reader,
)

Found = Mapping[tuple[View, Reader], Finding]

INTRODUCTION = """# Accessibility: the record

`scripts/accessibility` makes this record from the running program, and fails if anything is
violated. It starts Freiplatz in a data folder of its own, with a few homes and people, and opens
every page in every state in Chromium (with reduced motion), seven times:

| | window | language | why |
|---|---|---|---|
| desk | 1280 × 800 | English | the usual |
| 400 % | 320 × 256 | German | a window of 1280 × 1024 at 400 %; German has the longest words |
| right to left | 320 × 256 | Arabic | pages without Arabic texts: German ones, mirrored by script |
| in other words | 360 × 3000 | Leichte Sprache, Turkish, Russian, Polish | a phone, no walk |

Each time

- **axe-core** {axe} judges the page, light and dark, by its rules for {tags};
- **the Tab key** walks from the beginning of the page to its end: every control is reached, the
  focus can be seen at each stop and is not hidden (WCAG 2.4.7, 2.4.11), everything has a name, and
  nothing holds the focus (2.1.2);
- **nothing is wider than the window** and nothing is cut off (1.4.10). The map may be, as may
  tables and program text in boxes of their own.

A machine finds only a part of what can be wrong. It does not know whether a name is a good one; so
the walks below are there to be read. {undecided}
"""


def document(found: Found, views: Sequence[View], axe: str) -> str:
    return "\n".join(_lines(found, views, axe)) + "\n"


def _lines(found: Found, views: Sequence[View], axe: str) -> Iterator[str]:
    undecided = sorted({rule for finding in found.values() for rule in finding.undecided})
    yield INTRODUCTION.format(
        axe=axe,
        tags=", ".join(f"`{tag}`" for tag in TAGS),
        undecided=_undecided(undecided),
    )
    yield "## Pages\n"
    yield "| page | violations | stops | walk | 400 % | right to left | in other words |"
    yield "|---|--:|--:|---|---|---|---|"
    for view in views:
        findings = [found[view, reader] for reader in READERS]
        violations = sum(len(finding.violations) for finding in findings)
        walkers = [finding for finding in findings if finding.reader.walks]
        stops = " / ".join(str(len(finding.walk.stops)) for finding in walkers)
        walks = _verdict([fault for finding in findings for fault in finding.walk.faults])
        narrow = [_verdict(found[view, reader].too_wide) for reader in (ZOOMED, MIRRORED)]
        narrow.append(_verdict([f for r in IN_OTHER_WORDS for f in found[view, r].too_wide]))
        yield f"| {view.name} | {violations} | {stops} | {walks} | {' | '.join(narrow)} |"
    yield "\nStops: at the desk / at 400 % / from right to left.\n"
    yield "## Keyboard walks\n"
    yield "What Tab comes to at the desk, in this order: role and name, as the browser tells them"
    yield "to assistive technology.\n"
    for view in views:
        yield from _walk(view, found[view, DESK])


def _undecided(rules: Sequence[str]) -> str:
    if not rules:
        return "There was nothing that axe-core could not decide."
    names = ", ".join(f"`{rule}`" for rule in rules)
    return f"Somewhere axe-core could not decide about {names}."


def _verdict(faults: Sequence[str]) -> str:
    return f"**{len(faults)} faults**" if faults else "good"


def _walk(view: View, finding: Finding) -> Iterator[str]:
    yield f"<details><summary>{view.name}: {len(finding.walk.stops)} stops</summary>\n"
    for number, (role, name) in enumerate(finding.walk.stops, 1):
        yield f"{number}. {role} “{escape(name)}”"
    yield "\n</details>\n"
