"""What a machine's administrator, its network and its clock do to a daemon: every case asserts for how long the address
had two owners, and none, as the address lists of both machines tell."""

from __future__ import annotations

import re
import struct
import time
from dataclasses import replace
from pathlib import Path

import pytest
from capture import Capture
from daemons import Instance, Keepalived, Vrrpd
from lab import Lab, holds_for, run, sysctl, wait_for
from observe import AddressMonitor
from pair import VIP, Pair

# What a busy machine needs for what takes a millisecond.
MOMENT = 0.2


class Since:
    """What has happened since it was made."""

    def __init__(self, pair: Pair):
        self._pair = pair
        self._begin = time.time()
        self.capture = Capture(pair.lab)

    def two_owners(self) -> float:
        return self._pair.monitor.longest_with_two_owners(self._pair.address, since=self._begin)

    def no_owner(self) -> float:
        return self._pair.monitor.longest_with_none(self._pair.address, since=self._begin)

    def assert_owned(self, *, two: float, none: float) -> None:
        print(f"two owners {self.two_owners():.3f} s, none {self.no_owner():.3f} s")
        assert self.two_owners() <= two
        assert self.no_owner() <= none

    def wait_for_announcement(self, address: str = VIP) -> None:
        mac = self._pair.one.mac()
        wait_for(
            f"an announcement of {address}",
            lambda: address in [announcement.address for announcement in self.capture.announcements(mac)],
            every=0.1,
        )


def takeover(pair: Pair) -> float:
    """The longest time that two needs when one has fallen silent."""
    return pair.two.instance.master_down_interval + MOMENT


def rename(daemon: Vrrpd, old: str, new: str) -> None:
    """While the daemon does not look, so that it learns of everything together."""
    daemon.main.freeze()
    daemon.host.ip(f"link set {old} down", f"link set {old} name {new}", f"link set {new} up")
    daemon.main.thaw()


# ---- addresses ----


def test_addresses_that_somebody_removes_are_put_back_at_once_counted_and_alarmed(pair: Pair):
    addresses = ("10.77.0.100/24", "10.77.0.101/24", "10.77.0.102/32")
    pair.change(addresses=addresses).start()
    since = Since(pair)
    pair.lab["one"].ip(*(f"address delete {address} dev eth0" for address in addresses))
    wait_for("the count", lambda: pair.one.instance_status()["statistics"]["addresses-restored"] == 3, every=0.1)
    for address in addresses:
        pair.monitor.wait_for_owner(address.partition("/")[0], pair.lab["one"])
    since.assert_owned(two=0, none=MOMENT)
    since.wait_for_announcement()

    status = pair.one.instance_status()
    assert status["state"] == "master" and status["statistics"]["master-transitions"] == 1
    assert [alarm["kind"] for alarm in status["alarms"]] == ["address-removed"]
    assert "removed by somebody else; put back" in pair.one.main.log
    assert pair.two.state() == "backup"


def test_keepalived_gives_up_its_mastership_when_an_address_is_removed(lab: Lab, monitor: AddressMonitor):
    """What the case above would be without the promise."""
    daemon = Keepalived(lab["one"], Instance(priority=110, interval=1))
    daemon.start()
    monitor.wait_for_owner(VIP, lab["one"])
    capture = Capture(lab)
    lab["one"].ip(f"address delete {VIP}/24 dev eth0")
    wait_for("priority 0", lambda: 0 in [advert.priority for advert in capture.adverts(daemon.mac())], every=0.1)


def test_what_the_daemon_removes_and_adds_itself_does_not_count_as_removed_by_others(pair: Pair):
    pair.change(preempt=True).start()
    for _ in range(5):  # one loses and takes back, as fast as the protocol lets it
        pair.lab["one"].ip("link set eth0 down")
        pair.one.wait_for_state("fault")
        pair.lab["one"].ip("link set eth0 up")
        pair.one.wait_for_state("master")
    status = pair.one.instance_status()
    assert status["statistics"]["addresses-restored"] == 0 and status["alarms"] == []


def test_an_owner_that_adds_its_addresses_at_once_does_not_count_them_as_removed(pair: Pair):
    pair.one.instance = replace(pair.one.instance, priority=255)
    pair.one.start()
    for _ in range(3):
        pair.one.wait_for_state("master")
        pair.lab["one"].cut()
        pair.one.wait_for_state("fault")
        pair.lab["one"].mend()
    pair.monitor.wait_for_owner(VIP, pair.lab["one"])
    assert pair.one.instance_status()["statistics"]["addresses-restored"] == 0


