"""Fixtures of the network-namespace tests. They need root; without it the run fails, it does not skip."""

import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

import lab as lab_module
from lab import Lab
from observe import AddressMonitor
from pair import Pair


def pytest_configure(config: pytest.Config) -> None:
    lab_module.exit_on_sigterm()
    if hasattr(config, "workerinput"):
        return
    lab_module.require_root()
    lab_module.owner()  # sets it for the worker processes too
    lab_module.remove_stale_labs()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        lab_module.remove_own_labs()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test that did not run is no success."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Shows what every program of the lab said when a test fails."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Lab):
                report.sections += [(f"output of {name}", _end_of(text)) for name, text in value.logs()]


def _end_of(text: str, most: int = 6000) -> str:
    return text if len(text) <= most else "[…]\n" + text[-most:]


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Three machines: one, two and client."""
    with Lab("one", "two", "client") as made:
        yield made


@pytest.fixture
def monitor(lab: Lab) -> AddressMonitor:
    """Watches the addresses of one and two from before any daemon runs."""
    return AddressMonitor(lab, lab["one"], lab["two"])


@pytest.fixture
def pair(lab: Lab, monitor: AddressMonitor) -> Pair:
    """Not started yet."""
    return Pair(lab, monitor)
