"""Who runs the service: what the law wants said about them, from one TOML file.

- Imprint: § 5 DDG, § 18 MStV.
- Privacy: articles 13 and 77 GDPR.
- Accessibility: § 12b BGG, § 7 BITV 2.0, and the laws of the states that follow them.

Every text is plain: a paragraph or a line is an item of a list, and nothing in it is HTML.
"""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from vacancies.errors import SettingsError

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Paragraph = Annotated[str, msgspec.Meta(min_length=1, max_length=5000)]
Email = Annotated[str, msgspec.Meta(pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+$")]
WebAddress = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s<>\"]+$", max_length=500)]
Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]
Lines = tuple[Line, ...]


class Privacy(msgspec.Struct, frozen=True, kw_only=True):
    """`officer`: the data protection officer, and how to reach them; `authority`: where people
    may complain; `hosting`: whose machines it runs on; `log_days`: how long logs are kept."""

    officer: Lines = ()
    authority: Lines = ()
    hosting: Lines = ()
    legal_basis: Paragraph = ""
    log_days: Days | None = None


class Accessibility(msgspec.Struct, frozen=True, kw_only=True):
    """`law`: by which law it is to be accessible; `status`: fully, partially or not; `checked`: by
    the operator (`self`) or somebody else (`external`); `gaps`: what the operator knows besides
    what Freiplatz says of itself; `enforcement`: who helps when the operator does not answer."""

    law: Line = ""
    status: Literal["full", "partial", "none"] | None = None
    written_on: date | None = None
    checked: Literal["self", "external"] | None = None
    gaps: tuple[Paragraph, ...] = ()
    enforcement: Lines = ()
    enforcement_website: WebAddress = ""


class Texts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Paragraphs in one language that stand at the end of a page."""

    imprint: tuple[Paragraph, ...] = ()
    privacy: tuple[Paragraph, ...] = ()
    accessibility: tuple[Paragraph, ...] = ()


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. What is empty is not told; `missing` says what should be. `security` is where
    weaknesses are reported, if that is another address than `email`."""

    name: Line = ""
    address: Lines = ()
    represented_by: Line = ""
    email: Email = ""
    security: Email = ""
    phone: Line = ""
    register: Line = ""
    vat_id: Line = ""
    supervised_by: Lines = ()
    editor: Lines = ()
    privacy: Privacy = Privacy()
    accessibility: Accessibility = Accessibility()
    texts: dict[str, Texts] = {}

    def missing(self, page: Page) -> list[str]:
        """The names of the fields, as in the file, that this page cannot do without."""
        found: list[str] = []
        for path in NEEDED[page]:
            part, _, name = path.rpartition(".")
            value = getattr(getattr(self, part) if part else self, name)
            if value is None or value in ("", ()):
                found.append(path)
        return found


Page = Literal["imprint", "privacy", "accessibility"]
NEEDED: dict[Page, tuple[str, ...]] = {
    "imprint": ("name", "address", "email", "phone"),
    "privacy": (
        "name",
        "address",
        "email",
        "privacy.officer",
        "privacy.authority",
        "privacy.hosting",
        "privacy.legal_basis",
        "privacy.log_days",
    ),
    "accessibility": (
        "name",
        "email",
        "accessibility.law",
        "accessibility.status",
        "accessibility.written_on",
        "accessibility.checked",
        "accessibility.enforcement",
    ),
}


def read_operator(path: Path) -> Operator:
    """What the file says. Raises `SettingsError` with one sentence that lists all that is wrong."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no TOML in UTF-8: {error}.") from error
    wrong: list[str] = []
    operator: Operator = _read(Operator, found, "", wrong)
    if wrong:
        raise SettingsError(f"{path} must be mended: " + "; ".join(wrong) + ".")
    return operator


def _read(kind: Any, found: dict[str, Any], path: str, wrong: list[str]) -> Any:
    """A struct of that kind, field by field, so that all faults are found at once."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    wrong += [f"there is no field {path}{name}" for name in found if name not in fields]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in found:
            continue
        value = found[name]
        if isinstance(value, dict) and field.type in (Privacy, Accessibility):
            values[name] = _read(field.type, value, f"{path}{name}.", wrong)
            continue
        try:
            values[name] = msgspec.convert(value, field.type)
        except msgspec.ValidationError as error:
            wrong.append(f"{path}{name}: {error}")
    return kind(**values)
