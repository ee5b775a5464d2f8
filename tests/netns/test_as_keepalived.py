"""Ours, called as `keepalived`: command line, processes, files, signals, logs and exit codes, beside the real one."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from daemons import build_directory
from keepalived_conf import Runner
from lab import Host, Lab, wait_for

TEXT = """
global_defs {
    max_auto_priority -1
}
vrrp_script chk {
    script "/usr/bin/test -e FLAG"
    interval 1
    weight -30
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 110
    authentication {
        auth_type PASS
        auth_pass s3cret
    }
    virtual_ipaddress {
        10.77.0.100/24
    }
    track_script {
        chk
    }
}
"""


@pytest.fixture
def keepalived(tmp_path: Path) -> Path:
    """The link that the package can install."""
    link = tmp_path / "keepalived"
    link.symlink_to((build_directory() / "vrrpd" / "vrrpd").resolve())
    return link


@pytest.fixture
def text(tmp_path: Path) -> str:
    flag = tmp_path / "healthy"
    flag.touch()
    return TEXT.replace("FLAG", str(flag))


def call(program: Path | str, *arguments: object) -> subprocess.CompletedProcess:
    words = [str(word) for word in (program, *arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=20)


class AsKeepalived(Runner):
    """In the foreground unless `options` says otherwise."""

    kind = "keepalived"
    program: Path | str = "keepalived"
    options: tuple[object, ...] = ("-n", "-l", "-D", "-G", "-P")

    def command(self) -> list[object]:
        return [self.program, *self.options, "-f", self.file]

    def pid(self, name: str) -> int:
        """The process that a file in its /run names; 0 without one."""
        file = self.run / name
        return int(file.read_text() or "0") if file.exists() else 0

    def dump(self, number: int, name: str) -> str:
        file = self.host.directory / name
        file.unlink(missing_ok=True)
        os.kill(self.pid("keepalived.pid"), number)
        wait_for(f"{name} of {self.kind}", file.exists)
        return file.read_text()


def started(host: Host, text: str, program: Path | str) -> AsKeepalived:
    runner = AsKeepalived(host, text)
    runner.program = program
    runner.start()
    runner.wait_for_state("master")
    return runner


def test_its_pid_files_name_the_processes_that_take_the_signals(lab: Lab, keepalived: Path, text: str):
    ours = started(lab["one"], text, keepalived)
    parent, child = ours.pid("keepalived.pid"), ours.pid("vrrp.pid")
    assert parent == ours.main.pid and child not in (0, parent)
    os.kill(child, signal.SIGHUP)
    ours.main.wait_for_log("Reload complete")
    os.kill(parent, signal.SIGTERM)
    assert ours.main.wait() == 0
    assert not (ours.run / "keepalived.pid").exists() and not (ours.run / "vrrp.pid").exists()
    assert "Stopped Keepalived v2.2.7 (01/16,2022)" in ours.main.log


def test_without_n_it_goes_into_the_background_and_is_stopped_by_its_pid_file(lab: Lab, keepalived: Path, text: str):
    ours = AsKeepalived(lab["one"], text)
    ours.program, ours.options = keepalived, ("-G", f"-g{lab['one'].directory}/k.log")
    ours.start()
    assert ours.main.wait() == 0
    log = lab["one"].directory / "k.log"
    wait_for("the state in the log file", lambda: log.exists() and "(VI_1) Entering MASTER STATE" in log.read_text())
    assert "10.77.0.100/24" in lab["one"].addresses()
    parent = ours.pid("keepalived.pid")
    assert os.readlink(f"/proc/{parent}/cwd") == "/" and os.getsid(parent) not in (0, os.getsid(0))
    assert stat.S_IMODE(log.stat().st_mode) == 0o600

    second = AsKeepalived(lab["one"], text)
    second.program, second.options = keepalived, ("-n", "-l", "-G")
    second.start()
    assert second.main.wait() == 1 and "daemon is already running" in second.main.log

    os.kill(parent, signal.SIGTERM)
    wait_for("its end", lambda: not (ours.run / "keepalived.pid").exists())
    assert "10.77.0.100/24" not in lab["one"].addresses()


def shape(value: object) -> object:
    """The keys of a JSON value, and of what types their values are."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key != "auth_data"}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def test_its_dumps_are_those_of_the_real_one(lab: Lab, keepalived: Path, text: str):
    with Lab("one", "two") as other:
        theirs, ours = started(other["one"], text, "keepalived"), started(lab["one"], text, keepalived)
        stats = [re.sub(r"Sent: \d+", "Sent: N", r.dump(signal.SIGUSR2, "keepalived.stats")) for r in (theirs, ours)]
        assert stats[0].strip() == stats[1].strip()
        loaded = [json.loads(r.dump(signal.SIGRTMIN + 2, "keepalived.json")) for r in (theirs, ours)]
        keys = [loaded[side][0]["data"].keys() for side in (0, 1)]
        assert keys[0] ^ keys[1] == {"auth_data"}
        assert loaded[0][0]["stats"].keys() == loaded[1][0]["stats"].keys()
        assert shape(loaded[0]) == shape(loaded[1])
        fixed = ("iname", "vrid", "state", "base_priority", "effective_priority", "ifp_ifname", "vips", "version",
                 "adver_int", "garp_delay", "garp_rep", "garp_refresh", "vipset", "nopreempt", "auth_type",
                 "track_script")
        assert [loaded[0][0]["data"][key] for key in fixed] == [loaded[1][0]["data"][key] for key in fixed]
        data = [r.dump(signal.SIGUSR1, "keepalived.data") for r in (theirs, ours)]
        ours_lines = {line for line in data[1].splitlines() if "Last transition" not in line}
        missing = ours_lines - set(data[0].splitlines())
        # What the real one does not say in these words.
        assert {re.sub(r"=.*", "", line).strip() for line in missing} <= {
            "Wantstate", "Number of track scripts", "Master down timer"
        }, missing
        assert "s3cret" not in data[1]


