"""A machine that stands still, as a stopped process or a paused virtual machine does, and what it does afterwards.

Every case is a lab of its own; those of one group run side by side, so that a group takes no longer than its longest
freeze. Where "one" is frozen as master, "two" takes over meanwhile; the promise is that "one" says nothing when it
wakes before it has heard that.
"""

from __future__ import annotations

import contextlib
import json
import math
import socket
import time
from dataclasses import dataclass, replace

import pytest
from capture import Capture
from daemons import DAEMONS, Daemon, Instance, Keepalived, Vrrpd
from lab import Freezer, Lab, holds_for, wait_for
from observe import AddressMonitor

# For a program to do what is due at once, on a machine that is busy with other tests.
MOMENT = 0.2

UNTIL_TAKEN_OVER = 0.0  # seconds: it is woken as soon as the other one is master


@dataclass(frozen=True)
class Case:
    """`one` is frozen in `state` for `seconds`, `by` a signal or a control group."""

    seconds: float
    state: str = "master"
    preempt: bool = False
    by: str = "signal"
    peer: str = "vrrpd"
    interval: float = 0.1
    ipv6: bool = False

    def __str__(self) -> str:
        words = [self.state, f"{self.seconds:g}s" if self.seconds else "until-taken-over", self.by, self.peer]
        words += ["preempt"] * self.preempt + ["ipv6"] * self.ipv6 + [f"every-{self.interval:g}s"]
        return "-".join(words)

    @property
    def instance(self) -> Instance:
        addresses = ("fe80::77:100/64", "fd77::100/64") if self.ipv6 else ("10.77.0.100/24",)
        priority = 90 if self.state.startswith("backup") else 110
        return Instance(priority=priority, preempt=self.preempt, interval=self.interval, addresses=addresses)


