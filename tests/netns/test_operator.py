"""What an operator does to a running daemon: reload, ask, stop, start with too little; and what must not harm it."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import replace

import pytest
from capture import Capture
from daemons import Instance, Vrrpd
from lab import Lab, wait_for
from observe import AddressMonitor

VIP = "10.77.0.100"


@pytest.fixture
def master(lab: Lab, monitor: AddressMonitor) -> Vrrpd:
    daemon = Vrrpd(lab["one"], Instance(priority=110))
    daemon.start()
    monitor.wait_for_owner(VIP, lab["one"])
    return daemon


def nobody_would_have_taken_over(capture: Capture, daemon: Vrrpd) -> bool:
    times = [advert.time for advert in capture.stop().adverts(daemon.mac())]
    return max(later - earlier for earlier, later in zip(times, times[1:])) < 3 * daemon.instance.interval


def test_a_broken_file_is_refused_with_all_its_faults_and_changes_nothing(master: Vrrpd):
    capture = Capture(master.host.lab)
    before = master.instance_status()
    good = master.file.read_text()
    master.file.write_text(good.replace('"priority": 110', '"priority": 300').replace('"preempt"', '"premept"'))

    answer = master.ctl("reload", check=False)
    assert answer.code == 1
    said = answer.output + answer.errors
    assert f"{master.file}:" in said and "error: " in said
    assert "300" in said and "1-255" in said  # the value and what is accepted
    assert "premept" in said and "preempt" in said  # the nearest key
    after = master.instance_status()
    same = ("state", "since", "priority", "effective-priority", "addresses")
    assert {key: after[key] for key in same} == {key: before[key] for key in same}

    wait_for("some advertisements", lambda: len(capture.adverts(master.mac())) > 10, every=0.2)
    assert nobody_would_have_taken_over(capture, master)
    master.file.write_text(good)
    assert master.ctl("reload").code == 0


def test_a_reload_adds_and_removes_an_address_without_a_change_of_state(master: Vrrpd, monitor: AddressMonitor):
    capture = Capture(master.host.lab)
    before = master.instance_status()
    both = ("10.77.0.100/24", "10.77.0.101/24")
    master.instance = replace(master.instance, addresses=both)
    master.write_config()
    master.ctl("reload")
    wait_for("the new address", lambda: monitor.owners("10.77.0.101") == ["one"])
    wait_for("the new list on the wire", lambda: len(capture.adverts(master.mac())[-1].addresses) == 2, every=0.2)
    arp = capture.rows("arp.src.proto_ipv4 == 10.77.0.101", "arp.opcode")
    assert arp, "the new address is announced"

    master.instance = replace(master.instance, addresses=both[:1])
    master.write_config()
    master.ctl("reload")
    wait_for("the address to be gone", lambda: monitor.owners("10.77.0.101") == [])
    after = master.instance_status()
    assert (after["state"], after["since"]) == ("master", before["since"])
    assert after["statistics"]["master-transitions"] == 1
    assert len(monitor.stretches(VIP)) == 1
    assert nobody_would_have_taken_over(capture, master)
    assert 0 not in [advert.priority for advert in capture.adverts(master.mac())]


def test_a_clean_stop_says_priority_0_and_leaves_nothing_behind(master: Vrrpd):
    capture = Capture(master.host.lab)
    assert master.stop() == 0
    assert f"{VIP}/24" not in master.host.addresses()
    assert not master.socket.exists()
    wait_for("priority 0", lambda: [a.priority for a in capture.adverts(master.mac())][-1:] == [0], every=0.2)
    assert master.ctl("status", check=False).code == 3


def test_status_and_explain_say_what_is_going_on(master: Vrrpd):
    status = master.status()
    assert status["node"] == "one"
    instance = status["instances"][0]
    expected = {
        "name": "VI_MAIN", "interface": "eth0", "vrid": 51, "version": 3, "state": "master", "priority": 110,
        "effective-priority": 110, "addresses": ["10.77.0.100/24"], "new-master-reason": "no-response", "tracks": [],
        "alarms": [],
    }
    assert {key: instance[key] for key in expected} == expected
    assert instance["statistics"]["advertisement-sent"] >= 1
    assert "VI_MAIN" in master.ctl("status").output
    text = master.ctl("explain").output
    assert "VI_MAIN" in text and "master" in text and "110" in text
    assert master.ctl("explain", "NOBODY", check=False).code == 1
    assert master.ctl("nonsense", check=False).code == 2


def test_nonsense_on_the_control_socket_harms_nobody(master: Vrrpd):
    capture = Capture(master.host.lab)
    nonsense = [
        b"\n", b"garbage\n", b"{}\n", b'{"command": 7}\n', b'{"command": "format-disk"}\n', b"[" * 60_000 + b"\n",
        b"\0" * 1000 + b"\n", os.urandom(5000) + b"\n", b"x" * 1_000_000, b'{"command": "status"',
    ]
    connections = []
    for text in nonsense:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(2)
        connection.connect(str(master.socket))
        connections.append(connection)
        try:
            connection.sendall(text)
        except OSError:
            continue  # it may hang up on too long a line
        if text.endswith(b"\n"):
            answer = connection.makefile().readline()
            assert json.loads(answer)["ok"] is False, text[:40]
    assert master.instance_status()["state"] == "master"
    idle = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(50)]
    for connection in idle:
        connection.connect(str(master.socket))
    for connection in connections + idle:
        connection.close()
    assert master.instance_status()["state"] == "master"
    wait_for("some advertisements", lambda: len(capture.adverts(master.mac())) > 5, every=0.2)
    assert nobody_would_have_taken_over(capture, master)


@pytest.mark.parametrize("capability", ["net_admin", "net_raw"])
def test_a_missing_capability_is_named(lab: Lab, capability: str):
    daemon = Vrrpd(lab["one"], Instance())
    daemon.prefix = ["setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}"]
    daemon.start(wait=False)
    assert daemon.main.wait() == 1
    other = {"net_admin": "CAP_NET_RAW", "net_raw": "CAP_NET_ADMIN"}[capability]
    assert f"CAP_{capability.upper()}" in daemon.main.log
    assert other not in daemon.main.log


def test_without_any_capability_both_are_named(lab: Lab):
    daemon = Vrrpd(lab["one"], Instance())
    daemon.prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    daemon.start(wait=False)
    assert daemon.main.wait() == 1
    assert "CAP_NET_ADMIN" in daemon.main.log and "CAP_NET_RAW" in daemon.main.log


@pytest.mark.parametrize("address", ["10.77.0.100/24", "fd77::100/64"], ids=["ipv4", "ipv6"])
def test_two_capabilities_are_enough(lab: Lab, monitor: AddressMonitor, address: str):
    addresses = (address,) if "." in address else ("fe80::77:100/64", address)
    daemon = Vrrpd(lab["one"], Instance(addresses=addresses))
    os.chmod(lab["one"].directory, 0o777)  # its control socket lies there
    daemon.prefix = [
        "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--bounding-set=-all,+net_admin,+net_raw",
        "--inh-caps=-all,+net_admin,+net_raw", "--ambient-caps=-all,+net_admin,+net_raw",
    ]
    daemon.start()
    virtual = daemon.instance.virtual_address
    monitor.wait_for_owner(virtual, lab["one"])
    assert daemon.stop() == 0
    wait_for("the address to be gone", lambda: monitor.owners(virtual) == [])


def test_a_second_daemon_on_the_same_control_socket_does_not_start(master: Vrrpd):
    second = Vrrpd(master.host, replace(master.instance, vrid=52, addresses=("10.77.0.102/24",)))
    second.start(wait=False)
    assert second.main.wait() == 1
    assert str(master.socket) in second.main.log
    assert master.instance_status()["state"] == "master"


def test_a_start_with_a_broken_file_shows_every_fault_and_touches_nothing(lab: Lab):
    daemon = Vrrpd(lab["one"], replace(Instance(), addresses=("10.77.0.100/99",)), instance_keys={"vrid": 256})
    daemon.start(wait=False)
    assert daemon.main.wait() == 1
    lines = [line for line in daemon.main.log.splitlines() if ": error: " in line]
    assert len(lines) == 2
    assert all(line.startswith(f"{daemon.file}:") for line in lines)
    assert lab["one"].addresses() >= {f"{lab['one'].ipv4}/24"}


def test_a_daemon_without_its_address_waits_for_it_and_says_so(lab: Lab, monitor: AddressMonitor):
    lab["one"].ip("address delete 10.77.0.1/24 dev eth0")
    daemon = Vrrpd(lab["one"], Instance())
    daemon.start()
    begin = time.time()
    wait_for("fault or initialize", lambda: daemon.instance_status()["state"] in ("fault", "initialize"))
    lab["one"].ip("address add 10.77.0.1/24 dev eth0")
    assert monitor.wait_for_owner(VIP, lab["one"]) > begin
