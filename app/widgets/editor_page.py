"""What is edited in a tab: a banner and tools over it; a file with a search below its code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.server.completion import Completer, Completion
from app.server.site import Problem, Site, compile_handler

from .code_editor import CodeEditor
from .code_marks import Mark
from .completion import CompletionPopup
from .find_bar import FindBar
from .i18n import tr
from .icons import icon
from .parts import Banner, label
from .problem_list import ProblemList
from .theme import Theme

_CHECK_MS = 500
"""How long nothing is typed until it is looked at for mistakes, in ms."""

_LONGEST = 300_000
"""Texts with more characters are looked at only when they are applied."""


class Page(QWidget):
    """What is edited in a tab: a part of the site.

    ``key`` names the part (``handlers/home.py``, ``site.toml``), ``title`` is the tab's text.
    """

    modified_changed = Signal()
    edited = Signal()
    """Something was typed or chosen."""
    apply_wanted = Signal()
    """Serve what is written here."""

    def __init__(self, key: str, title: str, theme: Theme) -> None:
        super().__init__()
        self.key = key
        self.title = title
        self._theme = theme
        self.banner = Banner(theme)
        self.apply_button = QPushButton()
        self.apply_button.setProperty("primary", True)
        self.apply_button.clicked.connect(self.apply_wanted)
        self.as_you_type = QCheckBox()
        self.note = label(role="dim")
        self.tools = QHBoxLayout()
        self.tools.setContentsMargins(12, 6, 10, 2)
        self.tools.setSpacing(8)
        self.tools.addWidget(self.note, 1)
        self.tools.addWidget(self.as_you_type)
        self.tools.addWidget(self.apply_button)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(4)
        self.column.addLayout(self.tools)
        holder = QHBoxLayout()
        holder.setContentsMargins(10, 0, 10, 0)
        holder.addWidget(self.banner)
        self.column.addLayout(holder)
        theme.changed.connect(self._restyle_tools)
        self._restyle_tools()

    def _restyle_tools(self) -> None:
        self.apply_button.setIcon(icon(self._theme, "check", "on_hue"))
        self.apply_button.setIconSize(QSize(self._theme.px(15), self._theme.px(15)))

    @property
    def modified(self) -> bool:
        """Whether what is written here is not what is served."""
        raise NotImplementedError

    @property
    def parses(self) -> bool:
        """Whether what is written here is worth an attempt to serve it while it is typed."""
        return True

    def into(self, site: Site) -> Site:
        """Return *site* with what is written here. Raises SiteError where that cannot be."""
        raise NotImplementedError

    def served(self, site: Site) -> None:
        """Take note that *site* is served now."""
        raise NotImplementedError

    def hold(self, site: Site) -> None:
        """Hold what *site* says, as if that had been typed here."""
        raise NotImplementedError

    def undo(self) -> None:
        """Undo one step."""

    def redo(self) -> None:
        """Redo one step."""

    def mark(self, problems: Sequence[Problem]) -> None:
        """Show the problems that belong to this page at their places."""

    def go_to_problem(self) -> None:
        """Go to the first place that is marked."""

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show what is wrong with the site; the last good version goes on serving."""
        self.mark([problem for problem in problems if problem.file == self.key])
        if problems:
            head = tr("Not applied: the last good version goes on serving.")
            lines = [str(problem) for problem in problems[:4]]
            if len(problems) > 4:
                lines.append("…")
            self.banner.say("\n".join([head, *lines]))
        else:
            self.banner.hide()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.apply_button.setText(tr("Apply"))
        self.apply_button.setToolTip(tr("Serve it from the next request on (Ctrl+Return)"))
        self.as_you_type.setText(tr("As you type"))
        self.as_you_type.setToolTip(
            tr("Apply a moment after the last key, whatever parses; in all editors")
        )
        self.banner.retranslate()
        self.update_note()

    def update_note(self) -> None:
        """Say whether this is what is served."""
        self.note.setText(tr("Edited, not applied yet") if self.modified else tr("This is served"))
        self.apply_button.setEnabled(self.modified)


