"""Lists as text: encodings, line ends, separators, headers, and rows that have shifted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.imports.decoding import decode_text
from providers.imports.entries import Entry, Reader, Refusal
from providers.imports.errors import MappingNeeded, UnreadableList
from providers.imports.files import read_table
from providers.imports.mapping import complete_mapping, load_mapping
from providers.imports.shifts import kind_of
from vacancies.models import CareForm, Costs

CSV = (
    "Name;Straße;PLZ;Ort;Träger\n"
    "Haus „Grüne Höhe“;Weg 1;33330;Gütersloh;Süd gGmbH\n"
    "Müllers Stift – Café;Ährenstraße 2;1067;Dresden;Nord\n"
)


def read(text: str | bytes) -> list[Entry | Refusal]:
    table = read_table(text if isinstance(text, bytes) else text.encode())
    reader = Reader(table, complete_mapping(table), "P")
    return [reader.read(row) for row in table.rows]


def entries(text: str | bytes) -> list[Entry]:
    found = read(text)
    assert all(isinstance(entry, Entry) for entry in found), found
    return [entry for entry in found if isinstance(entry, Entry)]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "cp1252", "mac_roman", "utf-16", "utf-16-le", "utf-16-be", "utf-32",
     "utf-32-le", "utf-32-be"],
)  # fmt: skip
def test_encodings_by_content(encoding: str) -> None:
    table = read_table(CSV.encode(encoding))
    assert [row.cells["Name"] for row in table.rows] == [
        "Haus „Grüne Höhe“",
        "Müllers Stift – Café",
    ]
    assert [row.cells["Straße"] for row in table.rows] == ["Weg 1", "Ährenstraße 2"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp850"])
def test_encodings_without_typographic_marks(encoding: str) -> None:
    plain = CSV.replace("„", '"').replace("“", '"').replace("–", "-").replace('"', "")
    assert read_table(plain.encode(encoding)).rows[0].cells["Name"] == "Haus Grüne Höhe"


def test_quotation_marks_alone_are_not_taken_for_umlauts() -> None:
    text, encoding = decode_text("Haus „Anna“ – Köln".encode("cp1252"))
    assert (text, encoding) == ("Haus „Anna“ – Köln", "cp1252")


@given(
    st.lists(st.sampled_from(["Größe", "Mühle", "Äcker", "Café", "Haus", "Straße 5"]), min_size=1)
)
def test_german_words_are_read_in_every_encoding(words: list[str]) -> None:
    text = ";".join(words)
    for encoding in ("utf-8", "cp1252", "mac_roman"):
        assert decode_text(text.encode(encoding))[0] == text


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_line_ends(end: str) -> None:
    assert len(read_table(CSV.replace("\n", end).encode()).rows) == 2


def test_mixed_line_ends_and_breaks_within_cells() -> None:
    table = read_table(b'name;zip\r"Haus\rA";33330\r\nHaus B;33332\nHaus C;33334\r')
    assert [row.cells["zip"] for row in table.rows] == ["33330", "33332", "33334"]
    assert table.rows[0].cells["name"] == "Haus\rA"


@pytest.mark.parametrize("separator", [*";,\t|^~¦§\x1f"])
def test_any_separator(separator: str) -> None:
    table = read_table(CSV.replace(";", separator).encode())
    assert table.columns == ["Name", "Straße", "PLZ", "Ort", "Träger"]
    assert [row.fault for row in table.rows] == [None, None]


def test_a_rare_separator_counts_only_with_columns_that_are_recognised() -> None:
    """A tilde in every name must not cut the names."""
    table = read_table(b"Pflegeheim ~ A\nPflegeheim ~ B\nPflegeheim ~ C\n")
    assert len(table.columns) == 1


def test_the_hint_of_a_spreadsheet_program() -> None:
    table = read_table(b"sep=|\r\nName|PLZ\r\nHaus; A|33330\r\n")
    assert table.rows[0].cells == {"Name": "Haus; A", "PLZ": "33330"}
    assert table.rows[0].number == 3


def test_decimal_commas_between_commas() -> None:
    (entry,) = entries('name,plz,lat,lon\nHaus A,33330,"51,9064","8,3782"\n')
    assert entry.point is not None
    assert (entry.point.latitude, entry.point.longitude) == (51.9064, 8.3782)


def test_a_list_without_a_header_keeps_its_first_row() -> None:
    found = entries("Seniorenheim A;Weg 1;33330;Gütersloh\nSeniorenheim B;Weg 2;50667;Köln\n")
    assert [(entry.row, entry.name) for entry in found] == [
        (1, "Seniorenheim A"),
        (2, "Seniorenheim B"),
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("01067", "01067"),
        ("1067", "01067"),
        ("D-01067", "01067"),
        ("D 01067", "01067"),
        ("DE-1067", "01067"),
        ("1067.0", "01067"),
        ("1067,00", "01067"),
        ("01067 ", "01067"),
        ('="01067"', "01067"),
        ("'01067", "01067"),
        ("33.330", "33330"),
        ("33 330", "33330"),
        ("01067 Dresden", "01067"),
        ("A-1010", "1010"),
        ("CH-8001", "8001"),
        ("L-1234", "1234"),
    ],
)
def test_postcodes(written: str, expected: str) -> None:
    (entry,) = entries(f"Name;PLZ;Straße\nHaus A;{written};Weg 1\n")
    assert entry.address.postcode == expected
    assert entry.address.country == {"A": "AT", "C": "CH", "L": "LU"}.get(written[0], "DE")


def test_a_swiss_postcode_with_coordinates_gets_no_zero() -> None:
    (entry,) = entries("Name;PLZ;lat;lon\nHaus A;8001;47.3717;8.5423\n")
    assert entry.address.postcode == "8001"


def test_postcodes_of_other_countries_are_not_made_german_ones() -> None:
    """4600 Wels would come to lie in Altenburg, 5020 Salzburg in the Westerwald."""
    rows = ["1010;Wien", "4600;Wels", "5020;Salzburg", "8001;Zürich", "1067;Dresden"]
    *foreign, german = read("Name;PLZ;Ort\n" + "".join(f"Haus;{row}\n" for row in rows))
    for refusal in foreign:
        assert isinstance(refusal, Refusal)
        assert refusal.field == "postcode"
    assert isinstance(german, Entry)
    (named,) = entries("Name;PLZ;Ort;Land\nHaus;4600;Wels;Österreich\n")
    assert (named.address.postcode, named.address.country) == ("4600", "AT")


def test_a_list_that_has_lost_its_zeros_may_name_districts() -> None:
    rows = ["1067;Dresden", "4103;Leipzig", "9111;Chemnitz", "4158;Kleinkleckersdorf"]
    found = entries("Name;PLZ;Ort\n" + "".join(f"Haus;{row}\n" for row in rows))
    assert [entry.address.postcode for entry in found] == ["01067", "04103", "09111", "04158"]


def test_a_home_without_a_name_is_named_by_what_else_is_known() -> None:
    (refusal,) = read("id;Name;Straße;PLZ;Ort\nway/17;;Weg 1;33330;Gütersloh\n")
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "The home has no name (way/17 Weg 1 Gütersloh)."


LANGUAGES = {
    "French": """Nom de l'établissement;Adresse;Code postal;Ville;Téléphone;Courriel;\
Nombre de places;Gestionnaire;Type d'accueil;Latitude;Longitude
EHPAD A;Weg 1;67000;Straßburg;03 88 00 00 00;a@b.fr;48;G;EHPAD;48.58;7.75
""",
    "English": """Facility name;Street address;ZIP code;Town;Telephone;E-mail address;\