def test_statistics_that_are_cleared_begin_anew(lab: Lab, keepalived: Path, text: str):
    ours = started(lab["one"], text, keepalived)
    assert "Became master: 1" in ours.dump(signal.SIGRTMAX - 1, "keepalived.stats")
    assert "Became master: 0" in ours.dump(signal.SIGUSR2, "keepalived.stats")


def test_a_dump_replaces_what_somebody_has_planted_under_its_name(lab: Lab, keepalived: Path, text: str):
    ours = started(lab["one"], text, keepalived)
    victim = lab["one"].directory / "victim"
    victim.write_text("precious\n")
    planted = lab["one"].directory / "keepalived.stats"
    planted.symlink_to(victim)
    os.kill(ours.pid("keepalived.pid"), signal.SIGUSR2)
    wait_for("a file of its own", lambda: not planted.is_symlink() and "VRRP Instance: VI_1" in planted.read_text())
    assert victim.read_text() == "precious\n"
    assert stat.S_IMODE(planted.stat().st_mode) == 0o600


def words_of(log: str) -> list[str]:
    """The lines that people search for, without their dates."""
    wanted = re.compile(
        r"\(VI_1\)|VRRP_Script|Starting Keepalived|Reload complete|Reloading \.\.\.|Stopped Keepalived|Stopping|"
        r"Sending gratuitous"
    )
    lines = [re.sub(r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: ", "", line) for line in log.splitlines()]
    return [line for line in lines if wanted.search(line)]


def test_its_log_has_the_lines_of_the_real_one(lab: Lab, keepalived: Path, text: str, tmp_path: Path):
    with Lab("one", "two") as other:
        both = started(other["one"], text, "keepalived"), started(lab["one"], text, keepalived)
        flag = Path(re.search(r"-e (\S+)\"", text)[1])
        for runner in both:
            runner.main.wait_for_log("VRRP_Script(chk) succeeded")
        flag.unlink()
        for runner in both:
            runner.main.wait_for_log("Changing effective priority from 110 to 80")
        for runner in both:
            runner.main.signal(signal.SIGHUP)
            runner.main.wait_for_log("Reload complete")
        for runner in both:
            assert runner.stop() == 0
        theirs, ours = (set(words_of(runner.main.log)) for runner in both)
        # Ours announces nothing on its own with a reload, and goes on with what the script said last.
        assert theirs - ours <= {
            "(VI_1) Sending/queueing gratuitous ARPs on eth0 for 10.77.0.100",
            "VRRP_Script(chk) considered unsuccessful on reload",
        }, theirs - ours


EXITS = {
    "good": (TEXT, 0),
    "unknown keyword": (TEXT.replace("global_defs {", "global_defs {\n lvs_id x"), 0),
    "no router id": (TEXT.replace("virtual_router_id 51", ""), 5),
    "no closing brace": (TEXT + "vrrp_instance X {", 5),
}


@pytest.mark.parametrize("name", EXITS)
def test_t_says_with_its_exit_code_whether_it_would_run(tmp_path: Path, keepalived: Path, name: str):
    file = tmp_path / "keepalived.conf"
    file.write_text(EXITS[name][0])
    assert call(keepalived, "-t", "-f", file).returncode == EXITS[name][1]


def test_t_refuses_a_file_that_is_not_there(tmp_path: Path, keepalived: Path):
    done = call(keepalived, "-t", "-f", tmp_path / "none")
    assert (done.returncode, done.stdout) == (4, "") and "No such file" in done.stderr


def test_t_writes_its_findings_to_a_file_if_asked_to(tmp_path: Path, keepalived: Path):
    file, log = tmp_path / "keepalived.conf", tmp_path / "log"
    file.write_text(TEXT.replace("priority 110", "priority banana"))
    done = call(keepalived, f"--config-test={log}", "-f", file)
    assert (done.returncode, done.stdout, done.stderr) == (5, "", "")
    assert "priority 'banana'" in log.read_text()


def test_a_configuration_that_cannot_run_ends_it_with_keepalived_s_exit_codes(lab: Lab, keepalived: Path):
    def ended(text: str, *options: object) -> int:
        runner = AsKeepalived(lab["one"], text)
        runner.program, runner.options = keepalived, ("-n", "-G", *options)
        runner.start()
        return runner.main.wait()

    assert ended(TEXT.replace("virtual_router_id 51", "")) == 2
    runner = AsKeepalived(lab["one"], TEXT)
    runner.program = keepalived
    runner.file.unlink()
    runner.start()
    assert runner.main.wait() == 6
    assert "Config files missing" in runner.main.log


@pytest.mark.parametrize("function", ["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON", "NONE"])
def test_signum_prints_what_the_real_one_prints(keepalived: Path, function: str):
    theirs, ours = call("keepalived", f"--signum={function}"), call(keepalived, f"--signum={function}")
    assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)


def test_v_begins_as_the_real_one_does(keepalived: Path):
    theirs, ours = call("keepalived", "-v"), call(keepalived, "-v")
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout)
    assert ours.stderr.splitlines()[0] == theirs.stderr.splitlines()[0]


