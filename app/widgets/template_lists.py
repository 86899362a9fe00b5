"""Lists about a template: its names, what is escaped, what it is made of."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.server.templates.facts import EXPRESSION, MODULE, CodeLine, Reference

from .i18n import tr
from .template_controls import Shown
from .theme import Theme

_PLACE = Qt.ItemDataRole.UserRole
_TYPING_MS = 300
_MOST_LINES = 10_000
"""How many lines of Python are looked at."""
_NARROW = 340
"""Below how many unzoomed pixels of width a third column is left out, the one that is spared."""


class _Tree(QTreeWidget):
    """Rows with a place in a template; activated or clicked, they go there."""

    place_wanted = Signal(str, int)

    def __init__(
        self, theme: Theme, heads: tuple[str, ...], name: str, wide: int, spare: int
    ) -> None:
        super().__init__()
        self.theme = theme
        self._heads, self._name, self._wide, self._spare = heads, name, wide, spare
        self.setColumnCount(len(heads))
        self.setUniformRowHeights(True)
        self.setRootIsDecorated(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(wide, QHeaderView.ResizeMode.Stretch)
        for signal in (self.itemActivated, self.itemClicked):
            signal.connect(self._go)

    def _go(self, item: QTreeWidgetItem) -> None:
        if (place := item.data(0, _PLACE)) is not None:
            self.place_wanted.emit(*place)

    def row(
        self,
        texts: tuple[str, ...],
        place: tuple[str, int] | None = None,
        colour: str = "",
        under: QTreeWidgetItem | None = None,
    ) -> QTreeWidgetItem:
        """Add a row."""
        item = QTreeWidgetItem([" ".join(text.split()) for text in texts])
        item.setData(0, _PLACE, place)
        for column, text in enumerate(texts):
            item.setToolTip(column, text[:2000])
            if colour:
                item.setForeground(column, self.theme.colour(colour))
        if under is None:
            self.addTopLevelItem(item)
        else:
            under.addChild(item)
        return item

    def fit(self) -> None:
        """Give the columns but the wide one the room that they need, within limits."""
        width = self.viewport().width()
        if self.columnCount() > 2:
            self.setColumnHidden(self._spare, width < self.theme.px(_NARROW))
        for column in range(self.columnCount()):
            if column != self._wide:
                wanted = self.sizeHintForColumn(column) + self.theme.px(14)
                self.setColumnWidth(column, min(wanted, int(width * 0.38)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setHeaderLabels([tr(head) for head in self._heads])
        self.setAccessibleName(tr(self._name))


class Names(QWidget):
    """The names in the template's namespace with their values; below, an expression to try."""

    evaluate = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.tree = _Tree(theme, ("Name", "Value", "From"), "Names in the template", 1, 2)
        self.field = QLineEdit()
        self.field.setProperty("mono", True)
        wait = QTimer(self, singleShot=True, interval=_TYPING_MS)
        wait.timeout.connect(self.evaluate)
        self.field.textChanged.connect(lambda: wait.start())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 2)
        layout.setSpacing(4)
        layout.addWidget(self.field)
        layout.addWidget(self.tree, 1)
        self.setFocusProxy(self.field)

    def show_names(self, shown: Shown) -> None:
        """Fill the list."""
        tree, theme = self.tree, self.tree.theme
        tree.clear()
        mono = theme.font(mono=True)
        for name in shown.preview.missing:
            tree.row((name, tr("nobody has given it a value"), ""), None, "error")
        for name, source, value in shown.preview.names:
            colour = "error" if value.startswith("✗") else "" if source else "accent"
            item = tree.row((name, value, _from(source)), None, colour)
            item.setFont(0, mono)
            item.setFont(1, mono)
            if not colour:
                item.setForeground(2, theme.colours.dim)
        tree.fit()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.tree.retranslate()
        self.field.setPlaceholderText(tr('Try an expression: url_escape("a b")'))
        self.field.setAccessibleName(tr("Expression to try"))
        self.field.setToolTip(tr("Evaluated with the template's names, in a limited time"))


