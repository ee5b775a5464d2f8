"""More keywords of keepalived.conf, as in test_keepalived_keywords.py: those about the time around the start, about
announcements, and about what a machine has besides virtual addresses."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from capture import Announcement, Capture
from forge import frame, inject, message
from keepalived_conf import Ours
from lab import Lab, holds_for, wait_for
from sides import Side, side_by_side
from test_keepalived_keywords import history, priorities, record, same, start, text_with
from test_notify import said

VIP = "10.77.0.100"


def advertise(side: Side, priority: int) -> float:
    """One advertisement from the other host; returns when it was sent."""
    other = side.lab["two"]
    content = message((VIP,), other.ipv4, version=2, priority=priority, interval=1)
    sent = time.time()
    inject(other, frame(content, other.ipv4))
    return sent


def announcements(side: Side) -> list[Announcement]:
    return [a for a in side.capture.announcements(side.host.mac()) if a.address == VIP]


def both_run(theirs: Side, ours: Side, seconds: float) -> None:
    holds_for("both run", lambda: theirs.runner.main.running() and ours.runner.main.running(), seconds)


def test_a_delayed_start_hears_nobody_and_is_followed_by_a_whole_down_interval():
    with side_by_side(text_with(shared="vrrp_startup_delay 2.5")) as (theirs, ours):
        began = []
        for side in (theirs, ours):
            began.append(time.time())
            side.runner.start()
            side.runner.main.wait_for_log("Delaying startup for 2.5 seconds")
            side.runner.main.wait_for_log("(VI_1) Entering BACKUP STATE (init)")
            advertise(side, 254)
        for side in (theirs, ours):
            side.runner.wait_for_state("master")
        firsts = [side.adverts()[0].time - moment for side, moment in zip((theirs, ours), began)]
        # 2.5 seconds, 3 intervals and the skew time.
        assert all(2.5 + 3.6 < first < 2.5 + 3.6 + 1 for first in firsts), firsts
        for side in (theirs, ours):
            assert "master set to" not in side.runner.main.log


def test_a_lesser_claim_is_answered_with_as_many_announcements_as_it_should_be():
    lines = "garp_master_delay 0\n garp_master_repeat 1\n garp_lower_prio_delay 2\n garp_lower_prio_repeat 3"
    with side_by_side(text_with(lines)) as (theirs, ours):
        start(theirs, ours)
        sent = [advertise(side, 50) for side in (theirs, ours)]
        both_run(theirs, ours, 4)
        for side, moment in zip((theirs, ours), sent):
            after = [a.time for a in announcements(side) if a.time > moment]
            delays = [at - after[0] for at in after]
            assert len(delays) == 6, delays
            assert all(delay < 0.5 for delay in delays[:3]) and all(1.9 < delay < 2.7 for delay in delays[3:]), delays


def gaps_of(found: list[Announcement]) -> list[float]:
    times = [announcement.time for announcement in found]
    return [later - earlier for earlier, later in zip(times, times[1:])]


def test_announcements_keep_their_distance():
    lines = "garp_master_delay 0\n garp_master_repeat 1\n virtual_ipaddress_excluded {\n 10.77.0.101\n 10.77.0.102\n }"
    with side_by_side(text_with(lines, shared="vrrp_garp_interval 0.3")) as (theirs, ours):
        start(theirs, ours)
        both_run(theirs, ours, 1.5)
        for side in (theirs, ours):
            found = [a for a in side.capture.announcements(side.host.mac()) if a.address != side.host.ipv4]
            assert [a.address for a in found] == [VIP, "10.77.0.101", "10.77.0.102"]
            assert all(gap > 0.29 for gap in gaps_of(found)), gaps_of(found)


def test_one_that_waits_for_its_turn_stands_for_those_after_it_and_goes_with_its_address():
    lines = "garp_master_delay 0\n garp_master_repeat 5"
    with side_by_side(text_with(lines, shared="vrrp_garp_interval 1")) as (theirs, ours):
        start(theirs, ours)
        both_run(theirs, ours, 2.6)
        for side in (theirs, ours):
            assert len(announcements(side)) == 2 and gaps_of(announcements(side))[0] > 0.99
        advertise(ours, 50)  # answered at once, and again an interval later
        wait_for("the answer", lambda: len(announcements(ours)) == 3)
        advertise(ours, 200)
        ours.runner.wait_for_state("backup")
        both_run(theirs, ours, 2.5)
        assert len(announcements(ours)) == 3


STATIC = """
static_ipaddress {
    10.88.0.1/24 brd 10.88.0.255 dev eth1
    10.88.1.1/32 dev eth1 scope link
    fd88::1/64 dev eth1
}
static_routes {
    10.99.0.0/24 via 10.88.0.9 dev eth1
    10.98.0.0/24 via 10.88.0.9 dev eth1 table 100 metric 7
}
static_rules {
    from 10.88.0.0/24 table 100 preference 1000
}
"""


def test_static_addresses_routes_and_rules_are_there_while_the_daemon_runs():
    with side_by_side(text_with(blocks=STATIC)) as (theirs, ours):
        for side in (theirs, ours):
            side.host.add_interface("eth1", "10.78.0")
            side.remember_addresses()
        before = [side.routing() for side in (theirs, ours)]
        start(theirs, ours)
        wait_for("all addresses", lambda: len(theirs.addresses()) == len(ours.addresses()) == 4)
        assert ours.addresses() == theirs.addresses()
        assert ours.routing() == theirs.routing() != before[1]
        for side in (theirs, ours):
            assert side.runner.stop() == 0
        assert ours.addresses() == theirs.addresses() == []
        assert [side.routing() for side in (theirs, ours)] == before


def test_static_things_follow_a_reload_come_back_if_they_are_lost_and_outlive_no_crash(lab: Lab):
    ours = Side(lab, Ours(lab["one"], text_with(blocks=STATIC)), Capture(lab))
    ours.host.add_interface("eth1", "10.78.0")
    ours.remember_addresses()
    ours.runner.start()
    ours.runner.wait_for_state("master")
    have, routing = ours.addresses(), ours.routing()
    assert len(have) == 4

    ours.host.ip("address del 10.88.0.1/24 dev eth1")  # and with it the routes
    wait_for("what was lost", lambda: ours.addresses() == have and ours.routing() == routing)

    text = ours.runner.file.read_text()
    ours.runner.file.write_text(text.replace("10.88.1.1/32 dev eth1 scope link", "10.88.2.1/32 dev eth1"))
    ours.runner.main.signal(signal.SIGHUP)
    wait_for("another one", lambda: {"10.88.0.1", "10.88.2.1"} <= {a[1] for a in ours.addresses()})
    assert "10.88.1.1" not in {a[1] for a in ours.addresses()}

    children = Path(f"/proc/{ours.runner.main.pid}/task/{ours.runner.main.pid}/children")
    for _ in range(2):
        os.kill(int(children.read_text()), signal.SIGKILL)
        moment = len(ours.runner.main.log)
        wait_for("what comes of it", lambda: "Starting VRRP child" in ours.runner.main.log[moment:]
                 or not ours.runner.main.running())  # fmt: skip
    assert ours.runner.main.wait() == 1  # it died twice
    assert ours.addresses() == [] and "10.88" not in str(ours.routing())


def test_a_file_of_weight_0_is_a_fault_while_it_does_not_say_0(tmp_path: Path):
    file, next_file = tmp_path / "load", tmp_path / "next"

    def say(text: str) -> None:
        next_file.write_text(text)
        next_file.rename(file)  # so that nobody sees it empty

    say("0\n")
    blocks = f"track_file load {{\n file {file}\n weight 0\n}}"
    with side_by_side(text_with("track_file {\n load\n}", blocks)) as (theirs, ours):
        start(theirs, ours)
        expected = ["BACKUP", "MASTER"]
        for text, state in (("1\n", "FAULT"), ("0\n", "BACKUP"), ("-1\n", "FAULT"), ("", "BACKUP"), ("7\n", "FAULT")):
            say(text)
            expected.append(state)
            same(f"with {text!r}", history, theirs, ours, expected)
        file.unlink()
        same("without the file", history, theirs, ours, [*expected, "BACKUP"])


def test_a_file_of_weight_0_can_be_turned_round(tmp_path: Path):
    file = tmp_path / "load"
    file.write_text("1\n")
    blocks = f"track_file load {{\n file {file}\n}}"
    with side_by_side(text_with("track_file {\n load weight 0 reverse\n}", blocks)) as (theirs, ours):
        start(theirs, ours)
        file.unlink()
        same("without the file", history, theirs, ours, ["BACKUP", "MASTER", "FAULT"])


def test_a_tracked_file_is_made_if_it_is_missing(tmp_path: Path):
    lines = "track_file {\n made weight 1\n kept weight 1\n}"
    blocks = "".join(f"track_file {name} {{\n file DIRECTORY/{name}\n init_file 3\n}}\n" for name in ("made", "kept"))
    with side_by_side(text_with(lines, blocks)) as (theirs, ours):
        for side in (theirs, ours):
            directory = side.host.directory
            side.runner.file.write_text(side.runner.file.read_text().replace("DIRECTORY", str(directory)))
            (directory / "kept").write_text("7\n")
        start(theirs, ours)
        same("at first", priorities, theirs, ours, [110])
        for side in (theirs, ours):
            assert (side.host.directory / "made").read_text() == "3\n"
            assert (side.host.directory / "kept").read_text() == "7\n"
            assert (side.host.directory / "made").stat().st_mode == (theirs.host.directory / "made").stat().st_mode


def test_with_init_fail_one_success_is_enough():
    blocks = "vrrp_script chk {\n script /usr/bin/true\n interval 1\n rise 5\n init_fail\n}"
    with side_by_side(text_with("track_script {\n chk\n}", blocks)) as (theirs, ours):
        began = time.time()
        start(theirs, ours)
        for side in (theirs, ours):
            assert history(side) == ["BACKUP", "MASTER"]
            assert "(VI_1) Entering BACKUP STATE\n" in side.runner.main.log  # it has waited, so without "(init)"
            assert side.adverts()[0].time < began + 3.6 + 2  # 5 successes would take 4 seconds


def test_a_reload_tells_the_pipe_the_states_again_if_it_is_to():
    blocks = "vrrp_sync_group G {\n group {\n VI_1\n }\n}"
    shared = "vrrp_notify_fifo FIFO\n fifo_write_vrrp_states_on_reload"
    with side_by_side(text_with(blocks=blocks, shared=shared)) as (theirs, ours):
        out = []
        for side in (theirs, ours):
            fifo = side.host.directory / "fifo"
            side.runner.file.write_text(side.runner.file.read_text().replace("FIFO", str(fifo)))
            out.append(side.host.directory / "fifo.out")
        start(theirs, ours)
        for side in (theirs, ours):
            side.host.start("reader", "sh", "-c", 'while cat < "$0" >> "$1"; do :; done', side.host.directory / "fifo",
                            side.host.directory / "fifo.out")  # fmt: skip
        before = [wait_for("the first states", lambda: len(said(file)) >= 4 and sorted(said(file))) for file in out]
        assert before[0] == before[1]
        for side in (theirs, ours):
            side.runner.main.signal(signal.SIGHUP)
            side.runner.main.wait_for_log("Reload complete")

        def repeated(file: Path) -> list[str]:
            return sorted(line for line in set(said(file)) if said(file).count(line) == 2)

        # 2.2.7 repeats that of the group alone, and not always, though its manual speaks of all.
        group, instance = 'GROUP "G" MASTER 0', 'INSTANCE "VI_1" MASTER 100'
        wait_for(lambda: f"the states again: {said(out[1])}", lambda: repeated(out[1]) == [group, instance])
        assert set(repeated(out[0])) <= {group}


SECOND = """
vrrp_instance VI_2 {
    interface eth0
    virtual_router_id 52
    virtual_ipaddress {
        10.77.0.200/24
    }
    notify "ANY"
    notify_stop "STOP"
    notify_deleted "DELETED"
}
"""


def test_an_instance_that_a_reload_removes_is_told_of_as_deleted():
    with side_by_side(text_with(shared="vrrp_notify_fifo FIFO") + SECOND) as (theirs, ours):
        heard = [record(side, "ANY", "STOP", "DELETED") for side in (theirs, ours)]
        start(theirs, ours)
        for side in (theirs, ours):
            side.host.start("reader", "sh", "-c", 'while cat < "$0" >> "$1"; do :; done', side.host.directory / "fifo",
                            side.host.directory / "fifo.out")  # fmt: skip
            text = side.runner.file.read_text()
            side.runner.file.write_text(text[: text.index("vrrp_instance VI_2")])
            side.runner.main.signal(signal.SIGHUP)
        for side, (anything, stopped, deleted) in zip((theirs, ours), heard):
            wait_for("the last word", lambda: said(anything)[-1:] == ["INSTANCE VI_2 DELETED 100"])
            wait_for("its own command", lambda: deleted.exists())
            assert not stopped.exists()
            pipe = side.host.directory / "fifo.out"
            wait_for("the pipe's last word", lambda: said(pipe)[-1:] == ['INSTANCE "VI_2" DELETED 100'])
