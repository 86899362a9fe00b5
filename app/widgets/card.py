"""Cards: a head with a title or tabs, over a body. A card is a dock or stands by itself."""

from __future__ import annotations

import html
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QColor, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from .i18n import tr
from .parts import IconButton
from .theme import Theme

HEAD_ROW = 36
"""The height of a card's head in unzoomed pixels."""
_WIDTH = 355
"""The width below which no page is scrolled because of its neighbours."""


class _Head(QFrame):
    """Docks ask the title bar's hint for its height, whatever its fixed height is."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("cardHead")

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._theme.px(HEAD_ROW))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(60), self._theme.px(HEAD_ROW))


class _Pages(QStackedWidget):
    def minimumSizeHint(self) -> QSize:
        """Return what the page in sight needs; those behind it need nothing."""
        layout = self.layout()
        page = layout.itemAt(self.currentIndex()) if layout is not None else None
        return page.minimumSize() if page is not None else QSize()


class _Room(QScrollArea):
    """Holds *pages*, and scrolls where they need more room than there is."""

    def __init__(self, theme: Theme, pages: QWidget, height: int) -> None:
        super().__init__()
        self._theme = theme
        self._pages = pages
        self._height = height
        self._least = QSize()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(pages)
        pages.setAutoFillBackground(False)  # The card's own is seen through it.
        QGuiApplication.inputMethod().cursorRectangleChanged.connect(self._follow)

    def sizeHint(self) -> QSize:
        return self._pages.sizeHint()

    def minimumSizeHint(self) -> QSize:
        # Heads and bars grow with the zoom, and the screen does not: the pages have to yield.
        height = round(self._height / self._theme.zoom**2)
        return self._pages.minimumSizeHint().boundedTo(QSize(_WIDTH, height))

    def _fit(self) -> None:
        # One that Qt resizes gets the height that it likes best for its width, not the least.
        least = self._pages.minimumSizeHint()
        self._pages.resize(self.viewport().size().expandedTo(least))
        if least != self._least:
            self._least = least
            self.updateGeometry()

    def _follow(self) -> None:
        """Keep in sight where one types."""
        field = QApplication.focusWidget()
        if field is not None and self._pages.isAncestorOf(field):
            cursor = field.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle)
            place = field.mapTo(self._pages, QRectF(cursor).center().toPoint())
            self.ensureVisible(place.x(), place.y(), 0, round(cursor.height()))

    def viewportEvent(self, event: QEvent) -> bool:
        done = super().viewportEvent(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return done

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()


class Card(QObject):
    """The two halves of a card, `head` and `body`, and the pages between which its tabs switch.

    With *tabbed* false the only page's title is a heading instead of a tab. A page that needs more
    than *height* pixels is scrolled where there is no more room; a zoom makes these fewer.
    """

    switched = Signal()
    """Another page is shown."""

    def __init__(self, theme: Theme, *, tabbed: bool = True, height: int = 70) -> None:
        super().__init__()
        self._theme = theme
        self.head, self.body = _Head(theme), QFrame()
        self.body.setObjectName("cardBody")
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.title = QLabel()
        self.title.setObjectName("cardTitle")
        self.title.setTextFormat(Qt.TextFormat.RichText)
        self.stack = _Pages()
        self.room = _Room(theme, self.stack, height)
        """What the pages stand in."""
        self._keys: dict[QWidget, str] = {}
        self.corner = QHBoxLayout()
        self.corner.setSpacing(6)
        head = QHBoxLayout(self.head)
        head.setContentsMargins(6 if tabbed else 13, 0, 8, 0)
        head.setSpacing(8)
        head.addWidget(self.title)
        head.addWidget(self.tabs, 1)
        # Not before they have a parent: they would be windows for a moment.
        self.title.setVisible(not tabbed)
        self.tabs.setVisible(tabbed)
        if not tabbed:
            head.addStretch(1)
        head.addLayout(self.corner)
        self._column = QVBoxLayout(self.body)
        self._column.setContentsMargins(1, 0, 1, 5)
        self._column.addWidget(self.room)
        self.tabs.currentChanged.connect(self._switch)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.head.setFixedHeight(self._theme.px(HEAD_ROW))

    def add(self, page: QWidget, title: str, *, translate: bool = True, place: int = -1) -> int:
        """Add a page under an English title (or under a name that is never translated).

        It becomes the last one, or the one at *place*.
        """
        if translate:
            self._keys[page] = title
        self.stack.insertWidget(place, page)
        at = self.tabs.insertTab(place, tr(title) if translate else title)
        self.title.setText(self.tabs.tabText(0))
        return at

    def add_foot(self, foot: QWidget) -> None:
        """Keep *foot* below all pages."""
        self._column.addWidget(foot)

    def make_closable(self, page: QWidget, close: Callable[[], None]) -> None:
        """Give a page's tab a button that calls *close*."""
        button = IconButton(self._theme, "cross", "Close", close)
        button.setProperty("tab", True)
        button.setFixedSize(self._theme.px(20), self._theme.px(20))
        at = self.stack.indexOf(page)
        self.tabs.setTabButton(at, QTabBar.ButtonPosition.RightSide, button)

    def remove(self, page: QWidget) -> None:
        """Take a page away. Its widget lives on."""
        at = self.stack.indexOf(page)
        if at >= 0:
            self._keys.pop(page, None)
            self.stack.removeWidget(page)
            self.tabs.removeTab(at)

    def show_page(self, page: QWidget) -> None:
        """Switch to a page."""
        self.tabs.setCurrentIndex(self.stack.indexOf(page))

    def set_heading(self, text: str, hue: QColor | None = None) -> None:
        """Set the heading of a card without tabs, with the hue of what it shows."""
        plain = html.escape(text)
        mark = f'<span style="color:{hue.name()}">●</span>&nbsp; ' if hue is not None else ""
        self.title.setText(mark + plain)

    def set_title(self, page: QWidget, title: str) -> None:
        """Set a page's title as it is, without translating it."""
        at = self.stack.indexOf(page)
        if at >= 0 and self.tabs.tabText(at) != title:
            self.tabs.setTabText(at, title)

    def _switch(self, at: int) -> None:
        self.stack.setCurrentIndex(at)
        self.stack.updateGeometry()
        self.switched.emit()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for page, key in self._keys.items():
            self.set_title(page, tr(key))
        self.title.setText(self.tabs.tabText(0))


class CardDock(QDockWidget):
    """A card that can be moved, floated and closed. *name* is its English name in the View menu."""

    def __init__(self, card: Card, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.card = card
        self._name = name
        self.setObjectName(name)
        self.setTitleBarWidget(card.head)
        self.setWidget(card.body)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setWindowTitle(tr(self._name))
        self.card.retranslate()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()


class CardFrame(QWidget):
    """A card that stays where it is."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        self.card = card
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(card.head)
        layout.addWidget(card.body, 1)
