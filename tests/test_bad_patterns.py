"""Row 13 of the bad inputs: a pattern that backtracks for ever is answered 503, and no more."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.test_program import program

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")

SITE = """
[[routes]]
pattern = '/fine'
handler = 'handlers.fine.Fine'
[[routes]]
pattern = '/(a+)+'
handler = 'handlers.fine.Fine'
"""
FINE = """from tornado.web import RequestHandler

class Fine(RequestHandler):
    def get(self, *groups):
        self.write("fine")
"""


def test_a_catastrophic_pattern_is_ended_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers/fine.py").write_text(FINE)
    (tmp_path / "site.toml").write_text(SITE)
    with program(str(tmp_path), "--trust", "--block-limit", "0.3", cwd=tmp_path) as it:
        assert it.get("/aaa")[0] == 200
        assert it.get("/" + "a" * 40 + "b")[0] == 503  # By itself it would take years.
        assert it.get("/fine")[0] == 200
        assert it.end() == ""