class Freeze:
    """One case, from the start of both daemons to the verdict."""

    def __init__(self, case: Case, lab: Lab):
        self.case = case
        self.lab = lab
        self.monitor = AddressMonitor(lab)
        self.capture = Capture(lab)
        self.one: Daemon = self._one()
        self.two = DAEMONS[case.peer](lab["two"], replace(case.instance, priority=100))
        self.address = case.instance.virtual_address
        self.thawed = math.inf  # not yet
        self.taken_over = False

    def _one(self) -> Daemon:
        return Vrrpd(self.lab["one"], self.case.instance)

    # ---- before, while and after ----

    def start(self) -> None:
        if self.case.state == "announcing":
            return  # that lasts a moment only
        first, second = (self.two, self.one) if self.case.state.startswith("backup") else (self.one, self.two)
        first.start()
        first.wait_for_state("master")
        second.start()
        second.wait_for_state("backup")
        if self.case.state == "fault":
            self.lab["one"].cut()
            self.one.wait_for_state("fault")

    def freeze(self) -> None:
        if self.case.state == "announcing":
            self.one.start()
            self.monitor.wait_for_owner(self.address, self.lab["one"])  # the first round of five has just left
        if self.case.by == "signal":
            self._stop, self._go_on = self.one.main.freeze, self.one.main.thaw
        else:
            freezer = Freezer(self.lab, self.one.main)
            self._stop, self._go_on = freezer.freeze, freezer.thaw
        self._stop()
        self.frozen = time.time()
        if self.case.state == "announcing":
            self.two.start()

    def while_frozen(self) -> None:
        """What happens to the others meanwhile."""
        state = self.case.state
        if state == "fault":
            self.lab["one"].mend()
        elif state == "link-flaps":
            self.lab["one"].flap()
        elif state == "address-lost":  # as when its lease ends
            self.lab["one"].ip(f"address delete {self.case.instance.addresses[-1]} dev eth0")
        if state == "backup-alone":
            assert self.two.stop() == 0

    def is_over(self) -> bool:
        """Whether it has been frozen long enough. The other one becomes master meanwhile, and remains it."""
        if self.case.state != "backup-alone":
            is_master = self.two.alive() and self.two.state() == "master"
            assert is_master or not self.taken_over, f"{self.case}: two lost its mastership"
            self.taken_over = is_master
            if not is_master:
                return False
        return time.time() >= self.frozen + self.case.seconds

    def thaw(self) -> None:
        self.thawed = time.time()
        self._go_on()

    # ---- the verdict ----

    def sent_since_thaw(self) -> list[float]:
        """Seconds after the thaw at which `one` advertised or announced anything."""
        mac = self.lab["one"].mac()
        times = [packet.time for packet in self.capture.adverts(mac) + self.capture.announcements(mac)]
        return sorted(at - self.thawed for at in times if at > self.thawed)

    def check(self) -> None:
        self._check_behaviour()
        if isinstance(self.one, Vrrpd):
            # Frozen, it keeps its addresses for the rest of their lease: three intervals in whole seconds.
            lease = max(1, 3 * self.case.interval)
            assert self._longest("two") <= lease + MOMENT, self.summary()
            if self.case.state != "backup-alone":
                assert self._longest("none") <= self.two.instance.master_down_interval + MOMENT, self.summary()

    def _check_behaviour(self) -> None:
        if self.case.state == "backup-alone":
            return self._check_that_it_takes_over()
        instance = self.case.instance
        if self.case.preempt and instance.priority > 100:
            return self._check_that_it_takes_back_in_due_time()
        self.one.wait_for_state("backup")
        quiet = 1.5 * instance.master_down_interval
        holds_for(f"{self.case}: one stays silent", lambda: self.one.state() == "backup", seconds=quiet)
        assert self.sent_since_thaw() == [], f"{self.case}: it spoke although two is master"
        assert self.monitor.owners(self.address) == ["two"]
        assert self._overlap() < MOMENT, f"{self.case}: both had the address for {self._overlap():.3f} s after the thaw"
        # The other one may be about to install it, and the lease of the frozen one over.
        assert self.monitor.longest_with_none(self.address, since=self.thawed) < MOMENT

    def _check_that_it_takes_back_in_due_time(self) -> None:
        self.monitor.wait_for_owner(self.address, self.lab["one"])
        first = wait_for("its advertisements", self.sent_since_thaw, every=0.2)[0]
        # Preemption waits for three intervals and the skew time, from the last advertisement that was in the socket.
        assert first > 2 * self.case.interval, f"{self.case}: it spoke {first:.3f} s after the thaw"
        assert self._overlap() < MOMENT
        assert self.monitor.longest_with_none(self.address, since=self.thawed) < MOMENT

    def _check_that_it_takes_over(self) -> None:
        instance = self.case.instance
        begin = self.monitor.wait_for_owner(self.address, self.lab["one"])
        # Priority 0 lay in the socket: only its skew time is left to wait for.
        assert begin - self.thawed < instance.skew_time + MOMENT
        assert min(wait_for("its advertisements", self.sent_since_thaw, every=0.2)) > 0.9 * instance.skew_time

    def _longest(self, owners: str) -> float:
        """Seconds with two owners, or none, from the start of the freeze to now."""
        measure = self.monitor.longest_with_two_owners if owners == "two" else self.monitor.longest_with_none
        return measure(self.address, since=self.frozen)

    def _overlap(self) -> float:
        return self.monitor.longest_with_two_owners(self.address, since=self.thawed)

    def summary(self) -> str:
        two, none = self._longest("two"), self._longest("none")
        return f"{self.case}: two owners {two:.3f} s (after the thaw {self._overlap():.3f} s), none {none:.3f} s"


