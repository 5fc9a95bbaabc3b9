"""The cells of a spreadsheet as text: a process of its own, for what it may do to one.

A file of 2 kB can name a cell so far out that the library asks for 500 GB and the process is
aborted (a table is held densely); old .xls files with wrong sizes do the same, and others make
it panic. So it runs here, with its memory limited, reads the file from its standard input, and
writes `[{"name", "visible", "rows"}]` as JSON. It imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

MOST_BYTES = 1_500_000_000  # of address space; a list of 15,000 homes takes a tenth
MOST_CELLS = 5_000_000
_ERRORS = frozenset({"#N/A", "#NV", "#REF!", "#BEZUG!", "#VALUE!", "#WERT!", "#NAME?", "#DIV/0!"})


def main() -> int:
    limit_memory()
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    sheets = []
    for metadata in workbook.sheets_metadata:
        if metadata.typ is not SheetTypeEnum.WorkSheet:
            continue
        sheet = workbook.get_sheet_by_name(metadata.name)
        if sheet.total_height * max(sheet.total_width, 1) > MOST_CELLS:
            sys.stderr.write("too many cells\n")
            return 1
        # From A1 on, so that row numbers are those that people see.
        rows = sheet.to_python(skip_empty_area=False)
        visible = metadata.visible is SheetVisibleEnum.Visible
        cells = [[text_of(value) for value in row] for row in rows]
        sheets.append({"name": metadata.name, "visible": visible, "rows": cells})
    json.dump(sheets, sys.stdout)
    return 0


def limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def text_of(value: Any) -> str:
    """A cell as a list would write it: numbers with a point, dates as in ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    text = str(value)
    return "" if text in _ERRORS else text


if __name__ == "__main__":
    sys.exit(main())
