"""Python's logging, recorded with the request that each record belongs to."""

from __future__ import annotations

import logging

from .events import request_of
from .mistakes import LOGGER, finding
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
        recorder, request_id = self._recorder, request_of(OWNER.get()) or 0
        now = recorder.clock()
        recorder.log.append((now, record.levelname, record.name, request_id, text))
        request = recorder.changed_requests.get(request_id)
        try:
            found = finding(record, None if request is None else request.stages)
        except Exception:  # The record is the program's; what it holds may not even compare.
            return
        if found is not None:
            kind, words = found
            recorder.log.append((now, "WARNING", LOGGER + kind, request_id, words))
