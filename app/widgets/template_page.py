"""A template in an editor, beside it the Python that it becomes and what that puts out."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QPushButton, QSplitter
from shiboken6 import isValid

from app.server.site import TEMPLATES, Problem, Site
from app.server.templates.facts import Fault, Links, Span

from .editor_page import FilePage
from .i18n import tr
from .icons import icon
from .template_controls import DATA, Asked, Shown, TemplateControls
from .template_side import TemplateSide, lacks_data
from .template_views import Marks, raw_places, units
from .theme import Theme

_NEWS_MS = 500
"""How long after a request has rendered the template its data are taken, in ms."""


class TemplatePage(FilePage):
    """A template: source, generated Python and output, each line linked with the others."""

    open_wanted = Signal(str, int)
    """Another template is to be opened at a line."""

    def __init__(self, name: str, text: str, theme: Theme, controls: TemplateControls) -> None:
        self._controls = controls
        self._links = Links(())
        self._shown: Shown | None = None
        self._shown_text = ""
        self._linking = False
        self._root_chosen = False
        self.side = TemplateSide(theme, name)
        super().__init__(TEMPLATES, name, text, theme)
        self.marks = Marks(self.editor, theme)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.column.insertWidget(self.column.indexOf(self.editor), self.splitter, 1)
        self.splitter.addWidget(self.editor)
        self.splitter.addWidget(self.side)
        self.splitter.setSizes([500, 500])
        self.splitter.setChildrenCollapsible(False)
        self.toggle = QPushButton()
        self.toggle.setCheckable(True)
        self.toggle.setChecked(True)
        self.toggle.toggled.connect(self.side.setVisible)
        self.tools.insertWidget(1, self.toggle)
        self._news = QTimer(self, singleShot=True, interval=_NEWS_MS)
        self._news.timeout.connect(self.check)
        self._connect()
        theme.changed.connect(self._restyle_toggle)
        self._restyle_toggle()
        self.retranslate()
        controls.watch(self)
        self.check()

    def _connect(self) -> None:
        side = self.side
        self.editor.cursorPositionChanged.connect(self._source_chosen)
        side.python.chosen.connect(self._python_chosen)
        side.output.chosen.connect(self._output_chosen)
        side.sources.changed.connect(self._chose_source)
        side.sources.again.connect(self._controls.send_again)
        side.typed.changed.connect(self.check)
        side.names.evaluate.connect(self.check)
        side.fault.clicked.connect(self._go_to_fault)
        side.origin.clicked.connect(lambda: self._go(*self._origin))
        for tree in (side.names.tree, side.escaping, side.structure):
            tree.place_wanted.connect(self._go)
        self._controls.rendered.connect(self._rendered)
        toggle = QShortcut(QKeySequence("F6"), self)
        toggle.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        toggle.activated.connect(self._next_view)

    def _restyle_toggle(self) -> None:
        self.toggle.setIcon(icon(self._theme, "lanes"))
        self.toggle.setIconSize(QSize(self._theme.px(15), self._theme.px(15)))

    def _next_view(self) -> None:
        """Give the focus to the next of source, Python and what stands below it."""
        self.toggle.setChecked(True)
        below = self.side.card.stack
        views = [self.editor, self.side.python, below.currentWidget() or below]
        focus = self.focusWidget()
        at = next((n for n, v in enumerate(views) if v is focus or v.isAncestorOf(focus)), -1)
        views[(at + 1) % len(views)].setFocus()

    # -- Asking ------------------------------------------------------------------------------

    def check(self) -> None:
        """Analyse and render what is written, in a moment."""
        self._refresh_sources()
        sources = self.side.sources
        asked = Asked(
            self.name,
            self.text,
            sources.root_name,
            sources.request_id,
            self.side.typed.editor.text(),
            self.side.names.field.text(),
        )
        self._controls.show(asked, lambda shown: self._show(shown, asked.text))

    def served(self, site: Site) -> None:
        super().served(site)
        self._check.start()

    @property
    def parses(self) -> bool:
        """Whether nothing is known to be wrong with what is written."""
        preview = self._shown.preview if self._shown is not None else None
        return preview is None or self._shown_text != self.text or preview.analysis.fault is None

    def _rendered(self, name: str) -> None:
        users = self._shown.users if self._shown is not None else ()
        wanted = name == self.side.sources.root_name or (not self._root_chosen and name in users)
        if wanted and not self._news.isActive():
            self._news.start()

    def _refresh_sources(self) -> None:
        self.side.sources.show_recorded(self._controls.recorded(self.side.sources.root_name))

    def _chose_source(self) -> None:
        self._root_chosen = True
        self.check()

    # -- Showing -----------------------------------------------------------------------------

    def _show(self, shown: Shown, text: str) -> None:
        if not isValid(self):  # It was closed meanwhile.
            return
        self._shown, self._shown_text = shown, text
        preview = shown.preview
        self._links = preview.links
        self._offer_roots(shown.users)
        self.side.show_preview(shown)
        fault = preview.fault
        mine = fault is not None and fault.file == self.name and not lacks_data(preview)
        self.mark([_problem(fault)] if fault is not None and mine else [])
        if preview.analysis.code:
            parts = units(self.text, raw_places(self.text, self.name, preview.analysis.code))
            self.marks.show((part, "warn") for part in parts)
        self._source_chosen()

    def _offer_roots(self, users: tuple[str, ...]) -> None:
        self.side.sources.show_users(users)
        if self._root_chosen or self._controls.recorded(self.name):
            return
        # A part of pages is best seen in a page that was rendered.
        rendered = next((user for user in users if self._controls.recorded(user)), None)
        if rendered is not None:
            self._root_chosen = True
            self.side.sources.choose_root(rendered)
            self.check()

    def mark(self, problems: list[Problem]) -> None:  # type: ignore[override]
        super().mark(problems)
        self.marks.apply()

    def _go_to_fault(self) -> None:
        shown = self._shown
        fault = shown.preview.fault if shown is not None else None
        if fault is None:
            if shown is not None and shown.remarks:
                self._go(self.name, shown.remarks[0].line)
            return
        if fault.file == DATA or (self._shown is not None and lacks_data(self._shown.preview)):
            self.side.card.show_page(self.side.typed)
            self.side.typed.setFocus()
        elif fault.file:
            self._go(fault.file, fault.line, fault.column)

    def _go(self, file: str, line: int, column: int = 0) -> None:
        if file == self.name:
            self.editor.go_to(line, column)
            self.editor.setFocus()
        elif file:
            self.open_wanted.emit(file, line)

    # -- Linking -----------------------------------------------------------------------------

    def _source_chosen(self) -> None:
        if self._linking:
            return
        place = (self.name, self.editor.textCursor().blockNumber() + 1)
        self._link([], self._links.code_of(place), self._links.output_of(place))

    def _python_chosen(self, line: int) -> None:
        places = self._links.source_of(line)
        self._link(places, [], self._links.output_of_code([line]) if places else [])

    def _output_chosen(self, line: int) -> None:
        spans = self._links.spans_in(line)
        places = [(span.file, at) for span in spans for at in range(span.line, span.last + 1)]
        self._link(places, sorted({span.code_line for span in spans}), [])

    def _link(self, places: list[tuple[str, int]], code: list[int], spans: list[Span]) -> None:
        self._linking = True
        lines = sorted({line for file, line in places if file == self.name})
        self.marks.link(lines)
        self.side.python.marks.link(code)
        parts = units(self._links.output, ((span.start, span.end) for span in spans))
        self.side.output.marks.link([], parts)
        elsewhere = [place for place in places if place[0] != self.name]
        self._origin = elsewhere[0] if elsewhere and not lines else ("", 0)
        self.side.show_origin(*self._origin)
        self._linking = False

    _origin: tuple[str, int] = ("", 0)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        super().retranslate()
        self.side.retranslate()
        if self._shown is not None:
            self.side.show_preview(self._shown)
        if hasattr(self, "toggle"):
            self.toggle.setText(tr("Views"))
            self.toggle.setToolTip(tr("Show what becomes of the template; F6 goes round the views"))


def _problem(fault: Fault) -> Problem:
    return Problem(f"{TEMPLATES}/{fault.file}", fault.line, fault.column, fault.text)
