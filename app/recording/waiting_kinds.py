"""The kinds of waits, and by which names of asyncio and Tornado they are recognised."""

from __future__ import annotations

KINDS = {
    "sleep": "sleep",
    "timer": "timer",
    "read": "socket read",
    "write": "socket write",
    "connect": "connecting",
    "accept": "new connection",
    "tls": "TLS handshake",
    "websocket": "WebSocket message",
    "response": "end of the response",
    "lock": "lock",
    "queue": "queue",
    "event": "event",
    "condition": "condition",
    "semaphore": "semaphore",
    "barrier": "barrier",
    "task": "another task",
    "gather": "several tasks",
    "timeout": "wait with a timeout",
    "thread": "executor thread",
    "subprocess": "subprocess",
    "http": "HTTP request",
    "breakpoint": "breakpoint",
    "future": "Future",
    "library": "Future of a library",
}
"""Kind → what it is called."""

FRAMES = {
    "asyncio.tasks sleep": ("sleep", ""),
    "asyncio.locks Event.wait": ("event", "Event.set"),
    "asyncio.locks Lock.acquire": ("lock", "Lock.release"),
    "asyncio.locks Condition.wait": ("condition", "Condition.notify"),
    "asyncio.locks Semaphore.acquire": ("semaphore", "Semaphore.release"),
    "asyncio.queues Queue.get": ("queue", "Queue.put"),
    "asyncio.queues Queue.put": ("queue", "Queue.get"),
    "asyncio.streams StreamReader._wait_for_data": ("read", ""),
    "asyncio.streams FlowControlMixin._drain_helper": ("write", ""),
    "asyncio.selector_events BaseSelectorEventLoop.sock_recv": ("read", ""),
    "asyncio.selector_events BaseSelectorEventLoop.sock_recv_into": ("read", ""),
    "asyncio.selector_events BaseSelectorEventLoop.sock_recvfrom": ("read", ""),
    "asyncio.selector_events BaseSelectorEventLoop.sock_sendall": ("write", ""),
    "asyncio.selector_events BaseSelectorEventLoop.sock_connect": ("connect", ""),
    "asyncio.selector_events BaseSelectorEventLoop.sock_accept": ("accept", ""),
    "app.server.breakpoints parked_at_breakpoint": ("breakpoint", "Resume, in Breakpoints"),
}
"""Innermost frames of libraries, by module and name: the kind, and what resolves it."""
OUTER = {
    "asyncio.queues Queue.join": ("queue", "Queue.task_done"),
    "asyncio.locks Barrier.wait": ("barrier", "Barrier.wait"),
    "asyncio.taskgroups TaskGroup.__aexit__": ("gather", ""),
    "asyncio.tasks wait": ("gather", ""),
    "asyncio.tasks as_completed.<locals>._wait_for_one": ("gather", ""),
    "asyncio.tasks _AsCompletedIterator._wait_for_one": ("gather", ""),
    "asyncio.tasks wait_for": ("timeout", ""),
}
"""Frames that say more than those inside them."""
TIMEOUTS = {
    "Condition.wait.<locals>.on_timeout": ("condition", "Condition.notify"),
    "Semaphore.acquire.<locals>.on_timeout": ("semaphore", "Semaphore.release"),
}
"""Timers that end the wait for something else, by the function that they call."""
SLEEPS = ("_set_result_unless_cancelled", "sleep.<locals>.<lambda>")
"""What the timer of a sleep calls."""
WITH_TIMEOUT = "with_timeout.<locals>.timeout_callback"
"""What a timer of ``tornado.gen.with_timeout`` calls."""
STREAM = "tornado.iostream.BaseIOStream"
CONNECTION = "tornado.http1connection.HTTP1Connection"
KEEPERS = (
    *(STREAM, CONNECTION, "tornado.queues.Queue"),
    *("tornado.websocket.WebSocketProtocol", "tornado.websocket.WebSocketClientConnection"),
    *("tornado.locks.Condition", "tornado.locks.Semaphore"),
)
"""Types whose objects keep the Futures that others wait for."""
CHANGING = ("gather", "thread", "timeout", "task")
"""Kinds that are found anew for each look: who resolves them changes meanwhile."""
