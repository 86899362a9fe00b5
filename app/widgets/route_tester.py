"""Tries requests on routes without sending them: rule after rule, and what Tornado answers."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.server.trial import Answer, Asked, Outcome, Tried, asked

from .i18n import tr
from .parts import EmptyState, OrEmpty, label
from .route_tester_answer import AnswerView
from .route_tester_moved import MovedView
from .route_tester_rules import TriedView
from .routing_controls import RoutingControls, Rulebook
from .slices import Slices
from .theme import Theme

METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
_TYPING_MS = 60
_MOST_NEAR = 100_000


class RouteTester(QWidget):
    """Fields for a request over two pages: the rules it comes by, and what was recorded."""

    def __init__(self, theme: Theme, routing: RoutingControls) -> None:
        super().__init__()
        self._theme = theme
        self._routing = routing
        self._book: Rulebook | None = None
        self._told = False
        """Whether it is known that there are rules, or none."""
        self.edited = False
        """Whether other rules are served than those that are tried."""
        self._looked: Rulebook | None = None
        self.method, self.host, self.url = QComboBox(), QLineEdit(), QLineEdit()
        self.note = label(role="dim")
        self.tabs = QTabBar()
        self.rules, self.answer = TriedView(theme), AnswerView(theme)
        self.moved = MovedView(theme)
        self.moved_or_none = OrEmpty(
            self.moved,
            EmptyState(
                "Every recorded request goes where it went",
                "After a change of the routes, those that would go elsewhere are listed here.",
            ),
        )
        self.given: Answer | None = None
        """What the latest trial came to."""
        self._trial = Slices(self, self._took, self._answered)
        self._served: Answer | None = None
        self._comparison = Slices(self, self._took_served, self._compared)
        self._survey = Slices(self, self._moved, self._surveyed)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self.ask)
        self._lay_out()
        self._connect()
        self.retranslate()

    def _lay_out(self) -> None:
        self.method.setEditable(True)
        self.method.addItems(METHODS)
        self.method.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.url.setText("/")
        self.note.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        head = QHBoxLayout()
        head.setContentsMargins(6, 0, 10, 0)
        head.setSpacing(8)
        head.addWidget(self.tabs)
        for field, share in ((self.method, 1), (self.host, 2), (self.url, 5)):
            field.setProperty("mono", True)
            head.addWidget(field, share)
        head.addWidget(self.note)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(self.rules)
        self.split.addWidget(self.answer)
        self.split.setSizes([600, 400])
        self.split.setChildrenCollapsible(False)
        self.pages = QStackedWidget()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for page in (self.split, self.moved_or_none):
            self.tabs.addTab("")
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.pages, 1)

    def _connect(self) -> None:
        for signal in (self.url.textChanged, self.host.textChanged):
            signal.connect(lambda _: self._typing.start())
        self.method.currentTextChanged.connect(lambda _: self._typing.start())
        self.url.returnPressed.connect(self.ask)
        self.tabs.currentChanged.connect(self._switch)
        self.moved.asked.connect(self.try_request)
        self._theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.moved.begin()
        self._looked = None
        self.ask()

    # -- What is tried ---------------------------------------------------------------------

    def set_book(self, book: Rulebook | None, *, edited: bool) -> None:
        """Try on these rules from now on; *edited* tells that others are served."""
        self._book, self.edited, self._told = book, edited, True
        self.ask()

    def show_served(self) -> None:
        """Try on the rules that are served."""
        self.set_book(self._routing.served(), edited=False)

    def start_typing(self) -> None:
        """Go to the field of the address."""
        self.tabs.setCurrentIndex(0)
        self.url.setFocus()
        self.url.selectAll()

    def try_request(self, method: str, url: str) -> None:
        """Try a request as if it had been typed."""
        self.tabs.setCurrentIndex(0)
        self.method.setCurrentText(method)
        self.url.setText(url)
        self.ask()

    def ask(self) -> None:
        """Try what is typed on the rules, if somebody looks."""
        self._typing.stop()
        self._trial.stop()
        self._comparison.stop()
        if not self.isVisible() or not self._told:
            return
        if self.pages.currentWidget() is self.moved_or_none:
            self._look()
            return
        question = self._question()
        if question is None or self._book is None:
            return
        self.given = self._served = None
        self.rules.tried.begin(question)
        self._trial.start(self._book.trial(question))

    def _question(self) -> Asked | None:
        fault = "" if self._book is not None else tr("There are no rules that can be looked into.")
        question = None
        try:
            question = asked(
                self.method.currentText(), self.host.text() or "localhost", self.url.text()
            )
        except ValueError as error:
            fault = tr(str(error))
        if fault:
            self.answer.say(fault)
        return None if fault else question

    def _took(self, came: list[Tried | Answer]) -> None:
        self.rules.tried.add(one for one in came if isinstance(one, Tried))
        self.given = next((one for one in came if isinstance(one, Answer)), self.given)
        if self._trial.busy:
            self.note.setText(tr("{count} rules tried …", count=len(self.rules.tried.rows)))

    def _answered(self, _: object) -> None:
        answer, rows = self.given, self.rules.tried.rows
        if answer is None:
            return
        self.note.setText(tr("{count} rules", count=len(rows)))
        chosen = next((one for one in rows if one.rule == answer.rule), None)
        near = [one for one in rows[:_MOST_NEAR] if one.outcome is Outcome.NEAR]
        self.rules.choose(chosen or max(near, key=lambda one: one.reached, default=None))
        self.answer.show_answer(answer, rows, None)
        served = self._routing.served() if self.edited else None
        if served is not None:
            self._comparison.start(served.trial(answer.asked))

    def _took_served(self, came: list[Tried | Answer]) -> None:
        self._served = next((one for one in came if isinstance(one, Answer)), self._served)

    def _compared(self, _: object) -> None:
        answer, served = self.given, self._served
        if answer is not None and served is not None and _says(served) != _says(answer):
            self.answer.show_answer(answer, self.rules.tried.rows, served)

    # -- What was recorded -----------------------------------------------------------------

    def _switch(self, at: int) -> None:
        self.pages.setCurrentIndex(at)
        self._looked = None
        self._trial.stop()
        self.ask()

    def _look(self) -> None:
        if self._book is None or self._looked is self._book:
            return
        self._looked = self._book
        self.moved.begin()
        self.moved_or_none.show_empty(True)
        self._survey.start(self._book.moved())

    def _moved(self, came: list[object]) -> None:
        self.moved.add(came)  # type: ignore[arg-type]
        self.moved_or_none.show_empty(self.moved.count == 0)

    def _surveyed(self, _: object) -> None:
        self.note.setText(tr("{count} requests would go elsewhere", count=self.moved.count))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._looked = None
        self._typing.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        for work in (self._trial, self._comparison, self._survey):
            work.stop()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        names = ("Method of the request", "Host of the request", "Path or address of the request")
        tips = (
            "Any method; those that a handler has no function for are answered 405",
            "What the client says in its Host header",
            "Ctrl+T comes here; the request is not sent",
        )
        for field, name, tip in zip((self.method, self.host, self.url), names, tips, strict=True):
            field.setAccessibleName(tr(name))
            field.setToolTip(tr(tip))
        self.host.setPlaceholderText("localhost")
        self.url.setPlaceholderText(tr("Path or address"))
        for at, title in enumerate(("Try a request", "Recorded requests")):
            self.tabs.setTabText(at, tr(title))
        self.tabs.setAccessibleName(tr("Route tester"))
        self.moved_or_none.empty.retranslate()
        self.moved.retranslate()
        self.rules.retranslate()
        self.ask()


def _says(answer: Answer) -> tuple[object, ...]:
    """Return what makes an answer another one: neither numbers nor order of the rules."""
    return (answer.status, answer.words, answer.target, answer.arguments, answer.initialize)
