"""Virtual MAC addresses: where they are, who sees them, and that a fail-over changes nobody's ARP table. keepalived with
use_vmac is the measure."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from dataclasses import replace
from typing import Iterator

import pytest
from capture import Capture
from daemons import SOURCE_DIR, Daemon, Instance, Keepalived, Vrrpd, build_directory
from lab import Host, Lab, holds_for, run, wait_for
from observe import AddressMonitor, Client
from sides import Side, side_by_side
from systemd import Systemd

IPV4 = Instance(addresses=("10.77.0.100/24",))
IPV6 = Instance(addresses=("fe80::100/64", "fd77::100/64"))
BOTH_FAMILIES = pytest.mark.parametrize("family", [IPV4, IPV6], ids=["IPv4", "IPv6"])
VMAC = "00:00:5e:00:01:33"


def mac_of(instance: Instance) -> str:
    return f"00:00:5e:00:{2 if instance.ipv6 else 1:02x}:{instance.vrid:02x}"


class KeepalivedVmac(Keepalived):
    def config(self) -> str:
        return super().config().replace("interface eth0", "interface eth0\n use_vmac", 1)

    def mac(self) -> str:
        return mac_of(self.instance)


class OursVmac(Vrrpd):
    def __init__(self, host: Host, instance: Instance, sections: dict | None = None, instance_keys: dict | None = None):
        super().__init__(host, instance, sections, {"virtual_mac": True, **(instance_keys or {})})

    def mac(self) -> str:
        return mac_of(self.instance)


def links(host: Host) -> dict[str, dict]:
    found = json.loads(run("ip", "-n", host.namespace, "-json", "-details", "link", "show"))
    return {link["ifname"]: link for link in found}


def macvlans(host: Host) -> dict[str, dict]:
    return {n: link for n, link in links(host).items() if link.get("linkinfo", {}).get("info_kind") == "macvlan"}


def settings(host: Host, interface: str, *names: str) -> dict[str, str]:
    path = interface.replace(".", "/")
    return {name: host.run("sysctl", "-n", f"net.ipv4.conf.{path}.{name}").strip() for name in names}


ARP = ("arp_ignore", "arp_filter", "arp_announce")


def arp(host: Host) -> tuple[str, ...]:
    return tuple(settings(host, "eth0", *ARP).values())


# ---- beside keepalived on the same file ----

FILE = """
global_defs {
    max_auto_priority -1
}
vrrp_instance FOUR {
    interface eth0
    virtual_router_id 51
    use_vmac
    virtual_ipaddress {
        10.77.0.100/24
        10.77.0.101/32 dev eth0
    }
}
vrrp_instance NAMED {
    interface eth0
    virtual_router_id 52
    use_vmac edge 02:11:22:33:44:55
    vmac_xmit_base
    virtual_ipaddress {
        10.77.0.102/24
    }
}
vrrp_instance SIX {
    interface eth0
    virtual_router_id 51
    use_vmac
    virtual_ipaddress {
        fe80::100/64
        fd77::100/64
    }
    virtual_ipaddress_excluded {
        10.77.0.103/24
    }
}
vrrp_instance SHORT {
    interface eth0
    virtual_router_id 53
    use_vmac 02:11:22:33:44
    unicast_peer {
        10.77.0.2
    }
    virtual_ipaddress {
        10.77.0.104/24
    }
}
"""


def described(side: Side) -> dict[str, tuple]:
    """Of each macvlan: what it is on, its MAC address, how it makes IPv6 addresses, and whether it is up."""
    return {
        name: (link["link"], link["address"], link["inet6_addr_gen_mode"], "UP" in link["flags"])
        for name, link in macvlans(side.host).items()
    }


def senders(side: Side) -> set[tuple]:
    """Who advertised what from where; the interface's own MAC address as "own"."""
    own = side.host.mac()
    advert = {("own" if a.mac == own else a.mac, a.vrid, a.version, ":" in a.source, a.addresses)
              for a in side.capture.adverts() if a.source == side.host.ipv4 or a.source == side.host.link_local()}  # fmt: skip
    announced = {("own" if a.mac == own else a.mac, a.address) for a in side.capture.announcements()
                 if ".0.10" in a.address or a.address in ("fe80::100", "fd77::100")}  # fmt: skip
    return advert | announced


