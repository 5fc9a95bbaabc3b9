"""A file of any kind to a table."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from providers.imports.columns import KNOWN
from providers.imports.structured import looks_like_json, read_json
from providers.imports.tables import Table, decode_text, read_csv


def read_table(content: bytes) -> Table:
    """The rows of a file, whatever its encoding and format; raises `UnreadableList`."""
    text, encoding = decode_text(content)
    table = read_json(text) if looks_like_json(text) else read_csv(text, KNOWN)
    return replace(table, notes=[f"encoding {encoding}", *table.notes])


def provider_of_file(path: Path) -> str:
    """A provider's name for a list that names none."""
    return " ".join(path.stem.replace("_", " ").split()) or "import"
