"""The selectors of `TickLoop`: a quick one for Linux, and one for where none can be watched."""

from __future__ import annotations

import selectors
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSocketNotifier

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


def default_selector() -> selectors.BaseSelector:
    """Return the best selector of this system."""
    if hasattr(selectors, "EpollSelector"):
        return EpollSelector()
    return selectors.DefaultSelector()


def finder(selector: selectors.BaseSelector) -> Callable[[Any], selectors.SelectorKey | None]:
    """Return a function that gives the key of a file object, or None when it has none."""
    if isinstance(selector, EpollSelector):
        return selector.find

    def find(fileobj: Any) -> selectors.SelectorKey | None:
        try:
            return selector.get_key(fileobj)
        except KeyError:
            return None

    return find


if hasattr(selectors, "EpollSelector"):

    class EpollSelector(selectors.EpollSelector):
        """The standard one, with fewer calls on the way for plain descriptors.

        Tornado removes and adds a connection's reader for each request.
        """

        _fd_to_key: dict[int, selectors.SelectorKey]
        _selector: Any

        def find(self, fileobj: Any) -> selectors.SelectorKey | None:
            """Return the key of a registered file object, or None."""
            if fileobj.__class__ is int:
                return self._fd_to_key.get(fileobj)
            try:
                return self.get_key(fileobj)
            except KeyError:
                return None

        def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
            if fileobj.__class__ is not int or fileobj in self._fd_to_key or fileobj < 0:
                return super().register(fileobj, events, data)
            self._selector.register(fileobj, (events & _READ) | (events & _WRITE) << 1)
            key = selectors.SelectorKey(fileobj, fileobj, events, data)
            self._fd_to_key[fileobj] = key
            return key

        def unregister(self, fileobj: Any) -> selectors.SelectorKey:
            key = self._fd_to_key.pop(fileobj, None) if fileobj.__class__ is int else None
            if key is None:
                return super().unregister(fileobj)
            try:
                self._selector.unregister(fileobj)
            except OSError:  # Closed already: the kernel has forgotten it.
                return key
            return key


class NotifierSelector(selectors.BaseSelector):
    """A selector without a descriptor to watch: a Qt notifier stands by each of its own.

    The notifiers only wake the loop, as in qasync; what is ready is still asked of *selector*.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._wake: Callable[[], None] | None = None
        self._notifiers: dict[tuple[int, int], QSocketNotifier] = {}

    def attach(self, wake: Callable[[], None] | None) -> None:
        """Call *wake* from now on, in this thread, when a descriptor is ready; None to end it."""
        self._wake = wake
        for key in self._selector.get_map().values():
            self._watch(key.fd, key.events)

    def _watch(self, fd: int, wanted: int) -> None:
        kinds = ((_READ, QSocketNotifier.Type.Read), (_WRITE, QSocketNotifier.Type.Write))
        for mask, kind in kinds:
            if not (wanted & mask and self._wake):
                notifier = self._notifiers.pop((fd, mask), None)
                if notifier is not None:
                    notifier.setEnabled(False)
            elif (fd, mask) not in self._notifiers:
                notifier = self._notifiers[fd, mask] = QSocketNotifier(fd, kind)
                notifier.activated.connect(self._wake)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._selector.register(fileobj, events, data)
        self._watch(key.fd, events)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = self._selector.unregister(fileobj)
        self._watch(key.fd, 0)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._selector.modify(fileobj, events, data)
        self._watch(key.fd, events)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return self._selector.select(timeout)

    def get_map(self) -> Any:
        return self._selector.get_map()

    def close(self) -> None:
        self._selector.close()
