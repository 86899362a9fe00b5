"""Work that goes on bit by bit, so that whoever does it can do something else in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import TypeVar

_SLICE_S = 0.008
T = TypeVar("T")
Work = Generator[float, None, T]
"""Yields every few microseconds how much of the work is done, from 0 to 1; returns its result."""


def finish(work: Work[T]) -> T:
    """Do all of *work* at once and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


async def alongside(work: Work[T]) -> T:
    """Do *work* beside what else the loop does and return its result."""
    while True:
        until = time.perf_counter() + _SLICE_S
        try:
            next(work)
            while time.perf_counter() < until:
                next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        await asyncio.sleep(0)


def part(work: Work[T], begin: float, end: float) -> Work[T]:
    """Do *work* as a part of another: all of it is the share from *begin* to *end* of that."""
    while True:
        try:
            share = next(work)
        except StopIteration as over:
            result: T = over.value
            return result
        yield begin + share * (end - begin)
