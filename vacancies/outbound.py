"""Calls to addresses that others have chosen: they must not reach the inside of our own network.

What counts is the address that a socket connects to. Names are looked up once for each
connection, all that comes back is checked, and exactly those addresses are connected to: a
name that answers differently the second time is not asked a second time. A last gate stands
where sockets are made, which no spelling and no library can pass by. Redirects are not
followed, and proxies of the environment are not used: they would resolve names by themselves.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from vacancies.config import Settings
from vacancies.errors import FreiplatzError, InvalidInput
from vacancies.internet import Ip, is_public

PORTS = (443, 8443)
CALL_SECONDS = 15.0
BODY_SECONDS = 2.0
BODY_BYTES = 4096
MAX_ADDRESS_LENGTH = 2000
# Many servers drop an idle connection after five seconds; a call that meets that end fails.
KEEP_SECONDS = 2.0
# Names whose servers dawdle must not take the threads that all others need.
LOOKUP_THREADS = 4

Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
Trouble = Literal["address", "connection", "tls", "timeout"]

# Browsers and inet_aton read a host as IPv4 if its last part is a number (WHATWG URL, 3.5).
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.*$", re.IGNORECASE)
# Labels of 1 to 63 signs (RFC 1035, 2.3.4); underscores occur. What breaks this rule makes
# resolvers raise instead of answer.
_NAME = re.compile(
    r"(?=.{1,253}$)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)+(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE
)
_FORBIDDEN_SIGN = re.compile(r"[\s\\\x00-\x20\x7f-\x9f]")


class AddressRefused(InvalidInput):
    """An address that we do not call."""

    code = "address_refused"


class CallFailed(FreiplatzError):
    """No answer came. `trouble` is `address` whether a name is unknown or leads inside: whoever
    chose it should not learn which names there are in here."""

    code = "call_failed"

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(f"The call got no answer ({trouble}).")
        self.trouble: Trouble = trouble


class Answer(msgspec.Struct, frozen=True):
    """What of an answer is of interest."""

    status: int
    retry_after: str | None
    body: bytes = b""


class Reading:
    """An answer whose body is read bit by bit. `kind` is its `Content-Type`, `etag` and
    `modified` (Last-Modified) say which version it is, if it does."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._content = response.content
        self.status = response.status
        self.kind = response.headers.get("Content-Type", "")
        self.is_packed = "Content-Encoding" in response.headers
        self.etag = response.headers.get("ETag")
        self.modified = response.headers.get("Last-Modified")

    async def some(self, seconds: float) -> bytes:
        """What has come, at most some 128 kB; empty at the end. Raises `CallFailed`, also if
        nothing comes within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                return await self._content.readany()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise CallFailed(_trouble(error)) from error

    async def whole(self, seconds: float, most_bytes: int) -> bytes | None:
        """The body; None if it is longer than that. Raises `CallFailed`."""
        body = bytearray()
        ends_at = time.monotonic() + seconds
        while chunk := await self.some(max(0.0, ends_at - time.monotonic())):
            body += chunk
            if len(body) > most_bytes:
                return None
            if time.monotonic() > ends_at:
                raise CallFailed("timeout")
        return bytes(body)


class Outbound:
    """Calls out; use it as an asynchronous context manager.

    `allow_loopback` is for trying and for tests: this machine may be called, on any port,
    without TLS.
    `lookup` gives the addresses of a name, the system's resolver by default.
    """

    def __init__(
        self,
        *,
        ports: Sequence[int] = PORTS,
        allow_loopback: bool = False,
        lookup: Lookup | None = None,
        seconds: float = CALL_SECONDS,
        tls: Any = True,
    ) -> None:
        self._ports = tuple(ports)
        self._allow_loopback = allow_loopback
        self._lookup = lookup
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._resolver = _Resolver(self._is_allowed, self._lookup)
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            use_dns_cache=False,
            socket_factory=self._open_socket,
            keepalive_timeout=KEEP_SECONDS,
            ssl=self._tls,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session is not None
        await self._session.close()
        await self._resolver.close()  # aiohttp closes only those that it made

    def check(self, text: str, *, field: str = "address") -> URL:
        """The address that `text` spells, if it may be called as far as spelling tells.

        Raises `AddressRefused`. Names are not looked up: what they lead to may change.
        """
        try:
            if len(text) > MAX_ADDRESS_LENGTH or _FORBIDDEN_SIGN.search(text):
                raise ValueError
            url = URL(text)
            host, port = url.raw_host, url.port
            if len(str(url)) > MAX_ADDRESS_LENGTH:  # it grows by what must be written as %XX
                raise ValueError
        except (ValueError, IndexError):  # yarl stumbles over https://[::2]@
            raise _refused("This is not an address that can be called.", field) from None
        if url.scheme != "https" and not (self._allow_loopback and url.scheme == "http"):
            raise _refused("The address must begin with https://.", field)
        if "@" in re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]:
            raise _refused("Leave name and password out of the address.", field)
        if url.raw_fragment:
            raise _refused("Leave out # and what follows.", field)
        if port not in self._ports and not self._allow_loopback:
            possible = " or ".join(map(str, self._ports))
            raise _refused(f"The port must be {possible}.", field)
        self._check_host(host or "", field)
        return url

    def _check_host(self, host: str, field: str) -> None:
        if ":" in host or _ENDS_IN_NUMBER.search(host):
            try:
                address = ip_address(host)  # one spelling only: no octal, hex or short forms
            except ValueError:
                raise _refused("Write the number of the host in its usual form.", field) from None
            if not self._is_allowed(address):
                raise _refused("This address is not on the public internet.", field)
        elif not _NAME.fullmatch(host):
            raise _refused("The host must be a whole name, such as hooks.example.org.", field)

    async def post(
        self, url: URL, body: bytes, headers: Mapping[str, str], *, most_bytes: int = 0
    ) -> Answer:
        """Send `body` and return what came back, a redirect too; raises `CallFailed`.

        An answer's body of up to `most_bytes` is kept; a longer or broken one is not. Without, a
        little of it is read, so that the connection can be used again.
        """
        assert self._session is not None, "Outbound is not open"
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                kept = b""
                with suppress(aiohttp.ClientError, OSError, TimeoutError):
                    if most_bytes:
                        kept = await _whole(response, most_bytes)
                    else:
                        async with asyncio.timeout(BODY_SECONDS):
                            await response.content.read(BODY_BYTES)
                return Answer(response.status, response.headers.get("Retry-After"), kept)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise CallFailed(_trouble(error)) from error

    @asynccontextmanager
    async def get(
        self, url: URL, headers: Mapping[str, str], *, seconds: float
    ) -> AsyncIterator[Reading]:
        """Ask for `url`; its head must have come within `seconds`. Nobody is followed to another
        address. Raises `CallFailed`."""
        assert self._session is not None, "Outbound is not open"
        try:
            async with asyncio.timeout(seconds):
                response = await self._session.get(
                    url,
                    headers={"Accept-Encoding": "identity", **headers},
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None),
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise CallFailed(_trouble(error)) from error
        try:
            yield Reading(response)
        finally:
            response.close()  # not given back: its body may have no end

    def _is_allowed(self, address: Ip) -> bool:
        return is_public(address) or (self._allow_loopback and address.is_loopback)

    def _open_socket(self, found: tuple[Any, ...]) -> socket.socket:
        """The last gate: `found` is what is about to be connected to."""
        family, kind, protocol, _, (host, *_) = found
        if not self._is_allowed(ip_address(host)):
            raise _inside()
        return socket.socket(family, kind, protocol)


class _Resolver(AbstractResolver):
    """Looks a name up and passes on its addresses if all may be called: a name with one foot
    in here means no good."""

    def __init__(self, is_allowed: Callable[[Ip], bool], lookup: Lookup | None) -> None:
        self._is_allowed = is_allowed
        self._lookup = lookup or self._ask_system
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="outbound-lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = [ip_address(found) for found in await self._lookup(host)]
        if not addresses or not all(map(self._is_allowed, addresses)):
            raise _inside()
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def _ask_system(self, host: str) -> list[str]:
        found = await asyncio.get_running_loop().run_in_executor(
            # As bytes: Python's own encoding of names raises errors of another kind.
            self._threads,
            lambda: socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM),
        )
        return [str(address[0]) for *_, address in found]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _whole(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """The body; empty if it is longer than that. The time of the whole call bounds it too."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        body += chunk
        if len(body) > most_bytes:
            response.close()
            return b""
    return bytes(body)


def outbound_of(settings: Settings) -> Outbound:
    """What `settings` allow to call."""
    return Outbound(ports=settings.outbound_ports, allow_loopback=settings.outbound_loopback)


def _refused(detail: str, field: str) -> AddressRefused:
    return AddressRefused(detail, field=field)


def _inside() -> OSError:
    return OSError(errno.EACCES, "not an address of the public internet")


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls"
    if isinstance(error, aiohttp.ClientConnectorDNSError | aiohttp.InvalidURL):
        return "address"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno == errno.EACCES:
        return "address"
    return "timeout" if isinstance(error, TimeoutError) else "connection"
