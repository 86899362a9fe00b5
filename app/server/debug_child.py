"""A project with ``debug`` on, in a process of its own.

It is run as ``python -m app.server.debug_child FOLDER``. Here ``debug`` is the whole of it: a
changed file starts the process again (``autoreload``). It listens on a free port of this machine,
which it keeps, and ends when its standard input ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path
from typing import Any

from tornado import autoreload
from tornado.httpserver import HTTPServer
from tornado.log import enable_pretty_logging
from tornado.netutil import bind_sockets
from tornado.web import Application

from .build import build_application
from .modules import HandlerModules
from .site import SITE_FILE, SiteError, load
from .site.reading import walk

_PORT, _STARTS = "LOOPSCOPE_CHILD_PORT", "LOOPSCOPE_CHILD_STARTS"


def _debugging(handlers: Any, **settings: Any) -> Application:
    """Return the Application as plain Tornado makes it: with its own template loader, and debug."""
    settings.pop("template_loader", None)
    settings["template_path"] = str(settings["template_path"])
    return Application(handlers, **{**settings, "debug": True, "autoreload": True})


async def _serve(folder: Path) -> None:
    site, modules = load(folder), HandlerModules()
    modules.load(site)
    application = build_application(site, modules, _debugging)
    server = HTTPServer(application, **site.server)
    sockets = bind_sockets(int(os.environ.get(_PORT, "0")), "127.0.0.1")
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    os.environ[_PORT] = str(port)
    _say(f"http://127.0.0.1:{port}/")
    await asyncio.Event().wait()


def _say(text: str) -> None:
    print(text, flush=True)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Serve the folder that the command line names; wait for a change where that cannot be."""
    folder = Path(sys.argv[1])
    starts = int(os.environ.get(_STARTS, "0")) + 1
    os.environ[_STARTS] = str(starts)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    enable_pretty_logging()
    _say(f"start {starts}, process {os.getpid()}, debug=True")
    for name in walk(folder):
        if name == SITE_FILE or name.startswith("handlers/"):
            autoreload.watch(str(folder / name))
    try:
        asyncio.run(_serve(folder))
    except SiteError as error:
        for problem in error.problems:
            _say(str(problem))
        autoreload.wait()


if __name__ == "__main__":
    main()
