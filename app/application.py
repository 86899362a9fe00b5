"""The composition root: options, loop, recording, server, window, frame clock, shutdown."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import logging
import os
import shlex
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from app import __version__, options
from app.options import Options, UsageError
from app.server.site import SiteError
from app.server.target import TargetError, target_file

if TYPE_CHECKING:
    from app.freeze import FreezeSign
    from app.loop import TickLoop
    from app.recording.recorder import Recorder


_import = builtins.__import__
SETTLE_NS = 30_000_000
"""How long something must have lasted to be shown before it has ended, in ns."""
PATIENCE_S = 0.5
"""How long a project may take to open until the window shows how far that is, in s."""


class StartError(Exception):
    """The program cannot start, though it was asked rightly; one line for the user."""


def main(arguments: list[str] | None = None) -> int:
    """Run Loopscope; return the exit status: 0, 2 for a wrong request, 1 for a failed start."""
    try:
        chosen = options.parse(sys.argv[1:] if arguments is None else arguments)
        if options.use_offscreen(chosen):
            os.environ["QT_QPA_PLATFORM"] = "offscreen"
        status, again = _run(chosen)
        if again:
            _start_anew(again)
        return status
    except (UsageError, SiteError, TargetError) as error:
        print(f"Loopscope: {_one_line(error)}", file=sys.stderr)
        return 2
    except StartError as error:
        print(f"Loopscope: {_one_line(error)}", file=sys.stderr)
        return 1


def _one_line(told: object) -> str:
    """Return *told* as text that can forge no other line and does nothing to a terminal."""
    text = " ".join(str(told).split())
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _is_offscreen() -> bool:
    return os.environ.get("QT_QPA_PLATFORM") == "offscreen"


def _raise_descriptor_limit() -> None:
    """Allow as many connections as the system does: the usual soft limit ends at 1,024."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _log_qt_message(kind: object, context: object, text: str) -> None:
    """Put Qt's own messages into the log, where the window shows them."""
    if "propagateSizeHints" not in text:  # The offscreen platform says so for each window.
        logging.getLogger("Qt").warning("%s", text)


def _start_anew(arguments: list[str]) -> None:
    """Put a fresh Loopscope in the place of this process; the window has kept its geometry."""
    main_file = Path(__file__).resolve().parent.parent / "main.py"
    os.execv(sys.executable, [sys.executable, str(main_file), *arguments])


def _run(chosen: Options) -> tuple[int, list[str]]:
    """Run the program; return its status, and with which arguments to start anew, if at all."""
    # Imported late: a wrong command line must be told at once, and without Qt.
    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    from app.loop import TickLoop
    from app.recording.recorder import Recorder

    qt = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(qt, QApplication)
    qt.setApplicationName("Loopscope")
    qt.setOrganizationName("Loopscope")
    qt.setApplicationVersion(__version__)
    qt.setQuitOnLastWindowClosed(False)
    qInstallMessageHandler(_log_qt_message)
    _raise_descriptor_limit()
    recorder = Recorder()
    with TickLoop(qt, recorder=recorder, contained=True) as loop:
        asyncio.set_event_loop(loop)
        try:
            program = Program(chosen, loop, recorder)
            return loop.run_until_complete(program.run()), program.again()
        finally:
            asyncio.set_event_loop(None)


