"""An exception of the user's code in words: its ``__str__`` is code of theirs too."""

from __future__ import annotations


def error_words(error: BaseException) -> str:
    """Return *error* in words; never raises, whatever its ``__str__`` does."""
    try:
        text = str(error)
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
