"""Getting out of code that swallows what is raised in it.

Where code stands when it is interrupted is chance: a signal and another thread's exception are let
in at calls and at jumps back, so that it may be within the same ``try`` each time. A trace function
stands at each line, and raises where nobody catches.
"""

from __future__ import annotations

import contextlib
import dis
import sys
import weakref
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from app.recording.blocks import frames_above
from app.recording.tasks import is_library

_HANDLER = dis.opmap["PUSH_EXC_INFO"]
"""With it begins what somebody wrote to be run; other handlers only raise again."""


class Insistence:
    """Raises what *make* makes in the user's code that *base* runs, until it is out of there.

    It is raised at a line with as few handlers around it as there are around any line. When
    *wanted* says no, that ends. A debugger's tracing is left alone.
    """

    def __init__(
        self, base: CodeType, make: Callable[[], BaseException], wanted: Callable[[], bool]
    ) -> None:
        self._base = base
        self._make = make
        self._wanted = wanted
        self._least = 0
        self._seen: int | None = None
        """How many handlers were around the lines that came since `begin`, at least."""
        self._raised: weakref.ref[BaseException] | None = None

    def watch(self, error: BaseException) -> None:
        """Begin when *error*, which was raised, is swallowed: where nobody has it any more."""
        self._raised = weakref.ref(error, self.swallowed)

    def swallowed(self, raised: object) -> None:
        """Begin, since that is gone. What would be raised in here would be lost."""
        if self._wanted():
            self.begin(sys._getframe(1))

    def begin(self, frame: FrameType | None) -> None:
        """Raise from the next line on that *frame*, the innermost, or what called it comes to."""
        users = self._users(frame)
        if not users or sys.gettrace() not in (None, self._trace):
            return
        if self._seen is not None:
            self._least = self._seen
        self._seen = None
        for user in users:
            user.f_trace = self._trace
        sys.settrace(self._trace)

    def end(self) -> None:
        """Trace no longer."""
        if sys.gettrace() == self._trace:
            sys.settrace(None)

    def _another(self) -> BaseException:
        error = self._make()
        self.watch(error)
        return error

    def _users(self, frame: FrameType | None) -> list[FrameType]:
        frames = frames_above(frame, self._base) or []
        return [each for each in frames[:-1] if not is_library(each.f_code)]

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if not self._wanted():
            sys.settrace(None)
            return None
        if is_library(frame.f_code):
            return None
        if event == "line":
            around = sum(map(_handlers, self._users(frame)))
            if around <= self._least:
                self._seen = None
                # It ends the tracing. No variable has it, or its traceback would keep it alive.
                raise self._another()
            self._seen = min(around, self._seen or around)
        return self._trace


def _handlers(frame: FrameType) -> int:
    """Return how many handlers in *frame* an error would meet that is raised where it stands."""
    found = 0
    with contextlib.suppress(Exception):
        at, code = frame.f_lasti, frame.f_code.co_code
        table = dis._parse_exception_table(frame.f_code)  # type: ignore[attr-defined]
        while entry := next((e for e in table if e.start <= at < e.end), None):
            at = entry.target
            found += code[at] == _HANDLER
    return found
