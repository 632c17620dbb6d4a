"""Compares the two builds of the bench `checksums`: with the checks of blocks, and without.

Run by ``make bench-checksums``, with the two programs as arguments. They run in turns, so that what else the
machine does falls on both; the least of each is compared.
"""

from __future__ import annotations

import subprocess
import sys

TURNS = 5


def run(program: str) -> dict[str, tuple[float, float]]:
    """Return microseconds a query, cold and warm, for each kind of search."""
    out = subprocess.run([program, "--bench"], capture_output=True, text=True, check=True).stdout
    words = [line.split() for line in out.splitlines()]
    return {kind: (float(cold), float(warm)) for kind, _, cold, _, warm in words}


def main() -> None:
    """Print the difference that the checks make."""
    checked, unchecked = sys.argv[1:3]
    best: dict[str, dict[str, list[float]]] = {}
    for _ in range(TURNS):
        for program in (checked, unchecked):
            for kind, (cold, warm) in run(program).items():
                least = best.setdefault(kind, {}).setdefault(program, [cold, warm])
                least[:] = [min(least[0], cold), min(least[1], warm)]
    print(f"{'search':10} {'checked us':>11} {'unchecked us':>13} {'warm cost':>10} {'first round':>12}")
    for kind, programs in best.items():
        (first, warm), (_, bare) = programs[checked], programs[unchecked]
        print(f"{kind:10} {warm:11.2f} {bare:13.2f} {warm / bare - 1:10.1%} {first:9.1f} us")


if __name__ == "__main__":
    main()
