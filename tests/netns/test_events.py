"""What the daemon remembers for its operator: events with their reasons, also over the death of an engine, and drains."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from dataclasses import replace

import pytest
from capture import Capture
from daemons import SOURCE_DIR, Instance, Keepalived, Vrrpd, build_directory
from lab import Lab, holds_for, wait_for
from observe import AddressMonitor
from pair import Pair

VIP = "10.77.0.100"
# Of any takeover: from the new master's advertisement to its address. One that had to wait for a skew time at an interval
# of 0.5 s would take 0.3 s.
SHORT = 0.1


def events(daemon: Vrrpd, *words: str) -> list[dict]:
    return [json.loads(line) for line in daemon.ctl("events", "--json", *words).output.splitlines()]


@pytest.fixture
def demoted(lab: Lab, monitor: AddressMonitor) -> Vrrpd:
    """A master that has lost a link it tracks."""
    lab["one"].add_interface("eth1", "10.78.0")
    daemon = Vrrpd(
        lab["one"], Instance(priority=110), instance_keys={"track": [{"interface": "eth1", "demote": 30}]}
    )
    daemon.start()
    monitor.wait_for_owner(VIP, lab["one"])
    lab["one"].ip("link set eth1 down")
    wait_for("the demotion", lambda: daemon.instance_status()["effective-priority"] == 80)
    return daemon


def test_each_change_is_told_with_its_reason_and_the_arithmetic_of_that_moment(demoted: Vrrpd):
    told = events(demoted)
    assert [event["number"] for event in told] == sorted({event["number"] for event in told})
    last = told[-1]
    assert (last["kind"], last["instance"], last["state"]) == ("priority", "VI_MAIN", "master")
    assert (last["priority"], last["effective-priority"]) == (110, 80)
    assert last["demotions"] == [{"name": "interface eth1", "demotion": 30, "reason": "down or missing"}]
    lines = demoted.ctl("events").output.splitlines()
    assert lines[-1].endswith("VI_MAIN priority 80 = 110 - 30 (interface eth1: down or missing), master")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z VI_MAIN master, priority 110: no advertisement was heard from anybody",
        lines[-2],
    )


def test_since_leaves_out_what_was_before(demoted: Vrrpd):
    everything = events(demoted)
    assert events(demoted, "--since", "1h") == everything
    assert events(demoted, "--since", everything[-1]["time"]) == everything[-1:]
    assert events(demoted, "--since", "2999-01-01") == []
    refused = demoted.ctl("events", "--since", "yesterday", check=False)
    assert refused.code == 2 and "'yesterday' is neither a span such as 90s" in refused.errors


def test_follow_goes_on_over_the_death_of_an_engine_and_a_restart(demoted: Vrrpd):
    follower = demoted.host.start(
        "follower", build_directory() / "vrrpd" / "vrrpctl", "--socket", demoted.socket, "events", "--follow"
    )
    follower.wait_for_log("VI_MAIN priority 80 = 110 - 30")
    demoted.host.ip("link set eth1 up")
    follower.wait_for_log("VI_MAIN priority 110, master")
    before = follower.log.splitlines()
    os.kill(demoted.engine(), signal.SIGKILL)
    follower.wait_for_log("an engine process has died; another one goes on")
    follower.wait_for_log("VI_MAIN master, priority 110: succeeded an engine process that has died")
    assert follower.log.splitlines()[: len(before)] == before, "the successor knows what its predecessor told"
    assert len(events(demoted)) == len(follower.log.splitlines())
    assert len(set(follower.log.splitlines())) == len(follower.log.splitlines()), "and nothing is told twice"
    demoted.stop()
    demoted.start()
    wait_for("the new daemon's beginning", lambda: follower.log.count(" start: vrrpd ") == 2)
    assert follower.running()


def test_a_drain_hands_over_without_a_gap_and_outlives_reload_death_and_restart(pair: Pair):
    pair.change(interval=0.5).start()
    one, two = pair.one, pair.two
    answer = one.ctl("drain")
    assert "VI_MAIN is backup; last heard: 10.77.0.2" in answer.output
    pair.monitor.wait_for_owner(VIP, two.host)
    assert pair.monitor.longest_with_none(VIP) < SHORT
    status = one.status()
    assert status["drained"]["saved"] is True
    track = status["instances"][0]["tracks"][-1]
    assert (track["name"], track["demotion"]) == ("drain", 254)
    assert status["instances"][0]["effective-priority"] == 1

    def stays_away() -> bool:
        return pair.monitor.owners(VIP) == ["two"] and one.instance_status()["effective-priority"] == 1

    one.instance = replace(one.instance, priority=120)
    one.write_config()
    one.ctl("reload")
    assert stays_away()
    assert 120 not in [event.get("effective-priority") for event in events(one)], "not even for a moment"
    engine = one.engine()
    os.kill(engine, signal.SIGKILL)
    wait_for("another engine", lambda: one.engine() not in (0, engine) and one.ctl("status", check=False).code < 2)
    holds_for("the drain outlives an engine", stays_away, seconds=2 * one.instance.master_down_interval)
    assert one.stop() == 0
    one.start()
    holds_for("the drain outlives a restart", stays_away, seconds=2 * one.instance.master_down_interval)
    assert "Drained since " in one.ctl("status").output
    assert "254 for drain (by the operator since " in one.ctl("explain").output

    assert one.ctl("undrain").code == 0
    pair.monitor.wait_for_owner(VIP, one.host)
    assert pair.monitor.longest_with_none(VIP) < SHORT
    assert "drained" not in one.status()
    one.stop()
    one.start()
    pair.monitor.wait_for_owner(VIP, one.host)


def test_a_drain_hands_over_to_keepalived_without_a_gap(lab: Lab, monitor: AddressMonitor):
    theirs = Keepalived(lab["two"], Instance(priority=90, interval=0.5))
    ours = Vrrpd(lab["one"], Instance(priority=110, interval=0.5))
    ours.start()
    monitor.wait_for_owner(VIP, lab["one"])
    theirs.start()
    assert ours.ctl("drain").code == 0
    monitor.wait_for_owner(VIP, lab["two"])
    assert monitor.longest_with_none(VIP) < SHORT


def test_a_drained_machine_goes_on_serving_where_there_is_no_other(lab: Lab, monitor: AddressMonitor):
    alone = Vrrpd(lab["one"], Instance(priority=110))
    alone.start()
    monitor.wait_for_owner(VIP, lab["one"])
    capture = Capture(lab)
    answer = alone.ctl("drain", check=False)
    assert answer.code == 1
    assert "VI_MAIN is still master, with the lowest priority: nobody takes over" in answer.output
    wait_for("priority 1 on the wire", lambda: capture.adverts(alone.mac())[-1:][0].priority == 1, every=0.2)
    assert len(monitor.stretches(VIP)) == 1


def test_a_drain_that_cannot_be_saved_says_so(lab: Lab, monitor: AddressMonitor):
    daemon = Vrrpd(lab["one"], Instance(priority=255, addresses=("10.77.0.1/24",)))
    (daemon.state_directory).write_text("this is no directory")
    daemon.start()
    answer = daemon.ctl("drain", check=False)
    assert answer.code == 1
    assert "VI_MAIN is still master: it owns its addresses (priority 255)" in answer.output
    assert "a restart would undo it" in answer.errors and "Not a directory" in answer.errors


def test_completion_knows_every_command_and_its_options_and_every_instance(demoted: Vrrpd):
    ctl = build_directory() / "vrrpd" / "vrrpctl"
    script = SOURCE_DIR / "packaging" / "completion" / "vrrpctl"

    def complete(*words: str) -> set[str]:
        quoted = " ".join(f"'{word}'" for word in words)
        done = subprocess.run(
            ["bash", "-c", f"source '{script}'; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
             'COMPREPLY=(); _vrrpctl "$@"; printf "%s\\n" "${COMPREPLY[@]}"', "-", str(ctl)],
            capture_output=True, text=True, timeout=10, check=True,
        )
        return set(done.stdout.split())

    def help_of(*words: str) -> str:
        return subprocess.run([ctl, *words, "--help"], capture_output=True, text=True, check=True).stdout

    named = set(re.findall(r"^  ([a-z-]+) ", help_of().partition("Subcommands:")[2].partition("\n\n")[0], re.M))
    assert {word for word in complete("vrrpctl", "") if not word.startswith("-")} == named
    assert complete("vrrpctl", "unk") == set()
    assert complete("vrrpctl", "und") == {"undrain"}
    assert complete("vrrpctl", "--socket", str(demoted.socket), "explain", "") >= {"VI_MAIN"}
    for command in named - {"convert"}:  # which takes a file
        options = set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", help_of(command), re.M))
        asks_nobody = command in ("generate", "haproxy-config")
        assert complete("vrrpctl", command, "--") == options | (set() if asks_nobody else {"--socket"}), command
