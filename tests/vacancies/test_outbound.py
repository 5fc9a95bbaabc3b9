"""Calls to addresses of others: what is refused, and what a socket is really connected to."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from tests.receiver import receiver
from vacancies.internet import is_public
from vacancies.outbound import AddressRefused, CallFailed, Outbound

# Ways to write an address that leads inside, or may be read in two ways.
REFUSED = (
    *("https://127.0.0.1/", "https://127.1/", "https://127.0.1/", "https://2130706433/"),
    *("https://0177.0.0.1/", "https://0x7f.1/", "https://0x7f000001/", "https://0X7F.0.0.1/"),
    *("https://127.0.0.1./", "https://127.0.0.1../", "https://0/", "https://0.0.0.0/"),
    *("https://127.000.000.001/", "https://00000177.1/", "https://1.2.3/", "https://8.8.2056/"),
    *("https://１２７.０.０.１/", "https://127。0。0。1/", "https://①②⑦.0.0.1/"),
    *("https://%31%32%37.0.0.1/", "https://127.0.0.1%2f@example.org/"),
    *("https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/"),
    *("https://192.168.1.1/", "https://100.64.0.1/", "https://100.127.255.254/"),
    *("https://169.254.169.254/latest/meta-data/", "https://0xa9fea9fe/", "https://2852039166/"),
    *("https://100.100.100.200/", "https://168.63.129.16/", "https://192.0.0.192/"),
    *("https://198.18.0.1/", "https://224.0.0.1/", "https://239.255.255.250/"),
    *("https://240.0.0.1/", "https://255.255.255.255/", "https://192.88.99.1/"),
    *("https://192.0.2.1/", "https://198.51.100.1/", "https://203.0.113.1/"),
    *(
        "https://[::2]@",
        "https://[::1]/",
        "https://[::]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[fe80::1]/",
    ),
    *("https://[fe80::1%25eth0]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/"),
    *("https://[ff02::1]/", "https://[fec0::1]/", "https://[2001:db8::1]/"),
    *("https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::ffff:0:127.0.0.1]/"),
    *("https://[::127.0.0.1]/", "https://[::8.8.8.8]/", "https://[::ffff:8.8.8.8]/"),
    *("https://[2002:7f00:1::]/", "https://[2002:a9fe:a9fe::1]/", "https://[2001:0:1::1]/"),
    *("https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::a9fe:a9fe]/", "https://[100::1]/"),
    *("https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://intranet/"),
    *("https://hooks.example.org./", "https://ⓛocalhost/"),
    *("http://hooks.example.org/", "ftp://hooks.example.org/", "file:///etc/passwd"),
    *("//hooks.example.org/", "hooks.example.org", "", "https://", "https:///x", "gopher://a.b/"),
    *("https://user@hooks.example.org/", "https://user:pw@hooks.example.org/"),
    *("https://@hooks.example.org/", "https://hooks.example.org@127.0.0.1/"),
    *("https://127.0.0.1\\@hooks.example.org/", "https://hooks.example.org\\@127.0.0.1/"),
    *("https://hooks.example.org/ x", "https://hooks.example.org/\r\nX: y", "https://a.b\t/"),
    *("https://hooks.example.org:80/", "https://hooks.example.org:22/", "https://a.b:0/"),
    *("https://hooks.example.org:6379/", "https://hooks.example.org:99999/", "https://a.b:x/"),
    *("https://hooks.example.org/#part", "https://[::1", "https://[hooks.example.org]/"),
    *("https://a..example.org/", "https://.example.org/", "https://ex%20ample.org/"),
    *("https://-a.example.org/", "https://a-.example.org/", "https://*.example.org/"),
    "https://" + "a" * 64 + ".example.org/",  # of what is too long resolvers raise errors
    "https://" + ".".join(["a" * 60] * 5) + "/",
    "https://" + "a" * 2000 + ".example.org/",
    "https://hooks.example.org/" + "ü" * 1000,  # as it is stored it is too long to be called
)
TAKEN = (
    ("https://hooks.example.org/a?token=b", "hooks.example.org"),
    ("https://hooks.example.org:8443/", "hooks.example.org"),
    ("HTTPS://Hooks.Example.org", "hooks.example.org"),
    ("https://träger.example/", "xn--trger-hra.example"),
    ("https://8.8.8.8/", "8.8.8.8"),
    ("https://[2606:4700::1111]/", "2606:4700::1111"),
    ("https://1und1.example/", "1und1.example"),
    ("https://0x7f.example/", "0x7f.example"),
    ("https://my_hooks.example/", "my_hooks.example"),
    ("https://" + "a" * 63 + ".example/", "a" * 63 + ".example"),
)
INSIDE = (
    *("127.0.0.1", "10.1.2.3", "172.20.0.1", "192.168.0.1", "169.254.169.254", "100.100.100.200"),
    *("0.0.0.0", "255.255.255.255", "224.0.0.251", "168.63.129.16", "192.0.0.192"),
    *("::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"),
    *("::127.0.0.1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b::a00:1"),
    *("fe80::1%eth0", "2606:4700::1111%eth0"),
)


@pytest.mark.parametrize("text", REFUSED)
def test_addresses_that_lead_inside_are_refused(text: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        Outbound().check(text)
    assert refused.value.field == "address"


@pytest.mark.parametrize(("text", "host"), TAKEN)
def test_addresses_of_the_internet_are_taken(text: str, host: str) -> None:
    assert Outbound().check(text).raw_host == host


def test_other_ports_are_a_choice() -> None:
    outbound = Outbound(ports=(444,))
    assert outbound.check("https://hooks.example.org:444/").port == 444
    with pytest.raises(AddressRefused, match="444"):
        outbound.check("https://hooks.example.org/")


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(address: object) -> None:
    """Another table of the same registries, as old as this Python."""
    found = ip_address(str(address))
    if found.is_private or found.is_loopback or found.is_multicast or found.is_reserved:
        assert not is_public(found)


@pytest.mark.parametrize("inside", INSIDE)
async def test_a_name_that_leads_inside_is_not_called(inside: str) -> None:
    async def lookup(host: str) -> list[str]:
        return ["8.8.8.8", inside]  # one foot in here is enough

    async with Outbound(lookup=lookup) as outbound:
        url = outbound.check("https://hooks.example.org/")
        with pytest.raises(CallFailed) as failed:
            await outbound.post(url, b"{}", {})
    assert failed.value.trouble == "address"


async def test_the_systems_resolver_is_asked_and_its_answer_checked() -> None:
    async with Outbound() as outbound:
        for host in ("localhost", "name.invalid", "a..b", "a" * 64 + ".example"):
            with pytest.raises(CallFailed) as failed:
                await outbound.post(URL(f"https://{host}/"), b"", {})
            assert failed.value.trouble == "address"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_the_last_gate_stands_where_sockets_are_made(host: str) -> None:
    """Even an address that nobody checked: numbers are not looked up, so no resolver sees
    them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = URL(f"http://{host}:{listener.getsockname()[1]}/")
        async with Outbound() as outbound:
            with pytest.raises(CallFailed) as failed:
                await outbound.post(url, b"", {})
        assert failed.value.trouble == "address"
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


