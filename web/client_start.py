"""What the scripts of the pages for readers start from, whatever the page."""

from __future__ import annotations

from typing import Any

from web.client_words import client_words
from web.language import Language
from web.pages import link
from web.state import state


def client_start(language: Language) -> dict[str, Any]:
    """Words, the way links are made, and the base map."""
    address, _, attribution = (state().settings.basemap or "").partition(" ")
    tiles = address if address.startswith(("http://", "https://")) else ""
    return {
        "words": client_words(language),
        "linkSuffix": link(""),
        "basemap": {"address": tiles, "attribution": attribution} if tiles else None,
    }
