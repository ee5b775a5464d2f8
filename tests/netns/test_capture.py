"""The flight recorder: what tcpdump and tshark see in it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from capture import Capture
from daemons import Instance, Vrrpd, build_directory
from forge import frame, inject, message
from lab import Lab, wait_for
from observe import AddressMonitor

VIP = "10.77.0.100"


@pytest.fixture
def two(lab: Lab, monitor: AddressMonitor) -> Vrrpd:
    """A backup that was told something impossible, became master when the other one left, and has both address
    families."""
    one = Vrrpd(lab["one"], Instance(priority=110))
    two = Vrrpd(lab["two"], Instance(priority=100))
    one.start()
    monitor.wait_for_owner(VIP, lab["one"])
    two.start()
    wait_for("something heard", lambda: two.instance_status()["statistics"]["advertisement-rcvd"] > 3)
    source = lab["client"].ipv4
    inject(lab["client"], frame(message((VIP,), source), source, ttl=7))
    wait_for("the forged one", lambda: two.status()["statistics"]["ip-ttl-errors"] == 1)
    one.stop()
    monitor.wait_for_owner(VIP, lab["two"])
    wait_for("some advertisements", lambda: two.instance_status()["statistics"]["advertisement-sent"] > 3)
    return two


def recorded(daemon: Vrrpd) -> Path:
    file = daemon.host.directory / "flight.pcapng"
    daemon.ctl("capture", "--write", str(file))
    return file


def tshark(file: Path, *words: str) -> list[str]:
    done = subprocess.run(["tshark", "-n", "-o", "ip.check_checksum:TRUE", "-r", str(file), *words], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def fields(file: Path, which: str, *names: str) -> list[list[str]]:
    arguments = [word for name in names for word in ("-e", name)]
    return [line.split("\t") for line in tshark(file, "-Y", which, "-T", "fields", *arguments)]


def test_received_sent_and_dropped_packets_are_there_with_what_became_of_them(two: Vrrpd):
    file = recorded(two)
    rows = fields(file, "vrrp", "ip.src", "vrrp.prio", "frame.comment", "sll.pkttype", "frame.interface_name")
    assert ["10.77.0.1", "110", "VI_MAIN: accepted", "0", "eth0"] in rows
    assert ["10.77.0.1", "0", "VI_MAIN: accepted", "0", "eth0"] in rows
    assert ["10.77.0.3", "254", "VI_MAIN: dropped, ip-ttl-errors", "0", "eth0"] in rows
    assert ["10.77.0.2", "100", "sent", "4", "eth0"] in rows
    arp = fields(file, "arp", "arp.src.hw_mac", "arp.src.proto_ipv4", "frame.comment")
    assert [two.mac(), VIP, "sent"] in arp
    assert fields(file, "vrrp && (ip.checksum.status == 0 || _ws.malformed)", "ip.src") == []


def test_what_was_sent_is_what_was_on_the_wire(two: Vrrpd):
    capture = Capture(two.host.lab)
    wait_for("advertisements on the wire", lambda: len(capture.adverts(two.mac())) > 3, every=0.2)
    on_the_wire = capture.rows(f"vrrp && eth.src == {two.mac()}", "ip.dsfield", "ip.ttl", "ip.flags", "ip.len", "vrrp.checksum")
    in_the_recorder = fields(
        recorded(two), "vrrp && sll.pkttype == 4", "ip.dsfield", "ip.ttl", "ip.flags", "ip.len", "vrrp.checksum"
    )
    assert list(on_the_wire[-1].values()) == in_the_recorder[-1]


def test_decisions_stand_between_the_packets_that_led_to_them(two: Vrrpd):
    rows = tshark(recorded(two), "-T", "fields", "-E", "separator=|", "-e", "vrrp.prio", "-e", "ip.src", "-e", "systemd_journal.message")
    release = rows.index("0|10.77.0.1|")
    decision = rows.index("||(VI_MAIN) master, priority 100 of 100: the master has let go")
    first = rows.index("100|10.77.0.2|")
    assert release < decision and release < first
    assert rows[0].endswith("|vrrpd 0.1.0 starts")


def test_tcpdump_reads_it(two: Vrrpd):
    done = subprocess.run(
        ["tcpdump", "-n", "-r", str(recorded(two)), "proto 112"], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert "VRRPv3, Advertisement, vrid 51, prio 110" in done.stdout


def test_ipv6_has_its_headers_and_its_announcements(lab: Lab, monitor: AddressMonitor):
    addresses = ("fe80::5100/64", "fd77::100/64")
    one = Vrrpd(lab["one"], Instance(priority=110, addresses=addresses))
    two = Vrrpd(lab["two"], Instance(priority=100, addresses=addresses))
    one.start()
    monitor.wait_for_owner("fd77::100", lab["one"])
    two.start()
    wait_for("something heard", lambda: two.instance_status()["statistics"]["advertisement-rcvd"] > 3)
    heard = fields(recorded(two), "vrrp", "ipv6.src", "ipv6.dst", "ipv6.hlim", "vrrp.prio", "frame.comment")
    assert heard[-1] == [lab["one"].link_local(), "ff02::12", "255", "110", "VI_MAIN: accepted"]
    sent = fields(recorded(one), "icmpv6.type == 136", "icmpv6.nd.na.target_address", "frame.comment")
    assert {("fd77::100", "sent"), ("fe80::5100", "sent")} <= {tuple(row) for row in sent}
    assert fields(recorded(one), "_ws.malformed", "frame.number") == []


def test_a_stream_can_be_watched(two: Vrrpd):
    ctl = build_directory() / "vrrpd" / "vrrpctl"
    watcher = two.host.start(
        "watcher", "sh", "-c", f"{ctl} --socket {two.socket} capture --follow | tshark -n -l -i - -T fields -e vrrp.prio -e systemd_journal.message"
    )
    watcher.wait_for_log("the master has let go")
    two.ctl("drain", check=False)
    watcher.wait_for_log("priority 1 of 100")
    wait_for("priority 1", lambda: "\n1\t\n" in watcher.log)


def test_an_engine_s_death_leaves_the_recorder_whole(two: Vrrpd):
    engine = two.engine()
    os.kill(engine, signal.SIGKILL)
    wait_for("another engine", lambda: two.engine() not in (0, engine) and two.ctl("status", check=False).code < 2)
    rows = [row[0] for row in fields(recorded(two), "frame", "systemd_journal.message")]
    assert "an engine process has died; another one goes on" in rows
    assert "(VI_MAIN) master, priority 100 of 100: the master has let go" in rows


def test_a_capture_is_not_printed_on_a_terminal_and_not_into_nowhere(two: Vrrpd):
    ctl = build_directory() / "vrrpd" / "vrrpctl"
    done = subprocess.run(
        ["script", "-qec", f"{ctl} --socket {two.socket} capture", "/dev/null"], capture_output=True, text=True, timeout=10
    )
    assert done.returncode == 2
    assert "a capture is no text" in done.stdout
    answer = two.ctl("capture", "--write", "/nonexistent/file", check=False)
    assert answer.code == 1 and "No such file" in answer.errors
    answer = two.ctl("capture", "--write", "/dev/full", check=False)
    assert answer.code == 1 and "No space left on device" in answer.errors
