"""The daemon on a local disk: when it commits, who it lets write, and what it says."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from control_socket import INSTANCE, ControlSocket
from machine import MIRROR, OURS, Daemon, Machine, contents, wait_until

WATCHING = {"interval": "1h", "settle": "200ms", "alert_after": "2h"}


def configure(machine: Machine, sync: dict = WATCHING, sections: dict | None = None, **team: object) -> None:
    machine.team_keys = {"environments": ["blue"], "writer": "always", **team}
    machine.sections = {"sync": sync, **(sections or {})}
    machine.write_config()


@pytest.fixture
def one(pair) -> Machine:
    configure(pair[0])
    return pair[0]


@pytest.fixture
def vrrp_pair(pair):
    """Two machines whose writer is the one where the instance is master, and what each of them hears from vrrpd."""
    sockets = []
    for machine in pair:
        path = machine.socket.with_name("vrrpd")
        sockets.append(ControlSocket(path))
        configure(machine, sections={"vrrpd": str(path)}, writer={"instance": INSTANCE})
    yield *pair, *sockets
    for socket in sockets:
        socket.close()


def test_a_change_is_committed_within_three_seconds_of_it(one):
    for number in range(1000):
        one.write(f"jobs/job{number}/config.xml", f"<job>{number}</job>")
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        began = time.monotonic()
        for number in range(10):
            one.write(f"jobs/job{number * 7}/config.xml", "<job>changed</job>")
        daemon.wait_at_rest(2)
        took = time.monotonic() - began
        assert contents(one.tree()) == one.contents()
        print(f"committed {took:.2f} s after the first of ten changes")
        assert took < 3


def test_what_is_excluded_starts_nothing(one):
    one.write("file", "1")
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        one.write("workspace/out", "not copied")
        one.write("deep/build.log", "not copied")
        one.write("deep/counted", "2")
        daemon.wait_at_rest(2)
        assert contents(one.tree()) == {"file": "1", "deep/counted": "2"}
        passes = daemon.mirror()["successes"]
        one.write("workspace/out", "still not copied")
        one.write("deep/build.log", "still not copied")
        (one.source / "file").write_text("3")
        daemon.wait_at_rest(3)
        assert daemon.mirror()["successes"] == passes + 1


def test_whole_directories_that_appear_are_followed_at_once(one):
    one.write("file", "1")
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        for directory in range(100):
            for file in range(10):
                one.write(f"new{directory}/deep/file{file}", f"{directory} {file}")
        (one.source / "new1").rename(one.source / "renamed")
        wait_until(lambda: contents(one.tree()) == one.contents(), "a thousand new files")
        # Their directories are watched as well, also under another name.
        one.write("new99/deep/file1", "changed")
        one.write("renamed/deep/file1", "changed")
        wait_until(lambda: contents(one.tree()) == one.contents(), "changes in new directories")


def test_events_that_the_kernel_had_to_drop_are_made_up_for_by_a_scan(one):
    one.write("file", "1")
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        daemon.signal(signal.SIGSTOP)
        (one.source / "late").mkdir()
        for number in range(queue // 3 + 100):
            (one.source / "late" / str(number % 50)).write_text(str(number))
        one.write("after/the/queue/was/full", "x")
        daemon.signal(signal.SIGCONT)
        wait_until(lambda: contents(one.tree()) == one.contents(), "what was not told")
        one.write("after/the/queue/was/full", "watched again")
        wait_until(lambda: contents(one.tree()) == one.contents(), "a change after that")


def test_without_watching_each_interval_finds_the_changes(one):
    configure(one, sync={"interval": "1s", "watch": False, "alert_after": "5s"})
    one.write("file", "1")
    with one.daemon() as daemon:
        wait_until(lambda: contents(one.tree()) == {"file": "1"}, "the first pass")
        one.write("file", "2")
        wait_until(lambda: contents(one.tree()) == {"file": "2"}, "the next pass", timeout=10)
        assert daemon.status()["teams"][0]["line"].startswith("OK: Team devops sync lag: ")


def test_what_changed_while_it_did_not_run_is_committed_when_it_does(one):
    one.write("file", "1")
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        daemon.kill()
        one.write("file", "2")
        one.write("more", "3")
        daemon.start()
        daemon.wait_at_rest(2)
    assert contents(one.tree()) == {"file": "2", "more": "3"}


def test_a_source_that_comes_later_is_watched_when_it_is_there(one):
    one.source.rmdir()
    with one.daemon() as daemon:
        daemon.wait_for(f"source {one.source} does not exist")
        assert daemon.status()["alarm"]
        one.source.mkdir()
        one.write("file", "1")
        wait_until(lambda: one.tree().exists() and contents(one.tree()) == {"file": "1"}, "the file")
        daemon.wait_at_rest()
        one.write("file", "2")
        wait_until(lambda: contents(one.tree()) == {"file": "2"}, "the change")


def test_files_that_are_replaced_atomically_are_never_seen_half(one):
    """As Jenkins writes its XML: to a temporary name, then renamed."""
    def text(number: int) -> str:
        return f"<begin {number}>" + "x" * (number % 7 * 5000) + f"<end {number}>"

    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            for name in ("config.xml", f"builds/{number % 20}/build.xml"):
                file = one.source / name
                file.parent.mkdir(parents=True, exist_ok=True)
                temporary = file.with_name(f"atomic{number}.tmp")
                temporary.write_text(text(number))
                temporary.rename(file)

    configure(one, sync={**WATCHING, "settle": "10ms"}, exclude=["*.tmp"])
    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    try:
        with one.daemon() as daemon:
            def look() -> bool:
                for path, content in (contents(one.tree()) if one.tree().exists() else {}).items():
                    number = int(content[len("<begin "):content.index(">")])
                    assert content == text(number), path
                    if path == "config.xml":
                        seen.add(number)
                return len(seen) >= 8

            wait_until(look, "eight generations", timeout=40, every=0)
            done.set()
            writer.join()
            wait_until(lambda: contents(one.tree()) == one.contents(), f"the last state {daemon.mirror()}")
    finally:
        done.set()
        writer.join()


def test_a_long_pass_says_how_far_it_is(one):
    for number in range(6000):
        one.write(f"jobs/job{number // 100}/{number}/config.xml", "x" * 500)
    with one.daemon() as daemon:
        said = re.compile(r"commit: copy \d+ of 12061 files, \d\.\d of 3\.0 MB")
        wait_until(lambda: said.match(daemon.mirror()["running"]), "files and bytes of the copy", every=0)
        daemon.wait_at_rest(1)


def test_two_daemons_do_not_share_a_socket(one):
    one.write("file", "1")
    with one.daemon() as daemon:
        answer = one.run("run", check=False, timeout=10)
        assert answer.code == 1 and f"listen on {one.socket}" in answer.errors
        daemon.wait_at_rest(1)


def test_a_socket_may_be_named_as_seen_from_where_one_is(one, monkeypatch):
    whole = one.socket
    monkeypatch.chdir(whole.parent)
    one.socket = Path(whole.name)
    try:
        with one.daemon():  # which answers
            assert whole.is_socket()
    finally:
        one.socket = whole


def test_the_status_says_what_is_going_on_in_three_forms(one):
    port = 20000 + os.getpid() % 20000
    configure(one, sections={"http": {"listen": f"127.0.0.1:{port}"}})
    answer = one.run("status", check=False)
    assert answer.code == 3 and "no daemon answers on" in answer.errors
    one.write("file", "1")
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        answer = one.run("status")
        assert answer.output.startswith("OK: Team devops sync lag: ")
        wait_until(lambda: "devops/blue: writer, generation 1 on the target, 1 here\n" in one.run("status").output,
                   "the mirror's line")
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
        assert 'gluster_sync_success_total{team="devops",env="blue"} 1\n' in metrics
        assert 'gluster_recovery_total{team="devops",env="blue"} 0\n' in metrics
        assert subprocess.run(["promtool", "check", "metrics"], input=metrics, text=True, check=False).returncode == 0
        status = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5))
        assert status["mirrors"][0]["role"] == "writer" and not status["alarm"]


def test_a_lag_beyond_the_threshold_is_alarmed_in_the_words_of_the_seed(one):
    configure(one, sync={"interval": "1h", "watch": True, "settle": "10ms", "alert_after": "4s"})
    one.write("file", "1")
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        daemon.wait_for("ALERT: Team devops sync lag: ")
        line = next(line for line in daemon.log().splitlines() if "ALERT: Team" in line)
        assert line.endswith("s (threshold: 4s)"), line
        answer = one.run("status", check=False)
        assert answer.code == 1 and answer.output.startswith("ALERT: Team devops sync lag: ")
        one.write("file", "2")
        daemon.wait_for("OK: Team devops sync lag: ")


def test_the_writer_is_the_machine_where_the_instance_is_master(vrrp_pair):
    one, two, vrrp_one, vrrp_two = vrrp_pair
    one.write("file", "1")
    with one.daemon() as first, two.daemon() as second:
        wait_until(lambda: first.mirror()["role"] == "standby", "the role")
        assert not one.tree().exists()
        vrrp_one.state = "master"
        first.wait_at_rest(1)
        # The standby is warm: it has each generation without being told to.
        wait_until(lambda: two.contents() == {"file": "1"}, "the first generation on the standby")
        one.write("file", "2")
        wait_until(lambda: two.contents() == {"file": "2"}, "the second generation on the standby")
        wait_until(lambda: any(team == "devops" for team, _ in vrrp_two.lags), "a report of the standby's lag")

        # One hangs while it is the writer, with a change that it has not committed.
        wait_until(lambda: second.mirror()["applied-generation"] == 2, "a standby that knows it is current")
        first.signal(signal.SIGSTOP)
        one.write("file", "of one alone")
        vrrp_one.state = "backup"
        began = time.monotonic()
        vrrp_two.state = "master"
        second.wait_for("unchanged: ")
        two.write("file", "of two")
        wait_until(lambda: contents(two.tree()) == {"file": "of two"}, "the new writer's generation")
        print(f"the new writer's first change was committed {time.monotonic() - began:.1f} s after it was made master")

        first.signal(signal.SIGCONT)
        wait_until(lambda: one.contents() == {"file": "of two"}, "the old writer follows")
        kept = [path.read_text() for path in (one.tree() / OURS / "conflicts").glob("*/files/file")]
        assert kept == ["of one alone"]
        assert contents(two.tree()) == {"file": "of two"}


def test_a_standby_that_lacks_the_last_increment_recovers_it_before_it_writes(vrrp_pair):
    one, two, vrrp_one, vrrp_two = vrrp_pair
    hook = two.directory / "hook"
    hook.write_text(f'#!/bin/sh\necho "$@" >> {two.directory}/hooks\n')
    hook.chmod(0o755)
    two.team_keys["hooks"] = {"before_recover": [str(hook), "before"], "after_recover": [str(hook), "after"]}
    two.write_config()
    vrrp_one.state = "master"
    one.write("file", "1")
    with one.daemon() as first, two.daemon() as second:
        wait_until(lambda: two.contents() == {"file": "1"}, "the first generation on the standby")
        wait_until(lambda: not second.mirror()["running"], "the end of that")
        second.signal(signal.SIGSTOP)
        one.write("file", "2")
        first.wait_at_rest(2)
        first.kill()
        vrrp_two.state = "master"
        began = time.monotonic()
        second.signal(signal.SIGCONT)
        wait_until(lambda: two.contents() == {"file": "2"}, "the last increment")
        wait_until(lambda: (two.directory / "hooks").exists() and
                   (two.directory / "hooks").read_text() == "before devops blue\nafter devops blue\n", "the hooks")
        print(f"recovered {time.monotonic() - began:.1f} s after the takeover")
        two.write("file", "3")
        second.wait_at_rest(3)
        assert contents(two.tree()) == {"file": "3"}


def test_without_vrrpd_nothing_is_written_and_it_says_so(vrrp_pair):
    one, _, vrrp_one, _ = vrrp_pair
    vrrp_one.state = "master"
    one.write("file", "1")
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        vrrp_one.silent.set()
        daemon.wait_for("nothing is written until it answers")
        one.write("file", "2")
        wait_until(lambda: daemon.mirror()["role"] == "unknown", "the role")
        assert "vrrpd does not answer" in daemon.mirror()["alarm"]
        vrrp_one.silent.clear()
        daemon.wait_at_rest(2)
        assert contents(one.tree()) == {"file": "2"}


def test_a_writer_that_was_fenced_off_goes_on_after_a_recovery_by_hand(pair):
    one, two = pair
    configure(one)
    one.write("file", "1")
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        two.recover()
        two.write("file", "of two")
        two.now()
        one.write("file", "of one, too late")
        daemon.wait_for("commit behind: ")
        assert (daemon.mirror()["role"], daemon.status()["alarm"]) == ("fenced", True)
        assert contents(one.tree()) == {"file": "of two"}
        assert daemon.mirror()["alarm"].endswith("as the writer: `gluster-sync recover devops blue`")
        report = one.recover()
        assert contents(Path(report["kept-in"])) == {"file": "of one, too late"}
        daemon.wait_for("claimed anew on this machine")
        one.write("file", "of one again")
        wait_until(lambda: contents(one.tree()) == {"file": "of one again"}, "the next generation")
        wait_until(lambda: not daemon.mirror()["alarm"] and daemon.mirror()["recoveries"] == 1, "the end of the alarm")


def test_a_copy_that_was_killed_is_done_again(one):
    """Its rsync is killed, and so is the job itself."""
    one.write("file", "1")
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        for victim, text in (("rsync", "2"), ("gluster-sync", "3")):
            # Large enough to be met while it is copied.
            with open(one.source / "large", "wb") as large:
                large.truncate(0)
                large.write(os.urandom(1 << 20) * 150)
            one.write("file", text)
            before = len(daemon.log())

            def kill() -> bool:
                found = subprocess.run(["pgrep", "-P", str(daemon.pid), "-f", " job "], capture_output=True, text=True)
                pids = found.stdout.split()
                if victim == "rsync" and pids:
                    pids = subprocess.run(["pgrep", "-P", pids[0], "rsync"], capture_output=True, text=True).stdout.split()
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
                return bool(pids)

            wait_until(kill, f"a {victim} to kill", every=0)
            daemon.wait_for("ALARM: devops/blue: commit failed: ", after=before)
            wait_until(lambda: contents_of(one, "file") == text, "the copy")
        assert (one.tree() / "large").read_bytes() == (one.source / "large").read_bytes()


def contents_of(machine: Machine, path: str) -> str:
    file = machine.tree() / path
    return file.read_text() if file.exists() else ""
