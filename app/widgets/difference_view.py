"""The differences between two answers, as text: nothing in it is ever rendered."""

from __future__ import annotations

from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PySide6.QtWidgets import QPlainTextEdit

from app.exchange.compare import Difference, body_lines
from app.exchange.entry import Entry, Response

from .i18n import tr
from .theme import Theme

_COLOURS = {"+": "ok", "-": "error", "✗": "error", "✓": "ok", "·": "dim", "@": "accent"}
_MOST_LINES = 4_000
_LONGEST = 2_000


class MarkHighlighter(QSyntaxHighlighter):
    """Colours each line by the mark at its beginning."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self._theme = theme

    def highlightBlock(self, text: str) -> None:
        colour = _COLOURS.get(text[:1])
        if colour:
            form = QTextCharFormat()
            form.setForeground(self._theme.colour(colour))
            self.setFormat(0, len(text), form)


class DifferenceView(QPlainTextEdit):
    """Shows how an answer differs; before there is one, what was recorded."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setProperty("mono", True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._highlighter = MarkHighlighter(self.document(), theme)
        theme.changed.connect(self._highlighter.rehighlight)

    def show_answer(
        self, entry: Entry, now: Response | None, found: tuple[Difference, ...]
    ) -> None:
        """Show the differences *found* between what was recorded and *now*."""
        self.setAccessibleName(tr("Difference"))
        if now is None:
            lines = _recorded(entry)
        elif not now.status:
            lines = [f"✗ {tr('no answer')}: {tr(now.note)}"]
        else:
            lines = _differing(entry.response, now, found)
        text = "\n".join(line[:_LONGEST] for line in lines[:_MOST_LINES])
        if text != self.toPlainText():
            self.setPlainText(text)


def _recorded(entry: Entry) -> list[str]:
    request, response = entry.request, entry.response
    lines = [f"{request.method} {request.url}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body:
        lines += ["", *request.body.decode("utf-8", "replace").splitlines()[:40]]
    if response.status:
        lines += ["", f"{response.version} {response.status} {response.reason}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
    return lines


def _differing(old: Response, now: Response, found: tuple[Difference, ...]) -> list[str]:
    if not found:
        return [f"✓ {tr('The answer is the same.')}"]
    ordered = sorted(found, key=lambda one: one.usual)
    lines = [_line(one) for one in ordered]
    if any(one.what == "body" for one in found):
        lines += ["", *body_lines(old, now)]
    return lines


def _line(one: Difference) -> str:
    name = {"status": tr("Status"), "body": tr("Body")}.get(one.what, one.name)
    absent = tr("absent")
    old, new = (absent if value is None else value for value in (one.recorded, one.now))
    usual = f"   ({tr('to be expected')})" if one.usual else ""
    return f"{'·' if one.usual else '✗'} {name}: {old}  →  {new}{usual}"
