"""Addresses of neighbours, as operators write them."""

from __future__ import annotations

import re
from ipaddress import ip_address

from yarl import URL

from vacancies.outbound import Outbound


def neighbour_address(text: str, outbound: Outbound) -> str:
    """The address without what may stand at its end. This machine is named by its number, and only
    operators can do that: nobody else adds neighbours. Raises `AddressRefused`."""
    text = text.strip()
    if "://" not in text:
        text = f"https://{text}"
    text = re.sub(r"^(https?://)localhost(?=[:/]|$)", r"\g<1>127.0.0.1", text)
    checker = Outbound(allow_loopback=True) if is_loopback(text) else outbound
    checked = checker.check(text, field="url").with_query(None)
    path = checked.raw_path.rstrip("/").removesuffix("/api/v1")
    return str(checked.with_path(path, encoded=True)).rstrip("/")


def is_loopback(address: str) -> bool:
    """Whether the address names this machine by a number."""
    try:
        return ip_address(URL(address).host or "").is_loopback
    except ValueError:
        return False