def test_the_same_file_gives_the_same_macvlans_addresses_and_frames():
    with side_by_side(FILE) as (theirs, ours):
        before = arp(ours.host)
        for side in (theirs, ours):
            side.runner.start()
            side.runner.main.wait_for_log("(SHORT) Entering BACKUP STATE (init)")
        assert described(ours) == described(theirs)
        assert set(described(ours)) == {"vrrp.51", "edge", "vrrp6.51", "vrrp.53"}
        for side in (theirs, ours):
            side.runner.wait_for_state("master")
        wait_for("all addresses", lambda: len(theirs.addresses()) == len(ours.addresses()) == 6)
        assert ours.addresses() == theirs.addresses()
        wait_for(
            lambda: f"the same frames; theirs {senders(theirs)}, ours {senders(ours)}",
            lambda: senders(ours) == senders(theirs),
            every=0.2,
        )
        assert ("00:00:5e:00:01:33", 51, 2, False, ("10.77.0.100", "10.77.0.101")) in senders(ours)
        for name in ("vrrp.51", "edge"):
            names = ("arp_ignore", "accept_local", "promote_secondaries")
            assert settings(ours.host, name, *names) == settings(theirs.host, name, *names)
            assert settings(ours.host, name, "rp_filter") == {"rp_filter": "2"}  # even where all.rp_filter is 1
        assert arp(ours.host)[:2] == arp(theirs.host)[:2] == ("1", "1")
        for side in (theirs, ours):
            assert side.runner.stop() == 0
            assert macvlans(side.host) == {} and side.addresses() == []
        assert arp(ours.host) == before == ("0", "0", "0")


ELSEWHERE = """
global_defs {
    max_auto_priority -1
}
vrrp_instance ALL {
    interface eth0
    virtual_router_id 61
    use_vmac
    use_vmac_addr
    virtual_ipaddress {
        10.77.0.100/24
        10.78.0.100/24 dev eth1
    }
}
vrrp_instance SOME {
    interface eth0
    virtual_router_id 62
    virtual_ipaddress {
        10.77.0.101/24 use_vmac
        10.78.0.101/24 dev eth1 use_vmac
        10.77.0.102/24
    }
}
vrrp_instance ELSEWHERE {
    interface eth0
    virtual_router_id 63
    use_vmac_addr
    virtual_ipaddress {
        10.77.0.103/24
        10.78.0.103/24 dev eth1
    }
}
"""


def test_addresses_on_other_interfaces_have_their_own_macvlans():
    with side_by_side(ELSEWHERE) as (theirs, ours):
        for side in (theirs, ours):
            side.host.add_interface("eth1", "10.78.0")
            side.remember_addresses()
            side.runner.start()
            side.runner.wait_for_state("master")
        assert described(ours) == described(theirs)
        assert {name: link[0] for name, link in described(ours).items()} == {
            "vrrp.61": "eth0", "vrrp1.61": "eth1", "vrrp.62": "eth0", "vrrp1.62": "eth1", "vrrp.63": "eth1"}  # fmt: skip
        wait_for("all addresses", lambda: len(theirs.addresses()) == len(ours.addresses()) == 7)
        assert ours.addresses() == theirs.addresses()
        wait_for("the same frames", lambda: senders(ours) == senders(theirs), every=0.2)
        assert ours.runner.stop() == 0
        assert macvlans(ours.host) == {} and settings(ours.host, "eth1", *ARP) == dict.fromkeys(ARP, "0")


# ---- elections ----


def both_roles(family: Instance, peer: type[Daemon], lab: Lab) -> list[tuple[Daemon, Daemon]]:
    """(the better one, the other one)"""
    better, lesser = replace(family, priority=110), replace(family, priority=100)
    return [
        (OursVmac(lab["one"], better), peer(lab["two"], lesser)),
        (peer(lab["one"], better), OursVmac(lab["two"], lesser)),
    ]


