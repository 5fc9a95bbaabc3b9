"""Check that every catalogue has a finished translation of each text that it must have.

German, Turkish and Russian must have all texts of the pages, Leichte Sprache those for readers,
the other languages of carers those of the pages on which homes report (`texts.py`). Prints each
one that a catalogue lacks, has left empty or marks as fuzzy, or whose placeholders differ.
`scripts/messages` adds new texts to the catalogues.
"""

from __future__ import annotations

import sys

from babel.messages.catalog import Catalog
from texts import Text, all_texts, catalogues, is_wanted


def problem(catalogue: Catalog, text: Text) -> str | None:
    """What is wrong with the translation of `text`; None if nothing is."""
    found = catalogue.get(text.id, text.context)
    if found is None:
        return "is missing"
    strings = found.string if isinstance(found.string, tuple | list) else (found.string,)
    if not all(strings) or (found.pluralizable and len(strings) < catalogue.num_plurals):
        return "is not translated"
    if found.fuzzy:
        return "is marked as fuzzy"
    for error in found.check(catalogue):
        return str(error)
    return None


def main() -> int:
    """Print what is missing; 1 if something is."""
    texts = all_texts()
    if not texts:
        print("No text was found at all: web/babel.cfg must be wrong.")
        return 1
    problems = 0
    for code, _, catalogue in catalogues():
        wanted = [text for text in texts if is_wanted(text, code)]
        found = [(text, what) for text in wanted if (what := problem(catalogue, text))]
        for text, what in found:
            print(f"{code}: web/{text.file}:{text.line}: {text.id!r} {what}")
        print(f"{code}: {len(wanted)} texts, {len(found)} without a finished translation.")
        problems += len(found)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
