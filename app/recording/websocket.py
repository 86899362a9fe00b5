"""What a WebSocket's frames say (RFC 6455, sections 5.2, 5.5.1 and 7.4)."""

from __future__ import annotations

from .events import Message

OPCODES = {"text": 0x1, "binary": 0x2, "close": 0x8, "ping": 0x9, "pong": 0xA}
"""The opcodes of section 5.2, by the names that messages have."""
NO_CODE = 1005
"""Stands for a close frame without a code; it is never sent."""
NO_FRAME = 1006
"""Stands for an end without a close frame; it is never sent."""
MEANINGS = {
    1000: "the purpose is fulfilled",
    1001: "one side goes away: a page is left, a server stops",
    1002: "a protocol error",
    1003: "data of a kind that cannot be accepted",
    1004: "reserved",
    1005: "the close frame had no code",
    1006: "the connection ended without a close frame",
    1007: "data that do not fit their kind, such as text that is not UTF-8",
    1008: "a message against the rules of the other side",
    1009: "a message that is too big",
    1010: "the client needs an extension that the server did not agree to",
    1011: "the server met something unexpected",
    1012: "the service restarts",
    1013: "try again later",
    1014: "a gateway got a bad answer",
    1015: "the TLS handshake failed",
}
"""The meanings of close codes, as RFC 6455 and the registry that it founded have them."""
_RANGES = (
    (range(1000), "not used"),
    (range(1000, 3000), "reserved for the protocol"),
    (range(3000, 4000), "registered by a library or framework"),
    (range(4000, 5000), "the application's own"),
)


def meaning_of(code: int) -> str:
    """Return what a close code means: an English text, to be translated."""
    found = MEANINGS.get(code)
    return found or next((text for codes, text in _RANGES if code in codes), "not defined")


def text_of(message: Message) -> str:
    """Return a message as text; what is not UTF-8 is replaced."""
    payload = message.payload[2:] if message.opcode == "close" else message.payload
    return payload.decode("utf-8", "replace")


def close_of(message: Message) -> tuple[int, str] | None:
    """Return code and reason of a close frame; None for anything else."""
    if message.opcode != "close":
        return None
    payload = message.payload
    if len(payload) < 2:
        return NO_CODE, ""
    return int.from_bytes(payload[:2], "big"), payload[2:].decode("utf-8", "replace")
