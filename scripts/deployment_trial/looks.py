"""What is looked at while nothing is wrong: the stream, compression, what is closed, the log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from scripts.deployment_trial.load import STREAM, home_at, unverified
from scripts.deployment_trial.topology import Topology

SECRET = "secret-that-no-log-may-hold"
ARRIVES_SECONDS = 30.0


async def look_around(topology: Topology, key: str) -> dict[str, object]:
    """One figure or fact by name."""
    url = topology.url
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=unverified())) as client:
        await _put(client, topology.url_of(topology.replicas[0]), key, "look-0", None)
        delays = []
        async with _streaming(url) as (lines, protocol):
            for turn, replica in enumerate([*topology.replicas] * 3):
                began = time.monotonic()
                await _put(client, topology.url_of(replica), key, "look-0", 1 + turn)
                await _until(lines, f'"count":{1 + turn}')
                delays.append(time.monotonic() - began)
        packed = {"Accept-Encoding": "gzip"}
        async with client.get(f"{url}/", headers=packed) as page:
            page_encoding = page.headers.get("Content-Encoding", "")
        async with client.get(f"{url}/api/v1/vacancies", headers=packed) as search:
            search_encoding = search.headers.get("Content-Encoding", "")
        async with client.get(f"{url}{STREAM}", headers=packed) as stream:
            stream_encoding = stream.headers.get("Content-Encoding", "")
        async with client.get(f"{url}/api/v1/homes/look-0", headers=packed) as home:
            etag = home.headers["ETag"]
        match = {"Authorization": f"Bearer {key}", "If-Match": etag}
        report = {"vacancies": [{"care_form": "long_term", "count": 9}]}
        address = f"{url}/api/v1/homes/look-0/vacancies"
        async with client.put(address, json=report, headers={**match, **packed}) as answer:
            if_match = answer.status
        closed = [await _status(client, url + path) for path in ("/metrics", "/readyz")]
        for path in (
            f"/report/link/{SECRET}",
            f"/signin/{SECRET}",
            f"/anywhere/letter/{SECRET}",
            f"/alerts/{SECRET}/stop",
            f"/?place={SECRET}",
            f"/?list={SECRET}",
        ):
            await _status(client, url + path)
    return {
        "stream_protocol": protocol,
        "slowest_event_over_http2_seconds": round(max(delays), 3),
        "page_encoding": page_encoding,
        "search_encoding": search_encoding,
        "stream_encoding": stream_encoding,
        "if_match_status": if_match,
        "closed_statuses": closed,
    }


def secrets_in_log(topology: Topology) -> int:
    """Lines of the proxy's log that name a secret, or the whole address of somebody."""
    lines = topology.proxy_log.read_text().splitlines()
    requests = [line for line in lines if '"request"' in line]
    assert requests, "the proxy logs what is asked"
    return sum(SECRET in line or "127.0.0.1" in line.split('"request"')[1] for line in requests)


@asynccontextmanager
async def _streaming(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, str]]:
    """The stream as browsers ask for it, and the protocol in which it is answered."""
    latitude, longitude = home_at(39)
    curl = await asyncio.create_subprocess_exec(
        "curl",
        "--silent",
        "--show-error",
        "--insecure",
        "--no-buffer",
        "--http2",
        "--include",
        "--header",
        "Accept-Encoding: gzip, br, zstd",
        f"{url}{STREAM}?near={latitude},{longitude}&radius_km=25",
        stdout=asyncio.subprocess.PIPE,
    )
    assert curl.stdout is not None
    try:
        async with asyncio.timeout(ARRIVES_SECONDS):
            first = (await curl.stdout.readline()).decode().split()[0]
        await _until(curl.stdout, "event: ready")
        yield curl.stdout, first
    finally:
        curl.terminate()
        await curl.wait()


async def _until(lines: asyncio.StreamReader, text: str) -> None:
    async with asyncio.timeout(ARRIVES_SECONDS):
        while True:
            line = await lines.readline()
            if not line:
                raise RuntimeError(f"the stream has ended before {text}")
            if text in line.decode(errors="replace"):
                return


async def _put(
    client: aiohttp.ClientSession, url: str, key: str, home: str, count: int | None
) -> None:
    latitude, longitude = home_at(39)
    body: dict[str, object] = {
        "name": "Haus",
        "coordinates": {"latitude": latitude, "longitude": longitude},
    }
    path = f"/api/v1/homes/{home}"
    if count is not None:
        body = {"vacancies": [{"care_form": "long_term", "count": count}]}
        path += "/vacancies"
    headers = {"Authorization": f"Bearer {key}"}
    async with client.put(url + path, json=body, headers=headers) as answer:
        answer.raise_for_status()


async def _status(client: aiohttp.ClientSession, address: str) -> int:
    async with client.get(address) as answer:
        return answer.status
