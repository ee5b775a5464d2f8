"""Two machines that are not configured alike, the other one being keepalived where it can: each difference is an alarm with both
values, said once, shown for as long as it lasts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from daemons import Daemon, Instance, Keepalived, Vrrpd
from lab import Lab, holds_for, wait_for

US, PEER = "10.77.0.1", "10.77.0.2"
VIP, SECOND, OTHER = "10.77.0.100/24", "10.77.0.101/24", "10.77.0.200/24"
V2 = Instance(version=2, interval=1)


@dataclass(frozen=True)
class Difference:
    kind: str
    values: tuple[str, str]  # ours and theirs, as the alarm says them
    ours: Instance
    theirs: Instance
    keys: dict = field(default_factory=dict)  # more of our configuration
    peer: type[Daemon] = Keepalived


DIFFERENCES = {
    "version": Difference("version-mismatch", ("3", "2"), Instance(), V2),
    "interval-v2": Difference("interval-mismatch", ("1s", "2s"), V2, Instance(version=2, interval=2)),
    "interval-v3": Difference(
        "interval-mismatch", ("100ms", "200ms"), Instance(), Instance(interval=0.2, priority=200)
    ),
    "password": Difference(
        "password-mismatch", ("a password", "another one"),
        Instance(version=2, interval=1, password="one"), Instance(version=2, interval=1, password="two"),
    ),
    "no-password": Difference(
        "password-mismatch", ("a password", "no password"), Instance(version=2, interval=1, password="one"), V2
    ),
    "address-list": Difference(
        "address-list-mismatch", ("10.77.0.100, 10.77.0.101", "10.77.0.100"), Instance(addresses=(VIP, SECOND)),
        Instance(priority=200),
    ),
    "checksum": Difference(
        "checksum-form-mismatch", ("message-only", "pseudo-header"), Instance(), Instance(priority=200),
        {"checksum": "message-only"},
    ),
    "unicast-heard": Difference("mode-mismatch", ("224.0.0.18", US), Instance(), Instance(unicast_peers=(US,))),
    "multicast-heard": Difference(
        "mode-mismatch", ("unicast", "224.0.0.18"), Instance(unicast_peers=(PEER,)), Instance()
    ),
    "duplicate-owner": Difference(
        "duplicate-owner", ("priority 255", "priority 255"), Instance(priority=255), Instance(priority=255),
        # keepalived makes itself 254 as soon as it hears another owner, and so never shows us one.
        peer=Vrrpd,
    ),
    "foreign-router": Difference(
        "foreign-router", ("10.77.0.100", "10.77.0.200"), Instance(), Instance(addresses=(OTHER,), priority=200)
    ),
}


def pair(lab: Lab, difference: Difference) -> tuple[Vrrpd, Daemon]:
    ours = Vrrpd(lab["one"], difference.ours, instance_keys=difference.keys)
    theirs = difference.peer(lab["two"], difference.theirs)
    ours.start()
    theirs.start()
    return ours, theirs


def alarms(daemon: Vrrpd) -> list[tuple[str, str, str, str]]:
    return [(a["kind"], a["peer"], a["ours"], a["theirs"]) for a in daemon.instance_status()["alarms"]]


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_an_alarm_with_both_values_for_as_long_as_it_lasts(lab: Lab, name: str):
    difference = DIFFERENCES[name]
    ours, theirs = pair(lab, difference)
    expected = (difference.kind, PEER, *difference.values)
    wait_for(lambda: f"{expected}; there is {alarms(ours)}", lambda: alarms(ours) == [expected], 15)
    text = ours.ctl("status", check=False).output
    assert difference.kind in text and PEER in text
    holds_for("the alarm lasts", lambda: alarms(ours) == [expected], 2)
    line = f"(VI_MAIN) {difference.kind} with {PEER}: ours {difference.values[0]}, theirs {difference.values[1]}"
    assert ours.main.log.count(line) == 1
    assert ours.main.log.count("mismatch with") <= 1

    theirs.stop()
    wait_for(lambda: f"the end of {alarms(ours)}", lambda: alarms(ours) == [], 15, every=0.2)
    assert difference.kind not in ours.ctl("status", check=False).output


def test_a_foreign_router_with_a_better_priority_does_not_take_our_address_from_us(lab: Lab):
    ours, theirs = pair(lab, DIFFERENCES["foreign-router"])
    ours.wait_for_state("master")
    theirs.wait_for_state("master")
    holds_for("both serve their own addresses",
              lambda: VIP in lab["one"].addresses() and ours.state() == "master", 1)  # fmt: skip
    assert OTHER in lab["two"].addresses()
    assert ours.instance_status()["statistics"]["master-transitions"] == 1


def test_two_alike_have_no_alarm(lab: Lab):
    ours, theirs = pair(lab, Difference("", ("", ""), Instance(), Instance(priority=200)))
    theirs.wait_for_state("master")
    wait_for("ours to hear it", lambda: ours.instance_status()["last-adv-source"] == PEER)
    holds_for("no alarm", lambda: alarms(ours) == [], 1)
    assert "mismatch" not in ours.main.log
