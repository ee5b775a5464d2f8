"""Fixtures of the tests of gluster-sync. They need root; without it the run fails, it does not skip."""

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

from cluster import VOLUME, Cluster
from machine import Machine


def pytest_configure(config: pytest.Config) -> None:
    if os.geteuid() != 0:
        raise pytest.UsageError("owners, extended attributes and mounts need root")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """Two machines with one target on a local disk."""
    target = tmp_path / "sync"
    machines = Machine("one", tmp_path / "one", target), Machine("two", tmp_path / "two", target)
    yield machines
    for machine in machines:
        machine.close()


@pytest.fixture(scope="session")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(_cluster: Cluster) -> Iterator[Cluster]:
    """The one cluster of this run, whole: what a test has broken is repaired after it."""
    yield _cluster
    _cluster.repair()


_numbers = itertools.count(1)


@pytest.fixture
def nodes(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """The two machines that have the volume mounted, with one target on it."""
    directory = f"test{next(_numbers)}"

    def machine(number: int) -> Machine:
        node = cluster.nodes[number]
        return Machine(
            f"node{number + 1}", tmp_path / str(number + 1), node.mount / directory, allow_local=False,
            prefix=node.inside.prefix, view=node.view,
            sections={"volumes": [{"name": VOLUME, "server": node.address, "mount": str(node.mount)}]})

    machines = machine(0), machine(1)
    yield machines
    for one in machines:
        one.close()
