"""Licences under which open data may be given away, from the list of DCAT-AP.de.

https://www.dcat-ap.de/def/licenses/ names them for machines, `text_url` is what people read.
Only open ones stand here: a licence that forbids some uses would not make open data.
"""

from __future__ import annotations

from dataclasses import dataclass

_LIST = "http://dcat-ap.de/def/licenses/"


@dataclass(frozen=True, slots=True)
class Licence:
    """`code` is its short name, `uri` its name in RDF. `needs_attribution`: whoever uses the data
    must name the source."""

    code: str
    name: str
    uri: str
    text_url: str
    needs_attribution: bool


_ALL = (
    Licence(
        "dl-de/by-2-0",
        "Datenlizenz Deutschland – Namensnennung – Version 2.0",
        f"{_LIST}dl-by-de/2.0",
        "https://www.govdata.de/dl-de/by-2-0",
        needs_attribution=True,
    ),
    Licence(
        "dl-de/zero-2-0",
        "Datenlizenz Deutschland – Zero – Version 2.0",
        f"{_LIST}dl-zero-de/2.0",
        "https://www.govdata.de/dl-de/zero-2-0",
        needs_attribution=False,
    ),
    Licence(
        "cc-by/4.0",
        "Creative Commons Namensnennung 4.0 International",
        f"{_LIST}cc-by/4.0",
        "https://creativecommons.org/licenses/by/4.0/",
        needs_attribution=True,
    ),
    Licence(
        "cc-zero",
        "Creative Commons CC0 1.0",
        f"{_LIST}cc-zero",
        "https://creativecommons.org/publicdomain/zero/1.0/",
        needs_attribution=False,
    ),
)
LICENCES = {licence.code: licence for licence in _ALL}
DEFAULT_LICENCE = "dl-de/by-2-0"
