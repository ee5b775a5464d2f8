"""The election beside Debian's keepalived and FRR's vrrpd, ours once with the higher priority and once with the lower.

Each case is read as HIGH-over-LOW-PROTOCOL. A keepalived pair goes through the same cases as a control: where it fails,
the case is wrong and not we.
"""

from __future__ import annotations

import itertools
from typing import Iterator

import pytest
from capture import Advert, Capture
from daemons import DAEMONS, Daemon, Frr, Instance
from lab import Host, Lab, holds_for, wait_for
from observe import AddressMonitor

PROTOCOLS: dict[str, dict] = {
    "v2": {"version": 2, "interval": 1},
    "v2-password": {"version": 2, "interval": 1, "password": "s3cret"},
    "v3": {},
    "ipv6": {"addresses": ("fe80::77:100/64", "fd77::100/64")},
    "unicast": {},
}


def cases() -> Iterator:
    for high, low in (("vrrpd", "keepalived"), ("keepalived", "vrrpd")):
        yield from itertools.product([high], [low], PROTOCOLS)
    for high, low in (("vrrpd", "frr"), ("frr", "vrrpd")):
        yield from itertools.product([high], [low], ["v2", "v3", "ipv6"])
    yield from itertools.product(["vrrpd"], ["vrrpd"], ["v3", "ipv6", "unicast"])
    yield "keepalived", "keepalived", "v3"


class Pair:
    """`high` on machine one and `low` on machine two, with 200 and 100."""

    def __init__(self, lab: Lab, monitor: AddressMonitor, high: str, low: str, protocol: str):
        self.lab = lab
        self.monitor = monitor
        self.high = self._daemon(high, lab["one"], lab["two"], 200, protocol)
        self.low = self._daemon(low, lab["two"], lab["one"], 100, protocol)
        self.address = self.high.instance.virtual_address
        self.interval = self.high.instance.interval
        # An address of FRR is always there, on a device that is down.
        self.owners_can_be_seen = not any(isinstance(d, Frr) for d in (self.high, self.low))

    @staticmethod
    def _daemon(kind: str, host: Host, other: Host, priority: int, protocol: str) -> Daemon:
        peers = (other.ipv4,) if protocol == "unicast" else ()
        return DAEMONS[kind](host, Instance(priority=priority, unicast_peers=peers, **PROTOCOLS[protocol]))

    def start(self) -> None:
        """Both, the higher first, so that it is master before the other listens."""
        self.high.start()
        self.high.wait_for_state("master")
        self.low.start()
        self.wait_for_master(self.high)

    def wait_for_master(self, daemon: Daemon, other_is: str = "backup") -> None:
        daemon.wait_for_state("master")
        other = self.low if daemon is self.high else self.high
        if other.main.running():
            other.wait_for_state(other_is)
            if self.owners_can_be_seen:
                self.monitor.wait_for_owner(self.address, daemon.host)

    @staticmethod
    def adverts(capture: Capture, daemon: Daemon) -> list[Advert]:
        """What `daemon` has sent so far; at least one."""
        return wait_for(f"advertisements of {daemon.main.name}", lambda: capture.adverts(daemon.mac()), every=0.2)

    def never_two_owners(self) -> bool:
        return not self.owners_can_be_seen or self.monitor.longest_with_two_owners(self.address) == 0


@pytest.fixture(params=list(cases()), ids=lambda case: f"{case[0]}-over-{case[1]}-{case[2]}")
def pair(request: pytest.FixtureRequest, lab: Lab, monitor: AddressMonitor) -> Pair:
    return Pair(lab, monitor, *request.param)


def test_the_higher_priority_becomes_master_and_the_lower_stays_backup(pair: Pair):
    capture = Capture(pair.lab)
    pair.start()
    holds_for(
        "the lower one is backup", lambda: pair.low.state() == "backup", seconds=2 * pair.low.instance.skew_time
    )
    assert pair.never_two_owners()
    assert capture.adverts(pair.low.mac()) == []
    instance = pair.high.instance
    for advert in pair.adverts(capture, pair.high):
        assert (advert.version, advert.vrid, advert.priority) == (instance.version, instance.vrid, instance.priority)
        assert advert.interval == pytest.approx(instance.interval)
        assert advert.addresses == tuple(address.partition("/")[0] for address in instance.addresses)
        assert advert.password == instance.password


def test_after_a_clean_stop_the_other_waits_only_for_its_skew_time(pair: Pair):
    pair.start()
    capture = Capture(pair.lab)
    assert pair.high.stop() == 0
    pair.wait_for_master(pair.low)

    farewell = [advert for advert in pair.adverts(capture, pair.high) if advert.priority == 0]
    first = pair.adverts(capture, pair.low)[0]
    assert len(farewell) >= 1
    # FRR computes with whole centiseconds.
    assert pair.low.instance.skew_time - 0.011 <= first.time - farewell[0].time < 2 * pair.interval
    assert pair.never_two_owners()


def test_a_killed_master_is_replaced_after_the_down_interval_and_takes_back_when_it_returns(pair: Pair):
    pair.start()
    capture = Capture(pair.lab)
    pair.adverts(capture, pair.high)
    pair.high.kill()
    pair.low.wait_for_state("master")

    last = pair.adverts(capture, pair.high)[-1]
    silence = pair.adverts(capture, pair.low)[0].time - last.time
    down = pair.low.instance.master_down_interval
    # The first advertisement of FRR can be lost in its macvlan, which is only just coming up.
    assert down - 0.011 <= silence < down + 1.5 * pair.interval

    pair.high.start()
    pair.wait_for_master(pair.high)


def test_without_preemption_the_lower_one_stays_master_until_it_stops(pair: Pair):
    pair.high.instance = _without_preemption(pair.high.instance)
    pair.low.start()
    pair.low.wait_for_state("master")
    pair.high.start()
    holds_for(
        "the lower one is master and the higher one backup",
        lambda: pair.low.state() == "master" and pair.high.state() == "backup",
        seconds=1.2 * pair.high.instance.master_down_interval,
    )
    assert pair.never_two_owners()
    pair.low.stop()
    pair.wait_for_master(pair.high)


def _without_preemption(instance: Instance) -> Instance:
    return Instance(**{**vars(instance), "preempt": False})
