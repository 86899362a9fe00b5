"""Whose code a frame is: the user's, or that of Python, a package or Loopscope."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

import pytest
import tornado.web
from PySide6.QtCore import qVersion  # From now on it has a part in every import.

import app
from app.recording.tasks import is_library, is_library_file


@contextlib.contextmanager
def called() -> Iterator[set[CodeType]]:
    """Give what is called within the block."""
    found: set[CodeType] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            found.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(before)


def test_what_pyside_does_at_an_import_is_not_the_users() -> None:
    with called() as found:
        exec("import colorsys")
    names = {code.co_filename for code in found if "import" in code.co_name}
    assert any("shiboken" in name for name in names), qVersion()
    assert all(map(is_library_file, names))
    assert all(is_library(code) for code in found if code.co_filename in names)


@pytest.mark.parametrize(
    ("file", "library"),
    [
        (tornado.web.__file__, True),
        (contextlib.__file__, True),
        (app.__file__, True),
        (__file__, False),
        ("handlers/pages.py", False),
        # Beside ours, with a name that begins alike.
        (f"{Path(app.__file__).parent}_of_mine.py", False),
    ],
)
def test_whose_file_it_is(file: str, library: bool) -> None:
    assert is_library_file(file) is library
