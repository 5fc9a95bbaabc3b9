"""A crowd that asks for searches as fast as it is answered: `python -m scripts.overload_crowd`.

A process of its own, so that it takes nothing from whoever measures. Each connection comes from a
network of its own, as a proxy would say it. It ends with its standard input, and prints how many
answers of each status there were, and the times of those that were served (seconds).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter


async def ask(host: str, port: int, number: int, found: Counter[int], times: list[float]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    address = f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"
    request = (
        "GET /api/v1/vacancies?near=51.9,8.38&radius_km=25 HTTP/1.1\r\nHost: x\r\n"
        f"X-Forwarded-For: {address}\r\n\r\n"
    ).encode()
    while True:
        began = time.monotonic()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        status = int(head.split(b" ")[1])
        found[status] += 1
        if status == 200:
            times.append(time.monotonic() - began)
        else:  # as impatient as may be, yet no busy loop
            await asyncio.sleep(0.01)


async def main(address: str, connections: int) -> None:
    host, _, port = address.rpartition(":")
    found: Counter[int] = Counter()
    times: list[float] = []
    asking = [
        asyncio.create_task(ask(host, int(port), number, found, times))
        for number in range(connections)
    ]
    await asyncio.to_thread(sys.stdin.read)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    print(json.dumps({"found": found, "times": times}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