class FilePage(Page):
    """A handler module or a template."""

    def __init__(self, folder: str, name: str, text: str, theme: Theme) -> None:
        super().__init__(f"{folder}/{name}", name, theme)
        self._folder = folder
        self.name = name
        self.editor = CodeEditor(theme, "py" if folder == "handlers" else "html")
        self.editor.setPlainText(text)
        self.editor.document().setModified(False)
        self.editor.apply_wanted.connect(self.apply_wanted)
        self.editor.document().modificationChanged.connect(self._modified)
        self.search = FindBar(self.editor, theme, self)
        self.problems = ProblemList(self.editor, theme)
        self._site = Site(Path())
        self._completer = Completer()
        self.completions = (
            CompletionPopup(self.editor, theme, self._complete) if folder == "handlers" else None
        )
        self._last = text
        self._check = QTimer(self, singleShot=True, interval=_CHECK_MS)
        self._check.timeout.connect(self.check)
        self.editor.textChanged.connect(self._typed)
        self.column.addWidget(self.editor, 1)
        self.column.addWidget(self.problems)
        self.column.addWidget(self.search)
        self.setFocusProxy(self.editor)
        following = QShortcut(QKeySequence("Ctrl+."), self)
        following.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        following.activated.connect(self.problems.go_next)
        self.retranslate()

    def _modified(self) -> None:
        self.update_note()
        self.modified_changed.emit()

    def _complete(self, text: str, position: int) -> Completion:
        return self._completer.complete(text, position, self.name, self._site.handlers)

    def _typed(self) -> None:
        text = self.text
        if text == self._last:  # Only the colours changed.
            return
        self._last = text
        self._check.start()
        if self.modified:
            self.edited.emit()

    def check(self) -> None:
        """Look for mistakes in what is written, without running it; mark the first."""
        if self.completions is not None and self.completions.isVisible():
            self._check.start()  # The line is not finished.
            return
        self.mark([] if (problem := self._mistake()) is None else [problem])

    def _mistake(self) -> Problem | None:
        if self._folder != "handlers" or len(self.text) > _LONGEST:
            return None
        compiled = compile_handler(Site(Path()), self.name, self.text)
        return compiled if isinstance(compiled, Problem) else None

    @property
    def parses(self) -> bool:
        return self._mistake() is None

    @property
    def modified(self) -> bool:
        return self.editor.document().isModified()

    @property
    def text(self) -> str:
        """What is written."""
        return self.editor.text()

    def into(self, site: Site) -> Site:
        if self._folder == "handlers":
            return site.with_handler(self.name, self.text)
        return site.with_template(self.name, self.text)

    def served(self, site: Site) -> None:
        self._site = site
        sources = site.handlers if self._folder == "handlers" else site.templates
        text = sources.get(self.name)
        document = self.editor.document()
        if text == self.text:
            document.setModified(False)
        elif text is not None and not document.isModified():
            self.editor.replace_text(text)
            document.setModified(False)

    def hold(self, site: Site) -> None:
        self._site = site
        sources = site.handlers if self._folder == "handlers" else site.templates
        self.editor.replace_text(sources.get(self.name, ""))

    def undo(self) -> None:
        self.editor.undo()

    def redo(self) -> None:
        self.editor.redo()

    def mark(self, problems: Sequence[Problem]) -> None:
        self.editor.show_problems(Mark(one.line, one.text, one.column) for one in problems)
        self.problems.refresh()

    def go_to_problem(self) -> None:
        if marks := self.editor.problems():
            self.editor.go_to(marks[0].line, marks[0].column)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        super().retranslate()
        self.editor.setAccessibleName(self.key)
        self.search.retranslate()
        self.problems.retranslate()
        if self.completions is not None:
            self.completions.retranslate()
