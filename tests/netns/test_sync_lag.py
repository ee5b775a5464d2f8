"""What gluster-sync reports about the age of a team's files: a standby whose copy is too old does not take over, and a
master stays where the data are."""

from __future__ import annotations

import json
import socket

from daemons import Instance, Keepalived, Vrrpd
from lab import Lab, holds_for, wait_for
from observe import AddressMonitor
from test_checks import track

VIP = "10.77.0.100"


def tracking(lab: Lab) -> Vrrpd:
    sync = {"sync": "devops", "demote": 40, "max_lag": "10m"}
    return Vrrpd(lab["one"], Instance(priority=110), instance_keys={"track": [sync]})


def report(daemon: Vrrpd, lag_s: int, team: str = "devops") -> dict:
    """As gluster-sync does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(daemon.socket))
        connection.sendall(json.dumps({"command": "sync", "team": team, "lag-ms": lag_s * 1000}).encode() + b"\n")
        return json.loads(connection.makefile().readline())


def test_a_standby_takes_over_when_its_copy_is_fresh_and_as_master_stays_with_the_data(lab: Lab, monitor: AddressMonitor):
    two = Keepalived(lab["two"], Instance(priority=100))
    two.start()
    monitor.wait_for_owner(VIP, lab["two"])
    one = tracking(lab)
    one.start()
    assert track(one) == {
        "name": "sync devops", "demotion": 40, "reason": "gluster-sync does not say how old the copy is"
    }
    assert report(one, 650) == {"ok": True, "tracked": True}
    assert "less 40 for sync devops (the copy is 650 s old, more than 600 s)" in one.ctl("explain").output
    holds_for("keepalived keeps it", lambda: monitor.owners(VIP) == ["two"], seconds=0.8)

    report(one, 245)
    monitor.wait_for_owner(VIP, lab["one"])
    report(one, 3600)
    assert track(one)["demotion"] == 0
    assert track(one)["reason"] == "the copy is 3600 s old, more than 600 s, which counts only while not master"
    holds_for("it keeps it", lambda: monitor.owners(VIP) == ["one"], seconds=0.8)

    lab["one"].cut()  # and is a standby again
    monitor.wait_for_owner(VIP, lab["two"])
    lab["one"].mend()
    wait_for("the demotion", lambda: one.instance_status()["effective-priority"] == 70)
    holds_for("keepalived keeps it", lambda: monitor.owners(VIP)[-1:] == ["two"], seconds=0.8)
    assert monitor.longest_with_two_owners(VIP) < 0.1


def test_thirty_seconds_without_a_report_say_nothing_good(lab: Lab):
    two = Keepalived(lab["two"], Instance(priority=200))
    two.start()
    two.wait_for_state("master")
    one = tracking(lab)
    one.start()
    assert report(one, 1, team="unknown") == {"ok": True, "tracked": False}
    report(one, 1)
    assert one.instance_status()["effective-priority"] == 110
    holds_for("it is believed", lambda: one.instance_status()["effective-priority"] == 110, seconds=28, every=1)
    wait_for("it to be forgotten", lambda: one.instance_status()["effective-priority"] == 70)
    assert "(VI_MAIN) sync devops: gluster-sync does not say how old the copy is" in one.main.log
