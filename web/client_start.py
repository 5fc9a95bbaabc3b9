"""What the scripts of the pages for readers start from, whatever the page."""

from __future__ import annotations

from typing import Any

from web.basemap import basemap_for_client
from web.client_words import client_words
from web.language import DEFAULT, Language
from web.looks import look_prefix


def client_start(language: Language) -> dict[str, Any]:
    """Words, what stands before and behind the path of a link, and the base map."""
    return {
        "words": client_words(language),
        "linkPrefix": look_prefix(),
        "linkSuffix": f"?lang={language.code}" if language.code != DEFAULT else "",
        "basemap": basemap_for_client(),
    }
