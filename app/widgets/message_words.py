"""A WebSocket's messages in words: their columns, and their payloads as text, JSON and hex."""

from __future__ import annotations

import json
from collections.abc import Callable

from app.recording.events import Message, Row
from app.recording.websocket import NO_FRAME, close_of, meaning_of

from .body_words import as_text, hex_dump
from .column import Column
from .i18n import tr
from .words import since, size

TEXT, JSON, HEX = "Text", "JSON", "Hex"
_PREVIEW = 300
"""How many bytes of a payload a preview is made of."""
_DIRECTION, _OPCODE, _SIZE, _PAYLOAD, _DETAIL = 4, 5, 6, 7, 9
_LAST = 200
"""Among so many of the last messages the close frame is looked for."""
SERVER_WORDS = {"in": "↑ received", "out": "↓ sent"}
CLIENT_WORDS = {"in": "↑ sent", "out": "↓ received"}
"""The direction of a message as its side sees it. As in browsers ↑ leads to the server."""


def message_columns(origin_ns: Callable[[], int], words: dict[str, str]) -> list[Column]:
    """Return the columns of messages; *words* are those for their directions."""
    return [
        Column(
            *("Time", 78, lambda row: since(row[2], origin_ns()), lambda row: "dim"),
            mono=True,
            right=True,
            spare=2,
        ),
        Column("Direction", 92, lambda row: tr(words[row[_DIRECTION]]), _direction_colour),
        Column("Type", 60, lambda row: row[_OPCODE], _type_colour, spare=1),
        Column("Size", 62, lambda row: size(row[_SIZE]), right=True, spare=3),
        Column("Content", 110, preview, _colour, mono=True, stretch=True),
    ]


def _direction_colour(row: Row) -> str:
    return "accent" if row[_DIRECTION] == "in" else "ok"


def _type_colour(row: Row) -> str:
    return "text" if row[_OPCODE] in ("text", "binary") else "dim"


def _colour(row: Row) -> str:
    if row[_DETAIL]:
        return "error"
    if row[_OPCODE] == "close":
        return "warn"
    return _type_colour(row)


def preview(row: Row) -> str:
    """Return the beginning of a message in one line."""
    closing = close_of(Message(*row))
    if closing is not None:
        return " · ".join(filter(None, (str(closing[0]), closing[1], tr(meaning_of(closing[0])))))
    part = row[_PAYLOAD][:_PREVIEW]
    text = None if row[_OPCODE] == "binary" else as_text(part)
    if text is None:
        words = str(part[:32].hex(" ")) + (" …" if row[_SIZE] > 32 else "")
    else:
        words = " ".join(text.split()) or "—"
    return f"✗ {tr(row[_DETAIL])} · {words}" if row[_DETAIL] else words


def holds(row: Row, words: list[str]) -> bool:
    """Return whether all *words*, in lower case, occur in a message."""
    text = f"{row[_OPCODE]} {row[_PAYLOAD].decode('utf-8', 'replace')} {row[_DETAIL] or ''}".lower()
    return all(word in text for word in words)


def forms_of(row: Row) -> dict[str, str]:
    """Return the payload in each form that it has: text, JSON and hex."""
    payload = row[_PAYLOAD]
    closing = close_of(Message(*row))
    if closing is not None:
        code, reason = closing
        words = f"{code}: {tr(meaning_of(code))}"
        return {TEXT: f"{words}\n{reason}" if reason else words, HEX: hex_dump(payload)}
    forms = {HEX: hex_dump(payload, 16 << 10)}
    text = as_text(payload)
    if text is not None:
        forms[TEXT] = text
        if (indented := _indented(text)) is not None:
            forms[JSON] = indented
    return forms


def _indented(text: str) -> str | None:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None


def state_words(rows: list[Row], ended: bool) -> tuple[str, str]:
    """Return how a WebSocket with these messages stands or ended, and the token of its colour."""
    closes = [row for row in rows[-_LAST:] if row[_OPCODE] == "close"]
    if not closes:
        if not ended:
            return f"● {tr('open')}", "ok"
        return f"✗ {NO_FRAME}: {tr(meaning_of(NO_FRAME))}", "error"
    code, reason = close_of(Message(*closes[0])) or (0, "")
    by = "closed by the client" if closes[0][_DIRECTION] == "in" else "closed by the server"
    words = f"{tr(by)} · {code}: {tr(meaning_of(code))}"
    if reason:
        words += f" · “{reason}”"
    return (f"○ {words}", "text" if code in (1000, 1001, 1005) else "warn")
