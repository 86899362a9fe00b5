"""The event loop: `TickLoop` and its parts."""

from .tick_loop import TickLoop as TickLoop
