"""Checks of systemd units, with a real systemd: a change is noticed as it happens, and an answer that does not come is a
failure."""

from __future__ import annotations

import os
import signal
import time
from typing import Iterator

import pytest
from daemons import Vrrpd
from lab import Lab, holds_for, wait_for
from systemd import Systemd
from test_checks import ours, track

AGENT = "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n"
#: Once in a test, so that whatever is noticed earlier is noticed by itself.
RARELY = {"unit": "agent.service", "interval": "1h"}


@pytest.fixture
def systemd(lab: Lab) -> Iterator[Systemd]:
    systemd = Systemd(lab["one"])
    systemd.unit("agent.service", AGENT)
    try:
        systemd.start()
        yield systemd
    finally:
        systemd.stop()


def watcher(systemd: Systemd, check: dict) -> Vrrpd:
    one = ours(systemd.host, check)
    one.prefix = systemd.prefix
    one.start()
    return one


def demotion(one: Vrrpd) -> int:
    return track(one)["demotion"]


def test_a_unit_that_stops_fails_or_starts_is_noticed_at_once(systemd: Systemd):
    systemd.systemctl("start", "agent.service")
    one = watcher(systemd, RARELY)
    wait_for("the check to be healthy", lambda: demotion(one) == 0)
    assert track(one)["reason"] == "agent.service is active"

    def changes(to: int, *words: str) -> None:
        systemd.systemctl(*words)
        before = time.monotonic()
        wait_for(f"{words} to be noticed", lambda: demotion(one) == to)
        assert time.monotonic() - before < 0.5

    changes(20, "stop", "agent.service")
    assert track(one)["reason"] == "agent.service is inactive"
    changes(0, "start", "agent.service")
    changes(20, "kill", "--signal=KILL", "agent.service")
    assert track(one)["reason"] == "agent.service is failed"
    changes(0, "start", "agent.service")


def test_who_is_not_root_hears_of_units_over_the_system_bus(systemd: Systemd):
    systemd.start_bus()
    systemd.systemctl("start", "agent.service")
    one = ours(systemd.host, RARELY)
    systemd.host.directory.chmod(0o777)  # the control socket lies there
    one.prefix = [
        *systemd.prefix, "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
        "--inh-caps=-all,+net_admin,+net_raw", "--ambient-caps=-all,+net_admin,+net_raw",
    ]
    one.start()
    wait_for("the check to be healthy", lambda: demotion(one) == 0)
    systemd.systemctl("stop", "agent.service")
    wait_for("it to be noticed", lambda: track(one)["reason"] == "agent.service is inactive")


def test_a_unit_that_is_unknown_at_first_is_noticed_when_it_is_there(systemd: Systemd):
    one = watcher(systemd, {"unit": "later.service", "interval": "200ms"})
    wait_for("the reason", lambda: track(one)["reason"] == "there is no unit later.service")
    assert demotion(one) == 20
    systemd.unit("later.service", AGENT)
    systemd.systemctl("daemon-reload")
    systemd.systemctl("start", "later.service")
    wait_for("the check to be healthy", lambda: demotion(one) == 0)


def test_a_systemd_that_is_replaced_is_no_failure(systemd: Systemd):
    systemd.systemctl("start", "agent.service")
    one = watcher(systemd, {"unit": "agent.service", "interval": "20ms"})
    wait_for("the check to be healthy", lambda: demotion(one) == 0)
    systemd.systemctl("daemon-reexec")
    holds_for("it stays healthy", lambda: demotion(one) == 0, seconds=1)
    assert "check it is unhealthy: agent.service" not in one.main.log
    systemd.systemctl("stop", "agent.service")
    wait_for("the next change", lambda: track(one)["reason"] == "agent.service is inactive")


def test_a_systemd_that_hangs_is_a_failure_and_delays_nothing(systemd: Systemd):
    systemd.systemctl("start", "agent.service")
    one = watcher(systemd, {"unit": "agent.service", "interval": "100ms", "timeout": "300ms"})
    wait_for("the check to be healthy", lambda: demotion(one) == 0)
    one.wait_for_state("master")
    init = int(systemd.prefix[-1].partition("=")[2])
    os.kill(init, signal.SIGSTOP)
    wait_for("the failure", lambda: track(one)["reason"] == "systemd does not answer")
    assert demotion(one) == 20
    holds_for("it goes on as master", lambda: one.state() == "master", seconds=0.5)
    os.kill(init, signal.SIGCONT)
    wait_for("the recovery", lambda: demotion(one) == 0)
