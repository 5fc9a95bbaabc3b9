"""Who runs the service: the file is read whole, and all that is wrong in it is said at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from vacancies.config import load_settings
from vacancies.errors import SettingsError
from vacancies.operator import NEEDED, Operator, read_operator

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"


def example() -> str:
    """The file that docs/operating.md shows."""
    return OPERATING.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]


def written(folder: Path, text: str) -> Path:
    path = folder / "operator.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_of_the_docs_lacks_nothing(tmp_path: Path) -> None:
    operator = read_operator(written(tmp_path, example()))
    assert operator.name == "Kreis Musterstadt"
    assert operator.accessibility.written_on == date(2026, 11, 26)
    assert operator.texts["de"].imprint
    assert [operator.missing(page) for page in NEEDED] == [[], [], []]


def test_without_a_file_everything_is_missing() -> None:
    operator = load_settings({}).operator
    assert operator == Operator()
    assert [operator.missing(page) for page in NEEDED] == [list(names) for names in NEEDED.values()]


def test_one_sentence_lists_everything_that_is_wrong(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        name = 7
        email = "nobody"
        adress = ["a misspelt field"]
        [privacy]
        log_days = -1
        hosting = "not a list"
        [accessibility]
        status = "perfect"
        enforcement_website = "javascript:alert(1)"
        mood = "good"
        [texts.de]
        imprints = ["misspelt too"]
        """,
    )
    with pytest.raises(SettingsError) as raised:
        load_settings({"FREIPLATZ_OPERATOR_FILE": str(path), "FREIPLATZ_PORT": "x"})
    said = raised.value.detail
    for part in (
        "FREIPLATZ_PORT",
        "FREIPLATZ_OPERATOR_FILE",
        "name:",
        "email:",
        "there is no field adress",
        "privacy.log_days:",
        "privacy.hosting:",
        "accessibility.status:",
        "accessibility.enforcement_website:",
        "there is no field accessibility.mood",
        "texts:",
    ):
        assert part in said
    assert said.count("\n") == 0
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"name = ", "is no TOML"), (b'name = "\xff"', "is no TOML")],
)
def test_a_file_that_cannot_be_read_stops_the_start(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "operator.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        load_settings({"FREIPLATZ_OPERATOR_FILE": str(path)})


def test_an_address_for_mail_is_checked() -> None:
    found = load_settings({"FREIPLATZ_CONTACT_EMAIL": "pflege@example.org"})
    assert found.contact_email == "pflege@example.org"
    with pytest.raises(SettingsError, match="FREIPLATZ_CONTACT_EMAIL"):
        load_settings({"FREIPLATZ_CONTACT_EMAIL": "a@example.org, b@example.org"})
