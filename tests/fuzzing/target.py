"""What is fuzzed: something that takes bytes of strangers, and refuses them in our words only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple


class Target(NamedTuple):
    """`parse` takes any bytes; it returns, or raises what `refusals` names. Anything else is a
    fault of ours, and so is what takes longer than seconds. `seeds` are where to begin."""

    parse: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    longest: int = 4096

    def __call__(self, data: bytes) -> None:
        with suppress(*self.refusals):
            self.parse(data)


def text_of(data: bytes) -> str:
    """`data` as a text of the web: what is no UTF-8 has come through percent-encoding."""
    return data.decode("utf-8", "replace")
