"""The guard and the lease: what becomes of the address when the engine, the guard or both die or hang."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import pytest
from capture import Capture
from daemons import DAEMONS, Daemon, Instance, Keepalived, Vrrpd
from lab import Lab, holds_for, wait_for
from observe import AddressMonitor

VIP = "10.77.0.100"
DEATHS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)


class Pair:
    """One, the master, is ours; two is `peer`."""

    def __init__(self, lab: Lab, monitor: AddressMonitor, peer: str, interval: float):
        self.monitor = monitor
        self.lab = lab
        self.one = Vrrpd(lab["one"], Instance(priority=110, interval=interval))
        self.two: Daemon = DAEMONS[peer](lab["two"], Instance(priority=100, interval=interval))
        self.one.start()
        self.one.wait_for_state("master")
        self.two.start()
        monitor.wait_for_owner(VIP, lab["one"])
        self.began = time.time()

    @property
    def interval(self) -> float:
        return self.one.instance.interval

    def kill_engine(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Returns when the guard has started the next one, if it does."""
        engine = self.one.engine()
        os.kill(engine, number)
        wait_for("the engine to be replaced", lambda: not self.one.main.running() or self.one.engine() not in (0, engine))

    def two_owners(self) -> float:
        return self.monitor.longest_with_two_owners(VIP, self.began)

    def none(self) -> float:
        return self.monitor.longest_with_none(VIP, self.began)


@pytest.fixture
def pair(lab: Lab, monitor: AddressMonitor, request: pytest.FixtureRequest) -> Pair:
    return Pair(lab, monitor, *request.param)


BOTH_PEERS = pytest.mark.parametrize(
    "pair", [("keepalived", 0.1), ("keepalived", 1), ("vrrpd", 0.1)], indirect=True, ids=lambda p: f"{p[0]}-{p[1]:g}s"
)
BOTH_INTERVALS = pytest.mark.parametrize(
    "pair", [("keepalived", 0.1), ("keepalived", 1)], indirect=True, ids=lambda p: f"{p[1]:g}s"
)


@BOTH_PEERS
@pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.name)
def test_a_dead_engine_is_replaced_and_nobody_notices(pair: Pair, death: signal.Signals):
    capture = Capture(pair.lab)
    pair.kill_engine(death)
    pair.one.main.wait_for_log("remains in MASTER STATE")
    holds_for("two is backup", lambda: pair.two.state() == "backup", seconds=5 * pair.interval)
    adverts = capture.stop().adverts()
    assert {advert.mac for advert in adverts} == {pair.one.mac()}
    assert all(advert.priority == 110 for advert in adverts)
    gaps = [later.time - earlier.time for earlier, later in zip(adverts, adverts[1:])]
    assert max(gaps) < 3 * pair.interval
    assert pair.none() == 0 and pair.two_owners() == 0
    assert pair.one.instance_status()["state"] == "master"


@BOTH_INTERVALS
def test_an_engine_that_dies_again_hands_over(pair: Pair):
    capture = Capture(pair.lab)
    pair.kill_engine()
    pair.one.main.wait_for_log("remains in MASTER STATE")
    killed_at = time.time()
    pair.kill_engine(signal.SIGSEGV)
    assert pair.one.main.wait() == 1
    taken_at = pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    last = [advert for advert in capture.stop().adverts(pair.one.mac()) if advert.time > killed_at]
    assert [advert.priority for advert in last] == [0]
    assert taken_at - last[0].time < pair.two.instance.skew_time + 0.15
    assert pair.two_owners() == 0
    assert pair.none() < pair.two.instance.skew_time + 0.2
    assert f"{VIP}/24" not in pair.lab["one"].addresses()


@BOTH_INTERVALS
def test_addresses_of_a_machine_where_all_processes_died_end_with_their_lease(pair: Pair):
    pair.one.kill()
    killed_at = time.time()
    lease = max(1.0, 3 * pair.interval)
    pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    mine = [stretch for stretch in pair.monitor.stretches(VIP) if stretch.host == "one"]
    # The kernel looks once a second at the most.
    assert mine[-1].end - killed_at < lease + 1.3
    down = pair.two.instance.master_down_interval
    assert pair.two_owners() < max(0.0, lease + 1.3 - (down - pair.interval))
    assert pair.none() < max(0.0, down - (lease - lease / 3 - pair.interval / 2) + 0.3)


