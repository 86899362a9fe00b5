"""The rows of the timeline below the loop's lane: which there are, and which there is room for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from app.recording.store import Store

from .timeline_list import InView, requests_in
from .timeline_traffic import CLIENT, ROUTE, Traffic
from .timeline_view import View

WINDOW, CONNECTION, WEBSOCKET, REQUEST = "window", "connection", "websocket", "request"
"""The kinds of lanes that can be hidden."""
CONNECTIONS, GROUP = "connections", "group"
"""The rows that head others."""
AUTO, NEVER = "auto", "never"
"""When requests are grouped; else always, by `ROUTE` or `CLIENT`."""
MANY = 400
"""From so many requests in view on they are grouped by route, down to half of it."""
SEVERAL = 8
"""With more connections in view they are folded, down to half of it."""
CROWD, CROWD_LEAST = 4, 60
"""With so many times more lanes than there is room for, and so many, a sample is followed."""
_LONG_SHARE = 0.4
"""How much of the room WebSockets and connections may take while the newest is followed."""


class Row(NamedTuple):
    """One row: its kind, and the id, or the name of a group."""

    kind: str
    key: int | str


class Placed(NamedTuple):
    """A row and where it stands, in pixels from the top of the room for rows."""

    row: Row
    top: int
    height: int


class Heights(NamedTuple):
    """How high a lane is, a lane without its stages, and a row that heads others."""

    lane: int
    thin: int
    head: int
    foot: int


class Arranged(NamedTuple):
    """The rows that are seen. ``most`` is how far they can be scrolled; ``hidden`` how many there
    is no room for; ``step`` every how manieth is shown, 0 for all."""

    rows: list[Placed]
    most: int
    room: int
    hidden: int
    step: int


class Choice:
    """What the user wants to see of the lanes."""

    def __init__(self) -> None:
        self.hidden: set[str] = set()
        self.grouping = AUTO
        self.folds: dict[Row, bool] = {}
        """What was folded and unfolded by hand."""
        self.thin = False
        """Whether all requests are shown without their stages."""


class _Head:
    """The one row of a section that heads others."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __len__(self) -> int:
        return 1


class Section(NamedTuple):
    """Rows of one kind and height."""

    kind: str
    keys: InView | _Head
    height: int

    @property
    def size(self) -> int:
        """Its height in pixels."""
        return len(self.keys) * self.height

    def rows(self, first: int, last: int) -> list[Row]:
        """Return the rows from one place up to another."""
        if isinstance(self.keys, _Head):
            return [Row(self.kind, self.keys.name)][first:last]
        return [Row(self.kind, id_) for id_ in self.keys.part(first, last)]

    def place(self, row: Row) -> int | None:
        """Return the place of a row in the section, or None."""
        if row.kind != self.kind:
            return None
        if isinstance(self.keys, _Head):
            return 0 if row.key == self.keys.name else None
        return self.keys.place(int(row.key))