class Program:
    """One run of the program, from the built objects to the clean end."""

    def __init__(self, chosen: Options, loop: TickLoop, recorder: Recorder) -> None:
        from PySide6.QtCore import QSettings

        from app.collector import Collector
        from app.cost import calibrate
        from app.loop import TickLoop
        from app.recording import capture
        from app.recording.cut_off import CUT_OFF
        from app.recording.detectors import Detectors
        from app.recording.store import Store
        from app.session.session import Session
        from app.watchdog import Watchdog
        from app.widgets.accounting import Accounting
        from app.widgets.frame_clock import FrameClock
        from app.widgets.i18n import language
        from app.widgets.main_window import MainWindow
        from app.widgets.theme import Theme

        self.options = chosen
        self.loop = loop
        self.recorder = recorder
        self.store, started_at = Store(recorder.origin_ns), recorder.started_at
        meta: dict[str, object] = {}
        if chosen.open is not None:
            try:
                self.store, meta = capture.read(chosen.open)
                started_at = float(str(meta.get("started_at", started_at)))
                recorder.dropped.update(
                    {
                        key.removeprefix("dropped_"): int(str(count))
                        for key, count in meta.items()
                        if key.startswith("dropped_")
                    }
                )
            except (OSError, ValueError) as error:
                raise UsageError(str(error)) from error
        settings = QSettings()
        language.choose(chosen.lang or str(settings.value("window/language", "", type=str)))
        self.session = Session(loop, recorder, self.store, chosen.host, chosen.port)
        self.session.in_out.started_at = started_at
        self.theme = Theme(settings)
        live = chosen.open is None
        self.accounting = Accounting(self.store, recorder.clock if live else None, calibrate())
        self.window = MainWindow(self.store, self.session, self.theme, self.accounting)
        if CUT_OFF in meta:
            self.window.say(
                "This recording was cut off: what it held at its end is missing.",
            )
        code = TickLoop._run_ready.__code__
        self.watchdog = Watchdog(loop, code, recorder, sign=self._freeze_sign())
        self.session.watch_with(self.watchdog, chosen.block_limit)
        self.detectors = Detectors(recorder, loop)
        self.clock = FrameClock(self.frame, self.is_live)
        self.collector = Collector()
        self.ended = asyncio.Event()

    def _freeze_sign(self) -> FreezeSign | None:
        """Return what tells of a block while this window is frozen: there must be one."""
        from PySide6.QtGui import QGuiApplication

        from app.freeze import FreezeSign, Texts
        from app.widgets.i18n import tr

        if QGuiApplication.platformName() in ("offscreen", "minimal"):
            return None

        def texts() -> Texts:
            colours = self.theme.colours
            style = (
                f"QWidget {{ background: {colours.panel.name()}; color: {colours.text.name()}; }}"
                f"QPushButton {{ background: {colours.error.name()}; padding: 6px 16px;"
                f" color: {colours.panel.name()}; border-radius: 6px; font-weight: 600; }}"
            )
            return Texts(tr("Loopscope is blocked"), tr("Interrupt"), style)

        return FreezeSign(texts)

    async def run(self) -> int:
        """Serve until the window closes, a signal comes or the time is over; return the status."""
        # PySide6 lets each import statement run Python code of its own, in everybody's functions.
        builtins.__import__ = _import
        self._listen_for_the_end()
        logs = self._start_logging()
        try:
            if self.options.open is None and await self._opened():
                self._serve()
            self.window.show()
            self.clock.start(self.loop)
            self.collector.begin()
            if self.options.open is None:
                self.watchdog.start()
            await self._until_ended()
            self.clock.stop()
            self.watchdog.stop()
            self.collector.end()  # What only garbage tells belongs into the recording.
            self.frame(settle_ns=0)
            self._keep_results()
            return 0
        finally:
            self.clock.stop()
            self.collector.end()
            self.watchdog.stop()
            await self.session.close()
            self.window.close()
            self.window.deleteLater()
            logging.getLogger().removeHandler(logs)
            logging.captureWarnings(False)

    async def _until_ended(self, *others: asyncio.Future[None]) -> None:
        """Wait until the program is to end or one of *others* is done, whoever cancels this.

        The server's code may cancel every task that there is.
        """
        while not self.ended.is_set() and not any(other.done() for other in others):
            ending = self.loop.create_task(self.ended.wait())
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait((ending, *others), return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()

    def _listen_for_the_end(self) -> None:
        self.window.closed.connect(self.ended.set)
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError):
                self.loop.add_signal_handler(number, self.ended.set)
        if self.options.exit_after is not None:
            self.loop.call_later(self.options.exit_after, self.ended.set)

    def _start_logging(self) -> logging.Handler:
        from app.recording.logs import RecordingHandler

        handler = RecordingHandler(self.recorder)
        root = logging.getLogger()
        root.addHandler(handler)
        logging.captureWarnings(True)
        # Each of them is a mistake that is worth showing, not only the first at its line.
        warnings.filterwarnings("always", r"coroutine .* was never awaited", RuntimeWarning)
        root.setLevel(logging.INFO)
        # The requests table shows each access; a log record for each would only cost time.
        logging.getLogger("tornado.access").setLevel(logging.WARNING)
        return handler

    async def _opened(self) -> bool:
        """Open what is to be served; return False when the window shows why it cannot be.

        A program may take its time to start, and the user may want to leave meanwhile.
        """
        opening = self.loop.create_task(self._open())
        await self._until_ended(opening)
        if not opening.done():
            opening.cancel()
            return False
        try:
            opening.result()
        except asyncio.CancelledError:
            raise UsageError("what was to be served cancelled every task as it started") from None
        except TargetError as error:
            if self.session.app.failure is None or _is_offscreen():
                raise
            print(f"Loopscope: {_one_line(error)}", file=sys.stderr)
            return False
        return True

    async def _open(self) -> None:
        if self.options.app is not None:
            file = target_file(self.options.app)
            if file is not None and not file.is_file():
                raise UsageError(f"--app: no such file: {file}")
            await self._ask_trust(file, self.options.app)
            arguments = shlex.join(self.options.app_arguments)
            await self.session.open_app(self.options.app, arguments)
            return
        from app.session.projects import DEMO

        self.loop.call_later(PATIENCE_S, self._show_progress)
        found = self.session.projects.read(self.options.project or DEMO)
        if not found.trusted:
            self.session.show(found.site)
            await self._ask_trust(None, str(found.site.folder))
            found = found._replace(trusted=not self.options.trust)
        self.session.projects.open(found)

    def _show_progress(self) -> None:
        if self.session.busy:
            self.window.show()

    async def _ask_trust(self, path: Path | None, name: str) -> None:
        from app import trust

        if self.options.trust or (path is not None and trust.is_trusted(path)):
            return
        if _is_offscreen():
            raise UsageError(f"{name} is not trusted: look at it, then run its code with --trust")
        self.window.show()
        if not await self._trusts(name):
            raise UsageError(f"{name} was not trusted; nothing of it was run")
        if path is not None:
            trust.remember(path)

    async def _trusts(self, name: str) -> bool:
        """Ask the user whether the code of *name* may be run."""
        from app.widgets.dialogs import ask_trust

        answer: asyncio.Future[bool] = self.loop.create_future()

        def answered(yes: bool) -> None:
            if not answer.done():
                answer.set_result(yes)

        ask_trust(self.window, name, answered)
        return await answer

    def _serve(self) -> None:
        from app.session.session import cannot_listen

        try:
            address = self.session.serving_at or self.session.listen()
        except (OSError, ValueError) as error:
            where = (self.options.host, self.options.port)
            raise StartError(cannot_listen(*where, error)) from error
        print(f"Loopscope is serving {_one_line(self.session.name)} at {address}", flush=True)

    def frame(self, settle_ns: int = SETTLE_NS) -> None:
        """Fold what was recorded into the store and let the window show it."""
        start = self.recorder.clock()
        if self.options.open is None:
            batch = self.recorder.drain(settle_ns)
            self.store.apply(batch)
            if batch.requests:
                self.collector.busy()
            self.detectors.look(self.store, batch)
            if self.watchdog.pending:
                self.watchdog.settle(self.store, final=not settle_ns)
            if self.recorder.log or self.recorder.blocks:
                self.store.apply(self.recorder.drain(settle_ns))
        taken_in = self.recorder.clock()
        self.window.frame()
        self.accounting.spending.frame(start, taken_in)

    def again(self) -> list[str]:
        """Return the arguments with which to start anew: none, unless the user wants that."""
        if self.session.app.again is None:
            return []
        target, arguments = self.session.app.again
        at = ["--host", self.options.host, "--port", str(self.options.port)]
        return [*at, "--trust", "--app", target, "--", *shlex.split(arguments)]

    def is_live(self) -> bool:
        """Return whether something shown changes with time alone."""
        return bool(self.store.open_requests) or self.watchdog.pending

    def _keep_results(self) -> None:
        from app.recording import capture

        if self.options.screenshot is not None:
            self.window.grab()  # The first grab settles layouts that were never shown.
            if not self.window.grab().save(str(self.options.screenshot), "PNG"):
                raise StartError(f"cannot write the screenshot {self.options.screenshot}")
        if self.options.capture is not None:
            try:
                capture.write(
                    self.store,
                    self.options.capture,
                    self._meta(),
                    self.recorder.body_cap,
                    self.session.jars.fates,
                )
            except OSError as error:
                raise StartError(f"cannot write {self.options.capture}: {error}") from error

    def _meta(self) -> dict[str, object]:
        from importlib.metadata import version

        packages = ("PySide6-Essentials", "tornado", "qasync")
        return {
            "loopscope": __version__,
            **{f"version_{name}": version(name) for name in packages},
            "started_at": self.recorder.started_at,
            "serving": self.session.name,
            **{f"dropped_{kind}": self.recorder.dropped[kind] for kind in ("runs", "requests")},
            **{f"dropped_{kind}": count for kind, count in self.recorder.dropped.items()},
        }
