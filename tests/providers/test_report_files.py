"""Files with reports: what is read, what is refused, and what they would change."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.imports.errors import UnreadableList
from providers.report_files import LIMITS, FileReport, read_reports
from tests.conftest import Service
from tests.providers.conftest import PROVIDER, state_of
from tests.providers.spreadsheets import workbook
from vacancies.models import (
    CareForm,
    Focus,
    Room,
    Sex,
    Vacancy,
)

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
CSV = {"Content-Type": "text/csv"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def fault(report: FileReport) -> tuple[str, str | None]:
    assert report.fault is not None
    return report.fault.code, report.fault.field


def test_english_columns() -> None:
    content = (
        b"home_id,care_form,count,sex,room,care_grades,focuses,available_from,available_until,"
        b"note,observed_at\n"
        b'a,short_term,2,female,double,"2,3",dementia,2026-12-01,2026-12-14,"Ground floor, east",'
        b"2026-11-25T08:30:00Z\n"
        b"a,long_term,1,,,,,,,,\n"
        b"b,,0,,,,,,,,\n"
    )
    first, second = read_reports(content)
    assert (first.home_id, first.rows, first.fault) == ("a", (2, 3), None)
    assert first.vacancies == (
        Vacancy(
            care_form=CareForm.SHORT_TERM,
            count=2,
            sex=Sex.FEMALE,
            room=Room.DOUBLE,
            care_grades=(2, 3),
            focuses=(Focus.DEMENTIA,),
            available_from=date(2026, 12, 1),
            available_until=date(2026, 12, 14),
            note="Ground floor, east",
        ),
        Vacancy(care_form=CareForm.LONG_TERM, count=1),
    )
    assert first.observed_at == datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
    assert (second.home_id, second.vacancies, second.fault) == ("b", (), None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_german_columns_in_what_offices_save(encoding: str) -> None:
    text = (
        "Meldung der Kurzzeitpflegeplätze\r\n"
        "Einrichtungs-ID;Pflegeform;Anzahl;Geschlecht;Zimmer;Pflegegrade;Schwerpunkt;Frei ab;"
        "Stand\r\n"
        "7;Kurzzeitpflege;2;weiblich;Doppelzimmer;2-4;Demenz;01.12.2026;25.11.2026 8:30\r\n"
        "7;Geschützter Bereich;1;;;;;;\r\n"
        "8;Pflege-WG;1;m;EZ;PG 3;geschützter Bereich;;\r\n"
    )
    first, second = read_reports(text.encode(encoding))
    # The second row of home 7 names no care form, so nothing of that home is taken.
    assert (first.rows, fault(first)) == ((3, 4), ("invalid_field", "rows[4].care_form"))
    assert second.vacancies == (
        Vacancy(
            care_form=CareForm.SHARED_FLAT,
            count=1,
            sex=Sex.MALE,
            room=Room.SINGLE,
            care_grades=(3,),
            focuses=(Focus.PROTECTED,),
        ),
    )


def test_a_time_without_a_zone_is_german() -> None:
    (found,) = read_reports(b"Heim;Dauerpflege;Stand\na;1;25.11.2026 8:30\n")
    assert found.observed_at == datetime(2026, 11, 25, 7, 30, tzinfo=UTC)


def test_a_column_for_each_care_form() -> None:
    content = "Haus,Name,Dauerpflege,Kurzzeitpflege\na,Haus A,2,\nb,Haus B,0,0\nc,Haus C,,\n"
    first, second, third = read_reports(content.encode())
    assert first.vacancies == (Vacancy(care_form=CareForm.LONG_TERM, count=2),)
    assert [line.count for line in second.vacancies] == [0, 0]
    assert fault(third) == ("invalid_field", "rows[4]")  # blank is not full


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("a,long_term,viele,,,", "count"),
        ("a,long_term,-1,,,", "count"),
        ("a,long_term,1.5,,,", "count"),
        ("a,long_term,99999,,,", "count"),
        ("a,long_term,,,,", "count"),
        ("a,,3,,,", "care_form"),
        ("a,Hotel,3,,,", "care_form"),
        ("a,long_term,3,beide,,", "sex"),
        ("a,long_term,3,,31.02.2026,", "available_from"),
        ("a,long_term,3,,2126-01-01,", "available_from"),
        ("a,long_term,3,,,6", "care_grades[0]"),
        ("a,long_term,3,,,hoch", "care_grades"),
        ("a b,long_term,3,,,", "home_id"),
    ],
)
def test_a_bad_cell_is_named_and_does_not_sink_the_rest(row: str, field: str) -> None:
    head = "home_id,care_form,count,sex,available_from,care_grades\n"
    found = read_reports(f"{head}{row}\nb,long_term,1,,,\n".encode())
    assert fault(found[0]) == ("invalid_field", f"rows[2].{field}")
    assert found[1].vacancies == (Vacancy(care_form=CareForm.LONG_TERM, count=1),)


def test_rows_of_nobody_come_by_themselves() -> None:
    found = read_reports(b"home_id,care_form,count\n,day,1\na,day\nb,day,1,9\na,day,2\n")
    assert [(report.home_id, report.rows) for report in found] == [
        *((None, (2,)), (None, (3,)), (None, (4,)), ("a", (5,)))
    ]
    assert [fault(report)[1] for report in found[:3]] == ["rows[2]", "rows[3]", "rows[4]"]


def test_a_row_of_nobody_may_be_missing_to_a_home() -> None:
    """Cells that are merged in a spreadsheet are empty below the first: without its second row the
    home would look full of long-term care."""
    content = b"home_id,care_form,count\na,day,1\n,long_term,2\nb,day,1\nc,day,1\n,,\nd,day,1\n"
    found = {report.home_id: report for report in read_reports(content)}
    assert fault(found["a"]) == ("invalid_field", "rows[3]")
    assert all(found[home_id].fault is None for home_id in "bcd")


def test_a_shifted_row_sinks_the_home_that_it_names_or_follows() -> None:
    head = b"home_id,care_form,count\n"
    found = {r.home_id: r for r in read_reports(head + b"a,day,1\nb,day,1\na,long_term,2,x\n")}
    assert fault(found["a"]) == ("invalid_field", "rows[4]")
    assert found["b"].fault is None
    found = {r.home_id: r for r in read_reports(head + b"a,day,1\nb,day,1\nlong_term,2\n")}
    assert fault(found["b"]) == ("invalid_field", "rows[4]")
    assert found["a"].fault is None


def test_two_columns_that_mean_the_same_are_not_chosen_from() -> None:
    with pytest.raises(UnreadableList, match="'Anzahl' and 'Frei' both mean count"):
        read_reports(b"Einrichtung;Pflegeform;Anzahl;Frei\na;Tagespflege;40;1\n")
    (found,) = read_reports(b"Einrichtung;ID;Pflegeform;Frei\nHaus;a;Tagespflege;1\n")
    assert found.home_id == "a"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", ";,\t|")
def test_files_are_decoded_as_lists_are(end: str, encoding: str, separator: str) -> None:
    rows = ["Einrichtung;Pflegeform;Anzahl;Geschlecht", "a;Tagespflege;2;männlich"]
    text = end.join(rows).replace(";", separator)
    (found,) = read_reports(text.encode(encoding))
    assert found.vacancies == (Vacancy(care_form=CareForm.DAY, count=2, sex=Sex.MALE),)


def test_a_number_that_a_spreadsheet_has_made_of_a_date_is_refused() -> None:
    head = ["home_id", "day", "available_from", "observed_at"]
    for day, moment in ((46_357, None), (None, 46_351.5), ("12/24/2026", None)):
        (found,) = read_reports(workbook(head, ["a", 1, day, moment]))
        assert found.fault is not None


def test_a_home_has_one_moment() -> None:
    head = "home_id,day,night,observed_at\n"
    rows = "a,1,,2026-11-25T08:00\na,,1,2026-11-25T09:00\n"
    (found,) = read_reports((head + rows).encode())
    assert fault(found) == ("invalid_field", "rows[3].observed_at")


def test_files_of_too_many_lines_are_refused_before_they_are_taken_apart() -> None:
    for end in (b"\n", b"\r"):
        with pytest.raises(UnreadableList, match="lines"):
            read_reports(b"home_id,day" + end + (b"a,1" + end) * (LIMITS.lines + 1))


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n", b"home_id,care_form,count\n", b"name,count\nx,1\n", b"home_id,name\na,x\n"),
        *(b"\x89PNG\r\n\x1a\n\0\0", b"PK\x03\x04 not really", b'a,"b\nc'),
        b"home_id,day\n" + b"".join(b"h%d,1\n" % number for number in range(1_001)),
    ],
    ids=range(9),
)
def test_other_files_are_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(UnreadableList, match=r"[.]$"):
        read_reports(content)


def test_a_workbook() -> None:
    content = workbook(
        ["Stand", "25.11.2026"],
        ["Einrichtung", "Pflegeform", "Anzahl", "frei ab"],
        [7, "Kurzzeitpflege", 2, date(2026, 12, 1)],
        ["b", "Tagespflege", 0.0, None],
    )
    first, second = read_reports(content)
    assert (first.home_id, first.rows) == ("7", (3,))
    assert first.vacancies == (
        Vacancy(care_form=CareForm.SHORT_TERM, count=2, available_from=date(2026, 12, 1)),
    )
    assert second.vacancies == (Vacancy(care_form=CareForm.DAY, count=0),)


_HEADER = ["home_id", "care_form", "count", "Dauerpflege", "Stand", "Frei ab", "PG"]
_CELLS = st.sampled_from(
    [
        *("a", "0", "3", "-1", "1,0", "long_term", "Tagespflege", "1-9", "PG 2", ""),
        *("1.1.2026", "2026-11-25T08:00", "9999-12-31T23:59", "0001-01-01T00:00+14:00"),
        *("\0", '"', "\r", ";", "x" * 300, "２"),
    ]
)


@given(st.lists(st.lists(_CELLS, min_size=5, max_size=7), max_size=6) | st.binary())
def test_whatever_is_sent_is_read_or_refused(content: list[list[str]] | bytes) -> None:
    if isinstance(content, list):
        content = "\n".join(";".join(row) for row in [_HEADER, *content]).encode()
    try:
        reports = read_reports(content)
    except UnreadableList:
        return
    for report in reports:
        assert report.rows
        assert report.home_id is not None or report.fault is not None


async def test_csv_over_http(ready: Service) -> None:
    await ready.put_home("b")
    await ready.put_home("c", provider="somebody-else")
    content = (
        "Einrichtung;Pflegeform;Anzahl\n"
        "a;Dauerpflege;22\nb;Dauerpflege;1\na;Kurzzeitpflege;1\nc;Dauerpflege;1\n"
        "b;Tagespflege;viele\n;Dauerpflege;1\n"
    )
    headers = {**CSV, "Idempotency-Key": "k-1"}
    status, body, _ = await ready.call(
        "POST", "/api/v1/reports", provider=PROVIDER, data=content.encode(), headers=headers
    )
    assert status == 200
    shown = [
        (row["home_id"], row["rows"], row["status"], row.get("code")) for row in body["results"]
    ]
    assert shown == [
        ("a", [2, 4], 200, None),
        ("b", [3, 6], 422, "invalid_field"),
        ("c", [5], 403, "foreign_home"),
        (None, [7], 422, "invalid_field"),
    ]
    assert body["results"][1]["field"] == "rows[6].count"
    assert [found["code"] for found in body["results"][0]["warnings"]] == ["count_mistyped"]
    _, home, _ = await ready.call("GET", "/api/v1/homes/a")
    assert home["properties"]["free"] == {"long_term": 22, "short_term": 1}
    before = await state_of(ready)
    again = await ready.call(
        "POST", "/api/v1/reports", provider=PROVIDER, data=content.encode(), headers=headers
    )
    assert again[1] == body
    assert await state_of(ready) == before


async def test_xlsx_over_http(ready: Service) -> None:
    content = workbook(["home_id", "long_term"], ["a", 3])
    status, body, _ = await ready.call(
        "POST", "/api/v1/reports", provider=PROVIDER, data=content, headers={"Content-Type": XLSX}
    )
    assert (status, body["results"][0]["status"]) == (200, 200)
    _, home, _ = await ready.call("GET", "/api/v1/homes/a")
    assert home["properties"]["free"] == {"long_term": 3}


async def test_a_file_that_cannot_be_read_changes_nothing(ready: Service) -> None:
    before = await state_of(ready)
    for content in (b"", b"name,count\nx,1\n", b"PK\x03\x04", b"\0\1\2"):
        status, problem, _ = await ready.call(
            "POST", "/api/v1/reports", provider=PROVIDER, data=content, headers=CSV
        )
        assert (status, problem["code"]) == (422, "unreadable_list")
    assert await state_of(ready) == before
