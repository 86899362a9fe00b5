"""Lengths as Qt counts them: in UTF-16 units."""

from __future__ import annotations


def utf16_length(text: str) -> int:
    """Return how many places Qt counts in *text*."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