GROUPS = {
    "a master that may not preempt": [
        Case(1),
        Case(3, by="cgroup", peer="keepalived"),
        Case(10, peer="keepalived"),
        Case(30, by="cgroup", ipv6=True),
        Case(60),
    ],
    "a master that may": [
        Case(1, preempt=True, by="cgroup", peer="keepalived"),
        Case(2, preempt=True),
        Case(5, preempt=True, ipv6=True),
    ],
    "the moment when the other one has just taken over": [
        Case(UNTIL_TAKEN_OVER),
        Case(UNTIL_TAKEN_OVER, interval=1),
        Case(UNTIL_TAKEN_OVER, interval=1, peer="keepalived", by="cgroup"),
        Case(UNTIL_TAKEN_OVER, preempt=True),
    ],
    "a master in the middle of its announcements": [
        Case(1, state="announcing"),
        Case(6, state="announcing", by="cgroup"),  # the second burst is overdue too
        Case(2, state="announcing", preempt=True),
        Case(2, state="link-flaps"),
        Case(2, state="address-lost"),
    ],
    "a backup and one in fault": [
        Case(2, state="backup"),
        Case(4, state="backup", preempt=True, by="cgroup", peer="keepalived"),
        Case(3, state="backup-alone"),
        Case(2, state="fault"),
        Case(3, state="fault", preempt=True, by="cgroup"),
    ],
}


@pytest.mark.parametrize("cases", GROUPS.values(), ids=[name.replace(" ", "-") for name in GROUPS])
def test_who_wakes_says_nothing_before_it_has_listened(cases: list[Case]):
    with contextlib.ExitStack() as stack:
        freezes = [Freeze(case, stack.enter_context(Lab("one", "two"))) for case in cases]
        for freeze in freezes:
            freeze.start()
        for freeze in freezes:
            freeze.freeze()
        for freeze in freezes:
            freeze.while_frozen()
        asleep = list(freezes)
        while asleep:
            over = wait_for("the end of a freeze", lambda: [f for f in asleep if f.is_over()], timeout=90)
            for freeze in over:
                freeze.thaw()
                asleep.remove(freeze)
        for freeze in freezes:
            freeze.check()
        for freeze in freezes:
            print(freeze.summary())


def test_a_reload_that_waited_is_carried_out_after_it_has_listened():
    added = "10.77.0.101"
    with Lab("one", "two") as lab, socket.socket(socket.AF_UNIX) as control:
        freeze = Freeze(Case(UNTIL_TAKEN_OVER, by="cgroup"), lab)
        freeze.start()
        freeze.one.instance = replace(freeze.one.instance, addresses=(*freeze.one.instance.addresses, f"{added}/24"))
        freeze.one.write_config()
        control.settimeout(10)
        control.connect(str(freeze.one.socket))
        answers = control.makefile()
        control.sendall(b'{"command": "status"}\n')
        answers.readline()
        # It comes before the other one's first advertisement, and would be served before that, too.
        freeze.freeze()
        control.sendall(b'{"command": "reload"}\n')
        wait_for("the end of the freeze", freeze.is_over)
        freeze.thaw()
        assert json.loads(answers.readline())["ok"] is True
        freeze.check()
        assert added in [address.split("/")[0] for address in freeze.one.instance_status()["addresses"]]
        assert freeze.monitor.stretches(added) == [], "it installed what another master is in charge of"


class KeepalivedFreeze(Freeze):
    def _one(self) -> Daemon:
        return Keepalived(self.lab["one"], self.case.instance)


def test_keepalived_takes_the_address_back_although_it_may_not():
    """What the cases above would be without the promise: it acts on its timer first and reads the socket second."""
    with Lab("one", "two") as lab:
        freeze = KeepalivedFreeze(Case(1, peer="keepalived"), lab)
        freeze.start()
        freeze.freeze()
        freeze.while_frozen()
        wait_for("the end of the freeze", freeze.is_over)
        freeze.thaw()
        freeze.monitor.wait_for_owner(freeze.address, lab["one"])
        wait_for("it to speak at once", lambda: freeze.sent_since_thaw()[:1] and freeze.sent_since_thaw()[0] < 0.1)
        print(freeze.summary())
