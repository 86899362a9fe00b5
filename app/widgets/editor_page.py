"""One file in an editor: a banner over the code, a search below it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.server.site import Problem, Site

from .code_editor import CodeEditor
from .i18n import tr
from .icons import icon
from .parts import Banner, IconButton, label
from .theme import Theme


class Page(QWidget):
    """What is edited in a tab: a part of the site.

    ``key`` names the part (``handlers/home.py``, ``site.toml``), ``title`` is the tab's text.
    """

    modified_changed = Signal()
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
        self.note = label(role="dim")
        self.tools = QHBoxLayout()
        self.tools.setContentsMargins(12, 6, 10, 2)
        self.tools.setSpacing(8)
        self.tools.addWidget(self.note, 1)
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

    def into(self, site: Site) -> Site:
        """Return *site* with what is written here."""
        raise NotImplementedError

    def served(self, site: Site) -> None:
        """Take note that *site* is served now."""
        raise NotImplementedError

    def undo(self) -> None:
        """Undo one step."""

    def redo(self) -> None:
        """Redo one step."""

    def mark(self, problems: Sequence[Problem]) -> None:
        """Show the problems that belong to this page at their places."""

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
        self.search = _SearchBar(self.editor, theme)
        self.column.addWidget(self.editor, 1)
        self.column.addWidget(self.search)
        self.setFocusProxy(self.editor)
        find = QShortcut(QKeySequence("Ctrl+F"), self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self.search.open)
        self.retranslate()

    def _modified(self) -> None:
        self.update_note()
        self.modified_changed.emit()

    @property
    def modified(self) -> bool:
        return self.editor.document().isModified()

    @property
    def text(self) -> str:
        """What is written."""
        return self.editor.toPlainText()

    def into(self, site: Site) -> Site:
        if self._folder == "handlers":
            return site.with_handler(self.name, self.text)
        return site.with_template(self.name, self.text)

    def served(self, site: Site) -> None:
        sources = site.handlers if self._folder == "handlers" else site.templates
        text = sources.get(self.name)
        document = self.editor.document()
        if text == self.text:
            document.setModified(False)
        elif text is not None and not document.isModified():
            self.editor.setPlainText(text)
            document.setModified(False)

    def undo(self) -> None:
        self.editor.undo()

    def redo(self) -> None:
        self.editor.redo()

    def mark(self, problems: Sequence[Problem]) -> None:
        self.editor.show_problems((problem.line, problem.text) for problem in problems)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        super().retranslate()
        self.editor.setAccessibleName(self.key)
        self.search.retranslate()


class _SearchBar(QWidget):
    """Find in the text: Return goes on, Shift+Return back, Escape closes."""

    def __init__(self, editor: CodeEditor, theme: Theme) -> None:
        super().__init__()
        self._editor = editor
        self.field = QLineEdit()
        self.field.setProperty("mono", True)
        self._back = IconButton(theme, "up", "Previous", lambda: self.find_next(back=True))
        self._on = IconButton(theme, "down", "Next", self.find_next)
        self._close = IconButton(theme, "cross", "Close", self.close_bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 10, 2)
        row.addWidget(self.field, 1)
        for button in (self._back, self._on, self._close):
            row.addWidget(button)
        self.field.textChanged.connect(lambda: self.find_next(again=True))
        for keys, slot in (
            ("Return", self.find_next),
            ("Shift+Return", lambda: self.find_next(back=True)),
            ("Escape", self.close_bar),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)
        self.hide()

    def open(self) -> None:
        """Show the bar with what is selected."""
        chosen = self._editor.textCursor().selectedText()
        self.show()
        if chosen and "\u2029" not in chosen:
            self.field.setText(chosen)
        self.field.setFocus()
        self.field.selectAll()

    def close_bar(self) -> None:
        """Hide the bar and go back to the text."""
        self.hide()
        self._editor.setFocus()

    def find_next(self, *, back: bool = False, again: bool = False) -> None:
        """Select the next place; *again* looks from where the last one began."""
        words, editor = self.field.text(), self._editor
        cursor = editor.textCursor()
        if again:
            cursor.setPosition(cursor.selectionStart())
            editor.setTextCursor(cursor)
        flags = QTextDocument.FindFlag.FindBackward if back else QTextDocument.FindFlag(0)
        if not words or editor.find(words, flags):
            return
        start = editor.textCursor()
        start.movePosition(start.MoveOperation.End if back else start.MoveOperation.Start)
        kept = editor.textCursor()
        editor.setTextCursor(start)
        if not editor.find(words, flags):
            editor.setTextCursor(kept)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.field.setPlaceholderText(tr("Find"))
        self.field.setAccessibleName(tr("Find"))
        for button in (self._back, self._on, self._close):
            button.retranslate()