@BOTH_FAMILIES
@pytest.mark.parametrize("ours_is", ["better", "lesser"])
@pytest.mark.parametrize("peer", [KeepalivedVmac, OursVmac, Keepalived], ids=["keepalived-vmac", "ours", "keepalived"])
def test_there_is_one_master_with_any_peer_in_both_roles(
    lab: Lab, monitor: AddressMonitor, family: Instance, peer: type[Daemon], ours_is: str
):
    better, lesser = both_roles(family, peer, lab)[0 if ours_is == "better" else 1]
    address = family.virtual_address
    lesser.start()
    monitor.wait_for_owner(address, lesser.host)
    better.start()
    monitor.wait_for_owner(address, better.host)  # it hears the lesser one, and is heard
    began = time.time()
    holds_for("one master", lambda: (better.state(), lesser.state()) == ("master", "backup"), seconds=1)
    assert monitor.longest_with_two_owners(address, began) == 0
    better.stop()
    monitor.wait_for_owner(address, lesser.host, timeout=2)
    better.start()
    monitor.wait_for_owner(address, better.host)
    better.kill()
    lesser.wait_for_state("master", timeout=2)


@BOTH_FAMILIES
def test_of_two_with_the_same_priority_and_the_same_virtual_mac_one_yields(
    lab: Lab, monitor: AddressMonitor, family: Instance
):
    one, two = (OursVmac(lab[name], family) for name in ("one", "two"))
    lab.drop(lab["one"], lab["two"])
    for daemon in (one, two):
        daemon.start()
    two.wait_for_state("master")
    lab.deliver_all()
    wait_for("one master", lambda: sorted((one.state(), two.state())) == ["backup", "master"])
    winner = one if one.state() == "master" else two
    monitor.wait_for_owner(family.virtual_address, winner.host)
    assert {a.mac for a in Capture(lab).adverts()} <= {mac_of(family)}


# ---- what it is for ----


class Neighbour:
    """A client that goes on asking the virtual address, and what it takes its MAC address for meanwhile."""

    def __init__(self, client: Host, address: str):
        self._monitor = client.start("neighbours", "ip", "monitor", "neigh")
        self._address = address
        self.client = Client(client, address)

    def macs(self) -> set[str]:
        lines = (line for line in self._monitor.log.splitlines() if line.split()[0] == self._address)
        return {match[1] for line in lines if (match := re.search(r"lladdr (\S+)", line))}


def serve(host: Host) -> None:
    host.start("server", sys.executable, "-m", "http.server", "80", "--bind", "::", "--directory", host.directory)


@BOTH_FAMILIES
@pytest.mark.parametrize("peer", [KeepalivedVmac, OursVmac], ids=["keepalived", "ours"])
def test_a_client_keeps_its_arp_entry_across_a_failover_and_back(
    lab: Lab, monitor: AddressMonitor, family: Instance, peer: type[Daemon]
):
    one, two = both_roles(family, peer, lab)[0]
    one.start()
    one.wait_for_state("master")
    two.start()
    serve(one.host)
    serve(two.host)
    neighbour = Neighbour(lab["client"], family.virtual_address)
    neighbour.client.wait_for_answer()
    if peer is KeepalivedVmac:
        # It lets the interface ask with the virtual address as the sender.
        lab["two"].run("sysctl", "-qw", "net.ipv4.conf.eth0.arp_announce=2")
    one.kill()
    monitor.wait_for_owner(family.virtual_address, two.host)
    neighbour.client.wait_for_answer()
    one.start()
    monitor.wait_for_owner(family.virtual_address, one.host)
    neighbour.client.wait_for_answer()
    assert neighbour.macs() == {mac_of(family)}


def test_a_backup_sends_nothing_from_the_virtual_mac(lab: Lab, monitor: AddressMonitor):
    """A switch would take its port for that of the address."""
    two = OursVmac(lab["two"], Instance(priority=90))
    capture = Capture(lab, interface="two")  # the port of the second machine
    two_sends = f"eth.src == {VMAC}"
    one = OursVmac(lab["one"], Instance(priority=110))
    one.start()
    one.wait_for_state("master")
    lab["two"].ip("link set eth0 multicast on")
    two.start()
    holds_for("the second one is backup", lambda: two.state() == "backup", seconds=2)
    assert "vrrp.51" in macvlans(lab["two"])
    rows = capture.stop().rows(two_sends, "frame.time_epoch", "vrrp.prio", "arp.src.proto_ipv4")
    assert all(row["vrrp.prio"] == "110" or row["arp.src.proto_ipv4"] == "10.77.0.100" for row in rows), rows


