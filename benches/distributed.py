"""Shards on Ray beside one store, in one run on this machine: queries, bulk builds, migration.

``python benches/distributed.py`` starts a small cluster of its own. Each shard has one core: one thread
(``threads=1``), and its process is held to one core, in turn. Two shards on two cores therefore show what a
second machine with one core would bring, less the network; but this process, which sends and merges, has no
core of its own. ``--replicas 1`` measures one shard of two copies, which share a batch. The ceiling is what
two processes do beside each other that only search, each a half of the records or a half of the queries.
Needs ``vecstore[ray]``."""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import numpy as np

from vecstore import VecStore
from vecstore.distributed import (
    RayCollection,
    RayConfig,
    build_segments,
    commit_segments,
    migrate,
)


def timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def data(rows: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns clustered vectors, and queries from the same clusters."""
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((max(10, rows // 500), dim)).astype(np.float32)

    def drawn(count: int) -> np.ndarray:
        of = centres[rng.integers(0, len(centres), count)]
        return (of + 0.5 * rng.standard_normal((count, dim), dtype=np.float32)).astype(np.float32)

    return drawn(rows), drawn(1000)


def hold(pid: int, core: int) -> None:
    """Holds all threads of a process to one core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def queries(
    directory: Path, vectors: np.ndarray, asked: np.ndarray, shards: int, replicas: int, seconds: float
) -> None:
    """Prints queries a second, and the median of one query through Ray beside the shard's own."""
    import ray

    config = RayConfig(
        num_cpus=0.2,
        threads=1,
        directory=str(directory / "nodes"),
        dim=vectors.shape[1],
        read_from="any" if replicas else "owner",
    )
    where = directory / f"queries-{shards}-{replicas}"
    collection = RayCollection.open(where, shards, replicas, config=config)
    ids = [f"r{n}" for n in range(len(vectors))]
    for start in range(0, len(ids), 5000):
        collection.upsert_many(ids[start : start + 5000], vectors[start : start + 5000])
    collection.compact()
    collection.save()
    for _ in range(4):
        collection.query_batch(asked, 10)  # replicas follow
    cores = itertools.cycle(sorted(os.sched_getaffinity(0)))
    for shard in collection.shards:
        for copy in range(replicas + 1):
            actor = collection._actors._actor(shard, copy)
            hold(ray.get(actor.hello.remote())["pid"], next(cores))
    what = f"{shards} shards" + (f" of {replicas + 1} copies" if replicas else "")
    for name, exact in (("recall .95", False), ("exact", True)):
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            count += len(collection.query_batch(asked, 10, exact=exact))
        took = time.perf_counter() - began
        print(f"{what}: query_batch, {name}: {count / took:,.0f} queries/s")
    single = [timed(lambda: collection.query(asked[0], 10)) for _ in range(200)]
    print(f"{what}: one query through Ray, median: {statistics.median(single) * 1000:.2f} ms")
    collection.stop()


def searched(vectors: np.ndarray, asked: np.ndarray, exact: bool, seconds: float, core: int) -> float:
    """Returns the queries a second of one store on one core."""
    os.sched_setaffinity(0, {core})
    with VecStore(":memory:", threads=1) as store:
        store.upsert_many([f"r{n}" for n in range(len(vectors))], vectors)
        store.compact()
        store.query_batch(asked, 10, exact=exact)
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            count += len(store.query_batch(asked, 10, exact=exact))
        return count / (time.perf_counter() - began)


def ceiling(vectors: np.ndarray, asked: np.ndarray, seconds: float) -> None:
    """Prints what two processes do beside each other that only search, without Ray and without merging."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        return
    with futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        for exact in (False, True):
            one = pool.submit(searched, vectors, asked, exact, seconds, cores[0]).result()
            halves = [
                pool.submit(searched, vectors[at::2], asked, exact, seconds, cores[at]) for at in (0, 1)
            ]
            of_records = min(half.result() for half in halves)
            both = [pool.submit(searched, vectors, asked, exact, seconds, core) for core in cores]
            of_queries = sum(half.result() for half in both)
            name = "exact" if exact else "recall .95"
            print(
                f"ceiling, {name}: {one:,.0f} queries/s on one core; halves of the records on two "
                f"{of_records / one:.2f}x, halves of the queries {of_queries / one:.2f}x"
            )


def own_time(vectors: np.ndarray, asked: np.ndarray) -> None:
    """Prints what one query takes in a store of this process."""
    with VecStore(":memory:", threads=1) as store:
        store.upsert_many([f"r{n}" for n in range(len(vectors))], vectors)
        store.compact()
        single = [timed(lambda: store.query(asked[0], 10)) for _ in range(200)]
        print(f"one store: one query, median: {statistics.median(single) * 1000:.2f} ms")


def bulk(directory: Path, vectors: np.ndarray) -> None:
    """Prints what workers build a second."""
    import ray

    def build(core: int, rows: range, file: Path, uri: str) -> Any:
        os.sched_setaffinity(0, {core})
        there = np.load(file, mmap_mode="r")
        batches = (
            {"id": [f"r{n}" for n in some], "vector": there[some.start : some.stop : some.step]}
            for some in (rows[at : at + 5000] for at in range(0, len(rows), 5000))
        )
        return build_segments(batches, uri, threads=1)

    # As workers have it: each reads its part of what lies in files.
    file = directory / "vectors.npy"
    np.save(file, vectors)
    worker: Any = ray.remote(num_cpus=1)(build)
    cores = sorted(os.sched_getaffinity(0))
    rates = []
    for workers in (1, 2):
        uri = str(directory / f"bulk-{workers}")
        config = RayConfig(num_cpus=0.1, threads=1, directory=str(directory / "nodes"), dim=vectors.shape[1])
        collection = RayCollection.open(uri, 2, config=config)
        # Processes for all workers are there before the clock starts.
        ray.get([worker.remote(core, range(0), file, uri) for core in cores[:2]])
        began = time.perf_counter()
        parts = [range(part, len(vectors), workers) for part in range(workers)]
        built = ray.get([worker.remote(core, part, file, uri) for core, part in zip(cores, parts)])
        took = time.perf_counter() - began
        began = time.perf_counter()
        commit_segments(collection, built)
        commit = time.perf_counter() - began
        rates.append(len(vectors) / took)
        print(f"bulk build, {workers} workers: {rates[-1]:,.0f} rows/s, commit {commit:.1f} s")
        collection.stop()
    print(f"bulk build, 2 workers beside 1: {rates[1] / rates[0]:.2f}x")


def migration(directory: Path, vectors: np.ndarray) -> None:
    """Prints a migration beside an export and import."""
    ids = [f"r{n}" for n in range(len(vectors))]
    with VecStore(directory / "one") as one:
        one.upsert_many(ids, vectors, [{"n": n} for n in range(len(ids))])
        one.compact()
        with VecStore(directory / "other") as other:
            path = directory / "rows.parquet"
            both = timed(lambda: one.export_parquet(path)) + timed(lambda: other.import_parquet(path))
        config = RayConfig(num_cpus=0.2, directory=str(directory / "nodes"))
        took = timed(lambda: migrate(one, directory / "many", shards=2, config=config))
        print(f"migration: {took:.1f} s; export and import of Parquet: {both:.1f} s; {took / both:.2f}x")
        RayCollection.open(directory / "many", config=config).stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement of queries")
    parser.add_argument("--shards", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--replicas", type=int, default=0, help="of each shard, beside one without")
    parser.add_argument("--only", choices=["ceiling", "queries", "bulk", "migration"], nargs="*")
    options = parser.parse_args()
    # Ray's own choice, 15, has the shards wait for everything else on the machine.
    os.environ.setdefault("RAY_worker_niceness", "0")
    import ray

    memory = 400_000_000
    ray.init("local", num_cpus=4, object_store_memory=memory, include_dashboard=False, log_to_driver=False)
    vectors, asked = data(options.rows, options.dim)
    wanted = options.only or ["ceiling", "queries", "bulk", "migration"]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if "ceiling" in wanted:
            ceiling(vectors, asked, options.seconds)
        if "queries" in wanted:
            own_time(vectors, asked)
            for shards in options.shards:
                queries(directory, vectors, asked, shards, 0, options.seconds)
            if options.replicas:
                queries(directory, vectors, asked, 1, options.replicas, options.seconds)
        if "bulk" in wanted:
            bulk(directory, vectors)
        if "migration" in wanted:
            migration(directory, vectors)
    ray.shutdown()


if __name__ == "__main__":
    main()
