"""Work that goes on bit by bit, so that whoever does it can do something else in between."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

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


def part(work: Work[T], begin: float, end: float) -> Work[T]:
    """Do *work* as a part of another: all of it is the share from *begin* to *end* of that."""
    while True:
        try:
            share = next(work)
        except StopIteration as over:
            result: T = over.value
            return result
        yield begin + share * (end - begin)
