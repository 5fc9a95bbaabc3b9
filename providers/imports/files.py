"""A file of any kind to a table."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from providers.imports.decoding import decode_text
from providers.imports.errors import UnreadableList
from providers.imports.gml import looks_like_xml, read_gml
from providers.imports.names import KNOWN
from providers.imports.separated import read_csv
from providers.imports.spreadsheets import Limits, looks_like_spreadsheet, read_spreadsheet
from providers.imports.structured import looks_like_json, read_json
from providers.imports.tables import LARGEST_BYTES, Table


def read_table(content: bytes, known: frozenset[str] = KNOWN) -> Table:
    """The rows of a file, whatever its encoding and format; raises `UnreadableList`.

    The content decides, not the name of the file. `known` are the folded names of columns by
    which header and sheet are told, those of lists of homes unless said otherwise. It blocks,
    for a spreadsheet up to seconds: call it in a thread where others wait.
    """
    if len(content) > LARGEST_BYTES:
        raise UnreadableList("The file is larger than 200 MB. Split it.")
    if looks_like_spreadsheet(content):
        return read_spreadsheet(content, known)
    text, encoding = decode_text(content)
    if looks_like_json(text):
        table = read_json(text)
    elif looks_like_xml(text):
        # As text, whatever its declaration says of an encoding: that is known by now.
        table = read_gml(text)
    else:
        table = read_csv(text, known)
    return replace(table, notes=[f"encoding {encoding}", *table.notes])


def read_rows(content: bytes, known: frozenset[str], limits: Limits) -> Table:
    """The rows of a spreadsheet within `limits`, or of a CSV text; as `read_table` has it."""
    if looks_like_spreadsheet(content):
        return read_spreadsheet(content, known, limits)
    text, _ = decode_text(content)
    if max(text.count("\n"), text.count("\r")) > limits.lines:
        raise UnreadableList(f"The file has more than {limits.lines:,} lines. Split it.")
    return read_csv(text, known)


def provider_of_file(path: Path) -> str:
    """A provider's name for a list that names none."""
    return " ".join(path.stem.replace("_", " ").split()) or "import"
