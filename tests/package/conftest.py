"""Machines are removed, too, when the tests are stopped."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

from machine import Machine  # noqa: E402


def pytest_configure() -> None:
    def handler(*_) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Machine() as made:
        made.do("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan1")
        made.do("ip", "address", "add", "10.78.0.1/24", "dev", "lan0")
        for link in ("lan0", "lan1"):
            made.do("ip", "link", "set", link, "up")
        yield made
