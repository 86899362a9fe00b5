"""Opens the history and the differences as a tab beside the editors."""

from __future__ import annotations

from .card import Card
from .controls import Controls
from .editors import Editors
from .theme import Theme
from .versions_page import DISK, SERVED, WRITTEN, VersionsPage


class VersionsTab:
    """Makes the page when it is first asked for."""

    def __init__(self, controls: Controls, editors: Editors, card: Card, theme: Theme) -> None:
        self._controls, self._editors, self._card, self._theme = controls, editors, card, theme
        self.page: VersionsPage | None = None

    def open(self) -> VersionsPage:
        """Show the page, with all versions."""
        if self.page is None:
            page = self.page = VersionsPage(self._controls, self._editors, self._theme)
            self._card.add(page, "Versions")
            self._card.make_closable(page, self._close)
        self.page.refresh()
        self._card.show_page(self.page)
        self.page.setFocus()
        return self.page

    def compare_with_served(self) -> None:
        """Show how what is written differs from what is served."""
        self.open().choose(SERVED, WRITTEN)

    def compare_with_disk(self) -> None:
        """Show how what is written differs from what is on the disk."""
        self.open().choose(DISK, WRITTEN)

    def _close(self) -> None:
        if self.page is not None:
            self._card.remove(self.page)
            self.page.deleteLater()
            self.page = None
