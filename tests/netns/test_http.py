"""The HTTP interface of a running daemon, and those who would misuse it."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from capture import Capture
from daemons import Instance, Vrrpd
from lab import Lab, wait_for
from observe import AddressMonitor

VIP = "10.77.0.100"
PORT = 9650

ASK = """
import sys, urllib.request
sys.stdout.write(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}{sys.argv[2]}", timeout=5).read().decode())
"""

# Forty who connect and are silent, one who sends a header without an end, garbage, and as many requests as fit into
# three seconds, none of whose answers anybody reads to its end.
HARASS = """
import os, socket, sys, time
def connect():
    one = socket.socket()
    one.settimeout(0.2)
    one.connect(("127.0.0.1", int(sys.argv[1])))
    return one
silent = [connect() for _ in range(40)]
end = time.monotonic() + 3
count = 0
while time.monotonic() < end:
    try:
        one = connect()
        one.sendall((b"GET /metrics HTTP/1.1\\r\\n\\r\\n", os.urandom(2000), b"GET / HTTP/1.1\\r\\nA: " + b"a" * 20000)[count % 3])
        one.recv(10)
        one.close()
    except OSError:
        pass
    if count % 20 == 0 and silent:
        silent.pop().close()
    count += 1
print(count)
"""


@pytest.fixture
def master(lab: Lab, monitor: AddressMonitor) -> Vrrpd:
    daemon = Vrrpd(lab["one"], Instance(priority=110), sections={"http": {"listen": f"127.0.0.1:{PORT}"}})
    daemon.start()
    monitor.wait_for_owner(VIP, lab["one"])
    return daemon


def ask(daemon: Vrrpd, path: str, port: int = PORT) -> str:
    return daemon.host.run("/usr/bin/python3", "-c", ASK, port, path)


def test_every_document_is_there(master: Vrrpd):
    status = json.loads(ask(master, "/status"))
    assert status["instances"][0]["state"] == "master"
    assert status.keys() == master.status().keys()
    metrics = ask(master, "/metrics")
    assert 'vrrpd_instance_state{instance="VI_MAIN",state="master"} 1\n' in metrics
    fired = re.search(r"^vrrpd_loop_lag_seconds_count (\d+)$", metrics, re.M)
    assert fired and int(fired.group(1)) > 0
    assert subprocess.run(["promtool", "check", "metrics"], input=metrics, text=True, check=False).returncode == 0
    assert ask(master, "/healthz") == "ok\n"
    assert ask(master, "/").startswith("<!doctype html>")


def test_a_reload_moves_it_and_turns_it_off(master: Vrrpd):
    master.sections = {"http": {"listen": "127.0.0.1:9651"}}
    master.write_config()
    master.ctl("reload")
    assert ask(master, "/healthz", 9651) == "ok\n"
    assert "Connection refused" in master.host.run("/usr/bin/python3", "-c", ASK, PORT, "/healthz", check=False)
    master.sections = {"http": "off"}
    master.write_config()
    master.ctl("reload")
    assert "Connection refused" in master.host.run("/usr/bin/python3", "-c", ASK, 9651, "/healthz", check=False)


def test_a_port_that_is_taken_costs_no_address(lab: Lab, monitor: AddressMonitor):
    taken = lab["one"].start(
        "taken", "/usr/bin/python3", "-uc",
        f"import socket, time; s = socket.create_server(('127.0.0.1', {PORT})); print('ready'); time.sleep(600)",
    )
    taken.wait_for_log("ready")
    daemon = Vrrpd(lab["one"], Instance(), sections={"http": {"listen": f"127.0.0.1:{PORT}"}})
    daemon.start()
    monitor.wait_for_owner(VIP, lab["one"])
    assert daemon.main.log.count(f"cannot listen on 127.0.0.1:{PORT}") == 1
    taken.kill()
    wait_for("the port", lambda: "ok" in daemon.host.run("/usr/bin/python3", "-c", ASK, PORT, "/healthz", check=False))


def test_those_who_misuse_it_delay_no_advertisement(master: Vrrpd):
    capture = Capture(master.host.lab)
    attack = master.host.start("attack", "/usr/bin/python3", "-c", HARASS, PORT)
    assert attack.wait(30) == 0
    assert int(attack.log) > 5
    times = [advert.time for advert in capture.stop().adverts(master.mac())]
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    assert len(times) > 25
    # A backup would wait for three intervals; on a busy machine a test cannot ask for much less than two.
    assert max(gaps) < 2 * master.instance.interval
    wait_for("an answer", lambda: master.host.run("/usr/bin/python3", "-c", ASK, PORT, "/healthz", check=False) == "ok\n")
