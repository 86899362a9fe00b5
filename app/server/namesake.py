"""The program's own package ``app``: Loopscope's has the same name, and both must be importable."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

_NAME = "app"
_OWN = str(Path(__file__).resolve().parents[1]) + os.sep


class Namesake:
    """Gives whoever imports ``app`` their own, by where the import statement stands."""

    def __init__(self) -> None:
        self._theirs: dict[str, ModuleType] = {}
        self._in_theirs = False
        self._original: Callable[..., Any] | None = None

    def begin(self, folder: Path) -> None:
        """From now on ``app`` may be in *folder* for others; nothing changes if it is not."""
        if self._original is None and (
            (folder / f"{_NAME}.py").is_file() or (folder / _NAME).is_dir()
        ):
            self._original = builtins.__import__
            builtins.__import__ = self._importing(self._original)

    def end(self) -> None:
        """Forget the program's modules of that name."""
        if self._original is not None:
            builtins.__import__ = self._original
            self._original = None
        self._theirs.clear()

    @contextmanager
    def among(self, theirs: bool) -> Iterator[None]:
        """Let ``sys.modules`` hold the program's ``app``, or Loopscope's, within the block."""
        if self._original is None or theirs == self._in_theirs:
            yield
            return
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        names = [n for n in sys.modules if n == _NAME or n.startswith(f"{_NAME}.")]
        out = {name: sys.modules.pop(name) for name in names}
        sys.modules.update(self._theirs)
        self._theirs = out
        self._in_theirs = not self._in_theirs

    def _importing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        # Tornado imports in the middle of requests: what has another name must go on at once.
        def import_(
            name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
        ) -> Any:
            if level == 0 and not name.startswith(_NAME):
                return original(name, globals, locals, fromlist, level)
            file = str((globals or {}).get("__file__") or "")
            wanted = ((globals or {}).get("__package__") or "") if level else name
            if wanted.partition(".")[0] != _NAME:
                return original(name, globals, locals, fromlist, level)
            with self.among(not file.startswith(_OWN)):
                return original(name, globals, locals, fromlist, level)

        return import_

    def modules(self) -> dict[str, ModuleType]:
        """Return the program's modules of that name."""
        return {} if self._in_theirs else dict(self._theirs) if self._original else {}
