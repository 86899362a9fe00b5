"""Small shared parts: icon buttons, empty states, banners, labels."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .i18n import tr
from .icons import icon
from .theme import Theme


class IconButton(QToolButton):
    """A button with only an icon; *name* is its tooltip and its name for screen readers."""

    def __init__(
        self,
        theme: Theme,
        picture: str,
        name: str,
        slot: Callable[[], object] | None = None,
        *,
        flat: bool = True,
    ) -> None:
        super().__init__()
        self._theme = theme
        self.picture = picture
        self.name = name
        self.setProperty("flat", flat)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if slot is not None:
            self.clicked.connect(lambda: slot())
        theme.changed.connect(self.restyle)
        self.restyle()
        self.retranslate()

    def restyle(self) -> None:
        """Take icon and size from the theme."""
        self.setIcon(icon(self._theme, self.picture))
        self.setIconSize(QSize(self._theme.px(17), self._theme.px(17)))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setToolTip(tr(self.name))
        self.setAccessibleName(tr(self.name))


class EmptyState(QWidget):
    """What an empty panel shows: what will appear here, and a button that fills it."""

    clicked = Signal()

    def __init__(self, title: str, text: str, action: str = "") -> None:
        super().__init__()
        self._texts = (title, text, action)
        self._title, self._text, self.button = QLabel(), QLabel(), QPushButton()
        self._title.setObjectName("emptyTitle")
        self._text.setObjectName("emptyText")
        self._text.setWordWrap(True)
        self.button.setProperty("primary", True)
        self.button.clicked.connect(lambda: self.clicked.emit())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 8, 20, 8)
        layout.addStretch(2)
        for label in (self._title, self._text):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label)
        layout.addSpacing(4)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(3)
        self.button.setVisible(bool(action))  # Before it has a parent this opens a window.
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        title, text, action = self._texts
        self._title.setText(tr(title))
        self._text.setText(tr(text))
        self.button.setText(tr(action) if action else "")

    def set_texts(self, title: str, text: str, action: str = "") -> None:
        """Say something else; English texts."""
        self._texts = (title, text, action)
        self.button.setVisible(bool(action))
        self.retranslate()


class OrEmpty(QWidget):
    """A widget, or an `EmptyState` in its place."""

    def __init__(self, content: QWidget, empty: EmptyState) -> None:
        super().__init__()
        self.empty = empty
        self._layout = QStackedLayout(self)
        self._layout.addWidget(content)
        self._layout.addWidget(empty)
        self.show_empty(True)

    def show_empty(self, empty: bool) -> None:
        """Show the empty state, or the content."""
        if self._layout.currentIndex() != int(empty):
            self._layout.setCurrentIndex(int(empty))


class Banner(QFrame):
    """A line of text over a panel, to be read and closed: an error, or good news."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = IconButton(theme, "cross", "Close", self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 5, 5, 5)
        layout.addWidget(self.label, 1)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def say(self, text: str, kind: str = "error") -> None:
        """Show *text*; *kind* is ``error``, ``ok`` or ``note``."""
        self.label.setText(text)
        set_property(self, "kind", kind)
        self.show()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self._close.retranslate()


class ElidedLabel(QLabel):
    """One line that is cut with … instead of asking for room; all of it in the tooltip."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._full = ""
        self.set_full(text)

    def set_full(self, text: str) -> None:
        """Show *text*, as much of it as fits."""
        self._full = text
        self.setToolTip(text)
        self._cut()

    def _cut(self) -> None:
        metrics = QFontMetrics(self.font())
        super().setText(
            metrics.elidedText(self._full, Qt.TextElideMode.ElideRight, max(self.width(), 20))
        )

    def resizeEvent(self, event: object) -> None:
        self._cut()


class SteadyLabel(QLabel):
    """One line on a panel's background whose text changes all the time.

    Its size is fixed, with room to grow, so that a change moves and repaints nothing around it.
    """

    def __init__(self, theme: Theme, alignment: Qt.AlignmentFlag) -> None:
        super().__init__()
        self._theme = theme
        self.setAlignment(alignment | Qt.AlignmentFlag.AlignVCenter)

    def say(self, text: str) -> None:
        """Show *text*."""
        if text != self.text():
            self.setText(text)
            self._fit()

    def _fit(self) -> None:
        # Style sheets take this attribute away.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        wanted, em = self.sizeHint(), QFontMetrics(self.font()).height()
        if (
            not wanted.width() <= self.minimumWidth() <= wanted.width() + 3 * em
            or wanted.height() != self.minimumHeight()
        ):
            self.setFixedSize(wanted.width() + em, wanted.height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), self._theme.colours.panel)
        super().paintEvent(event)


def label(text: str = "", role: str = "") -> QLabel:
    """Return a label of plain text; *role* is one of the style sheet's."""
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        result.setProperty("role", role)
    return result


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet asks for, and let it take effect."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