def test_a_primary_address_that_is_removed_is_a_fault_until_there_is_another(pair: Pair):
    pair.start()
    since = Since(pair)
    host = pair.lab["one"]
    host.ip(f"address delete {host.ipv4}/24 dev eth0")  # takes the others of its network along
    pair.one.wait_for_state("fault")
    pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    # Priority 0 leaves although its source address is gone.
    since.assert_owned(two=0, none=pair.two.instance.skew_time + MOMENT)
    status = pair.one.instance_status()
    assert (status["state"], status["reason"]) == ("fault", "interface eth0 has no IPv4 address to send from")
    host.ip("address add 10.77.0.77/24 dev eth0")
    pair.monitor.wait_for_owner(VIP, host)
    assert VIP in pair.one.ctl("status").output
    assert "10.77.0.77" in {advert.source for advert in since.capture.adverts(pair.one.mac())}
    since.assert_owned(two=MOMENT, none=pair.two.instance.skew_time + MOMENT)


def test_another_primary_address_is_used_from_then_on_without_a_change_of_state(pair: Pair):
    host = pair.lab["one"]
    sysctl(host.namespace, "net.ipv4.conf.eth0.promote_secondaries=1")  # as systemd sets it
    pair.start()
    since = Since(pair)
    host.ip("address add 10.77.0.77/24 dev eth0", f"address delete {host.ipv4}/24 dev eth0")
    wait_for(
        "advertisements from it",
        lambda: [advert.source for advert in since.capture.adverts(pair.one.mac())][-3:] == ["10.77.0.77"] * 3,
        every=0.1,
    )
    pair.monitor.wait_for_owner(VIP, host)
    since.assert_owned(two=0, none=MOMENT)
    assert pair.one.instance_status()["statistics"]["master-transitions"] == 1
    assert pair.two.state() == "backup"
    assert pair.one.stop() == 0
    assert host.addresses() & {f"{VIP}/24", "10.77.0.77/24"} == {"10.77.0.77/24"}


# ---- interfaces ----


@pytest.mark.parametrize("addresses", [("10.77.0.100/24",), ("fe80::77:100/64", "fd77::100/64")], ids=["ipv4", "ipv6"])
def test_an_interface_that_goes_down_and_up(pair: Pair, addresses: tuple[str, ...]):
    pair.change(addresses=addresses).start()
    since = Since(pair)
    pair.lab["one"].ip("link set eth0 down")
    pair.one.wait_for_state("fault")
    pair.monitor.wait_for_owner(pair.address, pair.lab["two"])
    assert pair.one.instance_status()["reason"] == "interface eth0 is down"
    pair.lab["one"].ip("link set eth0 up", f"address replace {pair.lab['one'].ipv6}/64 dev eth0 nodad")
    pair.monitor.wait_for_owner(pair.address, pair.lab["one"])
    since.wait_for_announcement(pair.address)
    since.assert_owned(two=MOMENT, none=takeover(pair))


def test_an_interface_that_is_deleted_and_made_anew(pair: Pair):
    pair.start()
    since = Since(pair)
    pair.lab["one"].unplug()
    pair.one.wait_for_state("fault")
    pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    wait_for("the reason", lambda: pair.one.instance_status()["reason"] == "there is no interface eth0", every=0.1)
    pair.lab["one"].plug()
    pair.monitor.wait_for_owner(VIP, pair.lab["one"])
    since.assert_owned(two=MOMENT, none=takeover(pair))


def test_an_interface_that_is_renamed_keeps_nothing_of_ours(pair: Pair):
    pair.start()
    since = Since(pair)
    rename(pair.one, "eth0", "lan0")
    pair.one.wait_for_state("fault")
    pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    since.assert_owned(two=MOMENT, none=takeover(pair))
    assert f"{VIP}/24" not in pair.lab["one"].addresses("lan0")
    assert pair.one.instance_status()["reason"] == "there is no interface eth0"
    rename(pair.one, "lan0", "eth0")
    pair.monitor.wait_for_owner(VIP, pair.lab["one"])


