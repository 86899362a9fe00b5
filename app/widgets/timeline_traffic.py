"""What kinds of lanes the recorded requests and connections need; each row is looked at once."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import islice

from app.recording.events import Row
from app.recording.lookup import SHORT_NS, LongSpans
from app.recording.store import Store

from .timeline_list import InView, Span

ROUTE, CLIENT = "route", "client"
"""What lanes are grouped by."""
_SWITCHING, _BAD = 101, 400


class Traffic:
    """The numbers of a store's requests by kind, group and connection, those that pass a filter.

    `update` looks at the requests that are new since the last call. All lists are in order.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.words: list[str] = []
        self.group_by = ROUTE
        self.forget()

    def forget(self) -> None:
        """Begin anew: the filter or the grouping has changed."""
        self.requests: list[int] = []
        """All but those that became a WebSocket, or are about to."""
        self.websockets: list[int] = []
        self.groups: dict[str, list[int]] = {}
        """`requests` by route or client."""
        self.failed: dict[str, list[int]] = {}
        """Of `groups`, those that were aborted or answered with a 4xx or 5xx."""
        self._pending: dict[int, str] = {}
        self.by_connection: dict[int, list[int]] = {}
        self._seen = 0
        self._gone = 0
        self.connections: list[int] = []
        """Those that carry one of all these; without a filter, all."""
        self._seen_connection = 0
        self._open: list[int] = []
        """The connections that were still open."""
        self._long = LongSpans()

    def choose(self, text: str) -> None:
        """Keep to the requests in which each word of *text* occurs; empty: all."""
        words = text.casefold().split()
        if words != self.words:
            self.words = words
            self.forget()

    def group(self, by: str) -> None:
        """Group by `ROUTE` or `CLIENT`."""
        if by != self.group_by:
            self.group_by = by
            self.forget()

    def update(self) -> None:
        """Take in what is new in the store, and forget what it forgot."""
        table = self._store.requests
        if table.last_forgotten > self._gone:
            self._gone = table.last_forgotten
            self._forget_old()
        rows = table.rows
        if rows and rows[-1][0] > self._seen:
            self._add(rows, table.position(self._seen + 1))
            self._seen = rows[-1][0]
        still_open = self._store.open_requests
        for id_ in self._pending.keys() - still_open.keys():
            self._judge(table.get(id_), self._pending.pop(id_))
        self._update_connections()

    def _update_connections(self) -> None:
        table, still_open = self._store.connections, self._store.open_connections
        rows = table.rows
        if rows and rows[-1][0] > self._seen_connection:
            for row in rows[table.position(self._seen_connection + 1) :]:
                self._note(row)
                if not self.words:
                    self.connections.append(row[0])
            self._seen_connection = rows[-1][0]
        # Those that are new come last, so nothing else can have changed.
        newest = next(reversed(still_open), 0)
        if (len(still_open), newest) != (len(self._open), self._open[-1] if self._open else 0):
            for id_ in set(self._open).difference(still_open):
                self._note(table.get(id_))
            self._open = sorted(still_open)
        if self.connections and self.connections[0] <= table.last_forgotten:
            del self.connections[: bisect_right(self.connections, table.last_forgotten)]

    def _note(self, row: Row | None) -> None:
        if row is not None and row[3] is not None and row[3] - row[2] >= SHORT_NS:
            self._long.add(row[0], row[2], row[3])

    def connections_in(self, start_ns: float, end_ns: float) -> InView:
        """Return the connections that were open at some time of a span."""
        table, lasting = self._store.connections, self._open
        if closed := self._long.across(round(start_ns)):
            lasting = sorted([*closed, *lasting])
        lasting = lasting[bisect_right(lasting, table.last_forgotten) :]
        span = Span(table.rows, (2, 3), lasting, (start_ns, end_ns))
        return InView(span, self.connections, whole=not self.words)

    def _add(self, rows: list[Row], first: int) -> None:
        field = 6 if self.group_by == ROUTE else 2
        for row in islice(rows, first, None):
            if self.words and not self._passes(row):
                continue
            id_ = row[0]
            self._carry(row[1], id_)
            if row[8] == _SWITCHING or (row[8] is None and _asks_to_switch(row[11])):
                self.websockets.append(id_)
            else:
                self.requests.append(id_)
                group = row[field] or ""
                self.groups.setdefault(group, []).append(id_)
                if row[10] is None:
                    self._pending[id_] = group
                else:
                    self._judge(row, group)

    def _judge(self, row: Row | None, group: str) -> None:
        if row is not None and (row[18] == "aborted" or (row[8] or 0) >= _BAD):
            insort(self.failed.setdefault(group, []), row[0])

    def _carry(self, connection_id: int, id_: int) -> None:
        ids = self.by_connection.get(connection_id)
        if ids is None:
            ids = self.by_connection[connection_id] = []
            if self.words:
                insort(self.connections, connection_id)
        ids.append(id_)

    def _passes(self, row: Row) -> bool:
        text = f"#{row[0]} {row[3]} {row[4]} {row[2] or ''} {row[6] or ''} {row[7] or ''}"
        text = text.casefold()
        return all(word in text for word in self.words)

    def _forget_old(self) -> None:
        for ids in (self.requests, self.websockets):
            del ids[: bisect_right(ids, self._gone)]
        for lists in (self.groups, self.failed, self.by_connection):
            for ids in lists.values():
                del ids[: bisect_right(ids, self._gone)]
        self.by_connection = {key: ids for key, ids in self.by_connection.items() if ids}


def _asks_to_switch(head: bytes) -> bool:
    """Whether a request's head asks for a WebSocket (RFC 6455, section 4.1)."""
    return b"\nupgrade: websocket" in head.lower()
