"""Instances that are master together or not at all: ours with ours, and with keepalived's sync groups."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import pytest
from daemons import Daemon, Instance, Keepalived, Vrrpd
from lab import Host, Lab, holds_for, wait_for
from observe import AddressMonitor
from test_notify import recorder, said, wait_for_silence

VIP = "10.77.0.100"
SECOND = "10.78.0.100"


class Ours(Vrrpd):
    """A second instance on eth1, and both in a group."""

    notify: dict = {}

    def config(self) -> dict:
        config = super().config()
        second = {
            **config["instances"][0], "name": "VI_TWO", "interface": "eth1", "vrid": 52, "addresses": [f"{SECOND}/24"]
        }
        second.pop("track", None)
        config["instances"].append(second)
        config["groups"] = [{"name": "G1", "instances": ["VI_MAIN", "VI_TWO"], "notify": self.notify}]
        return config


class Theirs(Keepalived):
    def config(self) -> str:
        i, text = self.instance, super().config()
        second = text[text.index("vrrp_instance"):].replace(i.name, "VI_TWO").replace("eth0", "eth1")
        second = second.replace("virtual_router_id 51", "virtual_router_id 52").replace(i.addresses[0], f"{SECOND}/24")
        return f"{text}{second}vrrp_sync_group G1 {{\n group {{\n  {i.name}\n  VI_TWO\n }}\n}}\n"


class Pair:
    def __init__(self, lab: Lab, monitor: AddressMonitor):
        self.lab, self.monitor = lab, monitor
        for name in ("one", "two"):
            lab[name].add_interface("eth1", "10.78.0")

    def run(self, one: Daemon, two: Daemon) -> None:
        self.two = two
        one.start()
        self.wait_for_owner(one.host)
        two.start()
        two.wait_for_state("backup")

    def wait_for_owner(self, host: Host) -> None:
        for address in (VIP, SECOND):
            self.monitor.wait_for_owner(address, host)

    def cut_second(self, name: str) -> None:
        self.lab.switch_ip(f"link set {name}-eth1 down")

    def mend_second(self, name: str) -> None:
        self.lab.switch_ip(f"link set {name}-eth1 up")


@pytest.fixture
def pair(lab: Lab, monitor: AddressMonitor) -> Pair:
    return Pair(lab, monitor)


@pytest.mark.parametrize("first, second", [(Ours, Ours), (Ours, Theirs), (Theirs, Ours)])
def test_a_fault_of_one_member_moves_all_to_the_other_machine_and_back(pair: Pair, first: type, second: type):
    one, two = first(pair.lab["one"], Instance(priority=110)), second(pair.lab["two"], Instance(priority=100))
    pair.run(one, two)
    pair.cut_second("one")
    pair.wait_for_owner(pair.lab["two"])
    pair.mend_second("one")
    pair.wait_for_owner(pair.lab["one"])
    for address in (VIP, SECOND):
        assert pair.monitor.longest_with_two_owners(address) < 0.1


@pytest.mark.parametrize("second", [Ours, Theirs])
def test_what_demotes_one_member_moves_all(pair: Pair, second: type):
    flag = pair.lab["one"].directory / "maintenance"
    one = Ours(
        pair.lab["one"],
        Instance(priority=110),
        instance_keys={"track": [{"check": "it", "demote": 20}]},
        sections={"checks": {"it": {"file": str(flag), "present": "unhealthy", "interval": "50ms"}}},
    )
    pair.run(one, second(pair.lab["two"], Instance(priority=100)))
    flag.touch()
    pair.wait_for_owner(pair.lab["two"])
    assert [i["effective-priority"] for i in one.status()["instances"]] == [90, 90]
    flag.unlink()
    pair.wait_for_owner(pair.lab["one"])


def test_a_member_that_hears_no_master_waits_for_those_that_do(pair: Pair):
    pair.run(Theirs(pair.lab["one"], Instance(priority=110)), Ours(pair.lab["two"], Instance(priority=100)))
    # Only on the second network is one not heard any more.
    pair.lab.drop(SimpleNamespace(name="one-eth1"), SimpleNamespace(name="two-eth1"))
    two = pair.two
    wait_for("it to say so", lambda: "takes over when the others of its group G1 can" in two.ctl("explain").output)
    assert {instance["group"] for instance in two.status()["instances"]} == {"G1"}
    holds_for("all stay", lambda: pair.monitor.owners(SECOND) == ["one"] == pair.monitor.owners(VIP), seconds=1.5)
    pair.cut_second("one")
    pair.wait_for_owner(pair.lab["two"])


def test_a_group_tells_its_commands_what_it_is(pair: Pair):
    command, heard = recorder(pair.lab["one"], "group")
    one = Ours(pair.lab["one"], Instance(priority=110))
    one.notify = {"any": command}
    one.start()
    wait_for("the group to be master", lambda: said(heard) == ["GROUP G1 BACKUP 0", "GROUP G1 MASTER 0"])
    wait_for_silence(one)
    os.kill(one.engine(), signal.SIGKILL)
    one.main.wait_for_log("(VI_TWO) remains in MASTER STATE")
    holds_for("who goes on has no news", lambda: len(said(heard)) == 2, seconds=0.5)
    pair.cut_second("one")
    wait_for("the fault", lambda: said(heard)[-1] == "GROUP G1 FAULT 0")
    assert one.stop() == 0
    assert said(heard)[2:] == ["GROUP G1 FAULT 0", "GROUP G1 STOP 0"]
