"""No SQL is made of anything that comes from outside: a look at the source of every call."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.security.sql import Module, Program, whole_program

# What stands in the source elsewhere than the reader of it can follow, each with its reason.
KNOWN = {
    ("vacancies/database.py", "sql"): "a file of vacancies/migrations",
    ("vacancies/homes.py", "care_home"): "the keys of the dict that _row_from_home writes out",
    ("providers/municipality_export.py", "query"): "constants of export_parts.py",
    ("web/backlog.py", "sql"): "constants of this file",
    ("web/doctor/database.py", "SHOW {name}"): "names of _DURABLE",
    # Postgres writes these itself (`format('%I')`, `pg_get_constraintdef`), and quotes the names.
    ("vacancies/backups/comparing.py", "query"): "_ROWS",
    ("vacancies/backups/restoring.py", "writes_sql"): "constants of this file",
    ("vacancies/backups/restoring.py", "row[0]"): "what those write",
    ("vacancies/backups/restoring.py", "key['drop']"): "_FOREIGN_KEYS",
    ("vacancies/backups/restoring.py", "key['make']"): "_FOREIGN_KEYS",
    ("vacancies/backups/tables.py", "question"): "select_full_tables",
    # Not the database:
    ("vacancies/homes.py", "batch"): "the size of what a cursor fetches",
    ("vacancies/boundaries.py", "self._shapes"): "shapely.prepare",
    ("vacancies/servers/process.py", "folder"): "Server.prepare",
}


def test_all_sql_stands_in_the_source() -> None:
    program = whole_program()
    calls = list(program.calls())
    assert len(calls) > 400, "the calls are found"
    met, wrong = set(), []
    for call in calls:
        if program.is_constant(call):
            continue
        said = ast.unparse(call.sql)
        known = [key for key in KNOWN if key[0] == call.module.name and key[1] in said]
        met.update(known)
        if not known:
            wrong.append(f"{call.module.name}:{call.line} {said[:100]}")
    assert wrong == []
    assert met == set(KNOWN), "what is gone is taken off the list"


FINE = """
from typing import Literal
Part = Literal["a", "b"]
TABLE = "home"
CHOICE = {"a": "x = 1", "b": "x = 2"}
def made(where): return f"SELECT 1 FROM {TABLE} WHERE {where}"
async def f(connection, name, state, part: Part):
    more = " LIMIT 1" if name else ""
    await connection.fetch("SELECT 1 WHERE x = $1" + more, name)
    await connection.fetch(made(CHOICE[state]))
    await connection.fetch(f"SELECT {part}")
"""
WRONG = (
    'f"SELECT 1 WHERE x = {name}"',
    '"SELECT 1 WHERE x = " + name',
    '"SELECT 1 WHERE x = %s" % name',
    '"SELECT 1 WHERE x = {}".format(name)',
    '", ".join(names)',
    'made(f"x = {name}")',
    "name",
    "later",
    '"SELECT" if name else name',
)


def program_of(text: str, folder: Path) -> Program:
    path = folder / "sample.py"
    path.write_text(text)
    return Program({"sample": Module(path)})


def test_what_is_put_together_from_constants_is_fine(tmp_path: Path) -> None:
    program = program_of(FINE, tmp_path)
    assert [program.is_constant(call) for call in program.calls()] == [True] * 3


@pytest.mark.parametrize("sql", WRONG)
def test_what_comes_from_outside_is_found(sql: str, tmp_path: Path) -> None:
    """The look at the source can fail."""
    text = f"{FINE}    later = 'SELECT'\n    later += name\n    await connection.execute({sql})\n"
    program = program_of(text, tmp_path)
    assert [program.is_constant(call) for call in program.calls()] == [True] * 3 + [False]
