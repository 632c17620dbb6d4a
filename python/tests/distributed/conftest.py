"""A cluster of three nodes of Ray on this machine, and collections on it."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import signal
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import vecstore
from tests.conftest import fill
from vecstore.distributed import RayCollection, RayConfig

from . import counting

#: Tests that start and end nodes on a busy machine take their time.
TIMEOUT_SECONDS = 280 if "VECSTORE_RAY_KILLS" not in os.environ else 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))
            # Ray leaves sockets and files to the garbage collector.
            item.add_marker(pytest.mark.filterwarnings("default"))


#: How soon Ray takes a node for lost, as docs/scale.md recommends it.
LOST_NODES = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}


class Nodes:
    """The nodes: a head, and two that shards are on."""

    def __init__(self) -> None:
        # Ray's own choice, 15, has the shards wait for everything else on the machine.
        os.environ.setdefault("RAY_worker_niceness", "0")
        import ray
        from ray.cluster_utils import Cluster

        self.ray: Any = ray
        # No cores: shards are on the other two, each of which may be lost.
        small: dict[str, Any] = {"num_cpus": 0, "object_store_memory": 80_000_000, "include_dashboard": False}
        small["_system_config"] = LOST_NODES
        self.cluster: Any = Cluster(initialize_head=True, head_node_args=small)
        self.nodes = [self.add() for _ in range(2)]
        # Nothing but `make coverage` has the processes of Ray do more than the users' do.
        options = {"worker_process_setup_hook": counting.in_a_process_of_ray} if counting.is_on() else None
        self.ray.cloudpickle.register_pickle_by_value(counting)
        ray.init(
            address=self.cluster.address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env=options,
        )

    def add(self) -> Any:
        for tries in range(3):
            try:
                return self.cluster.add_node(num_cpus=4, object_store_memory=80_000_000)
            except Exception:  # a node that did not start in Ray's time, on a busy machine
                if tries == 2:
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        self.ray.shutdown()
        self.cluster.shutdown()


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray", reason="Ray is not installed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            nodes = Nodes()
    except Exception as error:  # whatever Ray needs and does not find here
        pytest.skip(f"Ray cannot start here: {error}")
    yield nodes
    nodes.close()


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the nodes keep their shards."""
    return tmp_path_factory.mktemp("nodes")


Make = Callable[..., RayCollection]


@pytest.fixture(scope="session")
def make(nodes: Nodes, disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Makes collections, and ends their actors."""
    assert nodes.nodes
    made: list[RayCollection] = []
    numbers = itertools.count()

    def make(
        shards: int | None = 2, replicas: int | None = None, uri: Any = None, **options: Any
    ) -> RayCollection:
        where = uri or tmp_path_factory.mktemp(f"collection-{next(numbers)}")
        options = {"num_cpus": 0.05, "directory": str(disk), "timeout_seconds": 120.0, **options}
        made.append(RayCollection.open(where, shards, replicas, RayConfig(**options)))
        return made[-1]

    yield make
    for collection in made:
        collection._actors.stop(collection._manifest.shards)


@contextlib.contextmanager
def bucket_server(monkeypatch: pytest.MonkeyPatch, bucket: str) -> Iterator[int]:
    """Yields the port of a server that stands for S3 and has a bucket, or skips the test."""
    pytest.importorskip("obstore", reason="obstore is not installed")
    moto = pytest.importorskip("moto.server", reason="moto's server is not installed")
    for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        port: int = server.get_host_and_port()[1]
        address = f"http://127.0.0.1:{port}/{bucket}"
        urllib.request.urlopen(urllib.request.Request(address, method="PUT")).close()
        yield port
    finally:
        server.stop()


def bucket_options(port: int) -> dict[str, Any]:
    """Returns the storage options for such a server."""
    return {
        "endpoint": f"http://127.0.0.1:{port}",
        "access_key_id": "key",
        "secret_access_key": "secret",
        "region": "us-east-1",
        "client_options": {"allow_http": True},
    }


def clear(collection: RayCollection) -> None:
    """Deletes every record."""
    collection.delete_many([record.id for record in collection.list_all()])


@pytest.fixture(scope="session")
def small(make: Make) -> RayCollection:
    """A collection of three components, which tests share."""
    return make(2, dim=3)


@pytest.fixture
def store(small: RayCollection) -> Iterator[RayCollection]:
    """A handle of it, with the records that the tests of one store are about."""
    clear(small)
    with RayCollection.open(small.uri, config=small.config) as handle:
        fill(handle)  # type: ignore[arg-type]
        yield handle


def kill(collection: RayCollection, shard: int) -> int:
    """Ends the process of a shard at once; returns its pid."""
    pid: int = collection._actors.greet([shard])[0]["pid"]
    os.kill(pid, signal.SIGKILL)
    return pid


def as_one(records: Iterator[vecstore.Record]) -> list[tuple[Any, ...]]:
    """Returns all there is of records, in order of their ids."""
    parts = [(r.id, r.vector, r.metadata, r.text, r.sparse, r.vectors, r.deleted) for r in records]
    return sorted(parts, key=lambda part: str(part[0]))
