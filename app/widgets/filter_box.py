"""The box in which the filter language is written: completion, errors, history."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from PySide6.QtCore import QPoint, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QMoveEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QCompleter, QLabel, QLineEdit, QListView, QWidget

from app.recording.filter import Completion, Filter, compile_filter, complete
from app.recording.filter_keys import Key, Sources
from app.recording.filter_match import FilterError

from .i18n import tr
from .icons import icon
from .parts import set_property
from .theme import Theme

LONGEST = 2_000
"""How many letters an expression may have."""
PAUSE_MS = 150
"""How long nothing is typed until what is there is applied, in ms."""
KEPT = 50
"""How many expressions are remembered."""
_SETTING = "filter/history"
_TIP = (
    "Filter the requests (F). Text is searched for in the URL, /…/ is a regular expression. "
    "key:value asks for more: Ctrl+Space lists the keys. A space means and, | or, - or ! not."
)
_ENDS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Pointer(QLabel):
    """Points from below at a place in a line edit and says what is wrong there."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("pointer")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def point(self, parent: QWidget, at: QPoint, text: str) -> None:
        """Show *text* with an arrow whose tip is at a point of *parent*."""
        if self.parentWidget() is not parent:
            self.setParent(parent)
        self.setText(f"▲ {text}")
        self.adjustSize()
        to_tip = self.contentsMargins().left() + self.fontMetrics().horizontalAdvance("▲") // 2
        left = at.x() - to_tip
        if left + self.width() > parent.width():
            self.setText(f"{text} ▲")
            left = at.x() + to_tip - self.width()
        self.move(max(left, 0), at.y())
        self.raise_()
        self.show()


class _Popup(QListView):
    """The list of completions."""

    closed = Signal()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.closed.emit()


