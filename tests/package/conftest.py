"""Machines are removed, too, when the tests are stopped."""

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True


def pytest_configure() -> None:
    def handler(*_) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, handler)
