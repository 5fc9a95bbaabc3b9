"""The rule that a running old version bears every new migration."""

from __future__ import annotations

import pytest

from scripts import check_migrations
from scripts.check_migrations import FOLDER, findings, statements


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("DROP TABLE old;", "drops"),
        ("ALTER TABLE care_home ADD COLUMN a int, DROP COLUMN b;", "drops"),
        ("DROP FUNCTION desk_key();", "drops"),
        ("REVOKE SELECT ON report FROM freiplatz_desk;", "drops"),
        ("ALTER TABLE care_home RENAME COLUMN a TO b;", "renames"),
        ("ALTER TABLE care_home ALTER COLUMN a TYPE bigint;", "type"),
        ("ALTER TABLE care_home ALTER a SET DATA TYPE bigint;", "type"),
        ("ALTER TABLE care_home ALTER COLUMN a SET NOT NULL;", "null"),
        ("ALTER TABLE care_home ADD COLUMN a int NOT NULL;", "does not fill"),
        ("ALTER TABLE care_home ADD a text DEFAULT '', ADD b int NOT NULL;", "does not fill"),
        ("ALTER TABLE care_home ADD CHECK (a > 0);", "may not write"),
        ("ALTER TABLE care_home ADD CONSTRAINT x FOREIGN KEY (a) REFERENCES b;", "may not write"),
        ("CREATE UNIQUE INDEX x ON care_home (a);", "may not write"),
        ("CREATE INDEX ON report (a);", "writers"),
        ("CREATE INDEX x ON report (a);", "writers"),
        ("ALTER TABLE care_home ENABLE ROW LEVEL SECURITY;", "hides"),
        ("TRUNCATE home_list;", "drops"),
        ("alter table care_home drop column a;", "drops"),
        ("-- a comment\n\nDROP TABLE old;", "drops"),
        ("-- old version: knows it not\n\nDROP TABLE old;", "drops"),
    ],
)
def test_what_an_old_version_may_not_bear(sql: str, problem: str) -> None:
    (finding,) = findings(sql)
    assert problem in finding.problem


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE new (a int NOT NULL, b text CHECK (b <> '')); CREATE INDEX ON new (b);",
        "CREATE TABLE new (a int); ALTER TABLE new ADD c int NOT NULL;",
        "CREATE TABLE new (a int); CREATE UNIQUE INDEX new_a ON new (a);",
        "CREATE TABLE new (a int); ALTER TABLE new ENABLE ROW LEVEL SECURITY;",
        "ALTER TABLE care_home ADD COLUMN a int, ADD COLUMN b text NOT NULL DEFAULT '';",
        "ALTER TABLE care_home ADD COLUMN a bigint NOT NULL GENERATED ALWAYS AS IDENTITY;",
        "ALTER TABLE care_home ALTER COLUMN a DROP NOT NULL;",
        "ALTER TABLE report DROP CONSTRAINT report_via_check;",
        "GRANT SELECT ON report TO freiplatz_desk; UPDATE care_home SET a = 1;",
        "COMMENT ON COLUMN care_home.a IS 'We DROP TABLE nothing; RENAME it''s';",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ DROP TABLE x; SELECT 1 $$;",
        "-- DROP TABLE old;\nSELECT 1;",
        "-- old version: asks it no more since 0.2.0\nALTER TABLE care_home DROP COLUMN a;",
        "CREATE INDEX CONCURRENTLY x ON report (a);",
    ],
)
def test_what_it_bears(sql: str) -> None:
    assert findings(sql) == []


def test_a_finding_names_its_line() -> None:
    sql = "-- one\nSELECT 'a\nb';\n\n-- two\nDROP TABLE\n  old;\n"
    assert [statement.line for statement in statements(sql)] == [2, 6]
    assert [finding.line for finding in findings(sql)] == [6]


def test_the_migrations_that_took_things_away_would_be_found() -> None:
    """Real files, written before the rule."""
    found = {path.name[:4] for path in FOLDER.glob("*.sql") if findings(path.read_text("utf-8"))}
    assert {"0002", "0003", "0004"} <= found
    assert {"0001", "0006", "0015"}.isdisjoint(found)


def test_all_new_ones_are_borne(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_migrations.main() == 0, capsys.readouterr().out
