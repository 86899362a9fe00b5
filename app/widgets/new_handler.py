"""A new handler from a snippet, with a route to it."""

from __future__ import annotations

import keyword

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.server.site import SiteError
from app.server.snippets import SNIPPETS, Snippet, add

from .code_editor import CodeEditor
from .controls import Controls
from .editors import Editors
from .i18n import tr
from .parts import label, set_property
from .theme import ROW, Theme


class NewHandler(QDialog):
    """Shows the code before it is added; then serves it and opens its editor."""

    def __init__(self, controls: Controls, editors: Editors, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("New handler"))
        self._controls, self._editors = controls, editors
        self._theme = theme
        self._renamed = self._routed = False
        self.list = self._make_list()
        self.name, self.pattern = QLineEdit(), QLineEdit()
        for field in (self.name, self.pattern):
            field.setProperty("mono", True)
        self.route = QCheckBox(tr("Add a route"))
        self.route.setChecked(True)
        self.about = label(role="head")
        self.where = label(role="dim")
        self.where.setWordWrap(True)
        self.code = CodeEditor(theme, "py")
        self.code.setProperty("bare", False)
        self.code.setReadOnly(True)
        self.code.setTabChangesFocus(True)
        self.code.setAccessibleName(tr("Code"))
        self.fault = label(role="error")
        self.fault.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok.setText(tr("Add"))
        self.ok.setProperty("primary", True)
        self._lay_out()
        self._name_all()
        self._connect()
        self.list.setCurrentRow(0)
        self.resize(theme.px(860), theme.px(560))

    def _make_list(self) -> QListWidget:
        found = QListWidget()
        for snippet in SNIPPETS:
            item = QListWidgetItem(tr(snippet.title))
            item.setSizeHint(QSize(10, self._theme.px(ROW + 4)))
            item.setToolTip(tr(snippet.text))
            found.addItem(item)
        found.setProperty("boxed", True)
        found.setFixedWidth(self._theme.px(160))
        return found

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        grid.addWidget(label(tr("Name of the handler module")), 0, 0)
        grid.addWidget(self.name, 0, 1)
        grid.addWidget(self.route, 1, 0)
        grid.addWidget(self.pattern, 1, 1)
        grid.addWidget(self.where, 2, 0, 1, 2)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self.about)
        right.addLayout(grid)
        right.addWidget(self.code, 1)
        right.addWidget(self.fault)
        both = QHBoxLayout()
        both.setSpacing(14)
        both.addWidget(self.list)
        both.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addLayout(both, 1)
        column.addWidget(self.buttons)

    def _name_all(self) -> None:
        self.list.setAccessibleName(tr("What to begin with"))
        self.list.setToolTip(tr("What to begin with"))
        self.name.setAccessibleName(tr("Name of the handler module"))
        self.name.setToolTip(tr("In snake case: shop_cart makes handlers/shop_cart.py"))
        self.route.setToolTip(tr("Let the handler answer at a path from now on"))
        self.pattern.setAccessibleName(tr("Pattern of the route"))
        self.pattern.setToolTip(tr("A path, or a regular expression for paths"))

    def _connect(self) -> None:
        self.list.currentRowChanged.connect(self._chosen)
        self.name.textEdited.connect(self._named)
        self.pattern.textEdited.connect(self._set_routed)
        self.name.textChanged.connect(self.refresh)
        self.pattern.textChanged.connect(self.refresh)
        self.route.toggled.connect(self.refresh)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    # -- What is chosen --------------------------------------------------------------------

    @property
    def snippet(self) -> Snippet:
        """The one that is chosen."""
        return SNIPPETS[max(self.list.currentRow(), 0)]

    def _named(self) -> None:
        self._renamed = True
        if not self._routed:
            self.pattern.setText(f"/{self.name.text()}")

    def _set_routed(self) -> None:
        self._routed = True

    def _chosen(self) -> None:
        if not self._renamed:
            self.name.setText(self._free(self.snippet.key))
        if not self._routed:
            self.pattern.setText(f"/{self.name.text()}")
        self.refresh()

    def _free(self, key: str) -> str:
        stem = {"async": "waiting"}.get(key, key)
        taken = self._controls.site.handlers
        numbered = (f"{stem}{number or ''}" for number in [0, *range(2, 1_000)])
        return next(name for name in numbered if f"{name}.py" not in taken)

    def _wrong(self) -> str:
        """Say why the name cannot be taken; empty when it can."""
        name = self.name.text()
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            return tr("A name in snake case is needed, such as shop_cart")
        if f"{name}.py" in self._controls.site.handlers:
            return tr("There is a handlers/{name}.py already", name=name)
        return ""

    def refresh(self) -> None:
        """Show the code, and where it will be used."""
        snippet, wrong = self.snippet, self._wrong()
        routed = not snippet.setting
        self.about.setText(tr(snippet.text))
        for widget in (self.route, self.pattern):
            widget.setVisible(routed)
        self.pattern.setEnabled(self.route.isChecked())
        self.where.setVisible(not routed)
        self.where.setText(
            tr("All templates have it: the setting {setting} will name it", setting=snippet.setting)
        )
        set_property(self.name, "state", "error" if wrong else "")
        self.fault.setText(wrong)
        self.ok.setEnabled(not wrong)
        if not wrong:
            self.code.setPlainText(snippet.source(self.name.text()))

    def accept(self) -> None:
        """Add it and serve it, or show what keeps it from being served."""
        if self._wrong():
            return
        name = self.name.text()
        pattern = self.pattern.text() if self.route.isChecked() else ""
        try:
            site = add(self._controls.site, self.snippet, name, pattern)
            problems = self._controls.apply(site)
        except SiteError as error:
            problems = error.problems
        if problems:
            self.fault.setText("\n".join(str(problem) for problem in problems[:3]))
            return
        self._editors.unsaved = True
        super().accept()
        self._editors.open_file("handlers", f"{name}.py")
