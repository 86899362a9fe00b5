"""Descriptors in the loop's selector: who is called when one can be read or written."""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Callable
from typing import Any

import qasync

from app.loop.handles import SocketHandle
from app.recording.recorder import CONNECTION, Recorder

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Descriptors(qasync.QSelectorEventLoop):  # type: ignore[misc]
    """What `TickLoop` does about descriptors; a part of it.

    A key in the selector holds a list: its reader, its writer, and the socket's role when both
    went. A connection, of which the end is announced, stays registered then: Tornado removes and
    adds its reader for each request, and each time would be a system call.
    """

    __slots__ = ()
    _check_closed: Callable[[], None]
    _closed: bool
    _ensure_fd_no_transport: Callable[[Any], None]
    _find_key: Callable[[Any], selectors.SelectorKey | None]
    _ready: deque[Any]
    _selector: Any
    _transports: Any
    recorder: Recorder

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
        """Call *callback* when *fd* can be read; see `asyncio.loop.add_reader`."""
        if self._transports:
            self._ensure_fd_no_transport(fd)
        self._watch(fd, _READ, callback, args)

    def remove_reader(self, fd: Any) -> bool:
        """Return whether *fd* had a reader, which is gone; see asyncio."""
        if self._transports:
            self._ensure_fd_no_transport(fd)
        return self._unwatch(fd, _READ)

    def add_writer(self, fd: Any, callback: Any, *args: Any) -> None:
        """Call *callback* when *fd* can be written; see `asyncio.loop.add_writer`."""
        if self._transports:
            self._ensure_fd_no_transport(fd)
        self._watch(fd, _WRITE, callback, args)

    def remove_writer(self, fd: Any) -> bool:
        """Return whether *fd* had a writer, which is gone; see asyncio."""
        if self._transports:
            self._ensure_fd_no_transport(fd)
        return self._unwatch(fd, _WRITE)

    # What asyncio's transports call.

    def _add_reader(self, fd: Any, callback: Any, *args: Any) -> asyncio.Handle:
        return self._watch(fd, _READ, callback, args)

    def _add_writer(self, fd: Any, callback: Any, *args: Any) -> asyncio.Handle:
        return self._watch(fd, _WRITE, callback, args)

    def _remove_reader(self, fd: Any) -> bool:
        return self._unwatch(fd, _READ)

    def _remove_writer(self, fd: Any) -> bool:
        return self._unwatch(fd, _WRITE)

    def _watch(self, fd: Any, event: int, callback: Any, args: Any) -> asyncio.Handle:
        if self._closed:
            self._check_closed()
        number = fd if fd.__class__ is int else qasync._fileno(fd)
        loop: Any = self
        handle = SocketHandle(callback, args, loop, number, "read" if event == _READ else "write")
        key = self._find_key(fd)
        side = 0 if event == _READ else 1
        if key is not None and _is_mute(key.data):
            if event == key.events and key.data[2] is self.recorder.sockets.get(number):
                key.data[side] = handle
                return handle
            self._selector.unregister(fd)  # Its number may be another socket's by now.
            key = None
        if key is None:
            data: list[Any] = [None, None, None]
            data[side] = handle
            self._selector.register(fd, event, data)
            return handle
        replaced = key.data[side]
        key.data[side] = handle
        self._selector.modify(fd, key.events | event, key.data)
        if replaced is not None:
            replaced.cancel()
        return handle

    def _unwatch(self, fd: Any, event: int) -> bool:
        key = None if self._closed else self._find_key(fd)
        if key is None:
            return False
        data = key.data
        side = 0 if event == _READ else 1
        handle = data[side]
        if handle is None:
            return False
        data[side] = None
        if data[1 - side] is not None:
            self._selector.modify(fd, key.events & ~event, data)
        else:
            data[2] = role = self.recorder.sockets.get(handle.descriptor, "")
            if key.events != _READ or not role.startswith(CONNECTION):
                self._selector.unregister(fd)
        handle.cancel()
        return True

    def _forget_closed(self) -> None:
        """Take from the selector what was left in it until its socket was closed."""
        for descriptor in self.recorder.closed:
            key = self._find_key(descriptor)
            if key is not None and _is_mute(key.data):
                self._selector.unregister(descriptor)
        self.recorder.closed.clear()

    def _process_events(self, event_list: Any, now_ns: int) -> None:
        ready = self._ready
        for key, mask in event_list:
            reader, writer, _ = key.data
            if reader is None and writer is None:
                self._selector.unregister(key.fileobj)
                continue
            if mask & _READ and reader is not None:
                if reader._cancelled:
                    self._remove_reader(key.fileobj)
                else:
                    reader.scheduled_ns = now_ns
                    ready.append(reader)
            if mask & _WRITE and writer is not None:
                if writer._cancelled:
                    self._remove_writer(key.fileobj)
                else:
                    writer.scheduled_ns = now_ns
                    ready.append(writer)


def _is_mute(data: list[Any]) -> bool:
    """Return whether nothing is to be called for a registered descriptor."""
    return data[0] is None and data[1] is None