Number of places;Operator;Type of care;Latitude;Longitude
EHPAD A;Weg 1;67000;Straßburg;03 88 00 00 00;a@b.fr;48;G;Nursing home;48.58;7.75
""",
    "German": """Name der Einrichtung;Straße und Hausnummer;Postleitzahl;Ort;Rufnummer;\
E-Mail-Adresse;zugelassene Plätze;Träger;Art der Einrichtung;geographische Breite;\
geographische Länge
EHPAD A;Weg 1;67000;Straßburg;03 88 00 00 00;a@b.fr;48;G;Pflegeheim;48.58;7.75
""",
}


@pytest.mark.parametrize("text", LANGUAGES.values(), ids=LANGUAGES.keys())
def test_columns_in_three_languages(text: str) -> None:
    (entry,) = entries(text)
    assert (entry.name, entry.address.postcode, entry.address.city) == (
        "EHPAD A",
        "67000",
        "Straßburg",
    )
    assert (entry.address.street, entry.contact.email, entry.provider) == ("Weg 1", "a@b.fr", "G")
    assert entry.contact.phone is not None
    assert entry.capacity == {CareForm.LONG_TERM: 48}
    assert entry.point is not None


def test_costs_by_name() -> None:
    (entry,) = entries(
        "Name;PLZ;EEE (€/Monat);Ausbildungsumlage;Unterkunft und Verpflegung in EUR;"
        "Investitionskosten pro Tag;Investitionskosten\n"
        "Haus A;33330;1.234,50 €;98,7;1'012.-;17,50;€ 512.40\n"
    )
    assert Costs(**entry.costs) == Costs(
        care_eur=1234.5, training_eur=98.7, board_eur=1012.0, investment_eur=512.4
    )


HEADER = "Name;Straße;PLZ;Ort;Telefon;E-Mail;Plätze\n"
GOOD = "Haus A;Weg 1;33330;Gütersloh;05241 21330;a@haus.example;80\n"


@pytest.mark.parametrize(
    "row",
    [
        "Haus B;Zusatz;Weg 2;33330;Gütersloh;05241 21331;80",  # all one to the right
        "Haus B;33330;Gütersloh;05241 21331;b@haus.example;80;",  # all one to the left
        "Haus B;Weg 2;Gütersloh;33330;05241 21331;b@haus.example;80",  # two exchanged
        "Haus B;Weg 2;;33330;Gütersloh;05241 21331;80",  # from the postcode on
        "b@haus.example;Haus B;Weg 2;33330;Gütersloh;05241 21331;80",
    ],
)
@pytest.mark.parametrize("good_rows", [1, 30])
def test_rows_whose_content_has_shifted_are_refused(row: str, good_rows: int) -> None:
    *good, shifted = read(HEADER + GOOD * good_rows + row + "\n")
    assert all(isinstance(entry, Entry) for entry in good)
    assert isinstance(shifted, Refusal)
    assert (shifted.row, shifted.field) == (good_rows + 2, "row")
    assert "shifted" in shifted.reason


@pytest.mark.parametrize("rest", ["80;1234,50;", "80;1234;"])
def test_numbers_that_have_moved_up_are_refused(rest: str) -> None:
    """The telephone is missing, so what follows it stands one column too far to the left."""
    head = "Name;PLZ;Ort;Telefon;Plätze;EEE\n"
    good = "Haus A;33330;Gütersloh;05241 21330;80;1234,50\n" * 12
    *_, moved = read(f"{head}{good}Haus B;33330;Gütersloh;{rest}\n")
    assert isinstance(moved, Refusal)
    assert "shifted" in moved.reason
    for odd in ("112;;", "siehe Homepage;80;", "05241 21330;80;", ";80;", "112;80;1234,50"):
        *_, entry = read(f"{head}{good}Haus B;33330;Gütersloh;{odd}\n")
        assert isinstance(entry, Entry), odd


@pytest.mark.parametrize(
    "row",
    [
        "Haus B;Weg 2;33330;Gütersloh;siehe Homepage;keine;80",
        "Haus B;C4, 7;68159;Mannheim;;www.haus.example;ca. 80",
        "Haus B;;1067;Dresden;112;-;73+9",
        "1. FC Haus;7;33330 Gütersloh;;05241/2133-10 oder -11;info(at)haus.example;",
        "Haus B;Weg 2;SW1A 1AA;London;+44 20 7946 0000;b@haus.example;80",
    ],
)
def test_odd_cells_alone_are_no_shift(row: str) -> None:
    assert len(entries(HEADER + GOOD * 12 + row + "\n")) == 13


def test_a_quotation_mark_that_is_not_closed_is_named() -> None:
    table = read_table(b'Name;PLZ;Ort\nHaus A;33330;G\n"Haus B;33330;G\nHaus C;33330;G\n')
    assert [row.fault is None for row in table.rows] == [True, False]
    assert "quotation mark" in (table.rows[1].fault or "")


def test_what_cells_evidently_are() -> None:
    cells = [
        "33330",
        "a@b.de",
        "www.a.de",
        "05241 21330",
        "48,5",
        "Weg 1",
        "+49 30 1234567",
        "1900",
    ]
    assert [kind_of(cell) for cell in cells] == [
        "postcode", "email", "website", "phone", "number", "words", "phone", "number",
    ]  # fmt: skip


def test_coordinates_without_a_system_and_without_an_address_ask_for_one() -> None:
    text = b"Name;Rechtswert;Hochwert\nHaus A;3466000;5752000\n"
    table = read_table(text)
    with pytest.raises(MappingNeeded, match="--crs EPSG:25832"):
        complete_mapping(table)
    mapping = complete_mapping(table, type(load_mapping("name=Name"))(crs="EPSG:31467"))
    entry = Reader(table, mapping, "P").read(table.rows[0])
    assert isinstance(entry, Entry)
    assert entry.point is not None


@pytest.mark.parametrize("content", [b"\x00" * 40, b"PK\x03\x04", b"<html><body>", b"\xff\xfe\x00"])
def test_what_cannot_be_read(content: bytes) -> None:
    with pytest.raises(UnreadableList):
        read_table(content)
