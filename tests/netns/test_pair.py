"""Two of ours: what is promised beyond the RFC, and what a machine does to a daemon."""

from __future__ import annotations

import time
from dataclasses import replace

from capture import Capture
from daemons import Instance, Keepalived, Vrrpd
from lab import Lab, holds_for, run, wait_for
from observe import AddressMonitor
from pair import VIP, Pair


def test_an_owner_leaves_the_interfaces_own_address_alone(lab: Lab):
    host = lab["one"]
    own = f"{host.ipv4}/24"
    daemon = Vrrpd(host, Instance(priority=255, addresses=(own, f"{VIP}/24")))
    daemon.start()
    daemon.wait_for_state("master")
    wait_for("the other address to be there", lambda: f"{VIP}/24" in host.addresses())
    assert daemon.stop() == 0
    assert own in host.addresses() and f"{VIP}/24" not in host.addresses()

    daemon.start()  # and once more: nothing of it counts as left behind by a predecessor
    daemon.wait_for_state("master")
    assert own in host.addresses()


def test_after_a_partition_one_of_two_masters_leaves_within_an_interval(pair: Pair):
    pair.start()
    pair.lab.drop(pair.lab["one"], pair.lab["two"])
    pair.lab.drop(pair.lab["two"], pair.lab["one"])
    pair.two.wait_for_state("master")
    healed = time.time()
    pair.lab.deliver_all()
    pair.monitor.wait_for_owner(VIP, pair.lab["one"])
    last = max(stretch.end for stretch in pair.monitor.stretches(VIP) if stretch.host == "two")
    assert last - healed < pair.one.instance.interval + 0.05


def test_a_tracked_interface_that_goes_down_hands_the_address_over(pair: Pair):
    pair.lab["one"].add_interface("eth1", "10.78.0")
    pair.one.instance_keys = {"track": [{"interface": "eth1", "demote": 30}]}
    pair.start()
    pair.lab["one"].ip("link set eth1 down")
    pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    assert pair.one.instance_status()["effective-priority"] == 80
    track = pair.one.instance_status()["tracks"][0]
    assert (track["name"], track["demotion"]) == ("interface eth1", 30)
    pair.lab["one"].ip("link set eth1 up")
    pair.monitor.wait_for_owner(VIP, pair.lab["one"])


def test_what_a_killed_daemon_left_behind_is_gone_after_the_next_start(pair: Pair):
    pair.start()
    pair.one.kill()
    pair.two.wait_for_state("master")
    pair.one.instance = replace(pair.one.instance, priority=50)
    pair.one.start()
    pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    pair.one.wait_for_state("backup")


def test_many_addresses_move_together(pair: Pair):
    addresses = tuple(f"10.77.1.{number}/32" for number in range(1, 201)) + ("10.77.0.100/24",)
    for daemon in (pair.one, pair.two):
        daemon.instance = replace(daemon.instance, addresses=addresses)
    pair.start()
    pair.one.stop()
    pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    wait_for("all addresses on two", lambda: len(pair.lab["two"].addresses() & set(addresses)) == len(addresses))
    assert not pair.lab["one"].addresses() & set(addresses)
    begins = [pair.monitor.stretches(address.partition("/")[0])[-1].begin for address in addresses]
    assert max(begins) - min(begins) < 0.1


def test_a_wrong_password_is_an_alarm_that_shows_in_the_status(pair: Pair):
    words = {"version": 2, "interval": 1}
    ours = Vrrpd(pair.lab["one"], Instance(priority=110, password="right", **words))
    theirs = Keepalived(pair.lab["two"], Instance(priority=100, password="wrong", **words))
    theirs.start()
    theirs.wait_for_state("master")
    ours.start()
    wait_for("an alarm", lambda: ours.instance_status()["alarms"], every=0.05)
    status = ours.instance_status()
    assert [alarm["peer"] for alarm in status["alarms"]] == [pair.lab["two"].ipv4]
    assert status["statistics"]["auth-failures"] >= 1
    assert "wrong" not in ours.ctl("status", "--json", check=False).output  # nobody's secret is shown


def test_another_interval_in_version_3_is_an_alarm_and_not_two_masters(pair: Pair):
    pair.two.instance = replace(pair.two.instance, interval=0.05)
    pair.start()
    wait_for("an alarm", lambda: pair.two.instance_status()["alarms"], every=0.05)
    alarm = pair.two.instance_status()["alarms"][0]
    assert (alarm["kind"], alarm["peer"]) == ("interval-mismatch", pair.lab["one"].ipv4)
    assert (alarm["ours"], alarm["theirs"]) == ("50ms", "100ms")
    holds_for("one master", lambda: pair.monitor.owners(VIP) == ["one"], seconds=0.5)


def test_ipv6_addresses_are_installed_so_that_no_connection_leaves_from_them(lab: Lab, monitor: AddressMonitor):
    daemon = Vrrpd(lab["one"], Instance(addresses=("fe80::77:100/64", "fd77::100/128")))
    daemon.start()
    monitor.wait_for_owner("fd77::100", lab["one"])
    found = next(a for a in lab["one"].interface_addresses() if a["local"] == "fd77::100")
    assert found["preferred_life_time"] == 0
    assert "tentative" not in found
    route = run("ip", "-n", lab["one"].namespace, "route", "get", lab["two"].ipv6)
    assert f"src {lab['one'].ipv6}" in route
