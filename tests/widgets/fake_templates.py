"""A test double of the previews of templates."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.widgets.template_controls import Asked, Recorded, Shown, TemplateControls


class FakeTemplates(TemplateControls):
    """Templates that nobody renders; `asked` says what was to be shown, `answers` who waits."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.answers: list[Callable[[Shown], None]] = []
        self.named: dict[str, list[str]] = {}
        """Handler → the templates that it names."""
        self.requests: dict[str, list[Recorded]] = {}
        self.sent: list[int] = []

    def watch(self, who: QObject) -> None:
        pass

    def of_handler(self, handler: str) -> list[str]:
        return self.named.get(handler, [])

    def recorded(self, name: str) -> list[Recorded]:
        return self.requests.get(name, [])

    def show(self, asked: Asked, done: Callable[[Shown], None]) -> None:
        self.asked.append(asked)
        self.answers.append(done)

    def send_again(self, request_id: int) -> None:
        self.sent.append(request_id)
