"""An HTTP load from a process of its own: ``python -m benchmarks.load PORT …``; prints JSON.

A closed loop over raw sockets: each of N kept-alive connections sends its next request as soon as
the answer to the last one is complete. Several servers are loaded in turn, round by round: a
machine's speed drifts, and short rounds side by side drift together. Idle connections are opened
first and stay silent.
"""

from __future__ import annotations

import argparse
import json
import resource
import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from itertools import cycle


def connect(port: int) -> socket.socket:
    """Return a connected, non-blocking socket; loopback only."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    return sock


def open_idle(port: int, count: int) -> list[socket.socket]:
    """Open *count* connections and send one request on each, so that they are kept alive."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 500)), hard))
    return [connect(port) for _ in range(count)]


class Load:
    """N kept-alive connections to one server, each with one request under way while it runs."""

    def __init__(self, port: int, connections: int, path: str = "/") -> None:
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        self._selector = selectors.DefaultSelector()
        self._sent: dict[int, float] = {}
        self.latencies: list[float] = []
        """In ms."""
        self.errors = 0
        for _ in range(connections):
            self._selector.register(connect(port), selectors.EVENT_READ, bytearray())

    def run(self, seconds: float) -> float:
        """Load the server for so long; return the answers per second."""
        begin = time.perf_counter()
        before = len(self.latencies)
        for key in self._selector.get_map().values():
            self._send(key, begin)
        while (now := time.perf_counter()) < begin + seconds:
            for key in self._answered(0.1):
                self._send(key, now)
        elapsed = time.perf_counter() - begin
        rate = (len(self.latencies) - before) / elapsed
        while self._sent:  # The next one, or the other side, must find the server at rest.
            for _ in self._answered(5):
                pass
        return rate

    def _send(self, key: selectors.SelectorKey, now: float) -> None:
        self._sent[key.fd] = now
        key.fileobj.send(self._request)  # type: ignore[union-attr]

    def _answered(self, timeout: float) -> Iterator[selectors.SelectorKey]:
        for key, _ in self._selector.select(timeout):
            data = key.fileobj.recv(65536)  # type: ignore[union-attr]
            if not data:
                raise SystemExit("the server closed a connection")
            buffer: bytearray = key.data
            buffer += data
            if _complete(buffer):
                self.errors += not buffer.startswith(b"HTTP/1.1 200")
                buffer.clear()
                self.latencies.append((time.perf_counter() - self._sent.pop(key.fd)) * 1000)
                yield key


def report(loads: list[Load], rates: list[list[float]]) -> dict[str, object]:
    """Return what was measured; *rates* by server, in the order of the rounds."""
    latencies = [latency for load in loads for latency in load.latencies]
    quantiles = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    return {
        "rates": rates,
        "rate": statistics.median(rates[0]),
        "requests": len(latencies),
        "errors": sum(load.errors for load in loads),
        "p50_ms": quantiles[49],
        "p99_ms": quantiles[98],
    }


def _complete(buffer: bytearray) -> bool:
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return False
    mark = buffer.find(b"Content-Length: ", 0, head)
    length = int(buffer[mark + 16 : buffer.find(b"\r\n", mark)]) if mark >= 0 else 0
    return len(buffer) >= head + 4 + length


def main() -> None:
    """Parse the command line, load the servers in turn, print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ports", type=int, nargs="+", metavar="PORT")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--idle", type=int, nargs="+", default=[0], help="for each server")
    parser.add_argument("--seconds", type=float, default=3, help="of one round")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--path", default="/")
    options = parser.parse_args()
    idle = [open_idle(*pair) for pair in zip(options.ports, cycle(options.idle), strict=False)]
    if any(options.idle):
        time.sleep(1.0 + sum(options.idle) / 5000)
    loads = [Load(port, options.connections, options.path) for port in options.ports]
    rates: list[list[float]] = [[] for _ in loads]
    for _ in range(options.rounds):
        for load, own in zip(loads, rates, strict=True):
            own.append(load.run(options.seconds))
    print(json.dumps(report(loads, rates)))
    del idle


if __name__ == "__main__":
    main()