class Rebinding:
    """A name server that gives another answer each time."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked += 1
        return self._answers.pop(0)


async def ok(request: web.BaseRequest) -> web.Response:
    return web.Response(text="fine")


async def test_a_name_that_rebinds_is_looked_up_once_for_a_connection() -> None:
    """What was checked is what is connected to: the answer after that is never asked for."""
    lookup = Rebinding(["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1"])
    async with receiver(ok) as (port, asked):
        async with Outbound(allow_loopback=True, lookup=lookup) as outbound:
            url = outbound.check(f"http://hooks.example.org:{port}/x")
            answer = await outbound.post(url, b"{}", {"X-A": "b"})
            assert (answer.status, lookup.asked, len(asked)) == (200, 1, 1)
            assert asked[0].headers["Host"] == f"hooks.example.org:{port}"
        async with Outbound(allow_loopback=True, lookup=lookup) as outbound:
            with pytest.raises(CallFailed) as failed:
                await outbound.post(url, b"{}", {})
            assert failed.value.trouble == "address"
    assert (lookup.asked, len(asked)) == (2, 1)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of hooks.example.org, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl on this machine")
    path = tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=hooks.example.org"
    names = ["-addext", "subjectAltName=DNS:hooks.example.org"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(path)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return path


async def test_tls_is_for_the_name_though_the_address_is_pinned(certificate: Path) -> None:
    asked_for: list[str | None] = []
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server.sni_callback = lambda connection, name, context: asked_for.append(name)
    trusted = ssl.create_default_context(cafile=certificate)

    async def lookup(host: str) -> list[str]:
        return ["127.0.0.1"]

    async with receiver(ok, server) as (port, _):
        async with Outbound(allow_loopback=True, lookup=lookup, tls=trusted) as outbound:
            good = outbound.check(f"https://hooks.example.org:{port}/")
            assert (await outbound.post(good, b"{}", {})).status == 200
            other = outbound.check(f"https://other.example.org:{port}/")
            with pytest.raises(CallFailed) as failed:
                await outbound.post(other, b"{}", {})
            assert failed.value.trouble == "tls"
        async with Outbound(allow_loopback=True, lookup=lookup) as outbound:
            with pytest.raises(CallFailed) as failed:
                await outbound.post(good, b"{}", {})
            assert failed.value.trouble == "tls"
    assert asked_for == ["hooks.example.org", "other.example.org", "hooks.example.org"]


async def test_redirects_are_answers() -> None:
    async def moved(request: web.BaseRequest) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere", "Retry-After": "7"})

    async with receiver(moved) as (port, asked), Outbound(allow_loopback=True) as outbound:
        answer = await outbound.post(outbound.check(f"http://127.0.0.1:{port}/"), b"", {})
    assert (answer.status, answer.retry_after) == (307, "7")
    assert [request.path for request in asked] == ["/"]


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with receiver(ok) as (port, _), Outbound(allow_loopback=True) as outbound:
        answer = await outbound.post(outbound.check(f"http://127.0.0.1:{port}/"), b"", {})
    assert answer.status == 200


async def test_an_endless_answer_is_not_read() -> None:
    sent = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)
            sent += 65536

    async with receiver(endless) as (port, _), Outbound(allow_loopback=True) as outbound:
        answer = await outbound.post(outbound.check(f"http://127.0.0.1:{port}/"), b"", {})
    assert answer.status == 200
    assert sent < 32 * 1024 * 1024  # what the buffers of two sockets hold, and no more


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 9999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: \xff=;;=\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 \xff\r\nContent-Type: ;;/;charset=\xff\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switch\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n\0\0",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_whatever_a_server_says_is_an_answer_or_a_failed_call(said: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(OSError):
            writer.write(said)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server, Outbound(allow_loopback=True, seconds=5.0) as outbound:
        port = server.sockets[0].getsockname()[1]
        with suppress(CallFailed):  # and no other error
            answer = await outbound.post(outbound.check(f"http://127.0.0.1:{port}/"), b"{}", {})
            assert 100 <= answer.status < 1000


async def test_a_server_that_does_not_answer() -> None:
    async def hang(request: web.BaseRequest) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def drop(request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    for handler, trouble in ((hang, "timeout"), (drop, "connection")):
        async with (
            receiver(handler) as (port, _),
            Outbound(allow_loopback=True, seconds=0.3) as outbound,
        ):
            with pytest.raises(CallFailed) as failed:
                await outbound.post(outbound.check(f"http://127.0.0.1:{port}/"), b"", {})
            assert failed.value.trouble == trouble