WHO_HAS = """
import sys
from scapy.all import ARP, Ether, srp
question = Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(psrc="10.77.0.3", pdst=sys.argv[1])
for _, answer in srp(question, iface="eth0", timeout=0.5, multi=True, verbose=False)[0]:
    print(answer.hwsrc)
"""


def test_both_families_have_their_own_mac_with_one_vrid(lab: Lab, monitor: AddressMonitor):
    daemon = OursVmac(lab["one"], IPV4)
    entry = {**daemon.config()["instances"][0], "name": "VI_6", "addresses": list(IPV6.addresses)}
    daemon.sections = {"instances": [daemon.config()["instances"][0], entry]}
    capture = Capture(lab)
    daemon.start()
    monitor.wait_for_owner("10.77.0.100", lab["one"])
    monitor.wait_for_owner("fd77::100", lab["one"])
    assert {n: link["address"] for n, link in macvlans(lab["one"]).items()} == {
        "vrrp.51": "00:00:5e:00:01:33", "vrrp6.51": "00:00:5e:00:02:33"}  # fmt: skip
    adverts = capture.adverts()
    assert {(a.mac, a.source) for a in adverts} == {
        ("00:00:5e:00:01:33", lab["one"].ipv4), ("00:00:5e:00:02:33", lab["one"].link_local())}  # fmt: skip
    # Nobody else answers for the machine's own address or the virtual one.
    for address, mac in (("10.77.0.1", lab["one"].mac()), ("10.77.0.100", VMAC)):
        assert lab["client"].run(sys.executable, "-c", WHO_HAS, address).split() == [mac]
    status = daemon.status()["instances"]
    assert [(i["virtual-interface"], i["virtual-mac"]) for i in status] == [
        ("vrrp.51", "00:00:5e:00:01:33"), ("vrrp6.51", "00:00:5e:00:02:33")]  # fmt: skip
    assert "Its addresses belong on vrrp.51, with the MAC address 00:00:5e:00:01:33." in daemon.ctl("explain").output


# ---- deaths ----


def test_a_new_engine_goes_on_with_the_macvlan_of_the_dead_one_and_the_guard_removes_it(lab: Lab, monitor: AddressMonitor):
    one, two = OursVmac(lab["one"], Instance(priority=110)), OursVmac(lab["two"], Instance(priority=100))
    one.start()
    one.wait_for_state("master")
    two.start()
    began = time.time()
    device = macvlans(lab["one"])["vrrp.51"]["ifindex"]
    os.kill(one.engine(), signal.SIGKILL)
    one.main.wait_for_log("remains in MASTER STATE")
    holds_for("two is backup", lambda: two.state() == "backup", seconds=0.5)
    assert macvlans(lab["one"])["vrrp.51"]["ifindex"] == device
    assert monitor.longest_with_none("10.77.0.100", began) == 0
    capture = Capture(lab)
    os.kill(one.engine(), signal.SIGKILL)
    assert one.main.wait() == 1
    monitor.wait_for_owner("10.77.0.100", lab["two"])
    assert 0 in {a.priority for a in capture.adverts(VMAC) if a.source == lab["one"].ipv4}
    assert macvlans(lab["one"]) == {} and arp(lab["one"]) == ("0", "0", "0")
    assert monitor.longest_with_two_owners("10.77.0.100", began) == 0


def test_what_a_whole_death_leaves_is_used_by_the_next_start_or_removed(lab: Lab, monitor: AddressMonitor):
    one = OursVmac(lab["one"], Instance(priority=100))
    one.start()
    one.wait_for_state("master")
    device = macvlans(lab["one"])["vrrp.51"]["ifindex"]
    one.kill()
    wait_for("the lease to end", lambda: lab["one"].addresses("vrrp.51") == set(), timeout=4)
    one.start()
    one.wait_for_state("master")
    assert macvlans(lab["one"])["vrrp.51"]["ifindex"] == device
    one.kill()
    one.instance_keys["virtual_mac"] = False
    one.start()
    one.wait_for_state("master")
    assert macvlans(lab["one"]) == {} and arp(lab["one"]) == ("0", "0", "0")
    assert "10.77.0.100/24" in lab["one"].addresses()


