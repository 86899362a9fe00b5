"""Reading the program's objects: bounded, whatever they hold."""

from __future__ import annotations

import tracemalloc
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

import pytest

from app.recording.reach import around

COUNT = 200_000


class Own(list[object]):
    """As a program may derive its own."""


@pytest.mark.parametrize(
    "make", [list, tuple, set, deque, dict.fromkeys, OrderedDict.fromkeys, Own]
)
def test_of_a_huge_container_not_all_is_touched(make: Callable[[Any], Any]) -> None:
    huge = make(range(COUNT, 2 * COUNT))
    tracemalloc.start()
    found = list(around([[huge]], 400))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert huge in found
    assert peak < 100_000  # A list of all of them takes 1.6 MB.


@pytest.mark.parametrize("box", [list, tuple, set, deque, Own])
def test_what_containers_hold_is_reached(box: Callable[[Any], Any]) -> None:
    kept = (object(),)
    assert kept in around([box([kept])], 400)
    assert kept in around([{1: box([kept])}], 400)


@pytest.mark.parametrize("box", [list, tuple, deque, Own])
def test_the_first_of_many_is_reached(box: Callable[[Any], Any]) -> None:
    kept = (object(),)
    assert kept in around([box([kept, *range(COUNT)])], 400)
