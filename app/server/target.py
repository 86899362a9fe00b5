"""The user's own application, as ``--app`` names it: loaded, run, and taken out again."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import linecache
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tornado.httputil import HTTPServerConnectionDelegate
from tornado.options import _Option, options
from tornado.web import RequestHandler

from app.recording.tasks import is_library_file

from .error_words import error_words
from .foreign import Foreign
from .guards import Guards, Handover
from .namesake import Namesake

MAIN = "__main__"
_OWN = str(Path(__file__).resolve().parents[1]) + os.sep


class Place(NamedTuple):
    """A line that a traceback passes, innermost last."""

    file: str
    line: int
    function: str
    source: str


class TargetError(Exception):
    """The target of ``--app`` gives no application; the text is one line for the user.

    ``places`` is the way to where it failed, ``text`` the whole traceback; both may be empty.
    """

    def __init__(self, message: str, error: BaseException | None = None) -> None:
        super().__init__(message)
        self.places: list[Place] = []
        self.text = ""
        if error is not None:
            stack = [
                frame
                for frame in traceback.extract_tb(error.__traceback__)
                if not frame.filename.startswith((_OWN, "<frozen importlib"))
            ]
            self.places = [
                Place(frame.filename, frame.lineno or 0, frame.name, frame.line or "")
                for frame in stack
            ]
            if isinstance(error, SyntaxError) and error.filename:
                text = (error.text or "").strip()
                self.places.append(Place(error.filename, error.lineno or 0, "", text))
            lines = traceback.format_list(stack) if stack else []
            self.text = "".join([*lines, *traceback.format_exception_only(error)])


def target_file(target: str) -> Path | None:
    """Return the file that the target of ``--app`` names; None when it names a module."""
    place, _ = split_target(target)
    return Path(place) if place.endswith(".py") or os.sep in place else None


def split_target(target: str) -> tuple[str, str]:
    """Return the module or file that *target* names, and what in it.

    A file alone is meant as a script. Raises TargetError when it is neither.
    """
    if target.endswith(".py"):
        return target, MAIN
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise TargetError(f"--app {target}: give module:callable or path/to/app.py:callable")
    return place, name


class Target:
    """A program: what it made of this process is known, and can be taken back by `unload`.

    It runs in the context of whoever calls `load`, on the loop that is running.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        foreign: Foreign,
        guards: Guards,
    ) -> None:
        self.name = name
        self.place, self._attribute = split_target(name)
        self.file = target_file(name)
        self._arguments = list(arguments)
        self._foreign = foreign
        self._guards = guards
        self._namesake = Namesake()
        self._known: set[str] | None = None
        """The modules that were there before the program."""
        self._before: tuple[list[str], list[str]] | None = None
        self._main: ModuleType | None = None
        self.made: HTTPServerConnectionDelegate | None = None
        """The application, if the program gives it instead of letting it listen."""
        self.task: asyncio.Future[Any] | None = None
        """The program, as long as it runs as a coroutine."""

    async def load(self, soon: Callable[[Callable[[], None]], object]) -> None:
        """Run the program until it serves. *soon* runs a function in a handle of its own.

        Raises TargetError, with the reason, when it fails or when there is nothing to serve.
        """
        begun: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def begin() -> None:
            try:
                result = self._begin()
            except Exception as error:
                begun.set_exception(error)
            else:
                begun.set_result(result)

        soon(begin)
        made = await begun
        task = self._guards.main or self.task
        if task is not None:
            self.task = task
            made = await self._wait_for(task)
        if isinstance(made, HTTPServerConnectionDelegate):
            self.made = made
        elif not self._foreign.servers:
            raise TargetError(
                f"--app {self.name} gave {type(made).__name__}, not an Application"
                ", and listens nowhere"
            )

    async def _wait_for(self, task: asyncio.Future[Any]) -> Any:
        """Return what the program's coroutine returns; None as soon as something listens."""
        while not task.done() and not self._foreign.servers:
            await asyncio.wait([task], timeout=0.02)
        if not task.done():
            return None
        try:
            return task.result()
        except BaseException as error:
            raise self._failed(error) from error

    # -- Starting ------------------------------------------------------------------------------

    def _begin(self) -> Any:
        """Import the program and call what is named; return what that gives."""
        self._before = (list(sys.argv), list(sys.path))
        self._known = set(sys.modules)
        guards = self._guards
        guards.starting, guards.leaving, guards.main = True, False, None
        made: Any = None
        try:
            found = self._find()
            if isinstance(found, ModuleType):
                return None  # A script that has come to its end.
            made = found if _is_served(found) else found()
            if inspect.isawaitable(made):
                self.task = asyncio.ensure_future(made)
        except Handover:
            pass
        except TargetError:
            raise
        except BaseException as error:
            if not guards.leaving:
                raise self._failed(error) from error
        finally:
            guards.starting = guards.leaving = False
        return made

    def _failed(self, error: BaseException) -> TargetError:
        told = TargetError(f"--app {self.name}: {error_words(error)}", error)
        if told.places:
            own = [p for p in told.places if p.file[:1] != "<" and not is_library_file(p.file)]
            last = own[-1] if own else told.places[-1]
            told.args = (f"{told.args[0]} ({last.file}, line {last.line})",)
        return told

    def _find(self) -> Any:
        if self.file is None:
            sys.argv = [self.place, *self._arguments]
            sys.path.insert(0, os.getcwd())
            self._namesake.begin(Path.cwd())
            with self._namesake.among(theirs=True):
                found: Any = importlib.import_module(self.place)
        else:
            if not self.file.is_file():
                raise TargetError(f"--app: no such file: {self.file}")
            sys.argv = [str(self.file), *self._arguments]
            sys.path.insert(0, str(self.file.resolve().parent))
            self._namesake.begin(self.file.resolve().parent)
            with self._namesake.among(theirs=True):
                found = self._execute(self.file)
        if self._attribute == MAIN:
            return found
        for name in self._attribute.split("."):
            found = getattr(found, name)
        return found

    def _execute(self, file: Path) -> ModuleType:
        name = MAIN if self._attribute == MAIN else file.stem
        if name in sys.modules and name != MAIN:
            name = "__app__"  # What bears that name is needed by others.
        spec = importlib.util.spec_from_file_location(name, file.resolve())
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        if name == MAIN:
            self._main = sys.modules[MAIN]
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    # -- Ending --------------------------------------------------------------------------------

    def unload(self) -> None:
        """Forget the program's modules, options and templates: the next `load` runs it anew.

        Modules from the library and from installed packages stay as they are.
        """
        self._forget_options()
        for name, module in self._own_modules().items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
        self._namesake.end()
        self._known = None
        if self._main is not None:
            sys.modules[MAIN], self._main = self._main, None
        if self._before is not None:
            sys.argv, sys.path[:] = self._before
            self._before = None
        with RequestHandler._template_loader_lock:
            RequestHandler._template_loaders.clear()
        importlib.invalidate_caches()
        linecache.checkcache()

    def _forget_options(self) -> None:
        """Let the program's modules define their options again, and no option keep its value."""
        files = {str(file) for file in self.files()}
        for name, option in list(options._options.items()):
            option._value = _Option.UNSET
            if option.file_name in files:
                del options._options[name]

    def _own_modules(self) -> dict[str, ModuleType]:
        """Return the program's own modules: not the library's, nor an installed package's."""
        if self._known is None:
            return {}
        new = {name: sys.modules[name] for name in set(sys.modules) - self._known}
        new |= self._namesake.modules()
        if self._main is not None:
            new[MAIN] = sys.modules[MAIN]
        return {name: module for name, module in new.items() if self._is_own(module)}

    @staticmethod
    def _is_own(module: ModuleType) -> bool:
        file = getattr(module, "__file__", None)
        return bool(file) and not is_library_file(str(file))

    def files(self) -> list[Path]:
        """Return the source files of the program's own modules, in the order of their names."""
        files = {getattr(module, "__file__", None) for module in self._own_modules().values()}
        return sorted(Path(file) for file in files if file and file.endswith(".py"))


def _is_served(found: object) -> bool:
    return isinstance(found, HTTPServerConnectionDelegate) and not isinstance(found, type)
