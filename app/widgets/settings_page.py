"""The editor of the settings: every one of Tornado's, and the project's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QLineEdit, QPushButton, QVBoxLayout

from app.server.settings import OWN_GROUP, SETTINGS, Setting
from app.server.site import Problem, Site

from .controls import Controls
from .editor_page import Page
from .i18n import tr
from .parts import IconButton, label
from .settings_controls import Control, make_control
from .settings_list import SettingsList
from .settings_model import SettingsModel
from .settings_secret import SecretControl
from .theme import Theme

SETTINGS_KEY = "settings"
_NAMED = re.compile(r"setting '(\w+)': (.*)", re.DOTALL)


class SettingsPage(Page):
    """The list, a search over it, and the help of the setting that has the focus.

    What is not edited here (a user's own application) is shown as it runs.
    """

    open_source = Signal(str, int)
    """Go to this file of ``handlers/``, at a line."""
    child_wanted = Signal()
    """Run the site in a process of its own, with debug on."""

    def __init__(self, controls: Controls, theme: Theme) -> None:
        super().__init__(SETTINGS_KEY, tr("Settings"), theme)
        self._controls = controls
        self.model = SettingsModel(controls.site, self)
        self._refused: dict[str, str] = {}
        self._built: tuple[frozenset[str], bool] = (frozenset(), False)
        self.search = QLineEdit()
        self.search.setClearButtonEnabled(True)
        self.changed_only = IconButton(theme, "edit", "Only what is changed")
        self.changed_only.setCheckable(True)
        extras = {"Debug": self._child_button, OWN_GROUP: self._own_name}
        self.list = SettingsList(self._control, extras, theme)
        self.help_name, self.help = label(role="head"), label(role="dim")
        self.tools.insertWidget(0, self.search, 2)
        self.tools.insertWidget(1, self.changed_only)
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self._foot())
        self.setFocusProxy(self.search)
        self._connect()
        self.retranslate()

    def _foot(self) -> QFrame:
        foot = QFrame()
        foot.setObjectName("repair")
        self.help.setWordWrap(True)
        self.help.setMinimumHeight(self._theme.px(34))
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.help.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        inner = QVBoxLayout(foot)
        inner.setContentsMargins(12, 6, 12, 8)
        inner.setSpacing(3)
        inner.addWidget(self.help_name)
        inner.addWidget(self.help)
        return foot

    def _child_button(self) -> QPushButton:
        button = QPushButton(tr("With debug, in a child process…"))
        button.setToolTip(tr("Runs the site in a Python of its own, with debug on, on a free port"))
        button.clicked.connect(self.child_wanted)
        return button

    def _own_name(self) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(tr("Add one: its name, then Return"))
        field.setAccessibleName(tr("Name of a setting of your own"))
        field.setToolTip(tr("Handlers read it from self.settings"))
        field.returnPressed.connect(lambda: self.add_own(field.text()))
        return field

    def _connect(self) -> None:
        self.search.textChanged.connect(self._filter)
        self.changed_only.toggled.connect(self._filter)
        self.list.all_wanted.connect(self.show_all)
        self.list.reset_wanted.connect(lambda name: self.model.set(name, None))
        self.list.current_changed.connect(self._show_help)
        self.model.changed.connect(self._changed)
        self.model.undo_stack.cleanChanged.connect(self._clean_changed)
        self._theme.changed.connect(self._show_values)
        for keys, slot in (
            ("Ctrl+Return", self.apply_wanted.emit),
            ("Ctrl+F", self.search.setFocus),
            ("Ctrl+Delete", self.reset_current),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    # -- Rows ------------------------------------------------------------------------------

    def _fill(self) -> None:
        self._built = self._kinds_of_rows()
        own, editable = self._built
        self.list.fill(sorted(own), not editable)
        self._show_values()

    def _kinds_of_rows(self) -> tuple[frozenset[str], bool]:
        """Return what the rows depend on: the project's own settings, and who may edit."""
        return frozenset(self._values().keys() - SETTINGS.keys()), self._controls.editable

    def _refresh(self) -> None:
        if self._built != self._kinds_of_rows():
            self._fill()
        else:
            self._show_values()

    def _control(self, known: Setting) -> Control:
        control: Control
        if known.name == "cookie_secret":
            control = SecretControl(known, self._theme, self._served_secret, self._key_version)
        else:
            control = make_control(known, self._theme)
        control.edited.connect(
            lambda value, typing: self.model.set(known.name, value, typing=typing)
        )
        control.edited_all.connect(self.model.set_all)
        control.open_object.connect(self._open_object)
        return control

    def _served_secret(self) -> Any:
        return self._controls.jars.keys().secret

    def _key_version(self) -> int | None:
        version = self._values().get("key_version")
        return version if isinstance(version, int) else None

    def _open_object(self, dotted: str) -> None:
        """Open the site's file in which *dotted* is defined, at its line."""
        package, module, name = [*dotted.split(".", 2), "", ""][:3]
        text = self._controls.site.handlers.get(f"{module}.py")
        if package != "handlers" or text is None:
            self.banner.say(tr("{name} is not in handlers/", name=dotted or "—"))
            return
        defined = rf"^(?:class|(?:async )?def) {re.escape(name)}\b|^{re.escape(name)} *="
        found = re.search(defined, text, re.MULTILINE) if name else None
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        self.open_source.emit(f"{module}.py", line)

    # -- Values ----------------------------------------------------------------------------

    def _values(self) -> dict[str, Any]:
        if self._controls.editable or self.model.values:
            return self.model.values
        return self._controls.served_settings()

    def _changed(self) -> None:
        self._refused = {}
        self._refresh()
        self.update_note()
        self.edited.emit()

    def _show_values(self) -> None:
        faults = {**self._refused, **self.model.faults()} if self._controls.editable else {}
        self.list.show_values(self._values(), faults)
        self._filter()

    def _clean_changed(self) -> None:
        self.update_note()
        self.modified_changed.emit()

    def add_own(self, name: str) -> None:
        """Add a setting of the project's own."""
        name = name.strip()
        if not name.isidentifier() or name in ("handlers", "transforms"):
            self.banner.say(tr("{name} is no name of a setting", name=name or "—"))
            return
        if name not in self.list.rows:
            self.model.set(name, "")
        self.go_to(name)

    def reset_current(self) -> None:
        """Leave the setting that has the focus out again."""
        if (name := self.list.current()) and self._controls.editable:
            self.model.set(name, None)

    # -- Finding ---------------------------------------------------------------------------

    def _filter(self) -> None:
        among = self._values() if self.changed_only.isChecked() else None
        self.list.filter(self.search.text().lower().split(), among)

    def show_all(self) -> None:
        """End the search."""
        self.search.clear()
        self.changed_only.setChecked(False)

    def go_to(self, name: str) -> None:
        """Show a setting and put the focus on it."""
        self.show_all()
        self.list.go_to(name)

    def _show_help(self, name: str) -> None:
        self.help_name.setText(name)
        self.help.setText(self.list.rows[name].explanation())

    # -- The page --------------------------------------------------------------------------

    @property
    def modified(self) -> bool:
        return not self.model.undo_stack.isClean()

    @property
    def parses(self) -> bool:
        return not self.model.faults()

    def into(self, site: Site) -> Site:
        return self.model.into(site)

    def served(self, site: Site) -> None:
        self.model.served(site)
        self._refresh()

    def hold(self, site: Site) -> None:
        self.model.hold(site)

    def undo(self) -> None:
        self.model.undo_stack.undo()

    def redo(self) -> None:
        self.model.undo_stack.redo()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        super().show_problems(problems)
        named = (_NAMED.fullmatch(problem.text) for problem in problems)
        self._refused = {match[1]: match[2] for match in named if match}
        self._show_values()

    def go_to_problem(self) -> None:
        name = next((name for name in self.list.rows if name in self._refused), "")
        if name:
            self.go_to(name)

    def update_note(self) -> None:
        super().update_note()
        editable = self._controls.editable
        if not editable:
            self.note.setText(tr("To be read only"))
        for widget in (self.apply_button, self.as_you_type):
            widget.setVisible(editable)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        super().retranslate()
        self.title = tr("Settings")
        self.search.setPlaceholderText(tr("Search the settings"))
        self.search.setAccessibleName(tr("Search the settings"))
        self.search.setToolTip(tr("Words in names and explanations (Ctrl+F)"))
        self.changed_only.retranslate()
        self._fill()
        if name := self.list.current():
            self._show_help(name)
        else:
            self.help_name.setText(tr("Settings"))
            self.help.setText(
                tr("Go to a setting: what it does is said here. Ctrl+Delete resets it.")
            )
