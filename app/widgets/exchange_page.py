"""The request and the response: one of them, or both side by side."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter

from app.recording.events import Request

from .messages import MessageView
from .theme import Theme

WIDE = 640
"""From this width on, in unzoomed pixels, they stand side by side; below it one over the other."""


class ExchangePage(QSplitter):
    """Shows the request, the response, or both, as `show_parts` says."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._theme = theme
        self.request, self.response = MessageView(theme), MessageView(theme)
        self.setChildrenCollapsible(False)
        for view in (self.request, self.response):
            self.addWidget(view)

    def show_parts(self, request: bool, response: bool) -> None:
        """Show these of the two."""
        self.request.setVisible(request)
        self.response.setVisible(response)

    def show_request(self, request: Request) -> None:
        """Show a request as it stands."""
        self.request.show_message(request.request_head, request.request_body, request.request_size)
        self.response.show_message(
            *(request.response_head, request.response_body, request.response_size),
            ended=request.end_ns is not None,
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        wide = self.width() >= self._theme.px(WIDE)
        self.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)
        super().resizeEvent(event)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.request.retranslate()
        self.response.retranslate()
