"""Reading lists: encodings, separators, shifted rows, JSON of all kinds, meaning of columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from providers.imports.entries import Entry, Reader, Refusal
from providers.imports.errors import InvalidMapping, MappingNeeded, UnreadableList
from providers.imports.files import read_table
from providers.imports.identity import home_id_of
from providers.imports.mapping import complete_mapping, left_out, load_mapping
from vacancies.errors import FreiplatzError

CSV = "Name;Straße;PLZ;Ort\nHaus Ä„1“;Weg 1;33330;Gütersloh\nHaus B;Weg 2;1067;Dresden\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings(encoding: str) -> None:
    table = read_table(CSV.encode(encoding))
    assert [row.cells["Ort"] for row in table.rows] == ["Gütersloh", "Dresden"]
    assert table.rows[0].cells["Name"] == "Haus Ä„1“"
    assert [row.number for row in table.rows] == [2, 3]


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_separators(separator: str) -> None:
    text = CSV.replace(";", separator).replace("Weg 1", '"Weg 1, Hof; links | unten"')
    table = read_table(text.encode())
    assert table.columns == ["Name", "Straße", "PLZ", "Ort"]
    assert len(table.rows) == 2


def test_quoted_quotes_and_line_breaks() -> None:
    table = read_table(b'name;zip\n"Haus ""Am See""";33330\n"Haus\nB";33332\n')
    assert [row.cells["name"] for row in table.rows] == ['Haus "Am See"', "Haus\nB"]


def test_lines_above_the_header_and_empty_lines() -> None:
    table = read_table(("Liste der Heime;;;\n;;;\n" + CSV + ";;;\n\n").encode())
    assert table.columns == ["Name", "Straße", "PLZ", "Ort"]
    assert [row.number for row in table.rows] == [4, 5]


def test_shifted_rows_carry_a_fault() -> None:
    table = read_table((CSV + "Haus C;Weg; 3;33330;Gütersloh\nHaus D;Weg 4\n").encode())
    assert [row.fault is None for row in table.rows] == [True, True, False, False]


def test_a_separator_at_the_end_of_every_line() -> None:
    table = read_table(CSV.replace("loh\n", "loh;\n").replace("den\n", "den;\n").encode())
    assert [row.fault for row in table.rows] == [None, None]


@pytest.mark.parametrize(
    "content",
    [b"", b"  \n\n", b"name;zip\n", b"[]", b"{}", b"[1, 2]", b"{", b"\x00\x01\x02\xff" * 50],
)
def test_what_is_no_list(content: bytes) -> None:
    with pytest.raises(UnreadableList):
        read_table(content)


@settings(deadline=None)  # the first that needs it reads the gazetteer
@given(st.binary(max_size=400))
@example(b"PK\x03\x04 and no more")
@example(b"<?xml version='1.0' encoding='nonsense'?><a/>")
@example(b"\xff\xfe\x00\x00\x01")
@example(b"sep=")
@example(b"sep=\r\n;")
@example(b"[" * 5000)
@example(b'{"a":' * 5000)
@example(b'name;zip\n"')
@example(b"\xff\xfe\x00\xd8")
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        table = read_table(content)
        reader = Reader(table, complete_mapping(table), "P")
    except FreiplatzError:
        return
    for row in table.rows:
        assert isinstance(reader.read(row), (Entry, Refusal))


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["id", "name", "plz", "ort", "lat", "lon", "telefon", "url", "mail"]),
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30)),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_values_make_an_entry_or_a_refusal(rows: list[dict[str, Any]]) -> None:
    try:
        table = read_table(json.dumps([{"name": "Haus", "plz": "33330"}, *rows]).encode())
        reader = Reader(table, complete_mapping(table), "P")
    except FreiplatzError:
        return
    for row in table.rows:
        assert isinstance(reader.read(row), (Entry, Refusal))


def test_json_in_an_envelope() -> None:
    rows = [{"id": "1", "name": "A", "adresse": {"plz": 1067, "ort": "Dresden"}, "neu": True}]
    table = read_table(json.dumps({"messages": [], "results": {"n": 1}, "index": rows}).encode())
    assert table.rows[0].cells == {
        "id": "1",
        "name": "A",
        "adresse.plz": "1067",
        "adresse.ort": "Dresden",
        "neu": "true",
    }


