"""A window in a process of its own, which tells that this one is blocked while it is."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

WINDOW = (sys.executable, str(Path(__file__).with_name("freeze_window.py")))


class Texts(NamedTuple):
    """What the window says, and its colours as a style sheet."""

    title: str
    button: str
    style: str


class FreezeSign:
    """Starts the other process when there is something to tell, and ends it after that.

    All of this runs in a signal handler, so nothing waits: what the pipe does not take is left.
    *texts* is asked each time a window opens. *command* starts the other process, which reads
    lines of JSON, writes a byte when the user wants an end of it, and goes when its input ends.
    """

    def __init__(self, texts: Callable[[], Texts], command: Sequence[str] = WINDOW) -> None:
        self._texts = texts
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._failed = False
        """Whether it could not be started: then it will not be the next time."""

    def show(self, text: str) -> None:
        """Say what blocks; *text* replaces the one before."""
        if self._process is None and not self._failed:
            self._open()
        if self._process is not None and self._process.stdin is not None:
            line = json.dumps({"text": text}) + "\n"
            with contextlib.suppress(OSError):
                os.write(self._process.stdin.fileno(), line.encode())

    def _open(self) -> None:
        pipe = subprocess.PIPE
        try:
            self._process = process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe)
        except OSError:
            self._failed = True
            return
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        with contextlib.suppress(OSError):
            line = json.dumps(self._texts()._asdict()) + "\n"
            os.write(process.stdin.fileno(), line.encode())

    def asked(self) -> bool:
        """Return whether the button has been pressed since the last call."""
        if self._process is None or self._process.stdout is None:
            return False
        with contextlib.suppress(OSError):
            return bool(os.read(self._process.stdout.fileno(), 16))
        return False

    def hide(self) -> None:
        """Close the window, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        # It goes when it sees that; somebody has to take note.
        threading.Thread(target=process.wait, daemon=True).start()