def test_what_keepalived_left_is_taken_over(lab: Lab, monitor: AddressMonitor):
    keepalived = KeepalivedVmac(lab["one"], IPV4)
    keepalived.start()
    keepalived.wait_for_state("master")
    keepalived.kill()
    assert "vrrp.51" in macvlans(lab["one"])
    one = OursVmac(lab["one"], IPV4)
    one.start()
    one.wait_for_state("master")
    assert "the interface vrrp.51 is there already; it is used" in one.main.log
    one.stop()
    assert macvlans(lab["one"]) == {}


# ---- changes around it ----


def test_reloads_bring_it_rename_it_and_take_it_away_and_the_master_stays(lab: Lab, monitor: AddressMonitor):
    one, two = Vrrpd(lab["one"], Instance(priority=110)), Keepalived(lab["two"], Instance(priority=100))
    one.start()
    one.wait_for_state("master")
    two.start()
    own = lab["one"].mac()
    capture = Capture(lab)
    began = time.time()
    for virtual_mac, device, mac in (
        (True, "vrrp.51", VMAC),
        ({"interface": "edge"}, "edge", VMAC),
        ({"interface": "edge", "address": "02:00:00:00:00:07"}, "edge", "02:00:00:00:00:07"),
        ({"transmit": "parent"}, "vrrp.51", VMAC),
        (False, "eth0", own),
    ):
        one.instance_keys["virtual_mac"] = virtual_mac
        one.write_config()
        one.ctl("reload")
        reloaded = time.time()
        assert lab["one"].addresses(device) >= {"10.77.0.100/24"}
        assert set(macvlans(lab["one"])) == {device} - {"eth0"}
        assert {a.mac for a in capture.announcements() if a.time > reloaded - 1 and a.address == "10.77.0.100"} >= {mac}
        sender = own if isinstance(virtual_mac, dict) and "transmit" in virtual_mac else mac
        wait_for("an advertisement", lambda: any(a.time > reloaded and a.mac == sender for a in capture.adverts()))
    assert arp(lab["one"]) == ("0", "0", "0")
    assert two.state() == "backup" and monitor.longest_with_two_owners("10.77.0.100", began) == 0


def test_another_interface_of_that_name_is_left_alone_and_its_instance_waits(lab: Lab, monitor: AddressMonitor):
    lab["one"].ip("link add vrrp.51 type bridge")
    one = OursVmac(lab["one"], IPV4)
    other = {**one.config()["instances"][0], "name": "VI_2", "vrid": 52, "addresses": ["10.77.0.102/24"]}
    one.sections = {"instances": [one.config()["instances"][0], other]}
    one.start()
    monitor.wait_for_owner("10.77.0.102", lab["one"])
    assert one.instance_status()["state"] == "fault"
    reason = "there is no interface vrrp.51 for the virtual MAC address: another interface has this name"
    assert one.instance_status()["reason"] == reason
    lab["one"].ip("link delete vrrp.51")
    monitor.wait_for_owner("10.77.0.100", lab["one"])
    lab["one"].ip("link add taken type bridge")
    one.sections["instances"][1]["virtual_mac"] = {"interface": "taken"}
    one.write_config()
    refused = one.ctl("reload", check=False)
    assert refused.code == 1 and "another interface has this name" in refused.output + refused.errors
    assert set(macvlans(lab["one"])) == {"vrrp.51", "vrrp.52"}
    assert monitor.owners("10.77.0.102") == ["one"] and "taken" in links(lab["one"])


def test_a_macvlan_that_somebody_removes_is_put_back_without_a_failover(lab: Lab, monitor: AddressMonitor):
    one, two = OursVmac(lab["one"], Instance(priority=110)), OursVmac(lab["two"], Instance(priority=100))
    one.start()
    one.wait_for_state("master")
    two.start()
    lab["one"].ip("link delete vrrp.51")
    monitor.wait_for_owner("10.77.0.100", lab["one"])
    lab["one"].ip("link set vrrp.51 down")
    wait_for("it to be up", lambda: "UP" in macvlans(lab["one"])["vrrp.51"]["flags"])
    holds_for("two is backup", lambda: two.state() == "backup", seconds=0.5)
    assert lab["one"].addresses("vrrp.51") == {"10.77.0.100/24"}
    assert one.instance_status()["alarms"][0]["kind"] == "address-removed"


