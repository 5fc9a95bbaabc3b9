"""The texts of the pages, from the code and the templates as web/babel.cfg says, and which of
them a catalogue must have. Shared by `messages` and `check_catalogues.py`."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

WEB = Path(__file__).resolve().parent.parent / "web"
# These catalogues hold every text.
COMPLETE = {"de", "tr", "ru"}
# Leichte Sprache is for readers: its catalogue holds every text but those of the desk.
SIMPLE = "de-simple"
DESK_FILES = (
    "*_mail.py",
    "account.py",
    "changes.py",
    "commands/*",
    "desk/*",
    "letter.py",
    "openapi*.py",
    "passkeys.py",
    "people.py",
    "planning/*",
    "portals/*",
    "report*.py",
    "signin*.py",
    "staff.py",
    "trail.py",
    "upload*.py",
    "webhooks/*",
    "templates/account.html",
    "templates/desk*.html",
    "templates/docs.html",
    "templates/letter*.html",
    "templates/mail_reminder.html",
    "templates/people.html",
    "templates/planning*.html",
    "templates/portal*.html",
    "templates/report*.html",
    "templates/signin*.html",
    "templates/staff.html",
    "templates/trail.html",
    "templates/upload*.html",
    "templates/webhook*.html",
)
# The other catalogues hold the texts of the pages on which homes report, and of the way there.
REPORT_FILES = (
    "report*.py",
    "templates/report*.html",
    "templates/layout.html",
    "templates/foot.html",
    "templates/message.html",
    "templates/mail_*.html",
    "feedback_mail.py",
    "letter.py",
    "link_mail.py",
    "templates/letter*.html",
    "templates/signin*.html",
    "templates/staff.html",
    "templates/account.html",
    "signin.py",
    "signin_mail.py",
    "account.py",
    "staff.py",
    "reminder_mail.py",
    "pages.py",
    "language.py",
    "words.py",
)


class Text(NamedTuple):
    """A text in English, and where it stands; `id` is a pair if it has a plural."""

    file: str  # relative to `web`
    line: int
    id: str | tuple[str, ...]
    comments: list[str]
    context: str | None


def all_texts() -> list[Text]:
    """Every text, in the order of the files."""
    with (WEB / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call]
    found = extract_from_dir(WEB, methods, options, comment_tags=("Translators:",))
    texts = (
        Text(file, line, text, comments, context) for file, line, text, comments, context in found
    )
    return sorted(texts, key=lambda text: (text.file, text.line))


def is_wanted(text: Text, code: str) -> bool:
    """Whether the catalogue of that language must have the text."""
    if code == SIMPLE:
        return not any(fnmatch(text.file, files) for files in DESK_FILES)
    return code in COMPLETE or any(fnmatch(text.file, files) for files in REPORT_FILES)


def path_of(code: str) -> Path:
    """Where the catalogue of that language is."""
    return WEB / "translations" / code / "LC_MESSAGES" / "messages.po"


def language_of(code: str) -> str:
    """The language that says how a catalogue forms its plurals: `de` for `de-simple`."""
    return code.partition("-")[0]


def catalogues() -> Iterator[tuple[str, Path, Catalog]]:
    """The code of the language, the file, and what is in it. English needs none: the texts in
    the code are English."""
    for path in sorted(WEB.glob("translations/*/LC_MESSAGES/messages.po")):
        code = path.parts[-3]
        with path.open("rb") as source:
            yield code, path, read_po(source, locale=language_of(code))


def problem(catalogue: Catalog, text: Text) -> str | None:
    """What is wrong with the translation of `text`; None if nothing is."""
    found = catalogue.get(text.id, text.context)
    if found is None:
        return "is missing"
    strings = found.string if isinstance(found.string, tuple | list) else (found.string,)
    if not all(strings) or (found.pluralizable and len(strings) < catalogue.num_plurals):
        return "is not translated"
    if found.fuzzy:
        return "is marked as fuzzy"
    for error in found.check(catalogue):
        return str(error)
    return None
