"""The settings as they are edited; every change is one step on an undo stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.server.setting_faults import faults
from app.server.settings import SERVER_SETTINGS, SETTINGS
from app.server.site import SITE_FILE, Problem, Site, SiteError

from .settings_text import Draft

Values = dict[str, Any]


class _Change(QUndoCommand):
    """Typing on in the same field is the same step."""

    def __init__(
        self, name: str, show: Callable[[Values], None], before: Values, after: Values
    ) -> None:
        super().__init__(name)
        self._show, self._before, self.after, self._name = show, before, after, name

    def redo(self) -> None:
        self._show(self.after)

    def undo(self) -> None:
        self._show(self._before)

    def id(self) -> int:
        return 1 if self._name else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Change) or other._name != self._name:
            return False
        self.after = other.after
        self.setObsolete(self.after == self._before)
        return True


class SettingsModel(QObject):
    """What `[settings]` and `[server]` of a site say, as one table; their names are distinct."""

    changed = Signal()

    def __init__(self, site: Site, parent: QObject) -> None:
        super().__init__(parent)
        self.values = self._of(site)
        self.undo_stack = QUndoStack(self)

    @staticmethod
    def _of(site: Site) -> Values:
        return {**site.settings, **site.server}

    def set(self, name: str, value: Any, *, typing: bool = False) -> None:
        """Give a setting a value; None leaves it out."""
        self.set_all({name: value}, name if typing else "")

    def set_all(self, values: Mapping[str, Any], step: str = "") -> None:
        """Give several settings values at once. Changes of the same *step* are undone together."""
        after = {name: value for name, value in self.values.items() if name not in values}
        after |= {name: value for name, value in values.items() if value is not None}
        if after != self.values:
            self.undo_stack.push(_Change(step, self._show, dict(self.values), after))

    def _show(self, values: Values) -> None:
        self.values = dict(values)
        self.changed.emit()

    def faults(self) -> dict[str, str]:
        """Return what is wrong, by the name of the setting."""
        drafts = {n: v.fault for n, v in self.values.items() if isinstance(v, Draft)}
        return {**faults({n: v for n, v in self.values.items() if n not in drafts}), **drafts}

    def into(self, site: Site) -> Site:
        """Return *site* with these settings. Raises SiteError while something is wrong."""
        problems = [
            Problem(SITE_FILE, 0, 0, f"setting {name!r}: {text}")
            for name, text in self.faults().items()
        ]
        if problems:
            raise SiteError(problems)
        server = {n: v for n, v in self.values.items() if n in SERVER_SETTINGS}
        settings = {n: v for n, v in self.values.items() if n not in SERVER_SETTINGS}
        return site.with_settings(settings).with_server(server)

    def served(self, site: Site) -> None:
        """Take note that *site* is served; what was not edited follows it."""
        if self._of(site) == self.values:
            self.undo_stack.setClean()
        elif self.undo_stack.isClean():
            self.hold(site)
            self.undo_stack.setClean()

    def hold(self, site: Site) -> None:
        """Take over the settings of *site*, as a step that can be undone."""
        self.set_all({**dict.fromkeys(self.values), **self._of(site)})

    def own(self) -> list[str]:
        """Return the names of the project's own settings."""
        return [name for name in self.values if name not in SETTINGS]
