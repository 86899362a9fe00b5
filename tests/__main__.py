"""Check everything: ``python3 -m tests``; or run some tests: ``python3 -m tests -k name``.

Without arguments ruff, mypy and the import contracts go first, then pytest. With arguments
only pytest runs, and gets them. The status is 0 only if all passed. The first run installs
what it needs, as ``main.py`` does.
"""

import os
import subprocess
import sys
import time

from app import bootstrap

CHECKS = {
    "ruff": ("-m", "ruff", "check", "--quiet", "."),
    "format": ("-m", "ruff", "format", "--check", "--output-format", "concise", "."),
    "mypy": ("-m", "mypy", "--no-error-summary"),
    "import contracts": (
        "-c",
        "from importlinter.cli import lint_imports_command as check; check()",
        "--no-cache",
    ),
}
"""Every check before the tests: its name, and the arguments of the Python that runs it."""


def check() -> list[str]:
    """Run the checks, say how each went, and return the names of those that failed."""
    failed = []
    for name, arguments in CHECKS.items():
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=bootstrap.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        seconds = time.monotonic() - began
        if done.returncode:
            failed.append(name)
            print(done.stdout, end="")
        verdict = "FAILED" if done.returncode else "passed"
        print(f"{name}: {verdict} ({seconds:.1f} s)", flush=True)
    return failed


def test(arguments: list[str]) -> int:
    """Run pytest without a display, all of it side by side, and return its status."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import pytest

    # A worker that crashed fails its test; with another in its place xdist would wait for ever.
    everything = ["-n", "auto", "--dist", "loadfile", "--max-worker-restart", "0"]
    return int(pytest.main(["--rootdir", str(bootstrap.ROOT), *(arguments or everything)]))


def main(arguments: list[str]) -> int:
    """Check and test, and return the status."""
    try:
        failed = [] if arguments else check()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    status = test(arguments)
    if failed:
        print("FAILED before the tests:", ", ".join(failed))
    return status or int(bool(failed))


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    bootstrap.prepare(bootstrap.TEST)
    sys.exit(main(sys.argv[1:]))
