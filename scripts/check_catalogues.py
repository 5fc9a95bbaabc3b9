"""Check that every catalogue has a finished translation of each text that it must have.

German, Turkish and Russian must have all texts of the pages, Leichte Sprache those for readers,
the other languages of carers those of the pages on which homes report (`texts.py`). Prints each
one that a catalogue lacks, has left empty or marks as fuzzy, or whose placeholders differ.
`scripts/messages` adds new texts to the catalogues.
"""

from __future__ import annotations

import sys

from texts import all_texts, catalogues, is_wanted, problem


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