@BOTH_INTERVALS
def test_addresses_of_an_engine_that_hangs_end_with_their_lease(pair: Pair):
    engine = pair.one.engine()
    os.kill(engine, signal.SIGSTOP)
    stopped_at = time.time()
    try:
        pair.monitor.wait_for_owner(VIP, pair.lab["two"])
        mine = [stretch for stretch in pair.monitor.stretches(VIP) if stretch.host == "one"]
        assert mine[-1].end - stopped_at < max(1.0, 3 * pair.interval) + 1.3
        pair.two.wait_for_state("master")
    finally:
        os.kill(engine, signal.SIGCONT)
    # It is the better one and takes the address back, but only after it has heard that somebody else is master.
    pair.monitor.wait_for_owner(VIP, pair.lab["one"])
    assert "stood still" in pair.one.main.log


def test_a_dead_keepalived_child_costs_a_failover(lab: Lab, monitor: AddressMonitor):
    """What the guard is for: keepalived's parent restarts its child, whose new start gives the address away."""
    two = Vrrpd(lab["two"], Instance(priority=100))
    one = Keepalived(lab["one"], Instance(priority=110))
    one.start()
    one.wait_for_state("master")
    two.start()
    monitor.wait_for_owner(VIP, lab["one"])
    child = int((one.host.directory / "keepalived-vrrp.pid").read_text())
    os.kill(child, signal.SIGKILL)
    two.wait_for_state("master")


def test_an_engine_without_its_guard_hands_over(lab: Lab, monitor: AddressMonitor):
    pair = Pair(lab, monitor, "keepalived", 0.1)
    os.kill(pair.one.main.pid, signal.SIGKILL)
    pair.monitor.wait_for_owner(VIP, lab["two"])
    assert pair.two_owners() == 0
    assert pair.none() < pair.two.instance.skew_time + 0.15


def test_a_successor_runs_with_the_configuration_that_ran_not_with_the_file(lab: Lab, monitor: AddressMonitor):
    pair = Pair(lab, monitor, "keepalived", 0.1)
    pair.one.instance = replace(pair.one.instance, priority=120)
    pair.one.write_config()
    pair.one.ctl("reload")
    pair.one.file.write_text("instances: [\n")
    pair.kill_engine()
    pair.one.main.wait_for_log("remains in MASTER STATE")
    wait_for("the new engine to answer", lambda: pair.one.ctl("status", check=False).code in (0, 1))
    assert pair.one.instance_status()["priority"] == 120
    assert pair.none() == 0 and pair.two_owners() == 0


def test_addresses_left_behind_are_removed_by_a_machine_that_starts_as_backup(lab: Lab, monitor: AddressMonitor):
    one = Vrrpd(lab["one"], Instance(priority=100), instance_keys={"lease": "off"})
    one.start()
    one.wait_for_state("master")
    one.kill()
    assert f"{VIP}/24" in lab["one"].addresses()
    two = Keepalived(lab["two"], Instance(priority=110))
    two.start()
    two.wait_for_state("master")
    one.start()
    wait_for("the leftover to be gone", lambda: f"{VIP}/24" not in lab["one"].addresses())
    assert one.state() == "backup"


def test_addresses_left_behind_are_adopted_by_a_machine_that_is_master_at_once(lab: Lab, monitor: AddressMonitor):
    owner = Vrrpd(lab["one"], Instance(priority=255), instance_keys={"lease": "off"})
    owner.start()
    owner.wait_for_state("master")
    monitor.wait_for_owner(VIP, lab["one"])
    began = time.time()
    owner.kill()
    owner.start()
    owner.wait_for_state("master")
    assert f"{VIP}/24" in lab["one"].addresses()
    assert monitor.longest_with_none(VIP, began) == 0
