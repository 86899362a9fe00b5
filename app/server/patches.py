"""Attributes of modules and classes that are others for a while, for the server's code alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.recording.events import SERVER
from app.recording.recorder import OWNER


class Patches:
    """Puts functions in the place of others and, at the end, puts those back."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Let ``owner.name`` be what *make* makes of it."""
        original = getattr(owner, name)
        own = name in vars(owner)
        self._replaced.append((owner, name, vars(owner)[name] if own else None))
        setattr(owner, name, make(original))

    def put_for_server(self, owner: Any, name: str, instead: Callable[..., Any]) -> None:
        """Let *instead* be called for ``owner.name`` by code of the server.

        Its first argument is what it stands for.
        """

        def make(original: Any) -> Any:
            def chosen(*args: Any, **kwargs: Any) -> Any:
                if OWNER.get() < SERVER:
                    return original(*args, **kwargs)
                return instead(original, *args, **kwargs)

            return chosen

        self.put(owner, name, make)

    def undo(self) -> None:
        """Put everything back."""
        while self._replaced:
            owner, name, original = self._replaced.pop()
            if original is None:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
