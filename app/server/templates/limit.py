"""How much a template may write: counted where the output can grow, which costs next to nothing.

The output grows in loops, and by expressions of any size. So the end of each block looks when many
pieces have come together, and what turns an expression into bytes measures the large ones.
"""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from tornado.escape import utf8

from app.recording.blocks import Interrupted, InterruptedStep

MAX_OUTPUT: Final = 64 * 1024 * 1024
"""How many bytes of output a template may write; one more is an `OutputTooLarge`."""
_LARGE: Final = 16 * 1024
"""From which size on, in bytes, a piece is measured as it comes."""
_PIECES: Final = 512
"""After how many pieces the output is measured."""


class OutputTooLarge(Exception):
    """A template writes more than `MAX_OUTPUT`. Says the template and the line that did."""


HEAVY: Final = (OutputTooLarge, MemoryError, Interrupted, InterruptedStep)
"""What ends a template that may have made much until then."""


def let_go(error: BaseException | None) -> None:
    """Empty what a template has left in the frames through which *error*, one of HEAVY, came.

    An exception often refers to itself, and so keeps its frames until garbage is collected.
    """
    while isinstance(error, HEAVY):
        for frame, _ in traceback.walk_tb(error.__traceback__):
            with suppress(RuntimeError):  # It still runs.
                frame.clear()
                _ = frame.f_locals  # Before Python 3.13 this is a copy, which is emptied so.
        error = error.__context__


def looking(line: str) -> str:
    """Return *line* of generated Python, which ends a block, so that it looks at the output."""
    return f"_tt_len(_tt_buffer) > {_PIECES} and _tt_look(_tt_buffer); {line}"


def _look(buffer: list[bytes | bytearray]) -> None:
    """Put the pieces together: small ones take many times the memory of what they hold."""
    if sum(map(len, buffer)) > MAX_OUTPUT:
        raise _error(sys._getframe(1))
    if not isinstance(buffer[0], bytearray):
        buffer.insert(0, bytearray())
    buffer[0] += b"".join(buffer[1:])
    del buffer[1:]


def _utf8(value: Any) -> bytes | None:
    """Do what ``tornado.escape.utf8`` does. Raise OutputTooLarge for what does not fit."""
    kind = type(value)
    if kind is str:
        if len(value) <= _LARGE:
            return value.encode()  # type: ignore[no-any-return]
    elif kind is not bytes:
        value = utf8(value)
    if value is None or len(value) <= _LARGE:
        return value  # type: ignore[no-any-return]
    return _large(value, sys._getframe(1))


def _large(value: str | bytes, frame: FrameType) -> bytes:
    room = MAX_OUTPUT - sum(map(len, frame.f_locals.get("_tt_buffer", ())))
    # A text that is too long already is not copied first.
    if len(value) > room or len(data := utf8(value)) > room:
        raise _error(frame)
    return data


def _error(frame: FrameType) -> OutputTooLarge:
    source = frame.f_globals["__loader__"].get_source("").split("\n")
    place = source[frame.f_lineno - 1].rpartition("  # ")[2]
    return OutputTooLarge(f"{place}: the output is larger than {MAX_OUTPUT >> 20} MB")


NAMES: Final = {"_tt_len": len, "_tt_look": _look, "_tt_utf8": _utf8}
"""What the generated Python calls."""
