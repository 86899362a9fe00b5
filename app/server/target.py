"""The user's own application, as ``--app`` names it."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import os
import sys
from pathlib import Path
from typing import Any

from tornado.web import Application


class TargetError(Exception):
    """The target of ``--app`` gives no application; the text is one line for the user."""


def target_file(target: str) -> Path | None:
    """Return the file that the target of ``--app`` names; None when it names a module."""
    place = target.rpartition(":")[0]
    return Path(place) if place.endswith(".py") or os.sep in place else None


async def load_application(target: str) -> Application:
    """Import what *target* names and return the application it is, or makes when called.

    Factories may be coroutine functions. Raises TargetError, with the reason, when there is no
    such thing or when making it fails.
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise TargetError(f"--app {target}: give module:callable or path/to/app.py:callable")
    try:
        made = getattr(_import(place, target_file(target)), name)
        if not isinstance(made, Application):
            made = made()
            if inspect.isawaitable(made):
                made = await made
    except TargetError:
        raise
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError):
            raise
        where = _innermost(error)
        raise TargetError(f"--app {target}: {type(error).__name__}: {error}{where}") from error
    if not isinstance(made, Application):
        raise TargetError(f"--app {target} gave {type(made).__name__}, not an Application")
    return made


def _import(place: str, file: Path | None) -> Any:
    if file is None:
        sys.path.insert(0, os.getcwd())
        return importlib.import_module(place)
    if not file.is_file():
        raise TargetError(f"--app: no such file: {file}")
    sys.path.insert(0, str(file.resolve().parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def _innermost(error: BaseException) -> str:
    traceback = error.__traceback__
    if traceback is None:
        return ""
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f" ({traceback.tb_frame.f_code.co_filename}, line {traceback.tb_lineno})"
