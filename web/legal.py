"""Imprint, privacy, and the statement on accessibility: what the law wants every site to say.

What the software does by itself stands in the templates; who runs it comes from the operator's
file (`vacancies/operator.py`), and what is missing there the page says.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from quart import Blueprint, Response, current_app

from vacancies.operator import Page
from web.language import DEFAULT, languages
from web.looks import current_look
from web.pages import current_language, page
from web.state import state
from web.words import N_

legal = Blueprint("legal", __name__)

FIELDS = {
    "name": N_("name of the operator"),
    "address": N_("postal address"),
    "email": N_("e-mail address"),
    "phone": N_("telephone number"),
    "privacy.officer": N_("data protection officer"),
    "privacy.authority": N_("data protection authority"),
    "privacy.hosting": N_("where the service is hosted"),
    "privacy.legal_basis": N_("legal basis"),
    "privacy.log_days": N_("how long logs are kept"),
    "accessibility.law": N_("law on accessibility"),
    "accessibility.status": N_("how accessible the site is"),
    "accessibility.written_on": N_("date of the statement"),
    "accessibility.checked": N_("who checked it"),
    "accessibility.enforcement": N_("enforcement body"),
}


@legal.get("/imprint")
async def imprint() -> Response:
    """Who runs the site (§ 5 DDG)."""
    return await _page("imprint")


@legal.get("/privacy")
async def privacy() -> Response:
    """What becomes of personal data (articles 13 to 22 GDPR)."""
    settings = state().settings
    tiles = settings.basemap.address if settings.basemap else ""
    geocoder = settings.geocoder if settings.geocoder != "offline" else ""
    return await _page(
        "privacy",
        tiles_host=urlsplit(tiles).hostname or "",
        geocoder_host=urlsplit(geocoder).hostname or "",
        parts=frozenset(current_app.blueprints),
    )


@legal.get("/accessibility")
async def accessibility() -> Response:
    """The statement (§ 7 BITV 2.0), with the way to tell of a barrier."""
    written_on = state().settings.operator.accessibility.written_on
    every = {**languages(), **languages(reporting=True)}
    return await _page(
        "accessibility",
        written_on=current_language().day(written_on, date.min) if written_on else "",
        unchecked=", ".join(each.own_name for each in every.values() if not each.is_reviewed),
    )


async def _page(name: Page, **values: Any) -> Response:
    operator = state().settings.operator
    language = current_language()
    said_in = next((code for code in (language.code, DEFAULT) if code in operator.texts), None)
    return await page(
        f"{name}.html",
        operator=operator,
        missing=[language.gettext(FIELDS[field]) for field in operator.missing(name)],
        more=getattr(operator.texts[said_in], name) if said_in else (),
        more_language=said_in,
        own_words=_own_words(name),
        # The language in which the law is written, and operators write.
        is_german=language.code == DEFAULT,
        **values,
    )


def _own_words(name: Page) -> tuple[str, list[list[str]]] | None:
    """What the municipality says there in whose look the page is: its name, and paragraphs of
    lines. A blank line ends a paragraph."""
    look = current_look()
    text = {"imprint": look.imprint, "privacy": look.privacy}.get(name, "") if look else ""
    if look is None or not text.strip():
        return None
    paragraphs = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())
    return look.name, [paragraph.split("\n") for paragraph in paragraphs]