def _from(source: str) -> str:
    words = {"": tr("tried here"), "passed": tr("passed"), "typed in": tr("typed in")}
    return words.get(source, source)


class Escaping(_Tree):
    """Every expression, and what escapes it; what nothing escapes stands out."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, ("Line", "Expression", "Escaped by"), "Escaping", 1, 0)

    def show_code(self, code: tuple[CodeLine, ...]) -> None:
        """Fill the list."""
        self.clear()
        mono = self.theme.font(mono=True)
        for line in code[:_MOST_LINES]:
            text = line.text.strip()
            if not text.startswith("_tt_tmp = ") or line.kind not in (EXPRESSION, MODULE):
                continue
            text = text.removeprefix("_tt_tmp = ")
            if text.startswith("_tt_utf8("):
                continue
            colour, by = "", line.escape
            if line.kind == MODULE:
                text, by = text.removeprefix("_tt_modules."), tr("the module itself")
                colour = "dim"
            elif not by:
                colour, by = "warn", tr("⚠ nothing: it is output raw")
            place = (line.file, line.line)
            item = self.row((f"{line.file}:{line.line}", text, by), place, colour)
            item.setFont(1, mono)
        self.fit()


class Structure(_Tree):
    """What a template extends and includes, what shows it, what UI modules add, the cache."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, ("Part", "Where"), "Structure", 0, 1)
        self.setRootIsDecorated(True)
        self.setHeaderHidden(True)

    def show_structure(self, shown: Shown) -> None:
        """Fill the tree."""
        self.clear()
        self._references(shown.tree, None, "")
        if shown.users:
            head = self.row((tr("Shown in"), ""), None, "dim")
            for user in shown.users:
                self.row((user, ""), (user, 1), "", head)
        if shown.preview.resources:
            head = self.row((tr("UI modules add"), ""), None, "dim")
            for module, method, text, before in shown.preview.resources:
                where = tr("before {tag}", tag=before)
                item = self.row((f"{module}.{method}", where), None, "", head)
                self.row((text, ""), None, "dim", item)
        self._cache(shown)
        self.expandAll()
        self.fit()

    def _references(self, node: Reference, under: QTreeWidgetItem | None, parent: str) -> None:
        where, colour = "", ""
        if node.how:
            where = tr("{how}, line {line}", how=node.how, line=node.line)
        if node.missing:
            where, colour = f"✗ {tr('missing')} · {where}", "error"
        if node.cycle:
            where, colour = f"✗ {tr('circle')}: {' → '.join(node.cycle)}", "error"
        # A fault is repaired where it is named; a template is opened.
        place = (parent, node.line) if colour else (node.name, 1)
        item = self.row((node.name, where), place, colour, under)
        for child in node.children:
            self._references(child, item, node.name)

    def _cache(self, shown: Shown) -> None:
        cache = shown.cache
        head = self.row((tr("Template cache"), "compiled_template_cache"), None, "dim")
        ms = f"{cache.seconds * 1000:.1f}"
        if cache.on:
            lines = [
                tr("On: each template is compiled once and kept."),
                tr("A change on the disk shows only after a restart; Apply takes effect at once."),
            ]
        else:
            lines = [
                tr("Off: every request compiles again what it renders, here for {ms} ms.", ms=ms),
                tr("Plain Tornado shows a change on the disk with the next request."),
            ]
        if cache.compiled:
            lines.append(tr("Compiled now: {names}", names=", ".join(cache.compiled)))
        if cache.disk != "same":
            text = {
                "differs": tr("The file on the disk is not what is served."),
                "missing": tr("There is no such file on the disk yet."),
            }
            lines.append(text[cache.disk])
        for line in lines:
            self.row((line, ""), None, "", head).setFirstColumnSpanned(True)
