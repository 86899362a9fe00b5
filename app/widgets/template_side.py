"""What becomes of a template, in cards beside it: Python, output, page, data, names and more."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from app.server.templates.facts import TWICE, Preview, Remark

from .card import Card, CardFrame
from .i18n import tr
from .parts import ElidedLabel, set_property
from .template_controls import DATA, Shown
from .template_data import Sources, Typed
from .template_lists import Escaping, Names, Structure
from .template_views import LinkedView, PageView, code_text, raw_parts, units
from .theme import Theme

_LOW = 420
"""Below how many unzoomed pixels of height the Python is one of the tabs."""


class TemplateSide(QWidget):
    """What becomes of the template."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.sources = Sources(theme, name)
        self.fault = _Strip()
        self.origin = QPushButton()
        self.origin.hide()
        self.python = LinkedView(theme, "py")
        self.output = LinkedView(theme, "html")
        self.page, self.typed = PageView(), Typed(theme)
        self.names, self.escaping = Names(theme), Escaping(theme)
        self.structure = Structure(theme)
        self.top, self.card = Card(theme, tabbed=False, height=40), Card(theme, height=40)
        self.top.add(self.python, "Generated Python")
        for page, title in (
            (self.output, "Output"),
            (self.page, "Page"),
            (self.typed, "Data"),
            (self.names, "Names"),
            (self.escaping, "Escaping"),
            (self.structure, "Structure"),
        ):
            self.card.add(page, title)
        self.top.corner.addWidget(self.origin)
        views = QSplitter(Qt.Orientation.Vertical)
        self._above = CardFrame(self.top)
        self._above.setMinimumHeight(1)  # It goes into a tab where there is little room.
        views.addWidget(self._above)
        views.addWidget(CardFrame(self.card))
        views.setSizes([450, 550])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 6, 0)
        layout.setSpacing(4)
        layout.addWidget(self.sources)
        layout.addWidget(self.fault)
        layout.addWidget(views, 1)
        self.card.switched.connect(self._show_page)
        self._html = ""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        low = event.size().height() < self._theme.px(_LOW)
        if low == self._above.isHidden():
            return
        self._above.setHidden(low)
        if low:
            self.top.remove(self.python)
            self.card.add(self.python, "Python", translate=False, place=0)
            self.card.show_page(self.output)
        else:
            self.card.remove(self.python)
            self.top.add(self.python, "Generated Python")

    def show_preview(self, shown: Shown) -> None:
        """Show what was analysed and rendered."""
        fault = shown.preview.fault
        self.typed.show_missing(shown.preview.missing)
        self.typed.show_fault(fault if fault is not None and fault.file == DATA else None)
        self.structure.show_structure(shown)
        self.fault.say(shown)
        # While something is half typed, the others go on showing what was last understood.
        if shown.preview.analysis.code or not self.python.text():
            self._show_views(shown)

    def _show_views(self, shown: Shown) -> None:
        preview = shown.preview
        self.python.set_text(code_text(preview.analysis.code))
        self.output.set_text(preview.output)
        inserts = units(preview.output, ((one.start, one.end) for one in preview.inserts))
        raw = units(preview.output, raw_parts(preview))
        marked = [(part, "ok") for part in inserts] + [(part, "warn") for part in raw]
        self.output.marks.show(marked)
        self._html = preview.output
        self._show_page()
        self.names.show_names(shown)
        self.escaping.show_code(preview.analysis.code)

    def _show_page(self) -> None:
        if self.card.stack.currentWidget() is self.page:
            self.page.show_page(self._html)

    def show_origin(self, file: str, line: int) -> None:
        """Offer to open the other template that a line comes from."""
        self.origin.setVisible(bool(file))
        self.origin.setText(f"{file}:{line} →")

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for part in (self.sources, self.typed, self.names, self.escaping, self.structure):
            part.retranslate()
        for card in (self.top, self.card):
            card.retranslate()
        self.python.setAccessibleName(tr("Generated Python"))
        self.output.setAccessibleName(tr("Output"))
        self.output.setPlaceholderText(tr("What the template puts out appears here."))
        self.python.setPlaceholderText(tr("The Python that Tornado makes of the template."))
        self.output.setToolTip(
            tr("Blue: from the line of the cursor. Yellow: not escaped. Green: of UI modules.")
        )
        self.page.setAccessibleName(tr("Page"))
        self.page.setToolTip(tr("Roughly how it looks: without scripts, nothing is fetched"))
        self.origin.setToolTip(tr("This line comes from another template; open it there"))
        self.fault.setToolTip(tr("Go there"))


class _Strip(QPushButton):
    """Says in a line what is wrong; clicked, it leads there."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._label = ElidedLabel()
        self._label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 3, 10, 3)
        layout.addWidget(self._label)
        self.hide()

    def say(self, shown: Shown) -> None:
        """Say what is wrong with a preview, if anything is."""
        text = _sentence(shown)
        self.setVisible(bool(text))
        self._label.set_full(" · ".join(text.split("\n")))
        role = {"✗": "error", "⚠": "warn"}.get(text[:1], "")
        set_property(self, "kind", role)
        set_property(self._label, "role", role)
        self.setAccessibleName(text)


def lacks_data(preview: Preview) -> bool:
    """Return whether a preview failed for want of data: that is no mistake of the template's."""
    fault = preview.fault
    return fault is not None and fault.kind == "NameError" and bool(preview.missing)


def remark_words(remark: Remark) -> str:
    """Return what is probably not meant, in words."""
    line, name = remark.line, remark.name
    if remark.what == TWICE:
        return tr(
            "Line {line}: block {name} is here twice; the last one wins", line=line, name=name
        )
    return tr("Line {line}: outside all blocks; a template that extends drops it", line=line)


def _sentence(shown: Shown) -> str:
    fault = shown.preview.fault
    if not shown.trusted and fault is None:
        return tr("Not rendered: nothing of this project runs until you trust it.")
    if fault is None:
        return "\n".join(f"⚠ {remark_words(remark)}" for remark in shown.remarks)
    if lacks_data(shown.preview):
        names = ", ".join(shown.preview.missing)
        return tr("No data for {names}: fire a request, or type them in under Data.", names=names)
    where = "" if fault.file in ("", DATA) else f" · {fault.trail}"
    words = {
        "TooLong": tr("It took longer than a second and was interrupted."),
        "TooMuch": tr("The output was cut: the template writes more than is shown here."),
    }
    return f"✗ {words.get(fault.kind, fault.text)}{where}"
