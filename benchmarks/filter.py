"""The requests table at 50,000 rows: how long filters and orders take, and how long they keep the
window from everything else.

``python3 -m benchmarks.filter`` prints medians of seven rounds: by the clock, and of the
processor's time, which other programs lengthen less. No server is needed.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.recording.events import Batch, Row
from app.recording.store import Store
from app.widgets.requests import RequestsPanel
from app.widgets.selection import Selection
from app.widgets.theme import Theme

ROWS = 50_000
ROUNDS = 7
MS = 1_000_000
FILTERS = (
    *("story", "/story.*9/", "-url:story method:GET", "client:Alice | client:Bob"),
    *("method:POST", "handler:Story*", "route:/story/*", "status-code:4xx", "scheme:ws"),
    *("domain:127.*", "is:running", "larger-than:1k", "slower-than:50ms", "xsrf:fail"),
    *("stage:write_error", "ws-message:hello", "mime-type:text/html", "mime-type:*json"),
    *("has-response-header:set-cookie", "has-response-header:x-*", "cookie-name:user"),
    *("cookie-value:none", "set-cookie-name:a", "set-cookie-value:none"),
    *(r"~u story/\d+5", "~m GET & !~c 200", "~t html", "~t json", "~q", "~e", "~websocket"),
    *("~h gzip", "~h ^etag", "~h (zz|yy)", "~h [a-z]{4}q", r"~h \d{5}", "~hq curl", "~hs nginx"),
    *("~b 4321", "~b [a-z]{4}q", r"~b \d{6}", "~t html & cookie-name:user | ~b [a-z]{4}q"),
)
PATHS = ("/", "/sleep?seconds=1", "/wait", "/story/{n}?page={n}", "/login", "/api/users/{n}")
STAGES = ("prepare", "get", "finish", "on_finish")
_SENT = (
    "{method} {uri} HTTP/1.1\r\nHost: 127.0.0.1:8888\r\nUser-Agent: curl/8.1\r\nAccept: */*\r\n"
    "Accept-Encoding: gzip\r\nCookie: user={client}; _xsrf=2|9f3ac1d0|6ab1e07c6ab1e07c\r\n\r\n"
)
_ANSWER = (
    "HTTP/1.1 {status} OK\r\nServer: TornadoServer/6.6\r\nContent-Type: text/html; charset=UTF-8"
    '\r\nDate: Sat, 21 Nov 2026 11:28:32 GMT\r\nEtag: "{n}"\r\nContent-Length: 350\r\n{more}\r\n'
)


def request(n: int, chance: random.Random) -> Row:
    """Return a request's row, the *n*-th."""
    uri = chance.choice(PATHS).format(n=n)
    method = chance.choice(("GET", "GET", "GET", "POST", "PUT"))
    status = chance.choice((200, 200, 200, 302, 304, 403, 404, 500))
    client = chance.choice(("Alice", "Bob", None))
    more = "Set-Cookie: a=b; Path=/\r\n" if n % 10 == 0 else ""
    start = n * MS
    end = start + chance.randrange(100 * MS)
    return (
        *(n, n // 20, client, method, uri, "HTTP/1.1", uri.split("?")[0], "StoryHandler"),
        *(status, start, end, _SENT.format(method=method, uri=uri, client=client).encode(), b"", 0),
        _ANSWER.format(status=status, n=n, more=more).encode(),
        *(b"<p>%d" % n + b"x" * 340, 350, 0, "finished"),
        tuple(part for name in STAGES for part in (name, start, end, None)),
    )


class Watch:
    """Measures the longest stretch in which nothing else had its turn."""

    def __init__(self, application: QApplication) -> None:
        self._application = application
        self._turns: list[float] = []
        self._beat = QTimer(interval=0)
        self._beat.timeout.connect(lambda: self._turns.append(time.perf_counter()))
        self._beat.start()

    def run(self, action: Callable[[], object], panel: RequestsPanel) -> tuple[float, ...]:
        """Return how long *action* took until its end, of that computing, and the longest
        stretch, in ms."""
        computed = time.process_time()
        self._turns = [start := time.perf_counter()]
        action()
        self._turns.append(time.perf_counter())
        self._application.processEvents()
        while panel.model.progress is not None:
            self._application.processEvents()
        self._turns.append(end := time.perf_counter())
        gaps = [b - a for a, b in zip(self._turns, self._turns[1:], strict=False)]
        computed = time.process_time() - computed
        return (end - start) * 1000, computed * 1000, max(gaps) * 1000


def main() -> None:
    """Print all figures."""
    application = QApplication([])
    chance, store = random.Random(1), Store()
    theme = Theme()
    theme.set_scheme("dark")
    panel = RequestsPanel(store, Selection(), theme)
    panel.resize(900, 400)
    panel.show()
    watch = Watch(application)

    def add(rows: list[Row]) -> float:
        store.apply(Batch(**{kind: [] for kind in Batch._fields} | {"requests": rows}))
        return watch.run(panel.refresh, panel)[0]

    def show(name: str, action: Callable[[], object], undo: Callable[[], object]) -> float:
        figures = []
        for _ in range(ROUNDS):
            watch.run(undo, panel)
            figures.append(watch.run(action, panel))
        took, computed, stretch = map(statistics.median, zip(*figures, strict=True))
        print(
            f"{name:44} {took:5.0f} ms, {computed:4.0f} computed, longest stretch {stretch:4.0f} ms"
        )
        return float(took)

    took = add([request(n + 1, chance) for n in range(ROWS)])
    print(f"{f'{ROWS:,} rows at once':44} {took:5.0f} ms")
    longest = max(
        show(text, lambda text=text: panel.filter.setText(text), panel.filter.clear)  # type: ignore[misc]
        for text in FILTERS
    )
    print(f"{'the longest of these filters':44} {longest:5.0f} ms")
    watch.run(panel.filter.clear, panel)
    for at, column in enumerate(panel.model.columns):
        show(
            f"sorted by {column.title}",
            lambda at=at: panel.model.set_order((at, True)),  # type: ignore[misc]
            lambda: panel.model.set_order(None),
        )
    titles = [column.title for column in panel.model.columns]
    panel.model.set_order((titles.index("Time"), True))
    watch.run(panel.refresh, panel)
    times = []
    for _ in range(40):
        first = store.requests.rows[-1][0] + 1
        times.append(add([request(first + n, chance) for n in range(100)]))
    print(f"{'100 new rows while sorted by time':44} {statistics.median(times):5.1f} ms")
    panel.close()
    panel.deleteLater()
    application.processEvents()


if __name__ == "__main__":
    main()
