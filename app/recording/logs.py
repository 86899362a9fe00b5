"""Python's logging, recorded with the request that each record belongs to."""

from __future__ import annotations

import logging

from .events import request_of
from .recorder import OWNER, Recorder


class RecordingHandler(logging.Handler):
    """Puts log records, their tracebacks included, into a `Recorder`; from any thread."""

    def __init__(self, recorder: Recorder, level: int = logging.INFO) -> None:
        super().__init__(level)
        self._recorder = recorder
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Record *record*; appending to a list is atomic, so threads need no lock."""
        try:
            text = self.format(record)
        except Exception as error:
            text = f"unprintable log record {record.msg!r}: {error!r}"
        self._recorder.log.append(
            (
                self._recorder.clock(),
                record.levelname,
                record.name,
                request_of(OWNER.get()) or 0,
                text,
            )
        )
