"""Where a request comes from, and whether that is us: origins, local paths, clients.

Addresses in mails are made from FREIPLATZ_PUBLIC_URL alone: the `Host` of a request is what its
sender wants it to be. Without that setting people can sign in on this machine only.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from quart import request

from providers.sessions import FormRefused
from vacancies.proxies import network_of
from web.state import state

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What browsers leave out of addresses, or read as a slash, could turn a path into a host.
_LOCAL_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
_MOST_PATH_CHARACTERS = 500


def origin_of(address: str) -> str | None:
    """Scheme, host and port as browsers write them (RFC 6454); None if it has none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    is_default = port in (None, _DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{port}"


def host_of(origin: str) -> str:
    return urlsplit(origin).hostname or ""


def is_loopback(host: str) -> bool:
    """Whether that name or address is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether it is a number instead of a name: passkeys need a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def sign_in_origin() -> str | None:
    """Our origin, for links in mails, cookies and passkeys. None where nobody can sign in:
    cookies of people who report travel by https, or within this machine."""
    origin = origin_of(state().settings.public_url or f"http://{request.host}")
    if origin is None or (origin.startswith("http://") and not is_loopback(host_of(origin))):
        return None
    return origin


def came_from_us() -> bool:
    """Whether a page of ours sent this request: by `Origin`, or `Referer` where it is absent.

    A request with neither did not come from a page that a browser shows.
    """
    sender = request.headers.get("Origin") or request.headers.get("Referer") or ""
    origin = origin_of(sender)
    if origin is None:
        return False
    if public_url := state().settings.public_url:
        return origin == origin_of(public_url)
    # Behind a proxy with TLS we do not know the scheme; a browser never lies about its host.
    return origin in (origin_of(f"http://{request.host}"), origin_of(f"https://{request.host}"))


def require_our_page() -> None:
    """Raises `FormRefused` for what no page of ours has sent."""
    if not came_from_us():
        raise FormRefused("This was not sent by a page of ours.")


def local_path(address: str | None) -> str | None:
    """`address` if it is a path on this site and nothing else, such as /account?lang=en."""
    if address and len(address) <= _MOST_PATH_CHARACTERS and _LOCAL_PATH.fullmatch(address):
        return address
    return None


def client_network() -> str:
    """Who asks, for limits: an IPv4 address, or the /64 of an IPv6 address."""
    address = state().settings.proxies.client(
        request.remote_addr or "", request.headers.getlist("X-Forwarded-For")
    )
    return "unknown" if address is None else network_of(address)
