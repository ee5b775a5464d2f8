"""Addresses that accept no traffic: what is sent to them is dropped, by ours as by keepalived, while everything that is
needed to find them, and the machine's own addresses, go on."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest
from daemons import Instance, Vrrpd
from keepalived_conf import Ours
from lab import Host, Lab, run, wait_for
from sides import Side, side_by_side
from test_keepalived_keywords import start, text_with

VIP, EXCLUDED = "10.77.0.100", "10.77.0.103"

SECOND = """
vrrp_instance VI_6 {
    interface eth0
    virtual_router_id 53
    no_accept
    virtual_ipaddress {
        fe80::100/64
        fd77::100/64
    }
}
"""

# Takes connections and answers datagrams, on all addresses.
SERVER = """
import socket
options = dict(family=socket.AF_INET6, dualstack_ipv6=True)
taking = socket.create_server(("::", 80), backlog=1000, **options)
answering = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
answering.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
answering.bind(("::", 80))
while True:
    answering.sendto(*answering.recvfrom(9))
"""
# ADDRESS [SOURCE]
CONNECT = """
import socket, sys
socket.create_connection((sys.argv[1], 80), 1, (sys.argv[2], 0) if sys.argv[2:] else None)
"""
# ADDRESS: a datagram every two milliseconds until it is told to stop; then prints how many were answered.
ASK = """
import select, signal, socket, sys
going = True
def stop(*_):
    global going
    going = False
signal.signal(signal.SIGTERM, stop)
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
answers = asked = 0
while going:
    asking.sendto(b"x", (sys.argv[1], 80))
    asked += 1
    if select.select([asking], [], [], 0.002)[0]:
        asking.recv(9)
        answers += 1
    if asked == 1:
        print("asking", flush=True)
print(answers, "of", asked, flush=True)
"""


def connects(client: Host, address: str, *source: str) -> bool:
    target = f"{address}%eth0" if address.startswith("fe80") else address
    return client.run("/usr/bin/python3", "-c", CONNECT, target, *source, check=False) == ""


def listen(host: Host) -> None:
    host.start("server", "/usr/bin/python3", "-c", SERVER)
    wait_for("the server", lambda: ":80 " in host.run("ss", "-lun"))


def knows(client: Host, address: str) -> bool:
    """Whether the client has found out the hardware address."""
    found = json.loads(run("ip", "-n", client.namespace, "-json", "neigh", "show", "to", address) or "[]")
    return any("lladdr" in entry for entry in found)


def tables(host: Host) -> str:
    return host.run("nft", "list", "ruleset")


def test_what_is_sent_to_an_address_that_does_not_accept_is_dropped_on_both():
    lines = f"no_accept\n virtual_ipaddress_excluded {{\n {EXCLUDED}/24\n }}"
    with side_by_side(text_with(lines) + SECOND) as (theirs, ours):
        for side in (theirs, ours):
            listen(side.host)
            listen(side.lab["two"])
        start(theirs, ours)
        for side in (theirs, ours):
            client = side.lab["two"]
            for address in (VIP, EXCLUDED, "fd77::100", "fe80::100"):
                wait_for(lambda: f"{address} to be there", lambda: address in str(side.host.addresses()))
                assert not connects(client, address), (side.runner.kind, address)
                assert knows(client, address), (side.runner.kind, address)
            # What the machine itself sends from there goes nowhere, either.
            assert connects(side.host, client.ipv4, side.host.ipv4)
            assert not connects(side.host, client.ipv4, VIP)
            for own in (side.host.ipv4, side.host.ipv6):
                assert connects(client, own), (side.runner.kind, own)
            assert side.runner.stop() == 0
            if side is ours:  # theirs leaves empty ones now and then
                assert tables(side.host) == ""


@pytest.mark.parametrize("lines", ["accept", "no_accept\n accept", "no_accept\n priority 255"])
def test_an_address_that_accepts_answers_on_both(lines: str):
    with side_by_side(text_with(lines)) as (theirs, ours):
        for side in (theirs, ours):
            listen(side.host)
        start(theirs, ours)
        for side in (theirs, ours):
            assert connects(side.lab["two"], VIP), side.runner.kind
            assert tables(side.host) == ""


def test_accepting_or_not_follows_a_reload(lab: Lab):
    ours = Side(lab, Ours(lab["one"], text_with()), None)
    listen(ours.host)
    ours.runner.start()
    ours.runner.wait_for_state("master")
    client, file = lab["two"], ours.runner.file
    assert connects(client, VIP)
    ours.runner.main.wait_for_log("runs 1 virtual routers")

    def reload(text: str, times: int) -> None:
        file.write_text(text)
        ours.runner.main.signal(signal.SIGHUP)
        wait_for("the reload", lambda: ours.runner.main.log.count("Reload complete") == times)

    reload(text_with("no_accept"), 1)
    assert not connects(client, VIP)
    reload(text_with(f"no_accept\n virtual_ipaddress_excluded {{\n {EXCLUDED}/24\n }}"), 2)
    assert not connects(client, EXCLUDED)
    reload(text_with(), 3)
    assert connects(client, VIP)
    assert tables(ours.host) == ""


def test_the_filter_outlives_an_engine_and_a_flush_and_ends_with_the_daemon(lab: Lab):
    host, client = lab["one"], lab["two"]
    listen(host)
    one = Vrrpd(host, Instance(addresses=(f"{VIP}/24",)), instance_keys={"accept": False})
    one.start()
    one.wait_for_state("master")
    assert not connects(client, VIP)
    host.run("nft", "flush", "ruleset")
    assert not connects(client, VIP)

    # Asked all the time; a filter that is away for a moment would let one through.
    asking = [client.start("asking", "/usr/bin/python3", "-c", ASK, address) for address in (VIP, host.ipv4)]
    for process in asking:
        process.wait_for_log("asking")
    engine = one.engine()
    os.kill(engine, signal.SIGKILL)
    wait_for("another engine", lambda: one.engine() not in (0, engine))
    wait_for("an answer of the new one", lambda: one.ctl("status", check=False).code in (0, 1))
    for process, answered in zip(asking, ("0", r"[1-9]\d*")):
        assert process.stop() == 0
        assert re.search(rf"\n{answered} of \d+", process.log), process.log
    assert not connects(client, VIP)

    one.kill()  # guard and engine at once
    wait_for("the table to go", lambda: tables(host) == "")


def test_a_daemon_without_such_addresses_makes_no_table_and_two_of_them_do_not_meet(lab: Lab):
    host, client = lab["one"], lab["two"]
    listen(host)
    plain = Vrrpd(host, Instance(addresses=(f"{VIP}/24",)))
    plain.start()
    plain.wait_for_state("master")
    assert tables(host) == ""
    plain.instance_keys["accept"] = False
    plain.write_config()
    plain.ctl("reload")
    other = Vrrpd(host, Instance(vrid=52, addresses=("10.77.0.101/24",), name="VI_OTHER"), instance_keys={"accept": False})
    other.file, other.socket = host.directory / "other.yaml", host.directory / "other.sock"
    other.start()
    other.wait_for_state("master")
    assert tables(host).count("table inet vrrpd_") == 2
    assert other.stop() == 0
    assert not connects(client, VIP)
    assert plain.stop() == 0
    assert tables(host) == ""
