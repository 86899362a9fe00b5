"""The whole test suite of Tornado on TickLoop."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from . import harness

TIMEOUT = 200.0
"""How long the suite may take, in s."""


def run() -> list[harness.Report]:
    """Run the suite in a subprocess. Like Tornado, count anything logged as a failure.

    What fails is run again, alone: a few tests measure time.
    """
    report = harness.run_child("tornado", __name__, [], TIMEOUT)
    failed = [outcome.test for outcome in report.having("fail", "error")]
    if failed:
        report.amend(harness.run_child("tornado", __name__, failed, TIMEOUT))
    return [report]


def main() -> None:
    """Run the suite in this process; called in the subprocess."""
    harness.dump_after(TIMEOUT - 5)
    application = harness.install()
    # Tornado's own switch for slow machines: one HTTPS request must fit into 0.5 s, not 0.1 s.
    os.environ["EMULATION"] = "1"
    from tornado.test import runtests

    factory: Callable[[Any], Any] = runtests.test_runner_factory

    def journalling(stderr: Any) -> type:
        base: Any = factory(stderr)

        class Runner(base):  # type: ignore[misc]
            resultclass: Any

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                # Tornado's result class leaves its abstract base tests out of the skipped ones.
                self.resultclass = type("Result", (self.resultclass, harness.Journal), {})

        return Runner

    runtests.test_runner_factory = journalling
    sys.modules["__main__"].all = runtests.all  # type: ignore[attr-defined]
    sys.argv[1:1] = ["--quiet"]
    suite: Any = runtests.main
    try:
        suite()
    finally:
        del application


if __name__ == "__main__":
    main()
