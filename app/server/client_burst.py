"""Many requests at once: at most so many under way, and at most so many a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from .client_messages import ClientResponse, InvalidRequest

KEPT_BODIES = 64 << 20
"""Bytes of bodies that one burst keeps; the bodies after that are read but not kept."""


def check_burst(count: int, concurrency: int, rate: float | None) -> None:
    """Raise InvalidRequest, naming the field, for a burst that cannot be."""
    for name, number in (("count", count), ("concurrency", concurrency), ("rate", rate)):
        if number is not None and not number > 0:
            raise InvalidRequest(name, f"{name} must be above 0")


async def burst(
    fetch: Callable[[], Awaitable[ClientResponse]],
    count: int,
    concurrency: int,
    heard: Callable[[int, ClientResponse], None],
    rate: float | None,
) -> list[ClientResponse]:
    """Call *fetch* *count* times; return the responses in the order in which they were asked for.

    *heard* is told how many are done, and the latest. Cancelling ends all.
    """
    responses: dict[int, ClientResponse] = {}
    numbers = iter(range(count))
    started = time.monotonic()
    kept = 0

    async def work() -> None:
        nonlocal kept
        for number in numbers:
            if rate is not None:
                await asyncio.sleep(started + number / rate - time.monotonic())
            response = await fetch()
            kept += len(response.body)
            if kept > KEPT_BODIES:
                response.body, response.truncated = b"", True
            responses[number] = response
            heard(len(responses), response)

    workers = [asyncio.create_task(work()) for _ in range(min(count, concurrency))]
    try:
        await asyncio.gather(*workers)
    except BaseException:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        raise
    return [responses[number] for number in range(count)]
