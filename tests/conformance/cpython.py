"""CPython's own asyncio tests on TickLoop: what is run, what is not, and why."""

from __future__ import annotations

import fnmatch
import sys
import unittest
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from . import harness

TIMEOUT = 100.0
"""How long one module may take, in s."""

MODULES = (
    "test_tasks",
    "test_sslproto",
    "test_ssl",
    "test_events",
    "test_subprocess",
    "test_unix_events",
    "test_base_events",
    "test_streams",
    "test_sendfile",
    "test_waitfor",
    "test_taskgroups",
    "test_timeouts",
    "test_sock_lowlevel",
    "test_runners",
    "test_locks",
    "test_queues",
    "test_server",
    "test_futures",
    "test_eager_task_factory",
    "test_buffered_proto",
    "test_context",
    "test_futures2",
    "test_pep492",
    "test_staggered",
    "test_threads",
)
"""Run on the selector of the platform: longest first. Those a version lacks are passed over."""

FALLBACK_MODULES = ("test_streams", "test_subprocess", "test_ssl", "test_server", "test_runners")
"""Run again on a selector that has no descriptor for Qt to watch."""


class Exclusion(NamedTuple):
    """Tests that are not run; *pattern* as in fnmatch, on ``module.Class.test``."""

    pattern: str
    reason: str
    since: tuple[int, int] = (3, 11)
    until: tuple[int, int] = (3, 99)


MODULES_EXCLUDED = {
    "test_proactor_events": "tests the proactor loop of Windows",
    "test_windows_events": "tests the loops of Windows",
    "test_windows_utils": "tests utilities of Windows",
    "test_selector_events": "tests asyncio's own base class against a mocked selector",
    "test_transports": "tests abstract classes, with mocks for a loop",
    "test_protocols": "tests abstract classes, without a loop",
}

EXCLUSIONS: tuple[Exclusion, ...] = ()


def exclusions() -> list[Exclusion]:
    """Return the exclusions that hold for this Python."""
    version = sys.version_info[:2]
    return [entry for entry in EXCLUSIONS if entry.since <= version <= entry.until]


def reason_for(test_id: str) -> str | None:
    """Return why a test is not run, or None when it is."""
    name = test_id.removeprefix("test.test_asyncio.")
    for entry in exclusions():
        if fnmatch.fnmatchcase(name, entry.pattern):
            return entry.reason
    return None


def run(only: str, jobs: int) -> list[harness.Report]:
    """Run every module whose name contains *only*, each in a subprocess.

    As in CPython's own runner, what fails is run again, alone: a few tests measure time.
    """
    from importlib.util import find_spec

    plan = [(name, "DefaultSelector") for name in MODULES]
    plan += [(name, "PollSelector") for name in FALLBACK_MODULES]
    plan = [
        (name, selector)
        for name, selector in plan
        if only in name and find_spec(f"test.test_asyncio.{name}")
    ]
    with ThreadPoolExecutor(jobs) as pool:
        reports = list(pool.map(lambda entry: _run_module(*entry), plan))
    for report, (name, selector) in zip(reports, plan, strict=True):
        failed = [outcome.test for outcome in report.having("fail", "error")]
        if failed:
            report.amend(_run_module(name, selector, failed))
    return reports


def _run_module(name: str, selector: str, only: Sequence[str] = ()) -> harness.Report:
    shown = name if selector == "DefaultSelector" else f"{name} ({selector})"
    return harness.run_child(shown, __name__, [name, *only], TIMEOUT, selector)


def _tests(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from _tests(entry)
        else:
            yield entry


def _skip(test: unittest.TestCase, reason: str) -> None:
    setattr(test, test._testMethodName, unittest.skip(f"excluded: {reason}")(lambda: None))


def main(name: str, *only: str) -> int:
    """Run a module of the suite, or *only* these tests of it; called in the subprocess."""
    harness.dump_after(TIMEOUT - 5)
    application = harness.install()
    tests = list(_tests(unittest.defaultTestLoader.loadTestsFromName(f"test.test_asyncio.{name}")))
    tests = [test for test in tests if not only or test.id() in only]
    for test in tests:
        reason = reason_for(test.id())
        if reason is not None:
            _skip(test, reason)
    runner = unittest.TextTestRunner(verbosity=0, resultclass=harness.Journal, warnings="default")
    result = runner.run(unittest.TestSuite(tests))
    del application
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
