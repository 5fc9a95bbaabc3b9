"""The cells of a spreadsheet as text: a process of its own, for what such a file may do to one.

A table is held densely by the library that reads it, and most of what goes wrong there aborts the
process or panics. So it runs here, with its memory limited: it gets the limits as its argument and
the file on its standard input, and writes `[{"name", "visible", "rows"}]` as JSON. It imports
nothing of ours. An XLSX is looked through by `sheet_parts` (beside it) before the library gets it.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

_ERRORS = frozenset({"#N/A", "#NV", "#REF!", "#BEZUG!", "#VALUE!", "#WERT!", "#NAME?", "#DIV/0!"})


def main() -> int:
    limits = json.loads(sys.argv[1])
    limit_memory(limits["memory_bytes"])
    sys.path.append(str(Path(__file__).parent))
    import sheet_parts  # type: ignore[import-not-found]

    try:
        content = sheet_parts.checked(sys.stdin.buffer.read(), limits)
        sheets = list(_sheets(content, limits["cells"], limits["characters"]))
    except (sheet_parts.TooLarge, MemoryError):
        sys.stderr.write("too large\n")
        return 1
    sys.stdout.buffer.write(json.dumps(sheets, ensure_ascii=False).encode())
    return 0


def _sheets(content: bytes, cells_left: int, characters_left: int) -> Iterator[dict[str, Any]]:
    """All sheets from A1 on, so that row numbers are those that people see. Raises `MemoryError`
    where they are too much for who reads them."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    for metadata in workbook.sheets_metadata:
        if metadata.typ is not SheetTypeEnum.WorkSheet:
            continue
        sheet = workbook.get_sheet_by_name(metadata.name)
        cells_left -= sheet.total_height * max(sheet.total_width, 1)
        if cells_left < 0:
            raise MemoryError
        rows = [[text_of(value) for value in row] for row in _rows(sheet)]
        characters_left -= sum(len(cell) for row in rows for cell in row)
        if characters_left < 0:
            raise MemoryError
        visible = metadata.visible is SheetVisibleEnum.Visible
        yield {"name": metadata.name, "visible": visible, "rows": rows}


def _rows(sheet: Any) -> list[list[Any]]:
    rows: list[list[Any]] = sheet.to_python(skip_empty_area=False)
    return rows


def limit_memory(most_bytes: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def text_of(value: Any) -> str:
    """A cell as a list would write it: numbers with a point, dates as in ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # As it shows: 15 digits, so not 0.30000000000000004.
        return str(int(value)) if _is_whole(value) else f"{value:.15g}"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    text = str(value)
    return "" if text in _ERRORS else text


def _is_whole(value: float) -> bool:
    return value.is_integer() and abs(value) < 1e15


if __name__ == "__main__":
    sys.exit(main())
