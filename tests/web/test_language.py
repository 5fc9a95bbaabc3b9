"""The languages: which page is in which, plural forms, and what stands in for a text that lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Service
from tests.web.carer import carer_of
from web import language
from web.client_words import client_words
from web.language import choose, languages


def test_carers_languages_are_for_reporting_only() -> None:
    assert list(languages()) == ["de", "en"]
    assert list(languages(reporting=True)) == ["de", "en", "pl", "ar"]
    assert choose("pl").code == "de"
    assert choose("pl", reporting=True).code == "pl"
    assert choose("xx", reporting=True).code == choose(None).code == "de"


def test_nobody_has_checked_them_yet() -> None:
    checked = {code for code, found in languages(reporting=True).items() if found.is_reviewed}
    assert checked == {"de", "en"}


def test_what_a_catalogue_lacks_is_german() -> None:
    polish = choose("pl", reporting=True)
    assert polish.gettext("Undo") == "Cofnąć"
    assert polish.gettext("Show places") == choose("de").gettext("Show places") != "Show places"
    assert polish.ngettext("%(num)s home", "%(num)s homes", 2) == "2 Einrichtungen"


def test_a_plural_that_nobody_has_translated_yet_is_german_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in ("de", "pl"):
        (tmp_path / code / "LC_MESSAGES").mkdir(parents=True)
    empty = 'msgid "%(num)s day ago"\nmsgid_plural "%(num)s days ago"\n'
    (tmp_path / "pl/LC_MESSAGES/messages.po").write_text(
        empty + 'msgstr[0] ""\nmsgstr[1] ""\nmsgstr[2] ""\n'
    )
    german = language.TRANSLATIONS / "de/LC_MESSAGES/messages.po"
    (tmp_path / "de/LC_MESSAGES/messages.po").write_bytes(german.read_bytes())
    monkeypatch.setattr(language, "TRANSLATIONS", tmp_path)
    polish = language._read("pl", language._KNOWN["pl"])
    assert polish.ngettext("%(num)s day ago", "%(num)s days ago", 3) == "vor 3 Tagen"


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        ("de", 1, "vor 1 Tag"),
        ("de", 2, "vor 2 Tagen"),
        ("pl", 1, "1 dzień temu"),
        ("pl", 2, "2 dni temu"),
        ("ar", 1, "منذ يوم واحد"),
        ("ar", 2, "منذ يومين"),
        ("ar", 3, "منذ 3 أيام"),
        ("ar", 11, "منذ 11 يومًا"),
        ("ar", 100, "منذ 100 يوم"),
        ("ar", 103, "منذ 103 أيام"),
    ],
)
def test_numbers_have_their_forms(code: str, number: int, text: str) -> None:
    language = choose(code, reporting=True)
    assert language.ngettext("%(num)s day ago", "%(num)s days ago", number) == text


def test_the_client_gets_every_form() -> None:
    forms = {
        code: sorted(found.plural_forms("%(num)s day ago", "%(num)s days ago"))
        for code, found in languages(reporting=True).items()
    }
    assert forms == {
        "de": ["one", "other"],
        "en": ["one", "other"],
        "pl": ["few", "many", "one"],
        "ar": ["few", "many", "one", "other", "two", "zero"],
    }
    assert client_words(choose("de"))["plurals"]["free"] == {
        "one": "%(num)s frei",
        "other": "%(num)s frei",
    }


async def test_only_report_pages_offer_them(service: Service) -> None:
    await service.put_home("a")
    carer = await carer_of(service, "a", language="pl")
    _, html = await carer.get(carer.link())
    assert '<html lang="pl" dir="ltr">' in html
    assert "العربية" in html
    assert f'{carer.link()}?lang=de"' in html, "German must be said against the person's choice"
    _, html = await carer.get(carer.link() + "?lang=de")
    assert '<html lang="de"' in html
    assert f'action="{carer.link()}?lang=de"' in html, "and stays when something is sent"
    async with service.client.get(service.url + "/?lang=ar") as answer:
        html = await answer.text()
    assert '<html lang="de"' in html
    assert "العربية" not in html
