"""Run CPython's asyncio tests and Tornado's suite on TickLoop; see ``--help``."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import Counter

from app import bootstrap

from . import cpython, harness, tornado_suite


def main() -> int:
    """Run the suites that were asked for and print what happened; 0 when all went well."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.conformance", description=__doc__)
    parser.add_argument("suite", nargs="?", choices=["cpython", "tornado"], help="only this one")
    parser.add_argument("-k", metavar="TEXT", default="", help="only CPython modules named so")
    parser.add_argument("-j", metavar="N", type=int, default=2, help="how many at once")
    parser.add_argument("-v", action="store_true", help="name every skipped test too")
    options = parser.parse_args()
    began = time.perf_counter()
    reports: list[harness.Report] = []
    if options.suite != "tornado":
        reports += cpython.run(options.k, options.j)
    if options.suite != "cpython" and not options.k:
        reports += tornado_suite.run()
    show(reports, options.v)
    failed = sum(len(report.failed) for report in reports)
    print(
        f"\nPython {platform.python_version()}: {'FAILED' if failed else 'OK'} "
        f"in {time.perf_counter() - began:.0f} s"
    )
    return 1 if failed else 0


def show(reports: list[harness.Report], verbose: bool) -> None:
    """Print a line for each report, then what failed, was skipped and was excluded."""
    print(f"{'':34}{'passed':>8}{'on TickLoop':>12}{'skipped':>9}{'excluded':>9}{'failed':>8}  s")
    for report in reports:
        _line(report.name, [report], f"{report.seconds:6.1f}")
    _line("CPython", [report for report in reports if report.name != "tornado"])
    _line("Tornado", [report for report in reports if report.name == "tornado"])
    for report in reports:
        for outcome in report.failed:
            print(f"\n{outcome.status.upper()} {report.name}: {outcome.test}\n{outcome.detail}")
    again = [f"{report.name}: {test}" for report in reports for test in report.again]
    if again:
        print("\nPassed only when run again, alone:", *again, sep="\n        ")
    skipped = [outcome for report in reports for outcome in report.having("skip")]
    reasons = Counter(outcome.detail for outcome in skipped)
    print("\nSkipped and excluded:")
    for reason, count in sorted(reasons.items()):
        print(f"  {count:4}  {reason}")
        if verbose or reason.startswith("excluded"):
            for test in sorted({entry.test for entry in skipped if entry.detail == reason}):
                print(f"          {test}")
    print("\nModules of CPython's suite left out:")
    for name, reason in cpython.MODULES_EXCLUDED.items():
        print(f"        {name}: {reason}")


def _line(name: str, reports: list[harness.Report], seconds: str = "") -> None:
    passed = [outcome for report in reports for outcome in report.having("pass")]
    again = [f"{report.name}: {test}" for report in reports for test in report.again]
    if again:
        print("\nPassed only when run again, alone:", *again, sep="\n        ")
    skipped = [outcome for report in reports for outcome in report.having("skip")]
    excluded = sum(outcome.detail.startswith("excluded: ") for outcome in skipped)
    ours = sum("ConformingLoop" in outcome.loops for outcome in passed)
    failed = sum(len(report.failed) for report in reports)
    print(
        f"{name:34}{len(passed):8}{ours:12}{len(skipped) - excluded:9}{excluded:9}{failed:8}"
        f"  {seconds}"
    )


if __name__ == "__main__":
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    bootstrap.prepare()
    sys.exit(main())