def test_json_lines() -> None:
    assert len(read_table(b'{"name": "A", "plz": 1}\n{"name": "B", "plz": 2}\n').rows) == 2


def test_columns_by_name() -> None:
    table = read_table(
        b"einrichtung_name,einrichtung_plz,addr:city,Tr\xc3\xa4ger,traeger_plz,Telefon,fax,"
        b"Platzzahl,has_kurzzeitpflege,Pl\xc3\xa4tze Tagespflege,freie Pl\xc3\xa4tze\n"
        b"A,33330,G,T,33332,1,2,80,ja,12,3\n"
    )
    assert complete_mapping(table).columns == {
        "name": "einrichtung_name",
        "postcode": "einrichtung_plz",
        "city": "addr:city",
        "provider": "Träger",
        "phone": "Telefon",
        "places": "Platzzahl",
        "offers.short_term": "has_kurzzeitpflege",
        "capacity.day": "Plätze Tagespflege",
    }


def test_columns_by_content() -> None:
    table = read_table(
        "a;b;c;d;e;f\n"
        "Seniorenheim Am Wald;Weg 1;33330;Gütersloh;info@a.de;51.9\n"
        "Haus Birke;Lange Str. 5a;50667;Köln;haus@b.de;50.9\n".encode()
    )
    assert complete_mapping(table).columns == {
        "name": "a",
        "street": "b",
        "postcode": "c",
        "city": "d",
        "email": "e",
        "latitude": "f",
    }


def test_an_address_in_one_column() -> None:
    table = read_table('name;adresse\nHaus A;"Weg 1, 33330 Gütersloh"\n'.encode())
    entry = Reader(table, complete_mapping(table), "P").read(table.rows[0])
    assert isinstance(entry, Entry)
    assert (entry.address.street, entry.address.postcode, entry.address.city) == (
        "Weg 1",
        "33330",
        "Gütersloh",
    )


def test_a_mapping_is_asked_for_only_where_it_is_needed() -> None:
    table = read_table(b"x;y\n1;2\n3;4\n")
    with pytest.raises(MappingNeeded) as caught:
        complete_mapping(table)
    assert json.loads(caught.value.proposal)["columns"].keys() == {"name", "postcode"}
    mapping = complete_mapping(table, load_mapping("name=x, postcode=Y"))
    assert mapping.columns == {"name": "x", "postcode": "y"}


def test_mapping_files(tmp_path: Path) -> None:
    toml = tmp_path / "m.toml"
    toml.write_text('[columns]\nname = "x"\n[leave_out]\nArt = ["Klinik"]\n', "utf-8")
    as_json = tmp_path / "m.json"
    as_json.write_text('{"columns": {"name": "x"}, "leave_out": {"Art": ["Klinik"]}}', "utf-8")
    assert load_mapping(str(toml)) == load_mapping(str(as_json))


@pytest.mark.parametrize("text", ["nosuchfile.json", "colour=x", "name=x,places=nowhere"])
def test_wrong_mappings(text: str) -> None:
    table = read_table(b"x;PLZ\nA;33330\n")
    with pytest.raises(InvalidMapping):
        complete_mapping(table, load_mapping(text))


def test_left_out() -> None:
    table = read_table(
        b"name;plz;Art\nA;33330;Eingliederungshilfe\nB;33330;klinik \nC;33330;Pflegeheim\n"
    )
    given = load_mapping("name=name")
    mapping = complete_mapping(
        table, type(given)(columns=given.columns, leave_out={"art": ["Klinik"]})
    )
    reasons = [left_out(mapping, row.cells) for row in table.rows]
    assert [reason is None for reason in reasons] == [False, False, True]


def test_public_ids_are_short_opaque_and_stable() -> None:
    assert home_id_of("osm:way/1") == home_id_of("osm:way/1")
    assert len(home_id_of("x")) == 17
    assert home_id_of("x").isalnum()
    assert home_id_of("x") != home_id_of("y")
