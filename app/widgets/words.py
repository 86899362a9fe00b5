"""Times, sizes and counts in words, as short as a table's cell."""

from __future__ import annotations


def duration(ns: int | None) -> str:
    """Return a duration with three digits and its unit: ``0.08 ms``, ``4.10 ms``, ``1.20 s``."""
    if ns is None:
        return "—"
    if ns < 5_000:
        return "<0.01 ms"
    if ns < 10_000_000:
        return f"{ns / 1e6:.2f} ms"
    if ns < 1_000_000_000:
        return f"{ns / 1e6:.1f} ms" if ns < 100_000_000 else f"{ns / 1e6:.0f} ms"
    if ns < 60_000_000_000:
        return f"{ns / 1e9:.2f} s"
    minutes, seconds = divmod(ns // 1_000_000_000, 60)
    return f"{minutes} min {seconds:02d} s"


def short_place(where: str) -> str:
    """Return a place in the code without the way to its folder: ``handlers/chat.py:12 in get``."""
    path, colon, rest = where.partition(":")
    return "/".join(path.replace("\\", "/").split("/")[-2:]) + colon + rest


def size(count: int) -> str:
    """Return a number of bytes with its unit: ``512 B``, ``1.2 kB``, ``3.4 MB`` (powers of ten)."""
    if count < 1_000:
        return f"{count} B"
    for unit in ("kB", "MB", "GB"):
        count_in_unit = count / 1_000
        if count_in_unit < 999.95 or unit == "GB":
            return f"{count_in_unit:.1f} {unit}"
        count = int(count_in_unit)
    raise AssertionError


def since(ns: int, origin_ns: int) -> str:
    """Return a time on the recorder's clock as seconds since the recording began: ``12.345 s``."""
    return f"{(ns - origin_ns) / 1e9:.3f} s"
