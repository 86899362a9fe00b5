"""A test double of the user's own application."""

from __future__ import annotations

from pathlib import Path

from app.server.app_route import AppRoute
from app.widgets.app_controls import AppControls, AppState, Failure


class FakeApp(AppControls):
    """No application, or one of one file; `asked` says what was wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, ...]] = []
        self.name, self.now = "", AppState.NONE
        self.failed: Failure | None = None
        self.rules: list[AppRoute] = []
        self.files: list[Path] = []

    @property
    def target(self) -> str:
        return self.name

    @property
    def arguments(self) -> str:
        return ""

    @property
    def state(self) -> AppState:
        return self.now

    @property
    def failure(self) -> Failure | None:
        return self.failed

    def routes(self) -> list[AppRoute]:
        return self.rules

    def sources(self) -> list[Path]:
        return self.files

    def templates(self) -> list[Path]:
        return []

    def source_of(self, handler: str, route: str | None) -> tuple[str, int] | None:
        return next(((r.file, r.line) for r in self.rules if r.handler == handler), None)

    def ask_trust(self, target: str) -> str:
        if ":" not in target:
            raise ValueError(f"{target}: give module:callable")
        return ""

    def open(self, target: str, arguments: str) -> None:
        self.asked.append(("open", target, arguments))

    def reload(self) -> None:
        self.asked.append(("reload",))