def test_an_interface_that_was_found_by_its_network_may_be_renamed(pair: Pair):
    for daemon in (pair.one, pair.two):
        daemon.instance_keys = {"interface": None}
    pair.start()
    since = Since(pair)
    rename(pair.one, "eth0", "lan0")
    wait_for("the new name", lambda: pair.one.instance_status()["interface"] == "lan0", every=0.1)
    holds_for("one stays master", lambda: pair.one.state() == "master", seconds=takeover(pair))
    assert len(pair.monitor.stretches(VIP)) == 1
    since.assert_owned(two=0, none=0)


def test_an_address_returns_to_the_further_interface_that_it_belongs_on(lab: Lab, monitor: AddressMonitor):
    host = lab["one"]
    host.ip("link add far0 type bridge", "link set far0 up")
    entry = {"address": "10.78.0.100/24", "interface": "far0", "advertise": False}
    daemon = Vrrpd(host, Instance(), instance_keys={"addresses": [f"{VIP}/24", entry], "lease": "off"})
    daemon.start()
    monitor.wait_for_owner("10.78.0.100", host)
    host.ip("link delete far0")
    wait_for("it to be gone", lambda: monitor.owners("10.78.0.100") == [])
    host.ip("link add far0 type bridge", "link set far0 up")
    monitor.wait_for_owner("10.78.0.100", host)
    assert daemon.instance_status()["statistics"]["master-transitions"] == 1


def test_what_is_not_there_at_the_start_is_waited_for(lab: Lab, monitor: AddressMonitor):
    host = lab["one"]
    host.unplug()
    daemon = Vrrpd(host, Instance())
    daemon.start()
    assert "there is no interface eth0" in daemon.main.log
    assert daemon.instance_status()["reason"] == "there is no interface eth0"

    host.ip("link add eth0 type veth peer name far", "link set far up", "link set eth0 up")
    wait_for("the next reason", lambda: "no IPv4 address" in daemon.instance_status()["reason"], every=0.1)
    assert "waiting: interface eth0 has no IPv4 address to send from" in daemon.main.log
    answer = daemon.ctl("status", check=False)
    assert answer.code == 1 and "no IPv4 address to send from" in answer.errors

    host.ip(f"address add {host.ipv4}/24 dev eth0")
    monitor.wait_for_owner(VIP, host)
    assert daemon.alive()


# ---- the link ----


def test_a_machine_without_carrier_is_in_fault_and_announces_when_it_is_back(pair: Pair):
    pair.start()
    since = Since(pair)
    pair.lab["one"].cut()
    pair.one.wait_for_state("fault")
    pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    assert pair.one.instance_status()["reason"] == "interface eth0 has no carrier"
    pair.lab["one"].mend()
    pair.monitor.wait_for_owner(VIP, pair.lab["one"])
    since.wait_for_announcement()
    since.assert_owned(two=MOMENT, none=takeover(pair))


def test_a_bridge_whose_port_loses_its_carrier_is_a_machine_without_link(pair: Pair):
    host = pair.lab["one"]
    host.ip(
        "link add wide type bridge forward_delay 0 mcast_snooping 0", "address flush dev eth0",
        f"link set wide address {host.mac()} up", "link set eth0 master wide", f"address add {host.ipv4}/24 dev wide",
    )
    pair.one.instance_keys = {"interface": "wide"}
    pair.start()
    since = Since(pair)
    host.cut()
    pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    assert pair.one.instance_status()["reason"] == "interface wide has no carrier"
    host.mend()
    pair.monitor.wait_for_owner(VIP, host)
    since.wait_for_announcement()
    # The kernel tells of a bridge's carrier up to a second late; until then the address is there, and unreachable.
    since.assert_owned(two=1 + MOMENT, none=takeover(pair))


def test_a_link_that_was_gone_for_a_moment_is_announced_over_without_a_change_of_state(pair: Pair):
    once = {"repeat": 1, "second_burst_delay": "0s", "refresh": "0s"}
    pair.one.instance_keys = {"gratuitous_arp": once}  # so that nothing is left of the first announcements
    pair.change(interval=1).start()
    process = pair.one.main
    process.freeze()  # so that it certainly learns of both changes together
    since = Since(pair)
    pair.lab["one"].flap()
    process.thaw()
    since.wait_for_announcement()
    since.assert_owned(two=0, none=0)
    assert pair.one.instance_status()["statistics"]["master-transitions"] == 1


