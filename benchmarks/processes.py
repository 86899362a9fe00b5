"""The processes of a benchmark: started here, watched through /proc, ended by their number."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = "benchmarks/app.py:make_app"


def raise_descriptor_limit() -> None:
    """Let this process open as many descriptors as the system allows it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Process:
    """A server under measurement, from its first line of output to `end`."""

    def __init__(self, arguments: list[str], environment: dict[str, str] | None = None) -> None:
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | (environment or {}),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.line = self._process.stdout.readline()
        self.start_seconds = time.perf_counter() - self.began
        found = re.search(r"(\d+)/?\s*$", self.line)
        if found is None:
            raise RuntimeError(f"{arguments} did not start: {self.line!r}")
        self.port = int(found[1])

    def end(self) -> str:
        """End the process, wait for it, and return what else it printed."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        rest, _ = self._process.communicate(timeout=60)
        return rest

    def cpu_seconds(self) -> float:
        """Return the processor time used so far, in s."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        """Return the resident memory, in MiB."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def stock() -> Process:
    """Start the application on stock asyncio."""
    return Process(["-m", "benchmarks.stock"])


def loopscope(display: dict[str, str], *arguments: str) -> Process:
    """Start the application under Loopscope, recording, with its window on *display*."""
    return Process(["main.py", "--app", TARGET, "--trust", "--port", "0", *arguments], display)


def load(port: int, connections: int, seconds: float) -> dict[str, Any]:
    """Load a server from another process; return what `benchmarks.load` measured."""
    return alternate([port], connections, seconds, 1)


def alternate(
    ports: list[int],
    connections: int,
    seconds: float,
    rounds: int,
    idle: Sequence[int] = (0,),
) -> dict[str, Any]:
    """Load several servers in turn, *rounds* times *seconds* each, beside *idle* connections."""
    command = [sys.executable, "-m", "benchmarks.load", *map(str, ports)]
    command += ["--connections", str(connections), "--seconds", str(seconds)]
    command += ["--rounds", str(rounds), "--idle", *map(str, idle)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    if result["errors"]:
        raise RuntimeError(f"{result['errors']} answers were not 200")
    return result


@contextlib.contextmanager
def display() -> Iterator[dict[str, str]]:
    """Give a display for a visible window: a virtual one if Xvfb is there, else offscreen.

    With ``QT_QPA_PLATFORM=offscreen`` it is offscreen in any case: an X server wants a processor of
    its own, which is missing where two are shared by the server and its load.
    """
    if shutil.which("Xvfb") is None or os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        print("the window is drawn offscreen")
        yield {"QT_QPA_PLATFORM": "offscreen"}
        return
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as numbers:
            number = numbers.readline().strip()
        yield {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
    finally:
        server.terminate()
        server.wait(timeout=10)
