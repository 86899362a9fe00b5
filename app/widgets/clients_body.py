"""The body of a request: as text, as a form, as JSON, or in several parts with files."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from PySide6.QtCore import QSize
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from .i18n import tr
from .pairs_table import Pair, PairsTable
from .parts import ElidedLabel, set_property
from .theme import Theme

RAW, FORM, JSON, PARTS = range(4)
KINDS = ("Text", "Form", "JSON", "Multipart")


class SmallEdit(QPlainTextEdit):
    """A few lines of text that ask for little room."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("mono", True)
        self.setTabChangesFocus(True)

    def sizeHint(self) -> QSize:
        return QSize(120, self.fontMetrics().lineSpacing() * 2 + 14)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.fontMetrics().lineSpacing() * 2 + 12)


class BodyPage(QWidget):
    """Edits a body. A value ``@path`` of a part is the file at that path, as with ``curl -F``."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.kind = QComboBox()
        self.kind.addItems(["", "", "", ""])
        self.raw, self.json = SmallEdit(), SmallEdit()
        self.form = PairsTable(theme, "Fields of the form")
        self.parts = PairsTable(theme, "Parts of the body")
        self.file = QPushButton()
        self.problem = ElidedLabel()
        self.problem.setProperty("role", "error")
        self.pages = QStackedWidget()
        for page in (self.raw, self.form, self.json, self.parts):
            self.pages.addWidget(page)
        self._loaded = ("", b"")
        """An imported body's text, and its bytes: a text has but one kind of line break."""
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.kind)
        row.addWidget(self.problem, 1)
        row.addWidget(self.file)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.pages)
        self.kind.currentIndexChanged.connect(self._turn)
        self.json.textChanged.connect(self._check_json)
        self.file.clicked.connect(self._ask_file)
        self._turn(RAW)

    def _turn(self, kind: int) -> None:
        self.pages.setCurrentIndex(kind)
        self.file.setVisible(kind == PARTS)
        self.problem.setVisible(kind == JSON)
        self._check_json()

    def _check_json(self) -> None:
        text = self.json.toPlainText()
        problem = ""
        if text.strip():
            try:
                json.loads(text, parse_constant=_refuse)
            except json.JSONDecodeError as error:
                problem = tr(
                    "line {line}, column {column}: {why}",
                    line=error.lineno,
                    column=error.colno,
                    why=error.msg,
                )
            except (ValueError, RecursionError) as error:
                problem = str(error)
        self.problem.set_full(f"✗ {problem}" if problem else "")
        set_property(self.json, "state", "error" if problem else "")

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, tr("Add a file"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self.add_files)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def add_files(self, paths: Iterable[str]) -> None:
        """Add a part for each file."""
        self.parts.set_pairs([*self.parts.pairs(), *(("file", f"@{path}") for path in paths)])

    def valid(self) -> bool:
        """Return whether the body can be sent; if not, go to where it is wrong."""
        if self.kind.currentIndex() == JSON and self.json.property("state") == "error":
            self.json.setFocus()
            return False
        return True

    def content(self) -> tuple[bytes, str]:
        """Return the body's bytes and its Content-Type; raises OSError when a file is missing."""
        kind = self.kind.currentIndex()
        if kind == FORM:
            return urlencode(self.form.pairs()).encode(), "application/x-www-form-urlencoded"
        if kind == JSON:
            return self.json.toPlainText().encode(), "application/json"
        if kind == PARTS:
            return _multipart(self.parts.pairs())
        text, loaded = self._loaded
        body = self.raw.toPlainText().encode()
        body = loaded if self.raw.toPlainText() == text else body
        return body, guessed_type(body)

    def load(self, body: bytes, content_type: str) -> None:
        """Show a request's body: as a form or as JSON where it is one, else as text."""
        self.raw.setPlainText(body.decode("utf-8", "replace").replace("\0", "\ufffd"))
        self._loaded = (self.raw.toPlainText(), body)
        kind, fields = RAW, _fields(body)
        if "urlencoded" in content_type and fields is not None:
            kind = FORM
            self.form.set_pairs(fields)
        elif "json" in content_type and self.raw.toPlainText().encode() == body:
            kind = JSON
            self.json.setPlainText(self.raw.toPlainText())
        self.kind.setCurrentIndex(kind)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for at, kind in enumerate(KINDS):
            self.kind.setItemText(at, tr(kind))
        self.kind.setAccessibleName(tr("Kind of body"))
        self.kind.setToolTip(tr("How the body is written, and with which Content-Type"))
        self.raw.setAccessibleName(tr("Body"))
        self.raw.setPlaceholderText("name=alice&password=…")
        self.json.setAccessibleName(tr("Body as JSON"))
        self.json.setPlaceholderText('{"name": "alice"}')
        self.file.setText(tr("File…"))
        self.file.setToolTip(tr("Add a file as a part; @ before a path means its content"))
        self.form.retranslate()
        self.parts.retranslate()
        self._check_json()


def guessed_type(body: bytes) -> str:
    """Return the Content-Type that *body* looks like."""
    is_json = body.lstrip()[:1] in (b"{", b"[")
    return "application/json" if is_json else "application/x-www-form-urlencoded"


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON (RFC 8259 §6)")


def _fields(body: bytes) -> list[Pair] | None:
    """Return the fields of a form, if written out again they are the same bytes."""
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True)
    except ValueError:
        return None
    return fields if urlencode(fields).encode() == body else None


def _multipart(parts: list[Pair]) -> tuple[bytes, str]:
    """Return *parts* as multipart/form-data (RFC 7578), and its Content-Type."""
    boundary = f"loopscope-{secrets.token_hex(12)}"
    lines: list[bytes] = []
    for name, value in parts:
        disposition = f'form-data; name="{_quoted(name)}"'
        content, kind = value.encode(), ""
        if value.startswith("@"):
            path = Path(value[1:])
            content, kind = path.read_bytes(), "Content-Type: application/octet-stream\r\n"
            disposition += f'; filename="{_quoted(path.name)}"'
        head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n{kind}\r\n"
        lines += [head.encode(), content, b"\r\n"]
    lines.append(f"--{boundary}--\r\n".encode())
    return b"".join(lines), f"multipart/form-data; boundary={boundary}"


def _quoted(name: str) -> str:
    """Escape a name as browsers do (HTML, multipart/form-data encoding)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