def test_a_link_that_flaps_faster_than_the_interval_ends_with_one_announced_owner(pair: Pair):
    pair.start()
    since = Since(pair)
    for _ in range(10):
        pair.lab["one"].flap()
    pair.monitor.wait_for_owner(VIP, pair.lab["one"])
    since.wait_for_announcement()
    since.assert_owned(two=MOMENT, none=takeover(pair) + pair.one.instance.interval)


# ---- notifications that are lost ----


def lost_notifications(pid: int) -> int:
    """How many messages the kernel could not deliver to the netlink sockets of a process."""
    rows = (line.split() for line in Path(f"/proc/{pid}/net/netlink").read_text().splitlines()[1:])
    inodes = {
        link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.readlink().name.startswith("socket:")
    }
    return sum(int(row[8]) for row in rows if f"socket:[{row[9]}]" in inodes)


def test_after_more_changes_than_it_can_be_told_of_it_knows_everything(pair: Pair):
    pair.change(interval=2).start()  # a freeze of a second or two is none to the peer
    since = Since(pair)
    host = pair.lab["one"]
    burst = [f"address add 10.9.{i // 250}.{i % 250 + 1}/32 dev far0" for i in range(5000)]
    process = pair.one.main
    process.freeze()
    host.ip("link add far0 type bridge", *burst, f"address delete {VIP}/24 dev eth0", "link delete far0")
    engine = max(process.members(), key=lost_notifications)
    assert lost_notifications(engine) > 0
    process.thaw()
    pair.monitor.wait_for_owner(VIP, host)
    wait_for("the log", lambda: "everything was read anew" in process.log)
    since.wait_for_announcement()
    status = pair.one.instance_status()
    assert status["statistics"]["addresses-restored"] == 1 and status["statistics"]["master-transitions"] == 1
    assert pair.two.state() == "backup" and since.two_owners() == 0

    host.ip("link set eth0 down")  # and it goes on hearing
    pair.one.wait_for_state("fault")


# ---- clocks ----


def test_a_wall_clock_that_is_set_back_and_forth_changes_nothing_but_what_is_printed(pair: Pair):
    """The clock is moved for this one program, in front of the C library; that the kernel's timer behind the event loop
    runs on the monotonic clock shows in /proc."""
    library, offset = pair.lab.directory / "wall_clock.so", pair.lab.directory / "offset"
    run("cc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).with_name("wall_clock.c"))
    offset.write_bytes(struct.pack("l", 0))
    pair.one.prefix = ["env", "ASAN_OPTIONS=verify_asan_link_order=0", f"LD_PRELOAD={library}",
                       f"WALL_CLOCK_OFFSET={offset}"]
    pair.start()
    since = Since(pair)
    years = []
    for days in (10_000, -10_000, 0):
        with open(offset, "r+b") as file:  # in place: it is mapped
            file.write(struct.pack("l", days * 86_400))
        before = len(since.capture.adverts(pair.one.mac()))
        wait_for("ten more advertisements", lambda: len(since.capture.adverts(pair.one.mac())) > before + 10, every=0.1)
        pair.lab["one"].ip(f"address delete {VIP}/24 dev eth0")
        pair.monitor.wait_for_owner(VIP, pair.lab["one"])
        years.append(time.gmtime(time.time() + days * 86_400).tm_year)
    times = [advert.time for advert in since.capture.adverts(pair.one.mac())]
    longest = max(later - earlier for earlier, later in zip(times, times[1:]))
    assert longest < pair.one.instance.interval + MOMENT
    since.assert_owned(two=0, none=MOMENT)
    assert pair.one.instance_status()["statistics"]["master-transitions"] == 1

    timers = [
        text for pid in pair.one.main.members() for file in Path(f"/proc/{pid}/fdinfo").iterdir()
        if "clockid:" in (text := file.read_text())
    ]
    assert timers and all(re.search(r"clockid:\s+1\n", text) for text in timers)


def test_machines_whose_clocks_have_nothing_in_common_are_a_pair(pair: Pair):
    pair.two.prefix = ["unshare", "--time", "--fork", "--kill-child", "--monotonic", "123456789", "--boottime", "1"]
    pair.start()
    since = Since(pair)
    pair.one.stop()
    pair.monitor.wait_for_owner(VIP, pair.lab["two"])
    since.assert_owned(two=0, none=pair.two.instance.skew_time + MOMENT)
