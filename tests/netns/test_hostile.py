"""Packets that nobody should send: one at a time, by the hundred thousand, and with keepalived beside us."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest
from capture import Capture
from daemons import Instance, Keepalived, Vrrpd
from forge import frame, inject, message, start_flood
from lab import Host, Lab, holds_for, wait_for
from observe import AddressMonitor

VIP, VIP6 = "10.77.0.100", ("fe80::77:100", "fd77::100")
PEER, PEER6, STRANGER = "10.77.0.2", "fe80::2", "10.77.0.3"
IPV6 = tuple(f"{address}/64" for address in VIP6)


def v3(source: str = PEER, destination: str = "", ttl: int = 255, options: bool = False, mac: str = "", **fields) -> str:
    addresses = fields.pop("addresses", VIP6 if ":" in source else (VIP,))
    content = message(addresses, source, destination, **fields)
    return frame(content, source, destination, ttl=ttl, options=options, mac=mac)


def v2(**fields) -> str:
    return v3(version=2, **{"interval": 1, **fields})


def v6(**fields) -> str:
    return v3(**{"source": PEER6, **fields})


def raw(cut: int | None = None, more: bytes = b"", source: str = PEER, version: int = 3) -> str:
    whole = message(VIP6 if ":" in source else (VIP,), source, version=version, interval=1 if version == 2 else 10)
    return frame(whole[:cut] + more, source)


@dataclass(frozen=True)
class Setting:
    """How our daemon is configured, what wins an election against it, and what breaks one rule each."""

    instance: Instance
    good: Callable[[Host], str]
    bad: dict[str, tuple[str, Callable[[Host], str]]]


SETTINGS = {
    "v3": Setting(Instance(), lambda us: v3(), {
        "TTL 254": ("ip-ttl-errors", lambda us: v3(ttl=254)),
        "TTL 1": ("ip-ttl-errors", lambda us: v3(ttl=1)),
        "version 4": ("version-errors", lambda us: v3(version=4)),
        "version 2": ("version-errors", lambda us: v2()),
        "type 2": ("invalid-type-pkts-rcvd", lambda us: v3(kind=2)),
        "type 0": ("invalid-type-pkts-rcvd", lambda us: v3(kind=0)),
        "nothing at all": ("packet-length-errors", lambda us: raw(0)),
        "one byte": ("packet-length-errors", lambda us: raw(1)),
        "half a header": ("packet-length-errors", lambda us: raw(5)),
        "cut in the address": ("packet-length-errors", lambda us: raw(10)),
        "more addresses than bytes": ("packet-length-errors", lambda us: v3(count=200)),
        "bytes behind the end": ("packet-length-errors", lambda us: raw(more=b"\0\0")),
        "longer than any advertisement": ("packet-length-errors", lambda us: raw(more=bytes(1300))),
        "a wrong checksum": ("checksum-errors", lambda us: v3(broken=1)),
        "another VRID": ("vrid-errors", lambda us: v3(vrid=52)),
        "another VRID behind IP options": ("vrid-errors", lambda us: v3(vrid=52, options=True)),
        "VRID 0": ("vrid-errors", lambda us: v3(vrid=0)),
        "no address": ("address-list-errors", lambda us: v3(addresses=())),
        "none of our addresses": ("address-list-errors", lambda us: v3(addresses=("10.77.0.200", "10.77.0.201"))),
        "interval 0": ("interval-errors", lambda us: v3(interval=0)),
        "interval 0 and Reserve bits": ("interval-errors", lambda us: v3(interval=0xF000)),
        "no source": ("peer-source-errors", lambda us: v3(source="0.0.0.0")),
        "a broadcast": ("mode-mismatch-errors", lambda us: v3(destination="255.255.255.255", mac="ff:ff:ff:ff:ff:ff")),
        "unicast": ("mode-mismatch-errors", lambda us: v3(destination=us.ipv4, mac=us.mac())),
    }),
    "v2": Setting(Instance(version=2, interval=1), lambda us: v2(), {
        "TTL 254": ("ip-ttl-errors", lambda us: v2(ttl=254)),
        "version 3": ("version-errors", lambda us: v3()),
        "type 2": ("invalid-type-pkts-rcvd", lambda us: v2(kind=2)),
        "no authentication data": ("packet-length-errors", lambda us: raw(12, version=2)),
        "a checksum with pseudo-header": ("checksum-errors", lambda us: v2(broken=0x1234)),
        "another VRID": ("vrid-errors", lambda us: v2(vrid=50)),
        "a password": ("auth-type-mismatches", lambda us: v2(auth_type=1, password=b"s3cret\0\0")),
        "authentication type 2": ("auth-type-mismatches", lambda us: v2(auth_type=2)),
        "authentication type 77": ("auth-type-mismatches", lambda us: v2(auth_type=77)),
        "no address": ("address-list-errors", lambda us: v2(addresses=())),
        "none of our addresses": ("address-list-errors", lambda us: v2(addresses=("10.77.0.200",))),
        "interval 0": ("interval-errors", lambda us: v2(interval=0)),
        "another interval": ("interval-errors", lambda us: v2(interval=2)),
    }),
    "v2-password": Setting(
        Instance(version=2, interval=1, password="s3cret"), lambda us: v2(auth_type=1, password=b"s3cret\0\0"), {
        "no password": ("auth-type-mismatches", lambda us: v2()),
        "another password": ("auth-failures", lambda us: v2(auth_type=1, password=b"s3creT\0\0")),
        "a password that goes on": ("auth-failures", lambda us: v2(auth_type=1, password=b"s3cret\0x")),
        "the beginning of the password": ("auth-failures", lambda us: v2(auth_type=1, password=b"s3cre\0\0\0")),
    }),
    "ipv6": Setting(Instance(addresses=IPV6), lambda us: v6(), {
        "hop limit 254": ("ip-ttl-errors", lambda us: v6(ttl=254)),
        "version 2": ("version-errors", lambda us: v6(version=2)),
        "type 3": ("invalid-type-pkts-rcvd", lambda us: v6(kind=3)),
        "nothing at all": ("packet-length-errors", lambda us: raw(0, source=PEER6)),
        "half an address": ("packet-length-errors", lambda us: raw(16, source=PEER6)),
        "a wrong checksum": ("checksum-errors", lambda us: v6(broken=1)),
        "another VRID": ("vrid-errors", lambda us: v6(vrid=52)),
        "no address": ("address-list-errors", lambda us: v6(addresses=())),
        "a first address that is not link-local": ("address-list-errors", lambda us: v6(addresses=VIP6[::-1])),
        "none of our addresses": ("address-list-errors", lambda us: v6(addresses=("fe80::99", "fd77::99"))),
        "interval 0": ("interval-errors", lambda us: v6(interval=0)),
        "a global source": ("peer-source-errors", lambda us: v6(source="fd77::2")),
        "unicast": ("mode-mismatch-errors", lambda us: v6(destination=us.link_local(), mac=us.mac())),
    }),
    "unicast": Setting(Instance(unicast_peers=(PEER,)), lambda us: v3(destination=us.ipv4, mac=us.mac()), {
        "a stranger": ("peer-source-errors", lambda us: v3(source=STRANGER, destination=us.ipv4, mac=us.mac())),
        "multicast": ("mode-mismatch-errors", lambda us: v3()),
        "TTL 254": ("ip-ttl-errors", lambda us: v3(destination=us.ipv4, mac=us.mac(), ttl=254)),
        "a wrong checksum": ("checksum-errors", lambda us: v3(destination=us.ipv4, mac=us.mac(), broken=1)),
    }),
}  # fmt: skip


def counters(daemon: Vrrpd) -> dict[str, int]:
    """Some are counted by virtual router, some for the machine, by what the packet still tells."""
    status = daemon.status()
    places = (status["statistics"], status["instances"][0]["statistics"])
    names = {name for setting in SETTINGS.values() for name, _ in setting.bad.values()} | {"advertisement-rcvd"}
    return {name: sum(place.get(name, 0) for place in places) for name in names}


def memory(daemon: Vrrpd) -> int:
    """Resident set size in kB."""
    lines = Path(f"/proc/{daemon.main.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def longest_silence(capture: Capture, daemon: Vrrpd, begin: float, end: float) -> float:
    times = [begin] + [a.time for a in capture.stop().adverts(daemon.mac()) if begin < a.time < end] + [end]
    return max(later - earlier for earlier, later in zip(times, times[1:]))


@pytest.fixture
def master(lab: Lab) -> Vrrpd:
    daemon = Vrrpd(lab["one"], Instance(priority=100))
    daemon.start()
    daemon.wait_for_state("master")
    return daemon


@pytest.mark.parametrize("name", SETTINGS)
def test_a_packet_that_breaks_one_rule_is_counted_once_and_changes_nothing(lab: Lab, name: str):
    setting = SETTINGS[name]
    daemon = Vrrpd(lab["one"], setting.instance)
    daemon.start()
    daemon.wait_for_state("master")
    before, expected = daemon.instance_status(), counters(daemon)
    for case, (counter, bad) in setting.bad.items():
        inject(lab["two"], bad(lab["one"]))
        expected[counter] += 1
        wait_for(f"{case} to be counted as {counter}", lambda: counters(daemon)[counter] == expected[counter], 3)
        assert counters(daemon) == expected, case
    after = daemon.instance_status()
    same = ("state", "since", "effective-priority", "last-adv-source", "master-down-interval-ms", "skew-time-ms")
    assert {key: after[key] for key in same} == {key: before[key] for key in same}

    inject(lab["two"], setting.good(lab["one"]))  # and the same one without a fault is obeyed
    daemon.wait_for_state("backup")


def test_advertisements_behind_ip_options_and_delivered_twice_are_obeyed_like_others(lab: Lab, master: Vrrpd):
    inject(lab["two"], *[v3(options=True)] * 2)
    master.wait_for_state("backup")
    wait_for("the master to be timed out", lambda: master.state() == "master")
    assert master.instance_status()["statistics"]["master-transitions"] == 2


def test_the_virtual_routers_of_others_are_counted_and_wake_nobody(lab: Lab, master: Vrrpd):
    others = [v3(vrid=vrid, addresses=(f"10.77.1.{vrid}",)) for vrid in range(1, 256) if vrid != 51]
    before = counters(master)["vrid-errors"]
    used = memory(master)
    flood = start_flood(lab["two"], 20_000, 254 * 40 / 20_000, others)
    assert flood.wait(60) == 0
    wait_for("all of them to be counted", lambda: counters(master)["vrid-errors"] == before + 254 * 40, 5)
    assert master.instance_status()["alarms"] == []
    assert memory(master) - used < 1000
    assert master.state() == "master"


def test_a_flood_of_bad_packets_costs_no_advertisement_and_fills_neither_memory_nor_log(lab: Lab, master: Vrrpd):
    # Another source changes the sum of the pseudo-header; that makes right what was right without any.
    frames = [bad(lab["one"]) for case, (_, bad) in SETTINGS["v3"].bad.items() if case != "no source"]
    capture = Capture(lab, lab["one"], "not src net 10.77.128.0/17")
    used, begin = memory(master), time.time()
    flood = start_flood(lab["two"], 100_000, 10, frames, random_sources=True)
    assert flood.wait(120) == 0, flood.log
    end = time.time()
    wait_for("an advertisement afterwards", lambda: capture.adverts(master.mac())[-1].time > end, every=0.2)
    # Nobody would have taken over.
    assert longest_silence(capture, master, begin, end) < master.instance.master_down_interval
    assert memory(master) - used < 2000
    assert len(master.main.log.splitlines()) < 120
    assert len(master.instance_status()["alarms"]) <= 40
    assert master.state() == "master" and master.instance_status()["statistics"]["master-transitions"] == 1
    assert sum(counters(master).values()) > 100_000  # they did arrive


def test_a_flood_of_losing_advertisements_is_answered_at_a_bounded_rate(lab: Lab, master: Vrrpd):
    many = tuple(f"10.77.1.{n}" for n in range(1, 200))
    capture = Capture(lab, lab["one"], f"not src host {PEER}")
    begin = time.time()
    flood = start_flood(lab["two"], 10_000, 3, [v3(priority=1), v3(priority=1, addresses=(VIP, *many))])
    assert flood.wait(60) == 0
    end = time.time()
    wait_for("an advertisement afterwards", lambda: capture.adverts(master.mac())[-1].time > end, every=0.2)
    assert longest_silence(capture, master, begin, end) < master.instance.master_down_interval
    count = sum(begin < a.time < end for a in capture.adverts(master.mac()))
    per_interval = 1 + 4  # its own, and the answers that the engine allows
    assert count <= per_interval * ((end - begin) / master.instance.interval + 1)
    assert len(master.main.log.splitlines()) < 30


def test_alternating_releases_and_owners_change_the_address_once_an_event_at_most(
    lab: Lab, monitor: AddressMonitor, master: Vrrpd
):
    begin = time.time()
    flood = start_flood(lab["two"], 200, 2, [v3(priority=0), v3(priority=255)])
    assert flood.wait(30) == 0
    end = time.time()
    monitor.wait_for_owner(VIP, lab["one"])
    assert len([s for s in monitor.stretches(VIP) if begin < s.begin < end]) <= 200
    assert len([a for a in lab["one"].addresses() if a.startswith(f"{VIP}/")]) == 1
    holds_for("it stays master", lambda: master.state() == "master", 0.5)


def test_a_backup_whose_socket_filled_up_while_it_stood_still_reads_before_it_acts(lab: Lab, master: Vrrpd):
    backup = Vrrpd(lab["two"], Instance(priority=50))
    backup.start()
    backup.wait_for_state("backup")
    wait_for("it to hear the master", lambda: backup.instance_status()["last-adv-source"] == lab["one"].ipv4)
    capture = Capture(lab)
    backup.main.freeze()
    flood = start_flood(lab["client"], 5_000, 1, [v3(source=STRANGER, broken=1)])
    assert flood.wait(30) == 0
    backup.main.thaw()
    wait_for("it to have read on", lambda: counters(backup)["checksum-errors"] > 0)
    holds_for("it stays backup", lambda: backup.state() == "backup", 1)
    assert capture.stop().adverts(backup.mac()) == []


def test_an_interval_of_zero_makes_keepalived_a_second_master_and_us_not(lab: Lab, master: Vrrpd):
    theirs, ours = Keepalived(lab["two"], Instance(priority=50)), Vrrpd(lab["client"], Instance(priority=40))
    for backup in (theirs, ours):
        backup.start()
    wait_for("ours to hear the master", lambda: ours.instance_status()["last-adv-source"] == lab["one"].ipv4)
    theirs.wait_for_state("backup")
    # As if from the master itself, which does not hear it: its own address does not come from outside.
    inject(lab["client"], v3(source=lab["one"].ipv4, priority=100, interval=0))
    inject(lab["two"], v3(source=lab["one"].ipv4, priority=100, interval=0))
    wait_for("keepalived to fall for it", lambda: "Entering MASTER STATE" in theirs.main.log, 3)
    assert counters(ours)["interval-errors"] >= 1
    assert "Entering MASTER STATE" not in ours.main.log
