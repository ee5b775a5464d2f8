"""Checks of each kind, against what they really watch, move the address between vrrpd and keepalived; and one that cannot
be made, or hangs, is a failure that everybody sees and nobody suffers from."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Callable

import pytest
from capture import Capture
from daemons import Instance, Keepalived, Vrrpd
from lab import Freezer, Host, Lab, holds_for, run, wait_for
from observe import AddressMonitor

VIP = "10.77.0.100"
FAST = {"interval": "100ms", "fall": 1, "rise": 1}


def script(host: Host, name: str, *lines: str) -> Path:
    file = host.directory / name
    file.write_text("\n".join(("#!/bin/sh", *lines)) + "\n")
    file.chmod(0o755)
    return file


class Subject:
    """Something a check watches: its configuration, and how to break and to mend it."""

    def __init__(self, check: dict, break_it: Callable[[], object], mend: Callable[[], object]):
        self.check, self.break_it, self.mend = check, break_it, mend


def watched_script(host: Host) -> Subject:
    flag = host.directory / "well"
    flag.touch()
    file = script(host, "check.sh", f"test -e {flag}")
    return Subject({"script": [str(file)], **FAST}, flag.unlink, flag.touch)


def watched_process(host: Host) -> Subject:
    program = host.directory / f"agent-{secrets.token_hex(6)}"  # 18 bytes: the kernel knows 15 of them
    shutil.copy("/bin/sleep", program)
    running = [host.start("agent", program, 600)]
    # Its end is noticed long before the next look.
    check = {"process": program.name, "interval": "1s", "fall": 1, "rise": 1}
    return Subject(check, lambda: running[-1].kill(), lambda: running.append(host.start("agent", program, 600)))


def http_server(host: Host) -> list:
    folder = host.directory / "www"
    folder.mkdir()
    (folder / "health").write_text("well\n")
    command = (sys.executable, "-m", "http.server", 8099, "--bind", "127.0.0.1", "--directory", folder)
    return [folder, command, host.start("http", *command)]


def watched_port(host: Host) -> Subject:
    server = http_server(host)
    return Subject(
        {"tcp": "127.0.0.1:8099", **FAST}, lambda: server[2].kill(), lambda: host.start("http", *server[1])
    )


def watched_page(host: Host) -> Subject:
    page = http_server(host)[0] / "health"
    check = {"http": "http://127.0.0.1:8099/health", "expect": 200, "timeout": "2s", **FAST}
    return Subject(check, page.unlink, page.touch)


def watched_file(host: Host) -> Subject:
    file = host.directory / "maintenance"
    return Subject({"file": str(file), "present": "unhealthy", "interval": "100ms"}, file.touch, file.unlink)


def watched_interface(host: Host) -> Subject:
    host.add_interface("eth1", "10.78.0")
    port = f"{host.name}-eth1"
    return Subject(
        {"interface": "eth1", "interval": "10s"},  # its state is news, not something to ask for
        lambda: host.lab.switch_ip(f"link set {port} down"),
        lambda: host.lab.switch_ip(f"link set {port} up"),
    )


KINDS = (watched_script, watched_process, watched_port, watched_page, watched_file, watched_interface)


def ours(host: Host, check: dict, effect: dict | None = None) -> Vrrpd:
    return Vrrpd(
        host,
        Instance(priority=110),
        sections={"checks": {"it": check}},
        instance_keys={"track": [{"check": "it", **(effect or {"demote": 20})}]},
    )


def track(daemon: Vrrpd) -> dict:
    return daemon.instance_status()["tracks"][0]


@pytest.mark.parametrize("watched", KINDS, ids=lambda kind: kind.__name__)
def test_what_fails_moves_the_address_to_keepalived_and_brings_it_back(
    watched: Callable[[Host], Subject], lab: Lab, monitor: AddressMonitor
):
    subject = watched(lab["one"])
    one = ours(lab["one"], subject.check)
    one.start()
    assert track(one)["name"] == "check it"
    wait_for("the check to be healthy", lambda: track(one)["demotion"] == 0)
    monitor.wait_for_owner(VIP, lab["one"])
    two = Keepalived(lab["two"], Instance(priority=100))
    two.start()

    unhealthy_before = one.main.log.count("check it is unhealthy: ")  # what is watched may start later than we do
    broken = time.time()
    subject.break_it()
    moved = monitor.wait_for_owner(VIP, lab["two"])
    assert moved - broken < 1.2
    assert track(one)["demotion"] == 20 and one.instance_status()["effective-priority"] == 90
    assert one.main.log.count("check it is unhealthy: ") == unhealthy_before + 1
    assert f"less 20 for check it ({track(one)['reason']})" in one.ctl("explain").output

    subject.mend()
    monitor.wait_for_owner(VIP, lab["one"])
    assert one.main.log.count("check it is healthy: ") == 2  # and at the start
    assert monitor.longest_with_two_owners(VIP) < 0.05


def test_a_check_that_is_worth_a_fault_hands_the_address_over_at_once(lab: Lab, monitor: AddressMonitor):
    subject = watched_file(lab["one"])
    one = ours(lab["one"], subject.check, {"fault": True})
    one.start()
    two = Keepalived(lab["two"], Instance(priority=100))
    two.start()
    monitor.wait_for_owner(VIP, lab["one"])
    subject.break_it()
    monitor.wait_for_owner(VIP, lab["two"])
    one.wait_for_state("fault")
    assert monitor.longest_with_none(VIP) < two.instance.skew_time + 0.1
    assert "kept out of the election by check it" in one.ctl("explain").output
    subject.mend()
    monitor.wait_for_owner(VIP, lab["one"])


def test_a_router_that_a_check_kept_out_from_the_start_hears_the_others_when_it_starts(lab: Lab, monitor: AddressMonitor):
    two = Keepalived(lab["two"], Instance(priority=120))
    two.start()
    monitor.wait_for_owner(VIP, lab["two"])
    subject = watched_file(lab["one"])
    subject.break_it()
    one = ours(lab["one"], subject.check, {"fault": True})
    one.start()
    one.wait_for_state("fault")
    subject.mend()
    one.wait_for_state("backup")
    quiet = 1.5 * one.instance.master_down_interval
    holds_for("one follows two", lambda: one.state() == "backup", seconds=quiet)
    assert one.instance_status()["statistics"]["advertisement-rcvd"] > 0


CANNOT = {
    "no such program": ({"script": ["/nonexistent/check"]}, "No such file or directory"),
    "no such user": ({"script": ["/bin/true"], "user": "nobody-of-this-name"}, "there is no user"),
    "no systemd": ({"unit": "slurmctld.service"}, "systemd does not run here"),
    "nobody listens": ({"tcp": "127.0.0.1:9"}, "Connection refused"),
}


@pytest.mark.parametrize("check, reason", CANNOT.values(), ids=CANNOT.keys())
def test_a_check_that_cannot_be_made_is_a_failure_and_never_healthy(
    check: dict, reason: str, lab: Lab, monitor: AddressMonitor
):
    two = Keepalived(lab["two"], Instance(priority=100))
    two.start()
    monitor.wait_for_owner(VIP, lab["two"])
    one = ours(lab["one"], {**check, "interval": "100ms"})
    one.start()
    wait_for("the reason in the status", lambda: reason in track(one)["reason"])
    assert track(one)["demotion"] == 20
    assert one.main.log.count("check it is unhealthy: ") == 1
    holds_for("keepalived keeps it", lambda: monitor.owners(VIP) == ["two"], seconds=0.8)


def test_a_script_that_others_may_change_is_not_run(lab: Lab):
    trap = lab["one"].directory / "was-run"
    file = script(lab["one"], "check.sh", f"touch {trap}")
    file.chmod(0o777)
    one = ours(lab["one"], {"script": [str(file)], "user": "root", "interval": "100ms"})
    one.start()
    wait_for("the reason in the status", lambda: "is writable by everybody" in track(one)["reason"])
    assert not trap.exists()


def test_a_script_runs_as_nobody_without_what_the_daemon_has(lab: Lab):
    out = lab["one"].directory / "out"
    out.mkdir()
    out.chmod(0o777)
    file = script(lab["one"], "check.sh", f"id -un > {out}/user", f"env > {out}/env", f"ls -l /proc/self/fd > {out}/fd")
    one = ours(lab["one"], {"script": [str(file)], "interval": "100ms", "timeout": "2s"})
    one.start()
    wait_for("the check to be healthy", lambda: "check it is healthy" in one.main.log)
    assert (out / "user").read_text() == "nobody\n"
    assert "VRRPD_LAB_OWNER" not in (out / "env").read_text() and "PATH=" in (out / "env").read_text()
    assert "socket:" not in (out / "fd").read_text()


def test_a_script_that_hangs_is_ended_with_its_children_and_delays_no_advertisement(lab: Lab):
    marker = secrets.randbelow(10**6) + 10**6
    file = script(lab["one"], "check.sh", "trap '' TERM", f"sleep {marker} &", f"while :; do sleep {marker}; done")
    one = ours(lab["one"], {"script": [str(file)], "timeout": "200ms", "interval": "300ms", "fall": 1})
    one.start()
    one.wait_for_state("master")
    capture = Capture(lab)
    wait_for("the reason in the status", lambda: track(one)["reason"] == "took too long")
    holds_for("one is master", lambda: one.state() == "master", seconds=3)
    times = [advert.time for advert in capture.stop().adverts(lab["one"].mac())]
    assert len(times) > 25
    assert max(later - earlier for earlier, later in zip(times, times[1:])) < 1.9 * one.instance.interval

    def left() -> int:
        return sum(str(marker) in line for line in run("ps", "-e", "-o", "args").splitlines())

    assert left() <= 4  # of the run under way, and of the one being ended
    one.stop()
    wait_for("what it has started to be gone", lambda: left() == 0)


def test_a_machine_that_stood_still_does_not_blame_what_it_watches(lab: Lab):
    slow = script(lab["one"], "slow.sh", "sleep 0.4")  # so that one is under way at nearly any time
    one = ours(lab["one"], {"script": [str(slow)], "timeout": "1s", "interval": "410ms", "fall": 1})
    one.start()
    wait_for("the check to be healthy", lambda: "check it is healthy" in one.main.log)
    freezer = Freezer(lab, one.main)
    for _ in range(3):
        freezer.freeze()
        holds_for("it stands still", lambda: True, seconds=1.5)
        freezer.thaw()
        holds_for("it is not blamed", lambda: track(one)["demotion"] == 0, seconds=0.7)
    assert "check it is unhealthy" not in one.main.log


def test_an_engine_that_succeeds_a_dead_one_knows_what_that_knew(lab: Lab):
    flag = lab["one"].directory / "maintenance"
    one = ours(lab["one"], {"file": str(flag), "present": "unhealthy", "interval": "50ms"})
    one.start()
    one.wait_for_state("master")
    flag.touch()
    wait_for("the demotion", lambda: track(one)["demotion"] == 20)
    flag.unlink()
    wait_for("its end", lambda: track(one)["demotion"] == 0)
    before = one.main.log.count("Changing effective priority")
    os.kill(one.engine(), signal.SIGKILL)
    one.main.wait_for_log("remains in MASTER STATE")
    wait_for("it to answer", lambda: one.ctl("status", check=False).code == 0)
    holds_for("it is not demoted", lambda: track(one)["demotion"] == 0, seconds=0.3)
    assert one.main.log.count("Changing effective priority") == before


def test_a_check_that_a_reload_adds_counts_for_nothing_until_its_first_result(lab: Lab):
    slow = script(lab["one"], "slow.sh", "sleep 1", "exit 1")
    one = ours(lab["one"], {"script": ["/bin/true"], **FAST})
    one.start()
    one.wait_for_state("master")
    wait_for("the check to be healthy", lambda: track(one)["demotion"] == 0)
    one.sections["checks"]["new"] = {"script": [str(slow)], "timeout": "3s"}
    one.instance_keys["track"].append({"check": "new", "demote": 50})
    one.write_config()
    one.ctl("reload")
    assert one.instance_status()["effective-priority"] == 110
    wait_for("its first result", lambda: one.instance_status()["effective-priority"] == 60)
    assert "check new is unhealthy: exited with status 1" in one.main.log

    one.instance_keys["track"].pop()  # and what is not tracked any more costs nothing
    del one.sections["checks"]["new"]
    one.write_config()
    one.ctl("reload")
    assert one.instance_status()["effective-priority"] == 110 and len(one.instance_status()["tracks"]) == 1


def test_a_check_that_is_tracked_with_a_later_reload_counts_with_what_is_known_of_it(lab: Lab):
    flag = lab["one"].directory / "maintenance"
    flag.touch()
    one = ours(lab["one"], {"file": str(flag), "present": "unhealthy", "interval": "50ms"})
    tracks = one.instance_keys.pop("track")
    one.start()
    wait_for("its result", lambda: "check it is unhealthy" in one.main.log)
    one.ctl("reload")
    one.instance_keys["track"] = tracks
    one.write_config()
    one.ctl("reload")
    assert track(one)["demotion"] == 20 and one.instance_status()["effective-priority"] == 90


@pytest.mark.parametrize("demote, warned", [(5, True), (20, False)])
def test_a_demotion_that_cannot_move_the_address_is_warned_of_once_the_other_was_heard(
    demote: int, warned: bool, lab: Lab, monitor: AddressMonitor
):
    two = Keepalived(lab["two"], Instance(priority=100))
    two.start()
    monitor.wait_for_owner(VIP, lab["two"])
    one = ours(lab["one"], {"script": ["/bin/true"], **FAST}, {"demote": demote})
    one.start()
    monitor.wait_for_owner(VIP, lab["one"])
    warning = "with all of it unhealthy its priority is 105, still better than the 100 of 10.77.0.2"
    assert one.main.log.count(warning) == (1 if warned else 0)
    assert ("cannot move" in one.main.log) == warned
