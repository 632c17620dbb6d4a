"""The tail of a query that asks every node: by simulation, since nobody here has 1,000 nodes.

``python benches/fanout.py`` prints what the slowest of N answers takes. The time of one node is drawn,
independently for each node and query, from a log-normal distribution with the given median and 99th
percentile, and with some probability a node pauses (a garbage collection of somebody else's, a page from
disk, a neighbor on the machine). With hedging, a node that has not answered by its 95th percentile is asked
again at a replica (one call in twenty), and the earlier answer counts. The merge takes so long for each node.

These are assumptions: real nodes slow down together, which is worse than here, and caches make them faster
together."""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np

#: The standard normal's 99th percentile.
Z99 = 2.3263


def one_node(rng: np.random.Generator, options: argparse.Namespace, shape: tuple[int, int]) -> Any:
    """Returns milliseconds of calls, one for each query and node."""
    sigma = math.log(options.p99 / options.p50) / Z99
    times = options.p50 * np.exp(sigma * rng.standard_normal(shape))
    pauses = rng.random(shape) < options.pause_share
    return times + pauses * rng.exponential(options.pause, shape)


def fan_out(rng: np.random.Generator, options: argparse.Namespace, nodes: int, is_hedged: bool) -> Any:
    """Returns milliseconds of queries that ask all nodes."""
    slowest = []
    step = max(1, 2_000_000 // nodes)  # bounds memory
    for _ in range(0, options.queries, step):
        count = min(step, options.queries)
        times = one_node(rng, options, (count, nodes))
        if is_hedged:
            hedge = float(np.quantile(one_node(rng, options, (20_000, 1)), 0.95))
            second = hedge + one_node(rng, options, (count, nodes))
            times = np.where(times > hedge, np.minimum(times, second), times)
        slowest.append(times.max(axis=1))
    return np.concatenate(slowest)[: options.queries] + nodes * options.merge


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--p50", type=float, default=3.0, help="median of one node, ms")
    parser.add_argument("--p99", type=float, default=10.0, help="99th percentile of one node, ms")
    parser.add_argument("--pause", type=float, default=50.0, help="mean of a pause, ms")
    parser.add_argument("--pause-share", type=float, default=0.001, help="share of the calls that meet one")
    parser.add_argument("--merge", type=float, default=0.02, help="merging the answer of one node, ms")
    parser.add_argument("--queries", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    print("| nodes | p50, ms | p99, ms | p50, hedged | p99, hedged |")
    print("|---|---|---|---|---|")
    for nodes in (1, 2, 4, 16, 64, 256, 1000):
        plain, hedged = (fan_out(rng, options, nodes, is_hedged) for is_hedged in (False, True))
        figures = [float(np.quantile(times, q)) for times in (plain, hedged) for q in (0.5, 0.99)]
        print(f"| {nodes:,} | " + " | ".join(f"{figure:.0f}" for figure in figures) + " |")


if __name__ == "__main__":
    main()
