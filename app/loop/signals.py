"""Signals while Qt turns the loop: handled at once, and raised only where nothing is lost by it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import qasync

_SelectorLoop = asyncio.SelectorEventLoop


class Signals(qasync.QSelectorEventLoop):  # type: ignore[misc]
    """What `TickLoop` does about signals; a part of it."""

    __slots__ = ()
    _csock: socket.socket
    _contained: bool
    _depth: int
    _escaped: BaseException | None
    _pump: Any
    _released: Callable[[], None] | None
    _signal_handlers: dict[int, Any]
    _ssock: socket.socket
    _unwatch_signals: Callable[[], None] | None

    def _watch_signals(self) -> None:
        """Let Python's signal handlers run at once, and none of them raise where Qt calls us."""
        try:
            # Handlers run between bytecodes, and Qt's poll runs none: a signal must make the
            # selector readable, so that `_pump` runs.
            previous_fd = signal.set_wakeup_fd(self._csock.fileno(), warn_on_full_buffer=False)
        except ValueError:  # Signals are the main thread's.
            return
        handler = signal.getsignal(signal.SIGINT)

        def guarded(number: int, frame: FrameType | None) -> None:
            # Outside of a turn, and so in the very first moment of `_pump`, the caller is Qt: it
            # would print what is raised, and go on. Whoever insists may still stop a slot.
            try:
                handler(number, frame)  # type: ignore[operator,misc]
            except BaseException as exc:
                turning = self._depth and frame and frame.f_code is not self._pump.__func__.__code__
                if turning or self._escaped is not None:
                    raise
                self._escaped = exc  # type: ignore[misc]

        discard = sys.unraisablehook

        def kept(unraisable: sys.UnraisableHookArgs) -> None:
            # It came while a __del__ or the callback of a weak reference ran: these lose it.
            error = unraisable.exc_value
            if isinstance(error, KeyboardInterrupt) and not self._contained:
                self._escaped = error  # type: ignore[misc]
            else:
                discard(unraisable)

        def unwatch() -> None:
            if sys.unraisablehook is kept:
                sys.unraisablehook = discard
            if signal.getsignal(signal.SIGINT) is guarded:
                signal.signal(signal.SIGINT, handler)
            if not self._signal_handlers:
                signal.set_wakeup_fd(previous_fd)

        if callable(handler) and self._released is None:
            with contextlib.suppress(ValueError):
                signal.signal(signal.SIGINT, guarded)
                sys.unraisablehook = kept
        self._unwatch_signals = unwatch  # type: ignore[misc]

    def remove_signal_handler(self, sig: int) -> bool:
        """Remove a signal's handler; see asyncio, which then no longer wakes up for signals."""
        if self._unwatch_signals is None:
            return bool(_SelectorLoop.remove_signal_handler(self, sig))
        self._unwatch_signals()
        try:
            return bool(_SelectorLoop.remove_signal_handler(self, sig))
        finally:
            self._watch_signals()

    def forget_signal(self, number: int) -> None:
        """Take back the wake-up that a signal has caused, which has been handled by now."""
        with contextlib.suppress(OSError):
            received = self._ssock.recv(4096)
            others = received.replace(bytes([number]), b"")
            if others:
                self._csock.send(others)
