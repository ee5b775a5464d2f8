"""The systemd unit: what it takes away from the daemon, and that the daemon does without."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from daemons import Instance, Vrrpd, build_directory
from lab import Lab, run, wait_for
from observe import AddressMonitor

UNIT = Path(__file__).parents[2] / "packaging" / "systemd" / "vrrpd.service"
# 0 is shut off from everything, 10 from nothing. Two capabilities and the network are what it needs.
EXPOSURE_MAX = 2.3


def settings(name: str) -> list[str]:
    return [line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith(f"{name}=")]


def group(name: str) -> set[str]:
    """The system calls in a group of systemd's, as @network-io, or the one of that name."""
    if not name.startswith("@"):
        return {name}
    lines = [line.strip() for line in run("systemd-analyze", "syscall-filter", name).splitlines()[1:]]
    words = [line for line in lines if line and not line.startswith("#")]
    return set().union(*(group(word) for word in words))


def permitted() -> set[str]:
    calls: set[str] = set()
    for line in settings("SystemCallFilter"):
        named = set().union(*(group(word) for word in line.lstrip("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    return calls


def test_systemd_understands_every_line_of_the_unit(tmp_path: Path):
    # The programs and manual pages that it names are not installed where this runs.
    text = UNIT.read_text()
    for program in ("/usr/sbin/vrrpd", "/usr/bin/vrrpctl"):
        assert program in text
        text = text.replace(program, str(build_directory() / "vrrpd" / Path(program).name))
    file = tmp_path / UNIT.name
    file.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", file], capture_output=True, text=True, timeout=60)
    said = [line for line in (done.stdout + done.stderr).splitlines() if UNIT.name in line]
    assert (done.returncode, said) == (0, [])


def test_the_unit_shuts_the_daemon_off_from_what_it_does_not_need():
    done = run("systemd-analyze", "security", "--offline=true", UNIT, timeout=60)
    exposure = re.search(r"Overall exposure level for vrrpd\.service: ([0-9.]+)", done)
    assert exposure and float(exposure[1]) <= EXPOSURE_MAX, done


def test_a_life_of_the_daemon_gets_by_with_the_user_the_capabilities_and_the_system_calls_of_the_unit(
    lab: Lab, monitor: AddressMonitor
):
    assert settings("CapabilityBoundingSet") == settings("AmbientCapabilities") == ["CAP_NET_ADMIN CAP_NET_RAW"]
    host = lab["one"]
    os.chmod(host.directory, 0o777)  # for the control socket and the trace
    trace = host.directory / "trace"
    control = {"socket": str(host.directory / "control.sock"), "group": "nogroup"}
    mail = {"to": ["root"], "server": "localhost", "port": 2525}
    daemon = Vrrpd(host, Instance(priority=200), sections={"control": control, "mail": mail},
                   instance_keys={"accept": False, "notify": {"mail": True}})  # fmt: skip
    daemon.prefix = [
        "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--bounding-set=-all,+net_admin,+net_raw",
        "--inh-caps=-all,+net_admin,+net_raw", "--ambient-caps=-all,+net_admin,+net_raw", "--no-new-privs",
        "strace", "-D", "-f", "-qq", "-e", "signal=none", "-o", str(trace),
    ]
    daemon.start()
    address = daemon.instance.virtual_address
    monitor.wait_for_owner(address, host)
    assert "control.group" not in daemon.main.log
    engine = daemon.engine()
    os.kill(engine, 9)
    wait_for("the next engine", lambda: daemon.engine() not in (0, engine))
    daemon.main.wait_for_log("remains in MASTER STATE")
    daemon.main.wait_for_log("Connection refused")  # by a mail server that is not there
    assert "accept: false" not in daemon.main.log
    wait_for("its answer", lambda: daemon.ctl("status", check=False).code in (0, 1))
    assert daemon.ctl("reload").code == 0
    assert daemon.stop() == 0
    wait_for("the address to be gone", lambda: monitor.owners(address) == [])

    calls = {match[1] for match in re.finditer(r"^\d+ +(?:<\.\.\. )?([a-z0-9_]+)[( ]", trace.read_text(), re.MULTILINE)}
    assert {"sendmmsg", "recvmmsg", "memfd_create", "lchown", "capset"} <= calls, "the trace is not whole"
    assert calls - permitted() == set()
