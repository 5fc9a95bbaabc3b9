"""Under which licence others may use what is exported, and whom they must name."""

from __future__ import annotations

from typing import NamedTuple

from web.standards.addresses import public_address
from web.state import state


class Licence(NamedTuple):
    code: str
    address: str


def licence() -> Licence:
    """The licence of German administrations: use as you like, and name the source."""
    return Licence("dl-de/by-2-0", "https://www.govdata.de/dl-de/by-2-0")


def attribution() -> str:
    """Whom to name: the operator, or where the data come from while nobody has said who."""
    return state().settings.operator.name or public_address()
