"""Check that a new migration lets the version before it go on: first expand, then contract.

While a new version is rolled out the old one still serves, on the new schema (docs/upgrading.md).
So a migration takes nothing away that was there before, and asks nothing new of rows that the old
version writes. Where it must, a comment right before the statement says why that is borne:

    -- old version: asks this column no more since 0.2.0
    ALTER TABLE care_home DROP COLUMN fax;

Tables that the same migration makes are its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "vacancies" / "migrations"
# Nothing had been released when this rule came: those before it took things away.
FIRST = 27
EXCUSE = "-- old version:"

# Strings, bodies of functions and comments may hold anything; elsewhere a semicolon is an end.
_PARTS = re.compile(
    r"(?P<text>'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)|(?P<comment>--[^\n]*)|(?P<end>;)"
    r"|[^'$;-]+|.",
    re.DOTALL,
)
_MADE = re.compile(r"\bCREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+)", re.IGNORECASE)
_TABLE = re.compile(
    r"\b(?:ALTER TABLE (?:IF EXISTS )?(?:ONLY )?|INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?\w* ?ON"
    r" (?:ONLY )?|POLICY \w+ ON |TRUNCATE (?:TABLE )?|TRIGGER \w+ .*? ON )(\w+)",
    re.IGNORECASE | re.DOTALL,
)
_ADDED = re.compile(
    r"\bADD (?:COLUMN )?(?:IF NOT EXISTS )?(?!CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)"
)

RULES = {
    "drops what the old version may use": re.compile(
        r"\bDROP (?:TABLE|COLUMN|VIEW|FUNCTION|TYPE|SCHEMA|POLICY|SEQUENCE|DEFAULT)\b"
        r"|^TRUNCATE\b|^REVOKE\b"
    ),
    "renames what the old version uses": re.compile(r"\bRENAME\b"),
    "changes the type of a column": re.compile(r"\bALTER (?:COLUMN )?\w+ (?:SET DATA )?TYPE\b"),
    "forbids null, which the old version may write": re.compile(r"\bSET NOT NULL\b"),
    "asks for what the old version may not write": re.compile(
        r"\bADD (?:CONSTRAINT \w+ )?(?:CHECK|UNIQUE|PRIMARY KEY|FOREIGN KEY|EXCLUDE)\b"
        r"|^CREATE UNIQUE INDEX\b|\bCREATE (?:CONSTRAINT )?TRIGGER\b"
    ),
    "hides rows from the old version": re.compile(r"\b(?:ENABLE|FORCE) ROW LEVEL SECURITY\b"),
    "holds up writers while the index is made": re.compile(r"^CREATE INDEX\b(?! CONCURRENTLY)"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    line: int
    statement: str
    problem: str


@dataclass(frozen=True, slots=True)
class Statement:
    """`code` is without comments and the contents of strings, with single blanks; `comments` are
    those directly before it and in it."""

    line: int
    code: str
    comments: tuple[str, ...]


def statements(sql: str) -> Iterator[Statement]:
    """The statements of a migration."""
    code, comments, line, began = "", [], 1, 0
    for part in _PARTS.finditer(sql):
        if part["comment"]:
            comments.append(part["comment"])
        elif part["end"]:
            yield Statement(began, " ".join(code.split()), tuple(comments))
            code, comments, began = "", [], 0
        else:
            text = "''" if part["text"] else part[0]
            lead = text[: len(text) - len(text.lstrip())]
            if not code.strip() and "\n\n" in lead:
                comments = []  # an empty line: they belong to what is above
            if text.strip() and not began:
                began = line + lead.count("\n")
            code += text
        line += part[0].count("\n")


def findings(sql: str) -> list[Finding]:
    """What in a migration the version before it may not bear, and no comment excuses."""
    each = list(statements(sql))
    own = {name for statement in each for name in _MADE.findall(statement.code)}
    found = []
    for statement in each:
        table = _TABLE.search(statement.code)
        if table and table[1] in own:
            continue
        if any(comment.startswith(EXCUSE) for comment in statement.comments):
            continue
        found += [
            Finding(statement.line, statement.code, problem)
            for problem in _problems(statement.code)
        ]
    return found


def _problems(code: str) -> Iterator[str]:
    code = code.upper()
    for problem, rule in RULES.items():
        if rule.search(code):
            yield problem
    if not code.startswith("ALTER TABLE"):
        return
    for clause in code.split(","):
        is_wanted = re.search(r"\bNOT NULL\b|\bPRIMARY KEY\b", clause)
        is_filled = re.search(r"\bDEFAULT\b|\bGENERATED\b", clause)
        if _ADDED.search(clause) and is_wanted and not is_filled:
            yield "adds a column that the old version does not fill"


def main() -> int:
    """Print what is wrong; 1 if something is."""
    problems = checked = 0
    for path in sorted(FOLDER.glob("*.sql")):
        if int(path.name[:4]) < FIRST:
            continue
        checked += 1
        for finding in findings(path.read_text("utf-8")):
            print(f"{path.name}:{finding.line}: {finding.problem}: {finding.statement[:80]}")
            problems += 1
    print(
        f"{checked} new migrations, {problems} statements that a running old version may not bear."
    )
    if problems:
        print(f"See docs/upgrading.md: expand first, or say after `{EXCUSE}` why it is borne.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
