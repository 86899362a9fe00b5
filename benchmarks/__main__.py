"""What Loopscope costs: ``python3 -m benchmarks [PART …] [--rounds N] [--seconds S]``.

The same application on stock asyncio and under Loopscope (recording on, window visible) is loaded
in turn, round by round, by a process of its own; medians of the ratios are printed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import urllib.request

from benchmarks import processes
from benchmarks.processes import Process

CONNECTIONS = (1, 32, 256)
IDLE = (0, 1000, 5000, 9500)
ACTIVE_BESIDE_IDLE = 32
CROWD = 10_000
"""Tasks that wait in the crowd."""


def throughput(display: dict[str, str], rounds: int, seconds: float) -> None:
    """Print the rate under Loopscope relative to stock asyncio, by number of connections."""
    stock, ours = processes.stock(), processes.loopscope(display)
    try:
        for connections in CONNECTIONS:
            rates = _alternate(stock, ours, rounds, connections, seconds)
            _print_ratio(f"{connections} connections", rates)
    finally:
        stock.end()
        ours.end()


def idle_connections(display: dict[str, str], rounds: int, seconds: float) -> None:
    """Print the rates beside idle connections, relative to stock asyncio and to none.

    Each of the two has a twin without idle connections, loaded in turn with it.
    """
    sides = [processes.stock(), processes.loopscope(display)]
    twins = [processes.stock(), processes.loopscope(display)]
    try:
        for idle in IDLE:
            rates = _alternate(sides[0], sides[1], rounds, ACTIVE_BESIDE_IDLE, seconds, idle)
            of_none = [
                _ratio(_alternate(twin, side, rounds, ACTIVE_BESIDE_IDLE, seconds, 0, idle))
                for twin, side in zip(twins, sides, strict=True)
            ]
            more = f" · of none idle: stock {of_none[0]:.2f}, Loopscope {of_none[1]:.2f}"
            _print_ratio(f"{idle} idle", rates, more)
    finally:
        for process in (*sides, *twins):
            process.end()


def _alternate(
    first: Process,
    second: Process,
    rounds: int,
    connections: int,
    seconds: float,
    idle: int = 0,
    idle_of_second: int | None = None,
) -> list[tuple[float, float]]:
    """Load two servers in turn, *rounds* times *seconds* each; return pairs of rates."""
    ports = [first.port, second.port]
    counts = [idle, idle if idle_of_second is None else idle_of_second]
    found = processes.alternate(ports, connections, seconds, rounds, counts)
    return list(zip(*found["rates"], strict=True))


def _ratio(rates: list[tuple[float, float]]) -> float:
    return statistics.median(second / first for first, second in rates)


def _print_ratio(what: str, rates: list[tuple[float, float]], more: str = "") -> None:
    ratios = [own / stock for stock, own in rates]
    stock = statistics.median(stock for stock, _ in rates)
    own = statistics.median(own for _, own in rates)
    low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    print(
        f"{what:>16}: ratio {statistics.median(ratios):.2f} (half of them {low:.2f}-{high:.2f})"
        f" · stock {stock:,.0f}/s · Loopscope {own:,.0f}/s{more}",
        flush=True,
    )


def idle_cpu(display: dict[str, str], rounds: int, seconds: float) -> None:
    """Print the processor share of an idle program with its window open."""
    ours = processes.loopscope(display)
    try:
        time.sleep(5)
        shares = []
        for _ in range(rounds):
            before = ours.cpu_seconds()
            time.sleep(seconds * 2)
            shares.append((ours.cpu_seconds() - before) / (seconds * 2))
        print(f"idle CPU: {statistics.median(shares):.2%}", flush=True)
    finally:
        ours.end()


def start_up(display: dict[str, str], rounds: int, seconds: float) -> None:
    """Print the time from the start of the process until it accepts requests."""
    pairs = []
    for _ in range(rounds):
        sides = processes.stock(), processes.loopscope(display)
        pairs.append((sides[0].start_seconds, sides[1].start_seconds))
        for side in sides:
            side.end()
    stock = statistics.median(stock for stock, _ in pairs)
    own = statistics.median(own for _, own in pairs)
    print(f"start-up: {own:.2f} s; stock asyncio {stock:.2f} s", flush=True)


def frames(display: dict[str, str], rounds: int, seconds: float) -> None:
    """Print how far apart frames are and how soon a click is handled, under full load."""
    ours = Process(["-m", "benchmarks.frames"], display)
    try:
        time.sleep(1)
        for connections in (32, 256):
            processes.load(ours.port, connections, max(5.0, seconds * rounds))
    finally:
        print(ours.end().strip(), flush=True)


def crowd(display: dict[str, str], rounds: int, seconds: float) -> None:
    """Print frames, clicks and the rate beside 10,000 waiting tasks and 9,500 idle connections.

    The rate is relative to a twin without the crowd, loaded in turn. Timeline and Loop now are seen
    beside each of the panels.
    """
    for panel in ("requests", "waiting", "connections"):
        twin, ours = (Process(["-m", "benchmarks.frames", panel], display) for _ in range(2))
        try:
            crowd = f"http://127.0.0.1:{ours.port}/crowd/{CROWD}"
            urllib.request.urlopen(crowd, timeout=60).close()
            rates = _alternate(twin, ours, rounds, ACTIVE_BESIDE_IDLE, seconds, 0, max(IDLE))
        finally:
            alone, crowded = (process.end().strip() for process in (twin, ours))
        own, other = (statistics.median(side) for side in zip(*rates, strict=True))
        print(f"{panel}: rate {_ratio(rates):.2f} of that without the crowd", end="")
        print(f" ({other:,.0f}/s, {own:,.0f}/s)\nalone:\n{alone}\ncrowd:\n{crowded}", flush=True)


def soak(display: dict[str, str], rounds: int, seconds: float) -> None:
    """Print the resident memory over five minutes of full load."""
    ours = processes.loopscope(display)
    try:
        figures = []
        for _ in range(10):
            processes.load(ours.port, 32, 30)
            figures.append(ours.resident_mib())
            print(f"soak: {figures[-1]:.1f} MiB resident", flush=True)
        print(f"soak: {figures[-1] - figures[2]:+.1f} MiB in the last {30 * 7} s", flush=True)
    finally:
        ours.end()


PARTS = {
    "throughput": throughput,
    "idle-connections": idle_connections,
    "frames": frames,
    "crowd": crowd,
    "idle-cpu": idle_cpu,
    "start-up": start_up,
    "soak": soak,
}


def main() -> int:
    """Run the chosen parts, all but the soak by default."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    chosen = parser.parse_args()
    processes.raise_descriptor_limit()
    with processes.display() as display:
        for name in chosen.parts or [part for part in PARTS if part != "soak"]:
            print(f"-- {name}", flush=True)
            PARTS[name](display, chosen.rounds, chosen.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
