"""What both suites share: TickLoop in asyncio's place, and a journal that outlives a hang."""

from __future__ import annotations

import asyncio
import faulthandler
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from asyncio import base_events, unix_events
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parents[2]
JOURNAL = "LOOPSCOPE_CONFORMANCE_JOURNAL"
SELECTOR = "LOOPSCOPE_CONFORMANCE_SELECTOR"

loops_made: set[str] = set()
"""Class names of the loops made since the current test began."""
qt_messages: list[str] = []
"""What Qt complained of since the current test began."""


def install() -> object:
    """Put TickLoop, recording, wherever asyncio would make a selector loop. Keep the result.

    The selector named by the environment stands in for the default one.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    # A shell starts what runs in the background with SIGINT ignored, and tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from PySide6.QtCore import QCoreApplication, QtMsgType, qInstallMessageHandler

    from app.loop import TickLoop

    default = getattr(selectors, os.environ.get(SELECTOR, "DefaultSelector"))

    class ConformingLoop(TickLoop):
        """TickLoop with the constructor of asyncio.SelectorEventLoop."""

        def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
            super().__init__(selector=selector or default())
            recorder = self.recorder

            def drain() -> None:
                recorder.drain()

            self.activity = drain

    def on_message(kind: QtMsgType, _context: object, text: str) -> None:
        if kind != QtMsgType.QtDebugMsg:
            qt_messages.append(text)

    _note_loops()
    # Many tests name the class, the others ask the policy.
    asyncio.SelectorEventLoop = ConformingLoop
    if sys.version_info >= (3, 13):
        asyncio.EventLoop = ConformingLoop
    policy: Any = unix_events._UnixDefaultEventLoopPolicy
    policy._loop_factory = ConformingLoop
    qInstallMessageHandler(on_message)
    return QCoreApplication([])


def _note_loops() -> None:
    original = base_events.BaseEventLoop.__init__

    def noting(self: Any) -> None:
        loops_made.add(type(self).__name__)
        original(self)

    base_events.BaseEventLoop.__init__ = noting  # type: ignore[method-assign]


class Journal(unittest.TextTestResult):
    """A test result that also writes each start and each outcome to a file, at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._journal: TextIO = open(os.environ[JOURNAL], "a", buffering=1)  # noqa: SIM115
        self._current: unittest.TestCase | None = None
        self._status = self._detail = ""

    def _write(self, **entry: object) -> None:
        self._journal.write(json.dumps(entry) + "\n")

    def _note(self, test: unittest.TestCase, status: str, detail: str = "") -> None:
        if self._current is None:  # setUpClass or tearDownModule.
            self._write(test=test.id(), status=status, detail=detail, seconds=0.0, loops=[])
        elif self._status not in ("fail", "error"):
            self._status, self._detail = status, detail

    def startTest(self, test: unittest.TestCase) -> None:
        loops_made.clear()
        qt_messages.clear()
        self._current, self._status, self._detail = test, "pass", ""
        self._began = time.perf_counter()
        self._write(start=test.id())
        super().startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        if self._current is None:  # A skipped class; since 3.12.1 its tests are never started.
            return
        if qt_messages:
            self._note(test, "fail", "Qt said: " + "; ".join(qt_messages))
        self._current = None
        self._write(
            test=test.id(),
            status=self._status,
            detail=self._detail,
            seconds=time.perf_counter() - self._began,
            loops=sorted(loops_made),
        )

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._note(test, "error", self.errors[-1][1])

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._note(test, "fail", self.failures[-1][1])

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "fail", str(err[1]))

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skip", reason)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self._note(test, "fail", "unexpected success")


@dataclass
class Outcome:
    """How one test went; *loops* are the classes of the loops that it made."""

    test: str
    status: str
    detail: str
    seconds: float
    loops: list[str]


@dataclass
class Report:
    """How one subprocess went."""

    name: str
    seconds: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)
    log: str = ""
    again: list[str] = field(default_factory=list)
    """The tests that passed only when they were run again."""

    def having(self, *statuses: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status in statuses]

    def amend(self, again: Report) -> None:
        """Take over what passed when it was run *again*."""
        passed = {outcome.test: outcome for outcome in again.having("pass")}
        for number, outcome in enumerate(self.outcomes):
            if outcome.status in ("fail", "error") and outcome.test in passed:
                self.outcomes[number] = passed[outcome.test]
                self.again.append(outcome.test)

    @property
    def failed(self) -> list[Outcome]:
        return self.having("fail", "error", "hang", "crash")


def run_child(
    name: str,
    module: str,
    arguments: Sequence[str],
    timeout: float,
    selector: str = "DefaultSelector",
) -> Report:
    """Run *module* in a subprocess of its own; a hang or a crash is a failure that has a name."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder, "journal")
        journal.touch()
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            JOURNAL: str(journal),
            SELECTOR: selector,
        }
        report = Report(name)
        began = time.perf_counter()
        ended = ""
        with Path(folder, "log").open("w+") as log:
            try:
                status = subprocess.run(
                    [sys.executable, "-X", "faulthandler", "-m", module, *arguments],
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=timeout,
                ).returncode
            except subprocess.TimeoutExpired:
                status, ended = 1, "hang"
            log.seek(0)
            report.log = log.read()
        report.seconds = time.perf_counter() - began
        running = _read(journal, report)
        if ended or status not in (0, 1) or (status and not report.failed):
            where = running or f"{name}, outside of any test"
            detail = f"status {status}\n{report.log[-6000:]}"
            report.outcomes.append(Outcome(where, ended or "crash", detail, 0.0, []))
        return report


def _read(journal: Path, report: Report) -> str:
    """Fill *report*; return the name of the test that was running at the end, if any."""
    running = ""
    for line in journal.read_text().splitlines():
        entry = json.loads(line)
        running = entry.get("start", "")
        if not running:
            report.outcomes.append(Outcome(**entry))
    return running


def dump_after(seconds: float) -> None:
    """Write every thread's stack to stderr after *seconds*: the log then says where it hangs."""
    faulthandler.dump_traceback_later(seconds)
