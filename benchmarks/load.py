"""An HTTP load from a process of its own: ``python -m benchmarks.load PORT``; prints JSON.

A closed loop over raw sockets: each of N kept-alive connections sends its next request as soon as
the answer to the last one is complete. Idle connections are opened first and stay silent.
"""

from __future__ import annotations

import argparse
import json
import resource
import selectors
import socket
import statistics
import time


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


def run(port: int, connections: int, seconds: float, path: str) -> dict[str, float]:
    """Load the server for *seconds*; return the rate and the latencies in ms."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    selector = selectors.DefaultSelector()
    sent: dict[int, float] = {}
    for _ in range(connections):
        sock = connect(port)
        selector.register(sock, selectors.EVENT_READ, bytearray())
    latencies: list[float] = []
    errors = 0
    begin = time.perf_counter()
    for key in list(selector.get_map().values()):
        key.fileobj.send(request)  # type: ignore[union-attr]
        sent[key.fd] = begin
    end = begin + seconds
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(0.1):
            data = key.fileobj.recv(65536)  # type: ignore[union-attr]
            if not data:
                raise SystemExit("the server closed a connection")
            buffer: bytearray = key.data
            buffer += data
            if not _complete(buffer):
                continue
            errors += not buffer.startswith(b"HTTP/1.1 200")
            buffer.clear()
            now = time.perf_counter()
            latencies.append((now - sent[key.fd]) * 1000)
            sent[key.fd] = now
            key.fileobj.send(request)  # type: ignore[union-attr]
    elapsed = time.perf_counter() - begin
    quantiles = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    return {
        "rate": len(latencies) / elapsed,
        "requests": len(latencies),
        "errors": errors,
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
    """Parse the command line, load, print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--idle", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--path", default="/")
    options = parser.parse_args()
    idle = open_idle(options.port, options.idle)
    if idle:
        time.sleep(1.0 + options.idle / 5000)
    print(json.dumps(run(options.port, options.connections, options.seconds, options.path)))


if __name__ == "__main__":
    main()