def test_with_V_the_addresses_stay(lab: Lab, keepalived: Path, text: str):
    ours = AsKeepalived(lab["one"], text)
    ours.program, ours.options = keepalived, ("-n", "-l", "-G", "-V")
    ours.start()
    ours.wait_for_state("master")
    assert ours.stop() == 0
    kept = [a for a in lab["one"].interface_addresses() if a["local"] == "10.77.0.100"]
    assert kept and kept[0]["valid_life_time"] == 0xFFFFFFFF  # for ever


# A /dev of its own, whose log is a socket of the test.
_WITH_OWN_LOG = """
mount -t tmpfs none "$0" && mknod -m 666 "$0"/null c 1 3 && mknod -m 666 "$0"/urandom c 1 9 &&
ln -s "$1" "$0"/log && mount --bind "$0" /dev && shift && exec "$@"
"""


class WithSyslog(AsKeepalived):
    """Its syslog is read by the test."""

    options = ("-n", "-D", "-P", "-S", "3")

    def command(self) -> list[object]:
        directory = self.host.directory
        (directory / "dev").mkdir()
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.syslog.bind(str(directory / "log.sock"))
        self.syslog.settimeout(0.2)
        self.lines: list[str] = []
        return ["sh", "-c", _WITH_OWN_LOG, directory / "dev", directory / "log.sock", *super().command()]

    def said(self) -> list[str]:
        """All that has come so far."""
        try:
            while True:
                self.lines.append(self.syslog.recv(65536).decode().rstrip("\0\n"))
        except TimeoutError:
            return self.lines