class FilterBox(QLineEdit):
    """Compiles what is written. Green: it is valid, and on; red: the last valid one stays on.

    *seen* gives the values of a key that can be completed. Up and Down go through what was used.
    """

    changed = Signal(object)
    """Another `Filter` holds, or None for no filter at all."""
    left = Signal()
    """Return, or Esc in the empty box: on to the table."""

    def __init__(
        self, theme: Theme, sources: Sources, seen: Callable[[Key], Iterable[str]]
    ) -> None:
        super().__init__()
        self._theme = theme
        self._sources = sources
        self._seen = seen
        self.error: FilterError | None = None
        self.pointer = Pointer()
        self._history = self._remembered()
        self._at = len(self._history)
        self._choices = QStringListModel(self)
        self._completion = Completion(0, 0, [], of_value=False)
        self.completions = QCompleter(self._choices, self)
        self.popup = _Popup()
        self.popup.closed.connect(self._point)
        self.completions.setPopup(self.popup)
        self.completions.setWidget(self)
        self.completions.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self.completions.setMaxVisibleItems(9)
        self.popup.setObjectName("completer")
        self.completions.activated.connect(self._insert)
        self.setMaxLength(LONGEST)
        self.setClearButtonEnabled(True)
        self.setProperty("mono", True)
        self._icon = self.addAction(
            icon(theme, "search", "dim"), QLineEdit.ActionPosition.LeadingPosition
        )
        self._found: Filter | None = None
        self._typing = False
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(lambda: self.changed.emit(self._found))
        self.textEdited.connect(self._edited)  # Comes before textChanged.
        self.textChanged.connect(self._compile)
        theme.changed.connect(self._restyle)
        self.retranslate()

    # -- What is written -------------------------------------------------------------------

    def _edited(self) -> None:
        self._typing = True
        self._offer()

    def _compile(self, text: str) -> None:
        typing, self._typing = self._typing, False
        self._pause.stop()
        try:
            self._found = compile_filter(text, self._sources)
        except FilterError as error:
            self.refuse(error)
            return
        self.error = None
        set_property(self, "state", "ok" if self._found is not None else "")
        self._point()
        # Half a word is valid, too, but nobody wants to see what it finds.
        if typing:
            self._pause.start()
        else:
            self.changed.emit(self._found)

    @property
    def typing(self) -> bool:
        """Whether what is there is not applied yet."""
        return self._pause.isActive()

    def refuse(self, error: FilterError) -> None:
        """Turn red and point at the error."""
        self.error = error
        set_property(self, "state", "error")
        self._point()

    def error_text(self) -> str:
        """Return what is wrong, in the user's language; empty when nothing is."""
        return "" if self.error is None else tr(self.error.expected, **self.error.values)

    def _point(self) -> None:
        """Show what is wrong under the place where it is."""
        self.setToolTip(self.error_text() or tr(_TIP))
        self.setAccessibleDescription(self.error_text())
        parent = self.parentWidget()
        if self.error is None or parent is None or not self.isVisible() or self.popup.isVisible():
            self.pointer.hide()
            return
        place = QPoint(self._x_of(self.error.position), self.height())
        self.pointer.point(parent, self.mapTo(parent, place), self.error_text())

    def _x_of(self, position: int) -> int:
        """Return where a letter stands, in pixels from the left."""
        text, cursor, metrics = self.text(), self.cursorPosition(), self.fontMetrics()
        first, last = sorted((position, cursor))
        way = metrics.horizontalAdvance(text[first:last])
        here = self.cursorRect().center().x()
        letter = metrics.horizontalAdvance(text[position : position + 1] or " ") // 2
        x = here + (way if position > cursor else -way) + letter
        return min(max(x, 0), self.width())

    # -- Completion ------------------------------------------------------------------------

    def _offer(self, *, asked: bool = False) -> None:
        """Show how the word at the cursor may go on."""
        found = complete(self.text(), self.cursorPosition(), self._seen)
        nothing_yet = found.start == found.end and not found.of_value
        if not found.choices or (nothing_yet and not asked):
            self.popup.hide()
            return
        self._completion = found
        self._choices.setStringList(found.choices)
        area = self.cursorRect()
        area.setWidth(self._theme.px(260))
        area.translate(-self.fontMetrics().horizontalAdvance("m" * (found.end - found.start)), 4)
        self.completions.complete(area)
        self._point()

    def _insert(self, choice: str) -> None:
        start, end = self._completion[:2]
        text = self.text()
        self.setText(text[:start] + choice + text[end:])
        self.setCursorPosition(start + len(choice))
        if choice.endswith(":"):
            self._offer()

    # -- History ---------------------------------------------------------------------------

    def _remembered(self) -> list[str]:
        settings = self._theme.settings
        stored = settings.value(_SETTING, "[]", type=str) if settings is not None else "[]"
        try:
            found = json.loads(str(stored))
        except ValueError:
            return []
        return [str(text) for text in found][-KEPT:] if isinstance(found, list) else []

    def remember(self) -> None:
        """Keep the expression for later, if it is a valid one."""
        text = self.text().strip()
        if text and self.error is None:
            self._history = [*(one for one in self._history if one != text), text][-KEPT:]
            if self._theme.settings is not None:
                self._theme.settings.setValue(_SETTING, json.dumps(self._history))
        self._at = len(self._history)

    def _recall(self, step: int) -> None:
        at = self._at + step
        if 0 <= at <= len(self._history):
            self._at = at
            self.setText(self._history[at] if at < len(self._history) else "")

    # -- Keys ------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down recall, Ctrl+Space completes, Return and Esc go on to the table."""
        key, keys = event.key(), Qt.Key
        if self.popup.isVisible() and key in (*_ENDS, keys.Key_Tab, keys.Key_Escape):
            event.ignore()  # They are the popup's.
        elif key == keys.Key_Escape and self.text():
            self.remember()
            self.clear()
        elif key in (*_ENDS, keys.Key_Escape):
            if self._pause.isActive():
                self._pause.stop()
                self.changed.emit(self._found)
            self.remember()
            self.left.emit()
        elif key in (keys.Key_Up, keys.Key_Down):
            self._recall(-1 if key == keys.Key_Up else 1)
        elif key == keys.Key_Space and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self._offer(asked=True)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.remember()

    # -- Looks -----------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._point()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self._point()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._point()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._point()

    def _restyle(self) -> None:
        self._icon.setIcon(icon(self._theme, "search", "dim"))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setPlaceholderText(tr("Filter: text, /regex/, method:POST, status-code:4xx …"))
        self.setAccessibleName(tr("Filter the requests"))
        self._point()
