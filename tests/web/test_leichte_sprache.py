"""The rules of Leichte Sprache that a program can check (DIN SPEC 33429, Netzwerk Leichte
Sprache; docs/translating.md). The others need people: a test group."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from web.language import TRANSLATIONS

MOST_WORDS = 12
# Longer words than that are hard to read in one piece; these everybody knows.
MOST_LETTERS = 14
KNOWN_WORDS = {"Krankenhaus", "Internet-Seite"}
ABBREVIATIONS = re.compile(
    r"\b(z\. ?B|d\. ?h|u\. ?a|ca|bzw|usw|etc|ggf|evtl|inkl|max|min|PLZ|WG|Nr|Std)\b\.?"
)
# The genitive as one sees it: an article of it, and a noun that ends in -s.
GENITIVE = re.compile(r"\b(des|eines|Ihres|unseres|dieses) [A-ZÄÖÜ][\w-]*e?s\b")
SUBJUNCTIVE = re.compile(r"\b(würden?|könnten?|wären?|hätten?|sollten?|müssten?|dürften?)\b")
PASSIVE = re.compile(r"\b(wird|werden|wurden?) (\S+ ){0,4}(ge\w+t|ge\w+en)\b")
NUMBER_WORDS = re.compile(
    r"\b(zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf)\b", re.IGNORECASE
)
# Each of them has a hyphen, or another word.
HARD_WORDS = (
    "Aufnahmestopp",
    "Ausbildungsumlage",
    "Dauerpflege",
    "Eigenanteil",
    "Einrichtung",
    "Investitionskosten",
    "Kurzzeitpflege",
    "Nachtpflege",
    "Palliativpflege",
    "Pflegeform",
    "Pflegegrad",
    "Pflegeheim",
    "Pflegekasse",
    "Pflegeplatz",
    "Postleitzahl",
    "Schwerpunkt",
    "Sozialamt",
    "Standort",
    "Tagespflege",
    "Träger",
    "Umkreis",
    "Verhinderungspflege",
    "Vermittlung",
    "Warteliste",
)
RULES: dict[str, Callable[[str], object]] = {
    "a sentence is short": lambda text: any(
        len(sentence.split()) > MOST_WORDS for sentence in sentences(text)
    ),
    "a sentence holds one thought": lambda text: ";" in text or text.count(",") > 2,
    "no abbreviations": ABBREVIATIONS.search,
    "no genitive": GENITIVE.search,
    "no subjunctive": SUBJUNCTIVE.search,
    "active voice": PASSIVE.search,
    "numbers are digits": NUMBER_WORDS.search,
    "hard words are explained or parted": lambda text: any(
        word.casefold() in text.casefold() for word in HARD_WORDS
    ),
    "long words are parted": lambda text: any(
        len(part) > MOST_LETTERS and word not in KNOWN_WORDS
        for word in re.findall(r"[A-Za-zÄÖÜäöüß-]+", without_gaps(text))
        for part in word.split("-")
    ),
}


def without_gaps(text: str) -> str:
    return re.sub(r"%\(\w+\)s|https?://\S+|\S+@\S+", "X", text)


def sentences(text: str) -> list[str]:
    """What ends in a full stop, a mark, a colon, or at a bracket."""
    return [part for part in re.split(r"[.!?:()]\s*", without_gaps(text)) if part.strip()]


def texts(path: Path) -> list[str]:
    with path.open("rb") as source:
        catalogue = read_po(source, locale="de")
    found: list[str] = []
    for message in catalogue:
        if message.id:
            forms = message.string
            found += [str(form) for form in (forms if isinstance(forms, tuple) else (forms,))]
    return found


@pytest.mark.parametrize("rule", RULES)
def test_every_text_keeps_to(rule: str) -> None:
    found = texts(TRANSLATIONS / "de-simple/LC_MESSAGES/messages.po")
    assert len(found) > 200
    assert [text for text in found if RULES[rule](text)] == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            "a sentence is short",
            "Geben Sie bitte hier den Ort oder die Zahl ein und wir suchen dann gleich für Sie.",
        ),
        ("a sentence holds one thought", "Das Heim ist voll; fragen Sie nach der Liste."),
        ("no abbreviations", "Sie zahlen ca. 100 Euro."),
        ("no abbreviations", "Schreiben Sie die PLZ."),
        ("no genitive", "Die Adresse des Heimes ist alt."),
        ("no subjunctive", "Sie könnten anrufen."),
        ("active voice", "Ihre Nachricht wird bald gelesen."),
        ("numbers are digits", "Es gibt fünf Plätze."),
        ("hard words are explained or parted", "Der Pflegegrad steht im Brief."),
        ("long words are parted", "Das ist eine Lebensversicherungspolice."),
    ],
)
def test_a_text_that_breaks_it_is_found(rule: str, text: str) -> None:
    assert RULES[rule](text)