def test_its_syslog_lines_have_the_form_facility_and_names_of_the_real_ones(lab: Lab, keepalived: Path, text: str):
    form = re.compile(r"<(?P<priority>\d+)>\w{3} [ \d]\d [\d:]{8} (?P<ident>\w+)\[(?P<pid>\d+)\]: (?P<message>.*)")
    with Lab("one", "two") as other:
        found: list[set[tuple[int, str, str]]] = []
        for host, program in ((other["one"], "keepalived"), (lab["one"], keepalived)):
            runner = WithSyslog(host, text)
            runner.program = program
            runner.start()
            wait_for(f"the master's line of {program}",
                     lambda: any("(VI_1) setting VIPs." in line for line in runner.said()))  # fmt: skip
            assert runner.stop() == 0
            lines = [form.fullmatch(line) for line in runner.said()]
            assert all(lines), [line for line in runner.lines if not form.fullmatch(line)]
            idents = {(int(line["pid"]), line["ident"]) for line in lines}
            assert sorted(ident for _, ident in idents) == ["Keepalived", "Keepalived_vrrp"]
            assert (runner.main.pid, "Keepalived") in idents
            found.append({(int(line["priority"]), line["ident"], line["message"]) for line in lines})
            assert runner.main.log == ""  # nothing on the console without -l
        theirs, ours = ({line for line in lines if "(VI_1)" in line[2]} for lines in found)
        assert ("Keepalived_vrrp", "(VI_1) Entering MASTER STATE") in {line[1:] for line in theirs & ours}
        facilities = [{priority >> 3 for priority, _, _ in lines} for lines in found]
        assert facilities == [{19}, {19}], found  # local3


def with_options(host: Host, text: str, program: Path | str, *options: object) -> AsKeepalived:
    runner = AsKeepalived(host, text)
    runner.program, runner.options = program, ("-n", "-l", "-G", "-D", "-P", *options)
    runner.start()
    runner.wait_for_state("master")
    return runner


def test_with_m_and_u_both_processes_may_leave_cores_and_have_another_umask(lab: Lab, keepalived: Path, text: str):
    with Lab("one", "two") as other:
        for host, program in ((other["one"], "keepalived"), (lab["one"], keepalived)):
            runner = with_options(host, text, program, "-m", "-u", "077")
            for name in ("keepalived.pid", "vrrp.pid"):
                limits = Path(f"/proc/{runner.pid(name)}/limits").read_text()
                assert re.search(r"Max core file size +unlimited +unlimited", limits), (program, name)
                assert "Umask:\t0077" in Path(f"/proc/{runner.pid(name)}/status").read_text()


def test_with_R_the_death_of_the_child_is_the_end(lab: Lab, keepalived: Path, text: str):
    with Lab("one", "two") as other:
        for host, program in ((other["one"], "keepalived"), (lab["one"], keepalived)):
            runner = with_options(host, text, program, "-R")
            os.kill(runner.pid("vrrp.pid"), signal.SIGKILL)
            assert runner.main.wait() is not None
            assert runner.state("VI_1") == "master" and runner.main.log.count("Entering MASTER STATE") == 1
    assert "10.77.0.100/24" not in lab["one"].addresses()


def test_with_s_it_runs_in_that_namespace(lab: Lab, keepalived: Path, text: str):
    files = lab["two"].directory
    (files / "k.conf").write_text(text)
    # From one host into the other.
    ours = lab["two"].start("keepalived", keepalived, "-n", "-l", "-G", "-s", lab["one"].namespace, "-f", files / "k.conf",
                            "-p", files / "k.pid", "-r", files / "v.pid")  # fmt: skip
    ours.wait_for_log("(VI_1) Entering MASTER STATE")
    wait_for("the address there", lambda: "10.77.0.100/24" in lab["one"].addresses())
    assert "10.77.0.100/24" not in lab["two"].addresses()
    assert ours.stop() == 0
    assert "10.77.0.100/24" not in lab["one"].addresses()


def test_several_run_on_one_machine_with_pid_files_of_their_own(lab: Lab, keepalived: Path, text: str):
    files = lab["one"].directory
    other = text.replace("VI_1", "VI_2").replace("virtual_router_id 51", "virtual_router_id 52").replace("10.77.0.100", "10.77.0.200")
    both = {}
    for name, content in (("a", text), ("b", other)):
        (files / f"{name}.conf").write_text(content)
        both[name] = lab["one"].start("keepalived", keepalived, "-n", "-l", "-G", "-f", files / f"{name}.conf",
                                      "-p", files / f"{name}.pid", "-r", files / f"{name}-vrrp.pid")  # fmt: skip
        both[name].wait_for_log("Entering MASTER STATE")
    # Neither has taken the other's for a predecessor's.
    assert {"10.77.0.100/24", "10.77.0.200/24"} <= lab["one"].addresses()
    assert "removed by somebody else" not in both["a"].log
    for name, instance in (("a", "VI_1"), ("b", "VI_2")):
        shown = call(build_directory() / "vrrpd" / "vrrpctl", "--socket", files / f"{name}.sock", "status")
        assert instance in shown.stdout, shown
    assert both["a"].stop() == 0
    assert "10.77.0.200/24" in lab["one"].addresses() and "10.77.0.100/24" not in lab["one"].addresses()
