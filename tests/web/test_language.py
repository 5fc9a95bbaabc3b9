"""The languages: which page is in which, plural forms, and what stands in for a text that lacks."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from scripts.texts import Text, is_wanted, problem
from tests.conftest import Service
from tests.web.carer import carer_of
from web import language
from web.client_words import client_words
from web.language import choose, languages

UNCHECKED = "This translation has not been checked by a native speaker yet."


def test_some_languages_are_for_one_kind_of_page() -> None:
    assert list(languages()) == ["de", "de-simple", "en", "tr", "ru"]
    assert list(languages(reporting=True)) == ["de", "en", "tr", "ru", "pl", "ar"]
    assert list(languages(desk=True)) == ["de", "en", "tr", "ru"]
    assert choose("pl").code == "de"
    assert choose("pl", reporting=True).code == "pl"
    assert choose("de-simple").code == "de-simple"
    assert choose("de-simple", reporting=True).code == choose("de-simple", desk=True).code == "de"
    assert choose("xx", reporting=True).code == choose(None).code == "de"


def test_nobody_has_checked_them_yet() -> None:
    every = {**languages(), **languages(reporting=True)}
    assert {code for code, found in every.items() if found.is_reviewed} == {"de", "en"}


def test_leichte_sprache_is_written_as_german_is() -> None:
    simple, german = choose("de-simple"), choose("de")
    assert simple.tag == client_words(simple)["tag"] == "de-DE", "browsers know no other"
    assert simple.number(1234567) == german.number(1234567) == "1.234.567"
    assert simple.day(date(2026, 12, 24), date(2025, 1, 1)) == "24. Dezember 2026"
    assert simple.gettext("Waiting list closed") == "Die Warte-Liste ist voll"
    assert simple.gettext("Sign out") == german.gettext("Sign out"), "the desk is not in it"


@pytest.mark.parametrize(
    ("file", "wanted_by"),
    [
        ("finder.py", {"de", "de-simple", "tr", "ru"}),
        ("templates/imprint.html", {"de", "de-simple", "tr", "ru"}),
        ("templates/layout.html", {"de", "de-simple", "tr", "ru", "pl", "ar"}),
        ("templates/report.html", {"de", "tr", "ru", "pl", "ar"}),
        ("link_mail.py", {"de", "tr", "ru", "pl", "ar"}),
        ("webhooks/desk.py", {"de", "tr", "ru"}),
    ],
)
def test_each_catalogue_must_have_its_pages(file: str, wanted_by: set[str]) -> None:
    text = Text(file, 1, "Save", [], None)
    codes = {path.name for path in language.TRANSLATIONS.iterdir() if path.is_dir()}
    assert {code for code in codes if is_wanted(text, code)} == wanted_by


def test_a_text_that_is_not_translated_is_found() -> None:
    with (language.TRANSLATIONS / "ru/LC_MESSAGES/messages.po").open("rb") as source:
        catalogue = read_po(source, locale="ru")
    days = Text("language.py", 1, ("%(num)s day ago", "%(num)s days ago"), [], None)
    assert problem(catalogue, days) is None
    found = catalogue.get(days.id)
    assert found is not None
    found.string = ("%(num)s день назад", "%(num)s дня назад", "")
    assert problem(catalogue, days) == "is not translated"
    found.string = ("%(num)s день назад", "%(num)s дня назад", "%(count)s дней назад")
    assert "placeholder" in str(problem(catalogue, days))


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
        ("tr", 1, "1 gün önce"),
        ("tr", 5, "5 gün önce"),
        ("ru", 1, "1 день назад"),
        ("ru", 2, "2 дня назад"),
        ("ru", 5, "5 дней назад"),
        ("ru", 11, "11 дней назад"),
        ("ru", 21, "21 день назад"),
        ("de-simple", 1, "vor 1 Tag"),
        ("de-simple", 2, "vor 2 Tagen"),
        ("ar", 1, "منذ يوم واحد"),
        ("ar", 2, "منذ يومين"),
        ("ar", 3, "منذ 3 أيام"),
        ("ar", 11, "منذ 11 يومًا"),
        ("ar", 100, "منذ 100 يوم"),
        ("ar", 103, "منذ 103 أيام"),
    ],
)
def test_numbers_have_their_forms(code: str, number: int, text: str) -> None:
    language = {**languages(), **languages(reporting=True)}[code]
    assert language.ngettext("%(num)s day ago", "%(num)s days ago", number) == text


def test_the_client_gets_every_form() -> None:
    forms = {
        code: sorted(found.plural_forms("%(num)s day ago", "%(num)s days ago"))
        for code, found in {**languages(), **languages(reporting=True)}.items()
    }
    assert forms == {
        "de": ["one", "other"],
        "de-simple": ["one", "other"],
        "en": ["one", "other"],
        "tr": ["one", "other"],
        "ru": ["few", "many", "one"],
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
    path = carer.link()  # another second makes another link
    _, html = await carer.get(path)
    assert '<html lang="pl" dir="ltr">' in html
    assert "العربية" in html
    assert f'{path}?lang=de"' in html, "German must be said against the person's choice"
    _, html = await carer.get(path + "?lang=de")
    assert '<html lang="de"' in html
    assert f'action="{path}?lang=de"' in html, "and stays when something is sent"
    async with service.client.get(service.url + "/?lang=ar") as answer:
        html = await answer.text()
    assert '<html lang="de"' in html
    assert "العربية" not in html


async def page_of(service: Service, path: str) -> str:
    async with service.client.get(service.url + path) as answer:
        return await answer.text()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("de-simple", "Schreiben Sie einen Ort in das Feld."),
        ("en", "Enter a town or a postcode."),
        ("tr", "Bir yer adı veya posta kodu girin."),
        ("ru", "Введите населённый пункт или индекс."),
    ],
)
async def test_a_page_says_in_which_language_it_is(service: Service, code: str, words: str) -> None:
    html = await page_of(service, f"/?lang={code}")
    assert f'<html lang="{code}" dir="ltr">' in html
    assert words in html
    assert f'<input type="hidden" name="lang" value="{code}">' in html, "a search keeps it"
    assert f'lang="{code}" dir="ltr" aria-current="true"' in html
    note = choose(code).gettext(UNCHECKED)
    assert (note in html) == (code != "en")


async def test_a_page_names_itself_in_all_its_languages(service: Service) -> None:
    html = await page_of(service, "/?place=33330&lang=ru")
    found = re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)">', html)
    assert found == [
        ("de", "/?place=33330"),
        ("de-simple", "/?place=33330&amp;lang=de-simple"),
        ("en", "/?place=33330&amp;lang=en"),
        ("tr", "/?place=33330&amp;lang=tr"),
        ("ru", "/?place=33330&amp;lang=ru"),
    ]
    assert '<link rel="alternate"' not in await page_of(service, "/signin"), "of no use there"


async def test_the_desk_is_not_in_leichte_sprache(service: Service) -> None:
    html = await page_of(service, "/api/v1/docs?lang=de-simple")
    assert '<html lang="de" dir="ltr">' in html
    assert "Leichte Sprache" not in html
