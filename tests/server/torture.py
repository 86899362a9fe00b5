"""Kills a process that saves a project, again and again, and looks at what is left.

``python -m tests.server.torture 1000`` does that 1,000 times. After each kill every file must be a
whole one, and loading must give all files of one version: the last that was saved, or the next.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from app.server.site import Route, Site, load, save


def project(folder: Path, version: int) -> Site:
    """Return a site each of whose files says *version*, with sizes that differ by version."""
    text = f"# {version}\n" * (1 + version * 37 % 4_000)
    return Site(
        folder,
        name=str(version),
        routes=(Route("/", "handlers.a.A", name=f"v{version}"),),
        handlers={"a.py": text, "b.py": text * 2},
        templates={"a.html": text, "parts/b.html": text},
    )


def version_of(site: Site) -> int:
    """Return the version that all files of *site* say; AssertionError if they differ."""
    version = int(site.name)
    assert site == project(site.folder, version), "files of different versions"
    return version


def kill_while_saving(folder: Path, after_s: float) -> tuple[bool, int]:
    """Kill a process that saves one version after the other, *after_s* after it began.

    Return whether the kill left an unfinished exchange, and how many versions were saved.
    """
    before = version_of(load(folder))
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover
        try:
            version = before
            while True:
                version += 1
                save(project(folder, version), folder)
                os.write(writing, b".")
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "saving failed before it was killed"
    with os.fdopen(reading, "rb") as pipe:
        saved = len(pipe.read())
    unfinished = (folder / ".loopscope-saving").exists()
    _check_each_file(folder)
    after = version_of(load(folder))
    assert after in (before + saved, before + saved + 1), (before, saved, after)
    return unfinished, after - before


def _check_each_file(folder: Path) -> None:
    """Each file alone is whole, even before the interrupted exchange is finished."""
    for path in (folder / "handlers/a.py", folder / "templates/a.html"):
        text = path.read_text()
        version = int(text.split()[1])
        assert text == project(folder, version).handlers["a.py"], path


def torture(folder: Path, kills: int, seed: int) -> Counter[str]:
    """Kill *kills* times; return how often what was left. AssertionError for anything broken."""
    save(project(folder, 1), folder)
    found: Counter[str] = Counter()
    dice, longest_s = random.Random(seed), 0.01
    for _ in range(kills):
        unfinished, saved = kill_while_saving(folder, dice.uniform(0, longest_s))
        found["between exchange and end"] += unfinished
        found["versions saved"] += saved
        # About every other kill is to come in a first save, whatever the disk takes for one.
        longest_s *= 0.9 if saved else 1.1
    return found


if __name__ == "__main__":
    started = time.monotonic()
    seed = random.randrange(1 << 32)
    print("seed", seed)
    with tempfile.TemporaryDirectory(dir=".") as name:
        counts = torture(Path(name) / "project", int(sys.argv[1]), seed)
    print(f"{sys.argv[1]} kills, 0 broken, in {time.monotonic() - started:.1f} s: {dict(counts)}")
