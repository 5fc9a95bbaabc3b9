"""What the scripts of the pages for readers start from, whatever the page."""

from __future__ import annotations

from typing import Any

from web.basemap import basemap_for_client
from web.client_words import client_words
from web.language import Language
from web.pages import link


def client_start(language: Language) -> dict[str, Any]:
    """Words, the way links are made, and the base map."""
    return {
        "words": client_words(language),
        "linkSuffix": link(""),
        "basemap": basemap_for_client(),
    }
