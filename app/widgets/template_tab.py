"""What of a request went through a template, and which templates its handler names."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton

from app.recording.events import Request, Stage

from .i18n import tr
from .scrolled import Scrolled
from .template_controls import TemplateControls
from .theme import Theme
from .words import duration


class TemplateTab(Scrolled):
    """The rendering of a request; a button opens each template of its handler."""

    open_template = Signal(str)

    def __init__(self, templates: TemplateControls, theme: Theme) -> None:
        super().__init__(theme)
        self._templates = templates

    def show_request(self, request: Request, stages: list[Stage]) -> None:
        """Show a request as it stands."""
        layout = self.start_page()
        rendered = [stage for stage in stages if stage.name == "render"]
        for stage in rendered:
            took = None if stage.end_ns is None else stage.end_ns - stage.start_ns
            within = any(other.name == "write_error" and _holds(other, stage) for other in stages)
            words = tr("render() of the error page") if within else "render()"
            layout.addWidget(self.text(f"{words} · {duration(took)}", "verdict"))
            if stage.detail:
                layout.addWidget(self.text(f"✗ {stage.detail}", token="error"))
        if not rendered:
            layout.addWidget(self.text(tr("No template was rendered with render()"), "verdict"))
        names = self._templates.of_handler(request.handler) if request.handler else []
        if names:
            words = tr("Templates that the code of {handler} names", handler=request.handler)
            layout.addWidget(self.text(words, "dim"))
        for name in names:
            button = QPushButton(name)
            button.setToolTip(tr("Open the template in its editor"))
            button.setAccessibleName(tr("Open {name}", name=name))
            button.clicked.connect(partial(self.open_template.emit, name))
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self.end_page(layout)


def _holds(outer: Stage, inner: Stage) -> bool:
    ended = outer.end_ns is not None and outer.end_ns < inner.start_ns
    return outer.start_ns <= inner.start_ns and not ended
