"""Whose word is taken for where a request comes from: the proxies before us."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PRIVATE, NONE = "private", "none"
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))


@dataclass(frozen=True, slots=True)
class Proxies:
    """The `networks` of proxies. With `private` whoever connects to us from a private network is
    one too, but not those who stand before it: they are readers in that network."""

    networks: tuple[Network, ...] = LOOPBACK
    private: bool = False

    def client(self, peer: str, forwarded: Sequence[str]) -> Address | None:
        """Who asks: `peer` connected to us, `forwarded` are the lines of `X-Forwarded-For`.

        Each proxy adds on the right from where it was asked. So we go from right to left as long
        as it is proxies that say so; what stands further left was sent by the client itself. None
        if `peer` has no address.
        """
        client = parse_address(peer)
        if client is None or not (self._knows(client) or (self.private and client.is_private)):
            return client
        # A proxy may add a line of its own instead of lengthening that of the client.
        for hop in reversed(",".join(forwarded).split(",")):
            address = parse_address(hop)
            if address is None:
                return client
            client = address
            if not self._knows(client):
                return client
        return client

    def _knows(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def parse_address(text: str) -> Address | None:
    """An address as it stands in a header, perhaps with a port; IPv4 in IPv6 as IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network_of(address: Address) -> str:
    """As whom `address` is counted: itself, or its /64, of which a client of IPv6 has all."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)
    return str(address)


def read_proxies(text: str) -> Proxies:
    """Networks with commas, the word `private` among them, or `none` alone. Raises `ValueError`."""
    words = [word.strip() for word in text.split(",")]
    if words == [NONE]:
        return Proxies(())
    networks = [ipaddress.ip_network(word) for word in words if word != PRIVATE]
    private = PRIVATE in words
    return Proxies((*LOOPBACK, *networks) if private else tuple(networks), private)
