"""Garbage is collected whole only while the server rests."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app import collector
from app.collector import Collector


class Node:
    """Something that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collecting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setattr(collector, "REST_MS", 50)
    usual = gc.get_threshold()
    made = Collector()
    made.begin()
    yield made
    made.end()
    assert gc.get_threshold() == usual
    gc.unfreeze()


def old_garbage() -> weakref.ref[Node]:
    """Return a reference to garbage that only a full collection finds."""
    node = Node()
    found = weakref.ref(node)
    gc.collect(1)
    del node
    return found


def test_all_garbage_goes_once_the_server_rests(collecting: Collector, qtbot: QtBot) -> None:
    found = old_garbage()
    collecting.busy()
    assert found() is not None
    qtbot.waitUntil(lambda: found() is None)


def test_all_garbage_goes_at_the_end(collecting: Collector) -> None:
    found = old_garbage()
    collecting.end()
    assert found() is None
