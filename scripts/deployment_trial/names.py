"""A name server for one name, as the network of containers has one: RFC 1035, A records only."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from collections.abc import Callable, Iterable
from typing import cast

_HEADER = struct.Struct("!6H")
_ANSWER = struct.Struct("!HHHIH4s")
_IS_ANSWER = 0x8580  # an answer, from who knows best, recursion as asked and offered
_A_RECORD, _INTERNET = 1, 1


class Names(asyncio.DatagramProtocol):
    """Answers every question for an A record with `addresses()`, to be kept for no time."""

    def __init__(self, addresses: Callable[[], Iterable[str]]) -> None:
        self._addresses = addresses

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        number = _HEADER.unpack_from(data)[0]
        end = data.index(b"\0", _HEADER.size) + 5  # the name, its end, type and class
        question = data[_HEADER.size : end]
        kind = struct.unpack("!H", question[-4:-2])[0]
        found = sorted(self._addresses()) if kind == _A_RECORD else []
        records = b"".join(
            # 0xC00C: the name stands at the beginning of the question.
            _ANSWER.pack(0xC00C, _A_RECORD, _INTERNET, 0, 4, ipaddress.IPv4Address(each).packed)
            for each in found
        )
        head = _HEADER.pack(number, _IS_ANSWER, 1, len(found), 0, 0)
        self._transport.sendto(head + question + records, addr)
