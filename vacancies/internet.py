"""Which IP addresses are of the public internet: pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TypeAlias

Ip: TypeAlias = IPv4Address | IPv6Address

# IANA's special-purpose registries (RFC 6890 and its updates), multicast, and one address that
# looks public: Azure serves its machines from 168.63.129.16. Written out, because what Python's
# `is_global` says differs from release to release.
_INSIDE_V4 = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
            *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
        ),
    )
)
# Of IPv6 only global unicast: that leaves out loopback, link-local, private and multicast
# addresses and those that embed an IPv4 one (mapped, compatible, NAT64). Of the rest, what is
# not for the public or embeds one too: Teredo is in 2001::/23, 6to4 is 2002::/16.
_GLOBAL_V6 = ip_network("2000::/3")
_INSIDE_V6 = tuple(
    map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48"))
)


def is_public(address: Ip) -> bool:
    """Whether `address` is one of the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _INSIDE_V4)
    return (
        address.scope_id is None
        and address in _GLOBAL_V6
        and not any(address in network for network in _INSIDE_V6)
    )
