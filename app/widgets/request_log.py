"""What was logged for one request; tracebacks with the frames that are not the user's folded."""

from __future__ import annotations

import re
from itertools import groupby, takewhile

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QVBoxLayout

from app.recording.events import Request, Row
from app.recording.store import Store
from app.recording.tasks import is_library_file

from .i18n import tr
from .log_panel import COLOURS, GLYPHS
from .mistake import mistake_of
from .scrolled import Scrolled
from .theme import Theme
from .words import duration

MOST = 100
"""How many records are shown: the latest."""
_FRAME = re.compile(r'  File "([^"]+)", line \d+')


def records_of(store: Store, request: Request) -> list[Row]:
    """Return the log records of a request, oldest first; `MOST` of them."""
    later = takewhile(lambda row: row[0] >= request.start_ns, reversed(store.log))
    own = [row for row in later if row[3] == request.id]
    return own[:MOST][::-1]


def frames(text: str) -> list[tuple[str, list[str]]]:
    """Take a traceback apart: the file and the lines of each frame, ``""`` for other lines."""
    parts: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        found = _FRAME.match(line)
        if found is not None:
            parts.append((found[1], [line]))
        elif parts and parts[-1][0] and line.startswith("    "):
            parts[-1][1].append(line)
        else:
            parts.append(("", [line]))
    return parts


def folded(text: str) -> str:
    """Return *text* with one line for those frames of a traceback that are no user's code."""
    lines: list[str] = []
    for hidden, group in groupby(
        frames(text), lambda part: bool(part[0]) and is_library_file(part[0])
    ):
        found = list(group)
        if hidden:
            lines.append(f"  … {tr('{count} frames of libraries', count=len(found))}")
        else:
            lines += [line for _, part in found for line in part]
    return "\n".join(lines)


class RequestLog(Scrolled):
    """The log records of a request, with the time since it began."""

    def __init__(self, store: Store, theme: Theme) -> None:
        super().__init__(theme)
        self._store = store
        self._shown: tuple[Request, list[Row]] | None = None
        self.all_frames = False
        """Whether the frames of libraries are shown too."""

    def show_request(self, request: Request) -> None:
        """Show what was logged until now."""
        rows = records_of(self._store, request)
        self._shown = (request, rows)
        layout = self.start_page()
        if not rows:
            layout.addWidget(self.text(tr("Nothing was logged for this request"), "verdict"))
            note = "What Tornado and its handler write with logging appears here."
            layout.addWidget(self.text(tr(note), "dim"))
        if any(folded(row[4]) != row[4] for row in rows):
            box = QCheckBox(tr("Frames of libraries too"))
            box.setToolTip(tr("Show the calls of Tornado, asyncio and Loopscope in tracebacks"))
            box.setChecked(self.all_frames)
            # Later: the page that is made anew then holds the box.
            box.toggled.connect(self._show_all_frames, Qt.ConnectionType.QueuedConnection)
            layout.addWidget(box)
        for row in rows:
            self._add(layout, request, row)
        self.end_page(layout)

    def _show_all_frames(self, on: bool) -> None:
        self.all_frames = on
        if self._shown is not None:
            self.show_request(self._shown[0])

    def _add(self, layout: QVBoxLayout, request: Request, row: Row) -> None:
        level, logger, text = row[1], row[2], str(row[4])
        after = duration(row[0] - request.start_ns)
        head = f"{GLYPHS.get(level, '·')} {level} · {logger} · +{after}"
        layout.addWidget(self.text(head, "small", COLOURS.get(level, "dim")))
        mistake = mistake_of(row)
        if mistake is not None:
            for words, role in ((mistake.title, "head"), (mistake.place, "small")):
                layout.addWidget(self.text(words, role))
            for words in (mistake.why, mistake.repair):
                layout.addWidget(self.text(words))
            return
        body = self.text(text if self.all_frames else folded(text))
        body.setProperty("mono", True)
        layout.addWidget(body)
