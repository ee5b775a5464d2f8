"""What notify commands are told: everything, in order, and the last word in the end, however quickly states change."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from daemons import Instance, Keepalived, Vrrpd
from lab import Host, Lab, holds_for, wait_for
from observe import AddressMonitor
from test_checks import script

VIP = "10.77.0.100"


def recorder(host: Host, name: str, *lines: str) -> tuple[str, Path]:
    """A command that notes its arguments, and the file it notes them in."""
    out = host.directory / f"{name}.out"
    file = script(host, f"{name}.sh", *lines, f'echo "$@" >> {out}')
    return str(file), out


def said(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def wait_for_silence(daemon: Vrrpd) -> None:
    """No command runs, and the daemon knows: there is no zombie either."""
    children = Path(f"/proc/{daemon.engine()}/task/{daemon.engine()}/children")
    wait_for("no command to run", lambda: not children.read_text())


def test_each_change_is_told_with_the_arguments_that_keepalived_gives(lab: Lab):
    host = lab["one"]
    any_command, heard = recorder(host, "any")
    master, master_heard = recorder(host, "master", f"env | grep ^VRRPD_ | sort > {host.directory}/env")
    one = Vrrpd(host, Instance(priority=110), instance_keys={"notify": {"any": any_command, "master": [master, "-q"]}})
    one.start()
    wait_for("the last word", lambda: said(heard)[-1:] == ["INSTANCE VI_MAIN MASTER 110"])
    assert said(heard) == ["INSTANCE VI_MAIN BACKUP 110", "INSTANCE VI_MAIN MASTER 110"]
    assert said(master_heard) == ["-q"]
    assert (host.directory / "env").read_text().splitlines() == [
        "VRRPD_INSTANCE=VI_MAIN", "VRRPD_PRIORITY=110",
        "VRRPD_REASON=no advertisement was heard from anybody", "VRRPD_STATE=MASTER",
    ]
    host.cut()
    wait_for("the fault", lambda: said(heard)[-1:] == ["INSTANCE VI_MAIN FAULT 110"])
    host.mend()
    wait_for("it to be master again", lambda: said(heard)[-1:] == ["INSTANCE VI_MAIN MASTER 110"])


def test_the_same_changes_tell_the_commands_of_keepalived_the_same(lab: Lab):
    host = lab["two"]
    command, heard = recorder(host, "any")

    class Notifying(Keepalived):
        def config(self) -> str:
            text = super().config().replace("max_auto_priority -1", "max_auto_priority -1\n script_user root")
            return text.replace("interface eth0", f'interface eth0\n notify "{command}"')

    theirs = Notifying(host, Instance(priority=110))
    theirs.start()
    wait_for("keepalived's last word", lambda: len(said(heard)) == 2)
    ours_command, ours_heard = recorder(lab["one"], "any")
    theirs.stop()
    ours = Vrrpd(lab["one"], Instance(priority=110), instance_keys={"notify": {"any": ours_command}})
    ours.start()
    wait_for("our last word", lambda: len(said(ours_heard)) == 2)
    assert said(ours_heard) == said(heard)[:2]


def test_changes_that_come_quicker_than_commands_run_are_told_in_order_and_the_last_one_always(lab: Lab):
    host = lab["one"]
    command, heard = recorder(host, "any", "sleep 0.2")
    one = Vrrpd(
        host,
        Instance(priority=110, interval=0.05),
        instance_keys={"notify": {"any": command}, "track": [{"check": "it", "fault": True}]},
        sections={"checks": {"it": {"file": str(host.directory / "fault"), "present": "unhealthy", "interval": "10ms"}}},
    )
    one.start()
    one.wait_for_state("master")
    flag = host.directory / "fault"
    for _ in range(25):
        flag.touch()
        wait_for("the fault", lambda: one.state() == "fault", every=0.002)
        flag.unlink()
        wait_for("its end", lambda: one.state() in ("backup", "master"), every=0.002)
    one.wait_for_state("master")
    wait_for("the last word", lambda: said(heard)[-1:] == ["INSTANCE VI_MAIN MASTER 110"], timeout=20)
    time_of_last = len(said(heard))
    holds_for("it was the last", lambda: len(said(heard)) == time_of_last, seconds=1)
    # In order: nobody becomes master without having been backup.
    states = [line.split()[2] for line in said(heard)]
    assert "left out" in one.main.log and len(states) < 60
    entered = [line.rpartition("Entering ")[2].split()[0] for line in one.main.log.splitlines() if "Entering" in line]
    remaining = iter(entered)
    assert all(state in remaining for state in states)


def test_a_command_that_hangs_is_ended_and_delays_neither_the_next_nor_an_advertisement(lab: Lab, monitor: AddressMonitor):
    host = lab["one"]
    command, heard = recorder(host, "any")
    hanging = str(script(host, "backup.sh", "trap '' TERM", "while :; do sleep 600; done"))
    one = Vrrpd(
        host,
        Instance(priority=110),
        instance_keys={"notify": {"backup": {"command": hanging, "timeout": "300ms"}, "any": command}},
    )
    one.start()
    one.wait_for_state("master")
    assert said(heard) == []  # its turn comes when the first has had its time
    wait_for("both", lambda: len(said(heard)) == 2)
    assert "backup.sh: took too long" in one.main.log


def test_the_stop_command_runs_to_its_end_after_the_address_has_been_handed_over(lab: Lab, monitor: AddressMonitor):
    host = lab["one"]
    command, heard = recorder(host, "stop", f"ip -4 -o address show dev eth0 > {host.directory}/addresses", "sleep 1")
    one = Vrrpd(host, Instance(priority=110), instance_keys={"notify": {"stop": [command, "stopped"]}})
    one.start()
    one.wait_for_state("master")
    two = Vrrpd(lab["two"], Instance(priority=100))
    two.start()
    begin = time.time()
    assert one.stop() == 0
    assert time.time() - begin >= 1
    assert said(heard) == ["stopped"]
    assert VIP not in (host.directory / "addresses").read_text()
    monitor.wait_for_owner(VIP, lab["two"])
    assert monitor.longest_with_none(VIP) < 0.5
    assert [stretch.host for stretch in monitor.stretches(VIP)] == ["one", "two"]  # and did not come back meanwhile


def test_who_goes_on_after_an_engine_process_that_died_has_no_news(lab: Lab):
    host = lab["one"]
    command, heard = recorder(host, "any")
    one = Vrrpd(host, Instance(priority=110), instance_keys={"notify": {"any": command}})
    one.start()
    wait_for("it to be master", lambda: len(said(heard)) == 2)
    wait_for_silence(one)
    os.kill(one.engine(), signal.SIGKILL)
    one.main.wait_for_log("remains in MASTER STATE")
    holds_for("nobody is told", lambda: len(said(heard)) == 2, seconds=0.6)


def test_news_that_a_dead_engine_owed_is_told_by_its_successor(lab: Lab):
    host = lab["one"]
    command, heard = recorder(host, "any")
    waiting = script(host, "backup.sh", "sleep 3")
    one = Vrrpd(host, Instance(priority=110), instance_keys={"notify": {"backup": str(waiting), "any": command}})
    one.start()
    one.wait_for_state("master")
    assert said(heard) == []  # its turn comes when the first has ended
    os.kill(one.engine(), signal.SIGKILL)
    one.main.wait_for_log("remains in MASTER STATE")
    wait_for("the news", lambda: said(heard) == ["INSTANCE VI_MAIN MASTER 110"])
    holds_for("it is told once", lambda: len(said(heard)) == 1, seconds=0.5)


def test_the_pipe_has_every_notice_in_keepalives_words_and_its_reader_gets_them(lab: Lab):
    host = lab["one"]
    pipe = host.directory / "notify.fifo"
    reader, _ = recorder(host, "reader", f'cat "$2" > {host.directory}/read')
    one = Vrrpd(
        host,
        Instance(priority=110),
        sections={"notify_fifo": {"path": str(pipe), "reader": [reader, "--from"]}},
    )
    one.start()
    read = host.directory / "read"
    wait_for("the notices", lambda: len(said(read)) == 2)
    assert one.stop() == 0
    assert said(read) == ['INSTANCE "VI_MAIN" BACKUP 110', 'INSTANCE "VI_MAIN" MASTER 110', 'INSTANCE "VI_MAIN" STOP 110']
