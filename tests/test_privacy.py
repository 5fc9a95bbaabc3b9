"""docs/privacy/verzeichnis.md says what is personal in the database, and how long it is kept."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from providers import call_feedback, home_invitations, home_lists, reminder_plan, sessions, signin
from tests.conftest import Service
from tests.web.test_pages import get, text
from vacancies import corrections, idempotency
from vacancies.config import OpenData
from vacancies.database import Pool
from web.alerts import alerts

RECORDS = Path(__file__).parents[1] / "docs/privacy/verzeichnis.md"
# Columns with names like these are of people, or can be.
LOOKS_PERSONAL = re.compile(
    r"(^|_)(email|phone|name|contact|person|by|staff|staff_id|address|url|device|browser|network"
    r"|reader|sealed|said|caller|content|imprint|told|document|detail|label)($|_)"
)
# … and are not, for this reason.
NOT_PERSONAL = {
    "care_home.assigned_by": "how, not who",
    "care_home.detail_places": "a number",
    "reporting_policy.detail_places": "a number",
    "care_home.quality_url": "a public page about the home",
    "care_home.origin_said": "how fresh",
    "api_key.replaced_by": "another key",
    "lasting_curve.told": "a number",
    "migration.name": "a file of ours",
    "municipality.name": "a public body",
    "neighbour.name": "a deployment",
    "planning_rollup.told": "a number",
    "portal_file.name": "a portal",
    "portal_file_home.name": "a portal",
    "portal_home.detail": "what the other side says of a report",
    "portal_link.sealed_key": "a key of software",
}


def rows() -> dict[str, tuple[list[str], str]]:
    """By table: its personal columns, and how long they are kept, in words."""
    found = {}
    for line in RECORDS.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and (name := re.fullmatch(r"`([a-z_]+)`", cells[0])):
            found[name[1]] = (re.findall(r"`([a-z_]+)`", cells[1]), cells[3])
    assert len(found) > 20
    return found


def without() -> set[str]:
    """Tables that are said to hold nothing of the kind."""
    said = RECORDS.read_text().split("Ohne Personenbezug sind:")[1].split("\n\n")[0]
    return set(re.findall(r"`([a-z_]+)`", said))


async def columns(pool: Pool) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in await pool.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public'"
    ):
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    return found


async def test_every_table_and_every_personal_column_is_named(pool: Pool) -> None:
    stored, named, empty = await columns(pool), rows(), without()
    assert named.keys() | empty == stored.keys()
    assert not named.keys() & empty
    for table, (personal, _) in named.items():
        assert set(personal) <= stored[table], table
    unnamed = {
        f"{table}.{column}"
        for table, all_columns in stored.items()
        for column in all_columns - set(named.get(table, ([], ""))[0])
        if LOOKS_PERSONAL.search(column)
    }
    assert unnamed <= NOT_PERSONAL.keys(), "name them in the records, or say why they are not"


async def test_whatever_leads_to_a_person_is_named(pool: Pool) -> None:
    """Foreign keys to `staff`, whatever they are called."""
    for row in await pool.fetch(
        "SELECT c.conrelid::regclass::text AS table_name, a.attname AS column_name"
        " FROM pg_constraint c JOIN pg_attribute a"
        "  ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)"
        " WHERE c.contype = 'f' AND c.confrelid = 'staff'::regclass"
    ):
        assert row["column_name"] in rows()[row["table_name"]][0], dict(row)


@pytest.mark.parametrize(
    ("table", "periods"),
    [
        ("alert", [alerts.PENDING_LIVES, alerts.LIVES]),
        ("call_feedback", [timedelta(days=call_feedback.KEPT_DAYS)]),
        ("correction", [timedelta(days=corrections.KEPT_DAYS)]),
        ("home_invitation", [timedelta(days=home_invitations.KEPT_DAYS)]),
        ("home_letter", [timedelta(days=home_invitations.KEPT_DAYS)]),
        ("reminder", [timedelta(days=reminder_plan.KEPT_DAYS)]),
        ("staff_session", [sessions.LIVES, sessions.ENDS]),
        ("signin", [signin.INVITATION_LIVES]),
    ],
)
def test_periods_are_those_of_the_program(table: str, periods: list[timedelta]) -> None:
    said = [int(days) for days in re.findall(r"(\d+) Tage?\b", rows()[table][1])]
    for period in periods:
        assert period.days in said, (table, rows()[table][1])


def test_short_periods_are_those_of_the_program() -> None:
    found = rows()
    assert f"{idempotency.KEPT_HOURS} Stunden" in found["idempotency"][1]
    assert f"{home_lists.KEPT_HOURS} Stunden" in found["home_list"][1]
    assert f"{signin.LINK_LIVES.seconds // 60} Minuten" in found["signin"][1]
    assert f"sonst {OpenData().archive_years} Jahre" in found["archive_file"][1]


async def test_the_page_tells_people_the_same_periods(service: Service) -> None:
    _, html = await get(service, "/privacy")
    said = text(html)
    for period in (
        alerts.LIVES.days,
        call_feedback.KEPT_DAYS,
        corrections.KEPT_DAYS,
        home_invitations.KEPT_DAYS,
        sessions.LIVES.days,
        sessions.ENDS.days,
    ):
        assert f"{period} Tage" in said, period