class Rows:
    """All rows for a view of a store: the long-lived ones first, then requests or their groups."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.choice = Choice()
        self.traffic = Traffic(store)
        self.under: dict[Row, InView] = {}
        """What there is in view under each row that heads others."""
        self.grouped = False
        self.span = requests_in(store, 0, 0)
        """The requests in view."""
        self._several = False
        self._step = 0
        self._long: list[Section] = []
        self._main: list[Section] = []

    def set_store(self, store: Store) -> None:
        """Show another store."""
        self.store = store
        words = self.traffic.words
        self.traffic = Traffic(store)
        self.traffic.choose(" ".join(words))
        self._step = 0

    @property
    def by_client(self) -> bool:
        """Whether groups are those of clients."""
        return self.choice.grouping == CLIENT

    def is_folded(self, row: Row) -> bool:
        """Whether what a row heads is hidden."""
        usually = row.kind == GROUP or self._several
        return self.choice.folds.get(row, usually)

    def thin(self, row: Row) -> bool:
        """Whether a request is shown without its stages."""
        return row.kind == REQUEST and (self.choice.thin or self.choice.folds.get(row, False))

    def toggle(self, row: Row) -> None:
        """Fold a row, or unfold it: what it heads, or its stages."""
        heads = row.kind in (CONNECTIONS, GROUP)
        self.choice.folds[row] = not (self.is_folded(row) if heads else self.thin(row))

    def update(self, view: View, heights: Heights) -> None:
        """Find out which rows there are for *view*."""
        self.traffic.group(CLIENT if self.by_client else ROUTE)
        self.traffic.update()
        self.under.clear()
        self.span = span = requests_in(self.store, view.start, view.end)
        self._long, hidden = [], self.choice.hidden
        if WEBSOCKET not in hidden:
            keys = InView(span, self.traffic.websockets)
            self._long.append(Section(WEBSOCKET, keys, heights.lane))
        if CONNECTION not in hidden:
            found = self.traffic.connections_in(view.start, view.end)
            self._several = len(found) > (SEVERAL // 2 if self._several else SEVERAL)
            self._fold(self._long, Row(CONNECTIONS, ""), found, heights)
        self._main = []
        if REQUEST not in hidden:
            self._requests(InView(span, self.traffic.requests), heights)
            if self.grouped:
                for name, ids in self.traffic.groups.items():
                    row = Row(GROUP, name)
                    self._fold(self._main, row, InView(span, ids), heights)

    def _requests(self, keys: InView, heights: Heights) -> None:
        by, many = self.choice.grouping, MANY // 2 if self.grouped else MANY
        self.grouped = by in (ROUTE, CLIENT) or (by == AUTO and len(keys) >= many)
        if not self.grouped:
            self._main.append(Section(REQUEST, keys, self._height(heights)))

    def _height(self, heights: Heights) -> int:
        return heights.thin if self.choice.thin else heights.lane

    def _fold(self, into: list[Section], head: Row, keys: InView, heights: Heights) -> None:
        """Add a row that heads others, and the others unless they are folded."""
        if not len(keys):
            return
        self.under[head] = keys
        into.append(Section(head.kind, _Head(str(head.key)), heights.head))
        if not self.is_folded(head):
            thin = head.kind == CONNECTIONS
            height = heights.thin if thin else self._height(heights)
            into.append(Section(CONNECTION if thin else REQUEST, keys, height))

    def arrange(
        self, room: int, scroll: int, heights: Heights, *, newest: bool, following: bool
    ) -> Arranged:
        """Return the rows that are seen in *room* pixels, scrolled by *scroll*.

        With *newest* the last requests are seen, below as many of the long-lived rows as leave
        room for them; while *following*, of a crowd of requests a sample.
        """
        sections = [*self._long, *self._main]
        size = sum(section.size for section in sections)
        count = sum(len(section.keys) for section in sections)
        overflow = size > room
        if not overflow or not newest or (self.grouped and not following):
            self._step = 0
            if overflow:
                room -= heights.foot
            placed = list(_within(sections, scroll, scroll + room))
            seen = sum(p.top >= 0 and p.top + p.height <= room for p in placed)
            return Arranged(placed, max(0, size - room), room, count - seen if overflow else 0, 0)
        room -= heights.foot
        placed = self._pinned(room)
        top = sum(p.height for p in placed)
        placed += self._newest(top, room - top, following)
        return Arranged(placed, size - room, room, count - len(placed), self._step)

    def _pinned(self, room: int) -> list[Placed]:
        limit = max(int(room * _LONG_SHARE), room - sum(section.size for section in self._main))
        placed: list[Placed] = []
        top = 0
        for kind, keys, height in self._long:
            section = Section(kind, keys, height)
            last = len(keys)
            for row in section.rows(max(0, last - max(0, limit - top) // height), last):
                placed.append(Placed(row, top, height))
                top += height
        return placed

    def _newest(self, top: int, room: int, following: bool) -> list[Placed]:
        step = self._step
        self._step = 0
        if self.grouped:
            # Groups stay where they are; what is unfolded of them moves too fast to be followed.
            found = _within(self._main, 0, room, top)
            return [placed for placed in found if placed.top + placed.height <= top + room]
        size = sum(section.size for section in self._main)
        count = sum(len(section.keys) for section in self._main)
        if size <= CROWD * room or count < CROWD_LEAST or not following:
            first = max(0, size - room)
            if self._main and first:  # Whole rows only: others stand above them.
                height = self._main[0].height
                first = -(-first // height) * height
            return list(_within(self._main, first, size, top))
        _, keys, height = self._main[0]
        assert isinstance(keys, InView)
        some, self._step = keys.sample(max(1, room // height), step)
        rows = [Row(REQUEST, id_) for id_ in some]
        return [Placed(row, top + n * height, height) for n, row in enumerate(rows)]

    def top_of(self, row: Row) -> tuple[int, int] | None:
        """Return where a row begins when nothing is scrolled, and its height; None if not there."""
        top = 0
        for section in (*self._long, *self._main):
            place = section.place(row)
            if place is not None:
                return top + place * section.height, section.height
            top += section.size
        return None

    def beside(self, row: Row | None, step: int) -> Row | None:
        """Return the row before (-1) or after (1) another; the first or last for None."""
        sections = [section for section in (*self._long, *self._main) if len(section.keys)]
        if not sections:
            return None
        at = next((n for n, s in enumerate(sections) if row and s.place(row) is not None), None)
        if at is None or row is None:
            at = 0 if step > 0 else len(sections) - 1
            place = 0 if step > 0 else len(sections[at].keys) - 1
        else:
            place = (sections[at].place(row) or 0) + step
            if not 0 <= place < len(sections[at].keys):
                at += step
                if not 0 <= at < len(sections):
                    return None
                place = 0 if step > 0 else len(sections[at].keys) - 1
        return next(iter(sections[at].rows(place, place + 1)), None)


def _within(sections: list[Section], top: int, bottom: int, begin_at: int = 0) -> Iterator[Placed]:
    """Yield the rows between two heights; the first of these heights is placed at *begin_at*."""
    begin = 0
    for section in sections:
        if begin >= bottom:
            return
        height = section.height
        first = max(0, (top - begin) // height)
        last = min(len(section.keys), -((begin - bottom) // height))
        if first < last:
            for n, row in enumerate(section.rows(first, last), first):
                yield Placed(row, begin_at + begin + n * height - top, height)
        begin += section.size
