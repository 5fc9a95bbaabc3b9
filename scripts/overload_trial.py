"""Tries docs/overload.md out: more searches, sockets, bodies and viewers than one process takes.

During each attack somebody else reports, searches and looks whether the service lives, one after
the other: how many of these were served is the first figure. Memory is the resident memory of the
web process, at its highest during the attack, less what it was before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import socket
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field

import aiohttp

from scripts.benchmarks.process import resident_bytes
from scripts.benchmarks.program import Server, command, data_folder, serving

BODY = {"vacancies": [{"care_form": "long_term", "count": 1}]}
HOME = {"name": "Haus Overload", "coordinates": {"latitude": 51.9, "longitude": 8.38}}


@dataclass
class Row:
    """What became of an attack, and of the others meanwhile."""

    attack: str
    others_served: int = 0
    others_refused: int = 0
    reports_served: int = 0
    reports_refused: int = 0
    report_ms: float = 0.0  # median
    memory_mb: float = 0.0
    seen: dict[str, float | int | str] = field(default_factory=dict)


class Trial:
    def __init__(self, server: Server, key: str, show: Callable[[Row], None]) -> None:
        self.server = server
        self.headers = {"Authorization": f"Bearer {key}"}
        self.rows: list[Row] = []
        self.show = show

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.server.address.rpartition(":")
        return host, int(port)

    @asynccontextmanager
    async def attack(self, name: str) -> AsyncIterator[Row]:
        """What happens inside is the attack; the others go on until it is over."""
        print(f"{name} …", file=sys.stderr)
        row = Row(name)
        before = resident_bytes(self.server.pid)
        highest = [before]
        over = asyncio.Event()
        others = asyncio.create_task(self._others(row, over))
        looking = asyncio.create_task(self._look(highest, over))
        try:
            yield row
        finally:
            over.set()
            await asyncio.gather(others, looking)
        row.memory_mb = round((max(highest) - before) / 1e6, 1)
        self.rows.append(row)

    def saw(self, row: Row, **seen: float | int | str) -> None:
        """The attack is over, and this is what became of it."""
        row.seen = seen
        self.show(row)

    async def _look(self, highest: list[int], over: asyncio.Event) -> None:
        while not over.is_set():
            highest.append(resident_bytes(self.server.pid))
            await asyncio.sleep(0.1)

    async def _others(self, row: Row, over: asyncio.Event) -> None:
        times: list[float] = []
        async with aiohttp.ClientSession(headers=self.headers) as client:
            while not over.is_set():
                began = time.monotonic()
                status = await self._ask(client, "PUT", "/api/v1/homes/overload/vacancies", BODY)
                times.append(time.monotonic() - began)
                row.reports_served += status == 200
                row.reports_refused += status != 200
                for path in ("/healthz", "/api/v1/vacancies?limit=1"):
                    status = await self._ask(client, "GET", path)
                    row.others_served += status == 200
                    row.others_refused += status != 200
        row.report_ms = round(statistics.median(times) * 1000, 1)

    async def _ask(
        self, client: aiohttp.ClientSession, method: str, path: str, body: object = None
    ) -> int:
        try:
            async with client.request(method, self.server.url + path, json=body) as answer:
                await answer.read()
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def metric(self, name: str) -> int:
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"{self.server.url}/metrics") as answer,
        ):
            lines = (await answer.text()).splitlines()
        return int(float(next(line.split()[1] for line in lines if line.startswith(f"{name} "))))


def sockets(
    trial: Trial, count: int, sends: Callable[[int], bytes], buffer: int = 0
) -> list[socket.socket]:
    """So many connections that send something and nothing more, and never read."""
    opened = []
    for number in range(count):
        one = socket.socket()
        if buffer:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        one.settimeout(10)
        try:
            one.connect(trial.address)
            one.setblocking(False)
            one.send(sends(number))
        except OSError:
            pass  # it was refused, or ended already
        opened.append(one)
    return opened


def close(opened: list[socket.socket]) -> None:
    for one in opened:
        one.close()


def answers(opened: list[socket.socket]) -> dict[str, int]:
    """What each has been answered so far: a status, `ended`, or `open`."""
    found: Counter[str] = Counter()
    for one in opened:
        try:
            head = one.recv(16)
        except BlockingIOError:
            found["open"] += 1
        except OSError:
            found["ended"] += 1
        else:
            found[head.split(b" ")[1].decode() if head else "ended"] += 1
    return dict(sorted(found.items()))


async def flood(trial: Trial, connections: int, seconds: float) -> None:
    async with trial.attack(f"{connections} connections that search as fast as they can") as row:
        crowd = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "scripts.overload_crowd"),
            *(trial.server.address, str(connections)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await asyncio.sleep(seconds)
        out, _ = await crowd.communicate(b"")  # its input ends, and so does it
    said = json.loads(out)
    searches = Counter({int(status): count for status, count in said["found"].items()})
    search_ms = round(statistics.median(said["times"] or [0.0]) * 1000, 1)
    trial.saw(
        row,
        searches_served=searches[200],
        searches_refused=searches[503],
        share_of_searches_served=round(searches[200] / max(1, searches.total()), 3),
        share_of_reports_served=round(
            row.reports_served / (row.reports_served + row.reports_refused), 3
        ),
        search_ms=search_ms,
        search_to_report=round(search_ms / row.report_ms, 1),
    )


async def held(
    trial: Trial,
    name: str,
    count: int,
    sends: Callable[[int], bytes],
    seconds: float,
    buffer: int = 0,
) -> None:
    """Connections that are opened, and then held for so many seconds."""
    dropped = await trial.metric("freiplatz_dropped")
    async with trial.attack(f"{count} {name}") as row:
        opened = await asyncio.to_thread(sockets, trial, count, sends, buffer)
        await asyncio.sleep(seconds)
    gave_way = await trial.metric("freiplatz_dropped") - dropped
    trial.saw(row, gave_way=gave_way, **answers(opened))
    await asyncio.to_thread(close, opened)


def put(key: str, length: int, sent: int) -> Callable[[int], bytes]:
    head = (
        f"PUT /api/v1/homes/overload/vacancies HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    request = head.encode() + b" " * sent
    return lambda number: request


async def huge(trial: Trial, count: int, megabytes: int) -> None:
    async with trial.attack(f"{count} bodies of {megabytes} MB without a length") as row:
        found: Counter[str] = Counter()

        async def send() -> None:
            reader, writer = await asyncio.open_connection(*trial.address)
            head = put(trial.headers["Authorization"], 0, 0)(0)
            writer.write(head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
            try:
                for _ in range(megabytes * 16):
                    writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                    await writer.drain()
            except ConnectionError:
                pass  # it has its answer
            try:
                found[(await reader.read(16)).split(b" ")[1].decode()] += 1
            except (ConnectionError, IndexError):
                found["ended"] += 1
            writer.close()

        await asyncio.gather(*(send() for _ in range(count)))
    trial.saw(row, **found)


async def one_address(trial: Trial, count: int) -> None:
    async with trial.attack(f"{count} searches of one address") as row:
        found: Counter[str] = Counter()
        left = iter(range(count))

        async def ask(client: aiohttp.ClientSession) -> None:
            for _ in left:
                async with client.get(f"{trial.server.url}/api/v1/vacancies?limit=1") as answer:
                    await answer.read()
                    found[str(answer.status)] += 1

        forwarded = {"X-Forwarded-For": "203.0.113.9"}
        async with aiohttp.ClientSession(headers=forwarded) as client:
            await asyncio.gather(*(ask(client) for _ in range(50)))
    trial.saw(row, **found)


async def tried(options: argparse.Namespace) -> list[Row]:
    async with data_folder() as environ:
        # All of it comes from here with one key: what is tried is the process, not the limit.
        environ["FREIPLATZ_CALLS_PER_KEY"] = "1000000"
        await command(environ, "demo", "--homes", str(options.homes), "--seed", "1")
        await command(environ, "provider", "add", "Overload")
        key = await command(environ, "key", "create", "overload")
        async with serving(environ) as server:
            trial = Trial(server, key, _silent if options.json else _print)
            async with aiohttp.ClientSession(headers=trial.headers) as client:
                await trial._ask(client, "PUT", "/api/v1/homes/overload", HOME)
            async with trial.attack("nothing") as row:
                await asyncio.sleep(options.seconds)
            trial.saw(row)
            await flood(trial, options.searches, options.seconds)
            half = b"GET / HTTP/1.1\r\nHo"
            await held(trial, "half-open sockets", options.sockets, lambda n: half, 2)
            bearer = trial.headers["Authorization"]
            await held(trial, "slow bodies", options.bodies, put(bearer, 2_000_000, 60_000), 2)
            await huge(trial, 20, 50)
            pages = b"GET /api/v1/vacancies?limit=500 HTTP/1.1\r\nHost: x\r\n\r\n" * 50
            await held(trial, "who ask and do not read", options.deaf, lambda n: pages, 5, 4096)
            stream = b"GET /api/v1/vacancies/stream HTTP/1.1\r\nHost: x\r\n\r\n"
            await held(trial, "viewers who do not read", options.viewers, lambda n: stream, 5, 4096)
            await one_address(trial, 5_000)
            return trial.rows


def _silent(row: Row) -> None:
    pass


def _print(row: Row) -> None:
    seen = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in row.seen.items())
    print(
        f"| {row.attack} | {row.reports_served} | {row.reports_refused} | {row.report_ms} ms"
        f" | {row.others_served} | {row.others_refused} | +{row.memory_mb} MB | {seen} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/overload", description=__doc__)
    parser.add_argument("--homes", type=int, default=2_000)
    parser.add_argument("--searches", type=int, default=1_000, help="connections that search")
    parser.add_argument("--sockets", type=int, default=10_000, help="half-open ones")
    parser.add_argument("--bodies", type=int, default=3_000, help="slow ones")
    parser.add_argument("--deaf", type=int, default=300, help="who ask and do not read")
    parser.add_argument("--viewers", type=int, default=3_000, help="who do not read")
    parser.add_argument("--seconds", type=float, default=10.0, help="of the flood of searches")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rows = asyncio.run(tried(options))
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print(
        "| attack | reports served | refused | median | others served | refused | memory | seen |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    for row in rows:
        seen = "; ".join(f"{name}: {value}" for name, value in row.seen.items())
        print(
            f"| {row.attack} | {row.reports_served} | {row.reports_refused} | {row.report_ms} ms"
            f" | {row.others_served} | {row.others_refused} | +{row.memory_mb} MB | {seen} |"
        )


if __name__ == "__main__":
    main()
