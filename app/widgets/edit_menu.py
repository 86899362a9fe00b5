"""The commands of the Edit menu that concern all editors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from .go_to_line import GoToLine
from .new_handler import NewHandler
from .versions_tab import VersionsTab

if TYPE_CHECKING:
    from .main_window import MainWindow


def fill(add: Callable[..., QAction], menu: QMenu, window: MainWindow) -> None:
    """Add the commands to *menu*; *add* makes an action from a title, a slot and keys."""
    editors = window.editors

    def go_to_line() -> None:
        GoToLine(window.controls, editors, window).open()

    def new_handler() -> None:
        if window.controls.editable:
            NewHandler(window.controls, editors, window.theme, window).open()

    add(menu, "New handler…", new_handler, "Ctrl+Alt+N")
    add(menu, "Go to line…", go_to_line, "Ctrl+G")
    menu.addSeparator()
    add(menu, "Undo the last apply", editors.history.undo, "Ctrl+Alt+Z")
    add(menu, "Redo the apply", editors.history.redo, "Ctrl+Alt+Shift+Z", "Ctrl+Alt+Y")
    versions = VersionsTab(window.controls, editors, window.centre, window.theme)
    add(menu, "Versions that were served", versions.open, "Ctrl+Alt+H")
    add(menu, "Difference from what is served", versions.compare_with_served, "Ctrl+D")
    add(menu, "Difference from the disk", versions.compare_with_disk, "Ctrl+Alt+D")
    menu.addSeparator()
    add(menu, "Settings…", editors.open_settings, "Ctrl+,")
    add(menu, "Static files…", editors.open_static, "Ctrl+Alt+S")
    choice = editors.as_you_type
    typed = add(menu, "Apply as you type", lambda: choice.choose(not choice.on))
    typed.setCheckable(True)
    typed.setChecked(choice.on)
    choice.changed.connect(typed.setChecked)
