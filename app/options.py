"""The command line: a contract, since scripts rely on it."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from app import __version__


class UsageError(Exception):
    """The command line or what it names is wrong; the text is one line for the user."""


@dataclass(frozen=True)
class Options:
    """What the user asked for. Times are in seconds; port 0 picks a free one."""

    project: Path | None = None
    app: str | None = None
    app_arguments: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8888
    offscreen: bool = False
    open: Path | None = None
    capture: Path | None = None
    screenshot: Path | None = None
    exit_after: float | None = None
    trust: bool = False
    lang: str | None = None
    block_limit: float | None = None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _host(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty host would listen on every interface")
    return text


def parse(arguments: list[str]) -> Options:
    """Return the options in *arguments*.

    Raises UsageError; ``--help`` and ``--version`` print and raise SystemExit, as argparse does.
    """
    parser = _Parser(
        prog="main.py",
        description="Loopscope: an oscilloscope for Tornado.",
        allow_abbrev=False,
    )
    parser.add_argument("project", nargs="?", type=Path, metavar="PROJECT", help="project folder")
    parser.add_argument(
        "--app",
        metavar="TARGET",
        help="module:callable, path/to/app.py:callable or script.py; its own arguments follow --",
    )
    parser.add_argument("--host", type=_host, default=Options.host, help="default: %(default)s")
    parser.add_argument("--port", type=_port, default=Options.port, help="0 picks a free one")
    parser.add_argument("--offscreen", action="store_true", help="run without a visible window")
    parser.add_argument("--open", type=Path, metavar="FILE.loopscope", help="look at a recording")
    parser.add_argument("--capture", type=Path, metavar="FILE.loopscope", help="write a recording")
    parser.add_argument("--screenshot", type=Path, metavar="FILE.png", help="picture of the window")
    parser.add_argument("--exit-after", type=_seconds, metavar="SECONDS", help="end after a while")
    parser.add_argument("--trust", action="store_true", help="run the project's code unasked")
    parser.add_argument("--lang", choices=("en", "zh"), help="language of the window")
    parser.add_argument(
        "--block-limit",
        type=_seconds,
        metavar="SECONDS",
        help="interrupt handlers that block the loop for longer; 0 lets them",
    )
    parser.add_argument("--version", action="version", version=f"Loopscope {__version__}")
    before, after = _split(arguments)
    options = Options(**vars(parser.parse_args(before)), app_arguments=after)
    if options.app is not None and options.project is not None:
        raise UsageError("give a PROJECT or --app, not both")
    for path in (options.capture, options.screenshot):
        if path is not None:
            check_writable(path)
    return options


def _split(arguments: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return our own arguments and, with ``--app``, the program's, which follow ``--``."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    if not any(each == "--app" or each.startswith("--app=") for each in arguments[:at]):
        return arguments, ()
    return arguments[:at], tuple(arguments[at + 1 :])


def check_writable(path: Path) -> None:
    """Raise UsageError unless a file can be written at *path*."""
    reason = None
    if path.is_dir():
        reason = "it is a folder"
    elif not path.absolute().parent.is_dir():
        reason = "its folder does not exist"
    elif not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        reason = "permission denied"
    if reason:
        raise UsageError(f"cannot write {path}: {reason}")


def use_offscreen(options: Options) -> bool:
    """Return whether to run without a visible window: as asked, or for want of a display."""
    if options.offscreen or os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return True
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in displays):
        print("Loopscope: no display; running offscreen", file=sys.stderr)
        return True
    return False
