"""Check that every text of the pages has a finished German translation.

Takes the texts from the code and the templates as web/babel.cfg says, and prints each one that
the catalogue lacks, has left empty or marks as fuzzy, or whose placeholders differ. English needs
no catalogue: the texts in the code are English. `scripts/messages` adds new texts to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

WEB = Path(__file__).resolve().parent.parent / "web"
GERMAN = WEB / "translations" / "de" / "LC_MESSAGES" / "messages.po"


def wanted() -> Iterator[tuple[str, int, Message]]:
    """Every text, with the file (relative to `web`) and the line where it stands."""
    with (WEB / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call]
    for file, line, text, _, context in extract_from_dir(WEB, methods, options):
        yield file, line, Message(text, context=context)


def problem(catalogue: Catalog, message: Message) -> str | None:
    """What is wrong with the translation of `message`; None if nothing is."""
    found = catalogue.get(message.id, message.context)
    if found is None:
        return "is missing"
    strings = found.string if isinstance(found.string, tuple | list) else (found.string,)
    if not all(strings):
        return "is not translated"
    if found.fuzzy:
        return "is marked as fuzzy"
    for error in found.check(catalogue):
        return str(error)
    return None


def main() -> int:
    """Print what is missing; 1 if something is."""
    with GERMAN.open("rb") as source:
        catalogue = read_po(source, locale="de")
    texts = 0
    problems = 0
    for file, line, message in wanted():
        texts += 1
        if found := problem(catalogue, message):
            problems += 1
            print(f"web/{file}:{line}: {message.id!r} {found}")
    print(f"{texts} texts, {problems} without a finished German translation.")
    if texts == 0:
        print("No text was found at all: web/babel.cfg must be wrong.")
    return 1 if problems or texts == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
