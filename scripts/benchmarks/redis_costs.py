"""What Redis spends on a message, and we on reading it."""

from __future__ import annotations

import asyncio
import time
from statistics import median

import redis.asyncio

MESSAGES = 2_000
SUBSCRIBERS = 8
CHANNEL = "bench"


async def ring(client: redis.asyncio.Redis, message: bytes) -> tuple[float, float, float, float]:
    """Redis: (its time a publish, and for each subscriber; ours to read a message; the way)."""

    async def seconds(subscribers: int) -> tuple[float, float]:
        listening = [client.pubsub() for _ in range(subscribers)]
        for one in listening:
            await one.subscribe(CHANNEL)
            await one.get_message(timeout=5)
        reading = [asyncio.create_task(_read(one, MESSAGES)) for one in listening]
        theirs, ours = await _redis_seconds(client), time.process_time()
        for _ in range(MESSAGES // 50):
            async with client.pipeline(transaction=False) as pipe:
                for _ in range(50):
                    pipe.publish(CHANNEL, message)
                await pipe.execute()
        await asyncio.gather(*reading)
        found = await _redis_seconds(client) - theirs, time.process_time() - ours
        for one in listening:
            await one.aclose()  # type: ignore[no-untyped-call]
        return found

    (one, ours), (many, ours_many) = await seconds(1), await seconds(1 + SUBSCRIBERS)
    subscriber = max(0.0, many - one) / SUBSCRIBERS / MESSAGES
    read = max(0.0, ours_many - ours) / SUBSCRIBERS / MESSAGES
    return max(0.0, one / MESSAGES - subscriber), subscriber, read, await _hop(client, message)


async def _read(pubsub: redis.asyncio.client.PubSub, messages: int) -> None:
    while messages:
        messages -= await pubsub.get_message(timeout=5) is not None


async def _hop(client: redis.asyncio.Redis, message: bytes) -> float:
    took = []
    async with client.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        await pubsub.get_message(timeout=5)
        for _ in range(100):
            began = time.perf_counter()
            await client.publish(CHANNEL, message)
            await _read(pubsub, 1)
            took.append(time.perf_counter() - began)
    return median(took)


async def _redis_seconds(client: redis.asyncio.Redis) -> float:
    info = await client.info("cpu")
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])
