"""Fixtures of the tests of gluster-sync. They need root; without it the run fails, it does not skip."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

from machine import Machine


def pytest_configure(config: pytest.Config) -> None:
    if os.geteuid() != 0:
        raise pytest.UsageError("owners, extended attributes and mounts need root")


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Machine, Machine]:
    """Two machines with one target on a local disk."""
    target = tmp_path / "sync"
    return Machine("one", tmp_path / "one", target), Machine("two", tmp_path / "two", target)
