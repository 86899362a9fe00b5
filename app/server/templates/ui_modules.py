"""What UI modules add to a page: found out from the handler, and found again in the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tornado.web import RequestHandler

from .facts import Insert, Preview, Resource, Span

_METHODS = (
    ("css_files", "</head>"),
    ("embedded_css", "</head>"),
    ("html_head", "</head>"),
    ("javascript_files", "</body>"),
    ("embedded_javascript", "</body>"),
    ("html_body", "</body>"),
)


def resources(handler: RequestHandler) -> Iterator[Resource]:
    """Yield what the UI modules that *handler* has rendered add to the page."""
    for name, module in getattr(handler, "_active_modules", {}).items():
        for method, before in _METHODS:
            added = getattr(module, method)()
            if isinstance(added, bytes):
                added = added.decode("utf-8", "replace")
            elif added and not isinstance(added, str):
                added = "\n".join(map(str, added))
            if added:
                yield Resource(name, method, added, before)


def with_inserts(result: Preview, page: bytes | None) -> Preview:
    """Return *result* with the page as it is sent: with what was inserted for UI modules."""
    plain = result.output
    final = plain if page is None else page.decode("utf-8", "replace")
    added = len(final) - len(plain)
    if added <= 0:
        return result
    body = plain.rfind("</body>")
    body = len(plain) if body < 0 else body
    head = max(plain.find("</head>"), 0)
    if head > body:
        return result
    middle = plain[head:body]
    in_head = final.rfind(middle, head, head + added + len(middle)) - head
    if in_head < 0:
        return result
    inserts = [
        Insert(head, head + in_head, "</head>"),
        Insert(body + in_head, body + added, "</body>"),
    ]
    spans = tuple(_moved(result.spans, ((head, in_head), (body, added - in_head))))
    kept = tuple(insert for insert in inserts if insert.end > insert.start)
    return result._replace(output=final, spans=spans, inserts=kept)


def _moved(spans: Iterable[Span], inserted: tuple[tuple[int, int], ...]) -> Iterator[Span]:
    """Yield *spans* where they are after that many characters were inserted at those places."""
    for span in spans:
        cuts = [at for at, count in inserted if count and span.start < at < span.end]
        for start, end in zip([span.start, *cuts], [*cuts, span.end], strict=True):
            by = sum(count for at, count in inserted if at <= start)
            yield span._replace(start=start + by, end=end + by)
