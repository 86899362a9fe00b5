"""The history of what was served, and the difference between any two states of the site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.server.site import SiteError, load
from app.server.versions import Change, Version, files

from .controls import Controls
from .editors import Editors
from .i18n import language, tr
from .parts import IconButton, label
from .theme import ROW, Theme
from .versions_difference import VersionsDifference

DISK, SERVED, WRITTEN = -1, -2, -3
"""States of the site that are no version."""
_NUMBER = Qt.ItemDataRole.UserRole


class VersionsPage(QWidget):
    """A list of versions, newest first, beside a difference between two states.

    A chosen version is compared with the one it was made from.
    """

    key = "versions"

    def __init__(self, controls: Controls, editors: Editors, theme: Theme) -> None:
        super().__init__()
        self._controls, self._editors, self._theme = controls, editors, theme
        self.list = self._make_list()
        self.old, self.new = QComboBox(), QComboBox()
        self.note = label(role="dim")
        self.serve = QPushButton()
        self.serve.setProperty("primary", True)
        self.serve.clicked.connect(self._serve)
        self.undo = IconButton(theme, "undo", "Undo the last apply", editors.history.undo)
        self.redo = IconButton(theme, "redo", "Redo the apply", editors.history.redo)
        self.view = VersionsDifference(theme)
        self._lay_out()
        for box in (self.old, self.new):
            box.currentIndexChanged.connect(self.compare)
        self.list.currentItemChanged.connect(self._chosen)
        self.list.itemActivated.connect(self._serve)
        self.view.open_wanted.connect(self._open_place)
        editors.history.changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        language.changed.connect(self.retranslate)
        self.setFocusProxy(self.list)
        self.retranslate()

    def _make_list(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setColumnCount(3)
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        tree.header().setStretchLastSection(True)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return tree

    def _lay_out(self) -> None:
        left, right = QWidget(), QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 6)
        column.addWidget(self.list, 1)
        row = QHBoxLayout()
        row.setContentsMargins(10, 0, 10, 0)
        row.addWidget(self.undo)
        row.addWidget(self.redo)
        row.addStretch(1)
        row.addWidget(self.serve)
        column.addLayout(row)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 6, 0, 0)
        row = QHBoxLayout()
        row.setContentsMargins(12, 0, 12, 0)
        row.addWidget(self.old, 1)
        row.addWidget(label("→", "dim"))
        row.addWidget(self.new, 1)
        column.addLayout(row)
        note = QHBoxLayout()
        note.setContentsMargins(14, 0, 12, 0)
        note.addWidget(self.note)
        column.addLayout(note)
        column.addWidget(self.view, 1)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(left)
        split.addWidget(right)
        split.setStretchFactor(1, 1)
        split.setSizes([self._theme.px(290), self._theme.px(500)])
        split.setChildrenCollapsible(False)
        holder = QVBoxLayout(self)
        holder.setContentsMargins(0, 0, 0, 0)
        holder.addWidget(split)

    def showEvent(self, event: QShowEvent) -> None:
        """Compare anew: something may have been written meanwhile."""
        super().showEvent(event)
        self.compare()

    # -- The list --------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the versions as they are now."""
        versions = list(self._editors.history.versions)
        chosen = self._number()
        blocked = self.list.blockSignals(True)
        self.list.clear()
        for version in reversed(versions):
            item = self._item(version)
            self.list.addTopLevelItem(item)
            if version.number == (chosen or self._editors.history.versions.current):
                self.list.setCurrentItem(item)
        self.list.blockSignals(blocked)
        self._fill_boxes(versions)
        self.undo.setEnabled(self._editors.history.versions.before() is not None)
        self.redo.setEnabled(self._editors.history.versions.after() is not None)
        self._show_serve()
        self.compare()

    def _item(self, version: Version) -> QTreeWidgetItem:
        here = version.number == self._editors.history.versions.current
        moment = datetime.fromtimestamp(version.time).strftime("%H:%M:%S")
        texts = [f"{'•' if here else ' '} {version.number}", moment, _what(version)]
        item = QTreeWidgetItem(texts)
        item.setData(0, _NUMBER, version.number)
        item.setSizeHint(0, QSize(10, self._theme.px(ROW)))
        item.setForeground(1, self._theme.colours.dim)
        item.setToolTip(2, "\n".join(map(_change, version.changes)))
        if here:
            item.setForeground(0, self._theme.colours.ok)
            item.setToolTip(0, tr("This is served"))
        return item

    def _number(self) -> int:
        item = self.list.currentItem()
        return int(item.data(0, _NUMBER)) if item is not None else 0

    def _chosen(self) -> None:
        """Compare the version with the one it was made from."""
        number = self._number()
        self._show_serve()
        if number:
            parent = self._editors.history.versions[number].parent
            self.choose(parent if self.old.findData(parent) >= 0 else number, number)

    def _show_serve(self) -> None:
        here = self._editors.history.versions.current
        self.serve.setEnabled(self._number() not in (0, here) and self._controls.editable)

    def _serve(self) -> None:
        number = self._number()
        if number and number != self._editors.history.versions.current:
            self._editors.history.serve(number)

    # -- The difference --------------------------------------------------------------------

    def _fill_boxes(self, versions: list[Version]) -> None:
        states = [
            (tr("On the disk"), DISK),
            (tr("Served now"), SERVED),
            (tr("Written in the editors"), WRITTEN),
            *((tr("Version {number}", number=v.number), v.number) for v in reversed(versions)),
        ]
        for box, default in ((self.old, SERVED), (self.new, WRITTEN)):
            chosen = box.currentData()
            blocked = box.blockSignals(True)
            box.clear()
            for text, state in states:
                box.addItem(text, state)
            at = box.findData(chosen)
            box.setCurrentIndex(at if at >= 0 else box.findData(default))
            box.blockSignals(blocked)

    def choose(self, old: int, new: int) -> None:
        """Compare two states: numbers of versions, or `DISK`, `SERVED`, `WRITTEN`."""
        for box, state in ((self.old, old), (self.new, new)):
            blocked = box.blockSignals(True)
            box.setCurrentIndex(box.findData(state))
            box.blockSignals(blocked)
        self.compare()

    def compare(self) -> None:
        """Show the difference between the two states as they are at this moment, if it is seen."""
        if not self.isVisible():
            return
        try:
            old, new = self._texts(self.old.currentData()), self._texts(self.new.currentData())
        except SiteError as error:
            self.note.setText(str(error))
            self.view.show_texts({}, {})
            return
        count = self.view.show_texts(old, new)
        self.note.setText(
            tr("Files that differ: {count}", count=count) if count else tr("Both are the same")
        )

    def _texts(self, state: int) -> Mapping[str, str]:
        """Return the files in a state. Raises SiteError for what cannot be read."""
        if state == DISK:
            return files(load(self._controls.site.folder))
        if state == WRITTEN:
            return files(self._editors.written())
        if state == SERVED:
            return files(self._controls.site)
        return files(self._editors.history.versions[state].site)

    def _open_place(self) -> None:
        name, line = self.view.place()
        folder, _, rest = name.partition("/")
        if rest:
            self._editors.open_file(folder, rest, line)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.list.setHeaderLabels(["#", tr("Time"), tr("What changed")])
        self.list.setAccessibleName(tr("Versions"))
        self.serve.setText(tr("Serve this version"))
        self.serve.setToolTip(tr("New requests get it; what came after it is kept (Return)"))
        self.old.setAccessibleName(tr("Compare"))
        self.old.setToolTip(tr("The state from which the difference is taken"))
        self.new.setAccessibleName(tr("with"))
        self.new.setToolTip(tr("The state that is compared with it"))
        self.view.setToolTip(tr("Return opens the file at this line"))
        for button in (self.undo, self.redo):
            button.retranslate()
        self.view.retranslate()
        self.refresh()


def _what(version: Version) -> str:
    if not version.changes:
        return tr("As it was opened")
    return ", ".join(
        _change(change._replace(file=change.file.rpartition("/")[2])) for change in version.changes
    )


def _change(change: Change) -> str:
    sign = {"added": "+ ", "removed": "− "}.get(change.kind, "")
    return f"{sign}{change.file} +{change.plus} −{change.minus}"
