"""The site with debug on, in a child process: what it prints, and how it starts again."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from PySide6.QtCore import (
    QEvent,
    QObject,
    QProcess,
    QProcessEnvironment,
    Qt,
    QTemporaryDir,
    QUrl,
)
from PySide6.QtGui import QDesktopServices, QFontMetrics, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.server.site import HANDLERS, SiteError, save

from .controls import Controls
from .i18n import tr
from .parts import label
from .theme import Theme

_PROGRAM = Path(__file__).resolve().parents[2]
_ADDRESS = re.compile(r"^http://127\.0\.0\.1:\d+/$", re.MULTILINE)
_END_MS = 2000
_MOST_LINES = 5000


class DebugChild(QDialog):
    """Serves a copy of the site that is served; each apply changes the copy.

    The process ends with the dialog, and with this process however that ends.
    """

    def __init__(self, controls: Controls, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        self._controls = controls
        self._folder = QTemporaryDir()
        self.process = QProcess(self)
        self.process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self.process.setWorkingDirectory(str(_PROGRAM))
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        environment.insert("PYTHONIOENCODING", "utf-8")
        self.process.setProcessEnvironment(environment)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.address = QLineEdit()
        self.address.setReadOnly(True)
        self.address.setProperty("mono", True)
        self.state = label(role="dim")
        self.output = QPlainTextEdit()
        self.output.setReadOnly(True)
        self.output.setProperty("mono", True)
        self.output.setMaximumBlockCount(_MOST_LINES)
        self.browse, self.touch, self.run_button = QPushButton(), QPushButton(), QPushButton()
        self.run_button.setProperty("primary", True)
        self._lay_out(theme)
        self._connect()
        self.retranslate()
        parent.installEventFilter(self)
        self.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Hide and not event.spontaneous():
            self.close()  # The window was closed.
        return False

    def _lay_out(self, theme: Theme) -> None:
        top = QHBoxLayout()
        top.addWidget(self.address, 1)
        top.addWidget(self.browse)
        bottom = QHBoxLayout()
        bottom.addWidget(self.state, 1)
        bottom.addWidget(self.touch)
        bottom.addWidget(self.run_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(self.text)
        column.addLayout(top)
        column.addWidget(self.output, 1)
        column.addLayout(bottom)
        em = QFontMetrics(theme.font(mono=True)).horizontalAdvance("0")
        self.resize(100 * em, theme.px(460))

    def _connect(self) -> None:
        self.process.readyReadStandardOutput.connect(self._read)
        self.process.stateChanged.connect(self._show_state)
        self.process.errorOccurred.connect(lambda _: self._write(self.process.errorString()))
        self.browse.clicked.connect(self.open_in_browser)
        self.touch.clicked.connect(self.touch_handler)
        self.run_button.clicked.connect(self.toggle)
        self._controls.server_changed.connect(self._copy)
        self.finished.connect(self.stop)

    # -- The process -----------------------------------------------------------------------

    def start(self) -> None:
        """Copy the site and run it."""
        self.address.clear()
        self.output.clear()
        if self._copy():
            arguments = ["-m", "app.server.debug_child", self._folder.path()]
            self.process.start(sys.executable, arguments)

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self.process.state() == QProcess.ProcessState.NotRunning:
            return
        self.process.closeWriteChannel()
        if not self.process.waitForFinished(_END_MS):
            self.process.kill()
            self.process.waitForFinished(_END_MS)

    def toggle(self) -> None:
        """Stop the process, or run it again."""
        if self.process.state() == QProcess.ProcessState.NotRunning:
            self.start()
        else:
            self.stop()

    def _copy(self) -> bool:
        """Write the site as it is served into the child's folder; return whether it is there."""
        try:
            save(self._controls.site, self._folder.path())
        except SiteError as error:
            self._write(str(error))
            return False
        return True

    def touch_handler(self) -> None:
        """Save a handler of the copy again, as an editor would."""
        for path in sorted(Path(self._folder.path(), HANDLERS).glob("*.py"))[:1]:
            os.utime(path)

    def open_in_browser(self) -> None:
        """Open what the child serves."""
        QDesktopServices.openUrl(QUrl(self.address.text()))

    def _read(self) -> None:
        self._write(bytes(self.process.readAllStandardOutput().data()).decode("utf-8", "replace"))
        found = _ADDRESS.findall(self.output.toPlainText())
        if found:
            self.address.setText(found[-1])
        self._show_state()

    def _write(self, text: str) -> None:
        cursor = self.output.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text if text.endswith("\n") else text + "\n")
        self.output.setTextCursor(cursor)

    # -- What is shown ---------------------------------------------------------------------

    def _show_state(self) -> None:
        running = self.process.state() != QProcess.ProcessState.NotRunning
        starts = self.output.toPlainText().count("debug=True\n")
        if running:
            self.state.setText(tr("Process {pid}", pid=self.process.processId()))
            if starts > 1:
                self.state.setText(
                    tr(
                        "Process {pid}, started {count} times",
                        pid=self.process.processId(),
                        count=starts,
                    )
                )
        else:
            self.state.setText(tr("It does not run"))
        self.run_button.setText(tr("Stop") if running else tr("Start"))
        for button in (self.browse, self.touch):
            button.setEnabled(running and bool(self.address.text()))

    def retranslate(self) -> None:
        """Set the texts."""
        self.setWindowTitle(tr("With debug, in a child process"))
        self.text.setText(
            tr(
                "A copy of the site runs here under plain Tornado with debug=True. A changed Python"
                " file starts the process again, error pages show tracebacks, templates and static"
                " files are read on each request. What you apply in the window is written into the"
                " copy."
            )
        )
        self.address.setAccessibleName(tr("Address of the child process"))
        self.address.setPlaceholderText(tr("It has no address yet"))
        self.output.setAccessibleName(tr("What the child process prints"))
        self.browse.setText(tr("Open in the browser"))
        self.browse.setToolTip(tr("Opens what the child process serves"))
        self.touch.setText(tr("Save a handler again"))
        self.touch.setToolTip(tr("Autoreload sees the change and starts the process again"))
        self.run_button.setToolTip(tr("Stops the process, or starts it anew"))
        self._show_state()