@BOTH_FAMILIES
def test_the_interface_goes_and_returns_and_its_link_counts(lab: Lab, monitor: AddressMonitor, family: Instance):
    one, two = OursVmac(lab["one"], replace(family, priority=110)), OursVmac(lab["two"], replace(family, priority=100))
    address = family.virtual_address
    one.start()
    one.wait_for_state("master")
    two.start()
    lab["one"].unplug()
    one.wait_for_state("fault")
    monitor.wait_for_owner(address, lab["two"])
    assert macvlans(lab["one"]) == {}
    lab["one"].plug()
    monitor.wait_for_owner(address, lab["one"])
    lab["one"].cut()
    one.wait_for_state("fault")
    lab["one"].mend()
    monitor.wait_for_owner(address, lab["one"])
    assert set(macvlans(lab["one"])) == {"vrrp.51"}


def test_two_capabilities_are_enough_and_a_file_system_that_cannot_be_written_is_one_warning(
    lab: Lab, monitor: AddressMonitor
):
    one = OursVmac(lab["one"], IPV4)
    lab["one"].directory.chmod(0o777)
    one.prefix = [
        "sh", "-c", 'mount -o remount,ro,bind /proc/sys 2>/dev/null || mount --bind -o ro /proc/sys /proc/sys; exec "$@"', "sh",
        "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--bounding-set=-all,+net_admin,+net_raw",
        "--inh-caps=-all,+net_admin,+net_raw", "--ambient-caps=-all,+net_admin,+net_raw",
    ]  # fmt: skip
    one.start()
    one.wait_for_state("master")
    monitor.wait_for_owner("10.77.0.100", lab["one"])
    assert macvlans(lab["one"])["vrrp.51"]["inet6_addr_gen_mode"] == "none"
    assert arp(lab["one"]) == ("1", "1", "2")
    assert one.main.log.count("/proc/sys/net/ipv6/conf/vrrp.51/disable_ipv6: Read-only file system") == 1
    assert one.stop() == 0
    assert macvlans(lab["one"]) == {} and arp(lab["one"]) == ("0", "0", "0")


@pytest.fixture
def systemd(lab: Lab) -> Iterator[Systemd]:
    made = Systemd(lab["one"])
    for target in ("sysinit.target", "basic.target", "shutdown.target"):
        made.unit(target, "[Unit]\nDefaultDependencies=no\n")
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_the_units_sandbox_allows_all_that_it_takes(systemd: Systemd):
    one = OursVmac(systemd.host, Instance(addresses=("10.78.0.100/24",)), {"control": {"socket": "/run/vrrpd/control.sock"}})
    one.write_config()
    text = (SOURCE_DIR / "packaging" / "systemd" / "vrrpd.service").read_text()
    for line, own in (
        ("ConditionPathExists=.*", ""), ("User=.*", "User=nobody"), ("Group=.*", "Group=nogroup"),
        ("ExecStart=.*", f"ExecStart={build_directory()}/vrrpd/vrrpd --config {one.file}"),
        ("Private(Tmp|Devices)=.*", ""), ("ProtectHome=.*", ""),  # where the build may be
    ):  # fmt: skip
        text = re.sub(f"^{line}$", own, text, flags=re.MULTILINE)
    systemd.unit("vrrpd.service", text)
    systemd.systemctl("daemon-reload")
    inside = [*systemd.prefix, "--net"]
    run(*inside, "sh", "-c", "ip link add eth0 type veth peer name p && ip link set p up && ip link set eth0 up"
        " && ip address add 10.78.0.1/24 dev eth0")  # fmt: skip
    systemd.systemctl("start", "vrrpd.service")
    wait_for("the address", lambda: "10.78.0.100" in run(*inside, "ip", "address", "show", "vrrp.51"))
    assert run(*inside, "sysctl", "-n", "net.ipv6.conf.vrrp/51.disable_ipv6").strip() == "1"
    assert run(*inside, "sysctl", "-n", "net.ipv4.conf.eth0.arp_ignore").strip() == "1"
    systemd.systemctl("stop", "vrrpd.service")
    assert "vrrp.51" not in run(*inside, "ip", "link")
