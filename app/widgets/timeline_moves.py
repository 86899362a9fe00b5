"""Where the timeline's view can be sent: to a request, to everything, to the beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .timeline_view import LONGEST_NS

if TYPE_CHECKING:
    from .timeline import TimelinePanel


class Moves:
    """Moves the view of a panel. All but zooming end following."""

    def __init__(self, panel: TimelinePanel) -> None:
        self._panel = panel
        self._canvas = panel.canvas

    def zoom(self, factor: float) -> None:
        """Show *factor* times the span, about the present while it is followed."""
        view, panel = self._canvas.view, self._panel
        at_edge = view.following and panel.live
        self._canvas.zoom(factor, view.x(panel.present) if at_edge else view.width / 2)

    def show_request(self, request_id: int) -> None:
        """Show the whole of one request."""
        row = self._canvas.store.requests.get(request_id)
        if row is not None:
            end = row[10] if row[10] is not None else self._panel.now()
            self._canvas.view.show(row[9], max(end, row[9] + 1))
            self._moved()
            self._canvas.focus_on_request(request_id)

    def fit(self) -> None:
        """Show the measured span, or the selected request, or else all that was recorded."""
        canvas = self._canvas
        measure, rows = canvas.measure, canvas.store.requests.rows
        if measure is not None:
            canvas.view.show(measure.start_ns, measure.end_ns)
            self._moved()
        elif canvas.store.requests.get(canvas.request_id) is not None:
            self.show_request(canvas.request_id)
        elif rows:
            end = self._panel.present
            canvas.view.show(max(rows[0][9], end - LONGEST_NS), end)
            self._moved()

    def jump(self) -> None:
        """Go to the selected request; the span stays when it is long enough for all of it."""
        canvas, view = self._canvas, self._canvas.view
        row = canvas.store.requests.get(canvas.request_id)
        if row is None:
            return
        end = row[10] if row[10] is not None else self._panel.now()
        if end - row[9] > 0.9 * view.span:
            self.show_request(row[0])
        else:
            view.following = False
            view.start = view.zero = (row[9] + end - view.span) / 2
            self._moved()
        canvas.focus_on_request(row[0])

    def to_start(self) -> None:
        """Go to the first request."""
        canvas, view = self._canvas, self._canvas.view
        rows = canvas.store.requests.rows
        first = rows[0][9] if rows else canvas.store.origin_ns
        view.following = False
        view.start = view.zero = first - 0.05 * view.span
        self._moved()

    def _moved(self) -> None:
        self._panel.show_state()
        self._canvas.update()
