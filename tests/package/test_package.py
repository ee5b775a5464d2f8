"""The Debian package on a machine with systemd: installed, started, reloaded, disturbed, upgraded, removed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from machine import CONFIG, Machine, has_address, main_pid, wait_for_master

SOURCE = Path(__file__).resolve().parents[2]
PACKAGES = Path(os.environ.get("VRRPD_PACKAGES") or SOURCE / "build" / "package")
# Debian's own, with what the README asks for, and a backend.
HAPROXY = """
global
  stats socket /run/haproxy/admin.sock mode 660 level operator
  chroot /var/lib/haproxy
  user haproxy
  group haproxy
  daemon
defaults
  timeout connect 1s
  timeout client 1s
  timeout server 1s
backend jenkins_backend_devops
  server vm1 127.0.0.1:1 check inter 100ms
"""
KEEPALIVED = """
vrrp_instance VI_MAIN {
  interface lan0
  virtual_router_id 51
  virtual_ipaddress {
    10.78.0.100/24
  }
}
"""


@pytest.fixture(scope="module")
def package() -> Path:
    return built("vrrpd")


def built(name: str) -> Path:
    found = sorted(PACKAGES.glob(f"{name}_*.deb"))
    assert len(found) == 1, f"packaging/build-deb.sh builds one into {PACKAGES}"
    return found[0]


@pytest.fixture
def installed(machine: Machine, package: Path) -> Machine:
    install(machine, package)
    return machine


@pytest.fixture
def running(installed: Machine) -> Machine:
    installed.write("/etc/vrrpd/vrrpd.yaml", CONFIG)
    installed.do("systemctl", "start", "vrrpd")
    wait_for_master(installed)
    return installed


def install(machine: Machine, package: Path) -> None:
    machine.do("dpkg", "--install", machine.write("/root/vrrpd.deb", package.read_bytes()), timeout=120)


def status(machine: Machine) -> dict:
    return json.loads(machine.run("vrrpctl", "status", "--json").stdout or "{}")


def other_version(package: Path, directory: Path, version: str) -> Path:
    tree = directory / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.M))
    made = directory / f"vrrpd_{version}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, made], check=True, stdout=subprocess.DEVNULL)
    return made


@pytest.mark.parametrize("name", ["vrrpd", "vrrpd-keepalived"])
def test_lintian_finds_no_error(name: str):
    done = subprocess.run(["lintian", "--fail-on=error", built(name)], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout


def test_it_is_there_and_waits_for_a_configuration(installed: Machine):
    assert installed.do("systemctl", "is-enabled", "vrrpd").strip() == "enabled"
    assert installed.show("vrrpd", "ActiveState") == "inactive"
    assert installed.run("systemctl", "--failed", "--no-legend", "list-units", "vrrpd*").stdout == ""
    assert installed.run("systemctl", "is-enabled", "gluster-sync").stdout.strip() == "disabled"
    assert "VRRP daemon" in installed.do("getent", "passwd", "vrrpd")
    for command in ("vrrpd", "vrrpctl", "gluster-sync", "haproxy-probe"):
        assert "0.1.0" in installed.do(command, "--version")
    for page in ("vrrpd.8", "vrrpctl.8", "vrrpd.yaml.5", "gluster-sync.8", "gluster-sync.yaml.5", "haproxy-probe.1"):
        assert installed.do("sh", "-c", f"test -s /usr/share/man/man{page[-1]}/{page}.gz && echo there").strip() == "there"


def test_it_runs_without_root_and_says_when_it_is_ready(running: Machine):
    assert running.show("vrrpd", "ActiveState") == "active"
    assert running.show("vrrpd", "StatusText") == "1 virtual routers"
    pid = main_pid(running)
    assert running.do("ps", "-o", "user=", "-p", str(pid)).strip() == "vrrpd"
    assert running.do("grep", "CapEff", f"/proc/{pid}/status").split()[1] == "0000000000003000"  # net_admin, net_raw
    assert running.do("stat", "-c", "%G %a", "/run/vrrpd/control.sock").strip() == "vrrpd 660"
    assert status(running)["instances"][0]["state"] == "master"


def test_a_reload_reports_failure_and_success(running: Machine):
    running.write("/etc/vrrpd/vrrpd.yaml", CONFIG.replace("vrid: 51", "vrid: 300"))
    assert running.run("systemctl", "reload", "vrrpd").returncode != 0
    assert "vrid 300 is not in 1-255" in running.journal()
    assert running.show("vrrpd", "ActiveState") == "active" and has_address(running)
    running.write("/etc/vrrpd/vrrpd.yaml", CONFIG + "    priority: 77\n")
    running.do("systemctl", "reload", "vrrpd")
    assert status(running)["instances"][0]["priority"] == 77


def test_the_watchdog_replaces_what_hangs(running: Machine):
    running.do("mkdir", "-p", "/run/systemd/system/vrrpd.service.d")
    running.write("/run/systemd/system/vrrpd.service.d/quick.conf", "[Service]\nWatchdogSec=1s\n")
    running.do("systemctl", "daemon-reload")
    running.do("systemctl", "restart", "vrrpd")
    wait_for_master(running)
    before = main_pid(running)
    children = running.do("cat", f"/proc/{before}/task/{before}/children").split()
    running.do("kill", "-STOP", children[0])
    running.wait_for("another process", lambda: main_pid(running) not in (0, before))
    wait_for_master(running)
    assert "watchdog" in running.journal().lower()


def test_a_drain_is_saved_in_spite_of_the_sandbox(running: Machine):
    running.run("vrrpctl", "drain")  # 1: nobody takes over here
    assert status(running)["drained"]["saved"] is True
    running.do("systemctl", "restart", "vrrpd")
    assert "drained" in status(running)
    running.do("vrrpctl", "undrain")


def test_its_user_may_ask_the_haproxy_of_the_machine(installed: Machine):
    installed.write("/etc/haproxy/haproxy.cfg", HAPROXY)
    installed.do("systemctl", "restart", "haproxy")
    installed.write("/etc/vrrpd/vrrpd.yaml", CONFIG + "    track: [haproxy]\nhaproxy: {servers: all}\n")
    installed.do("systemctl", "start", "vrrpd")
    installed.wait_for("an answer of HAProxy", lambda: status(installed)["haproxy"]["servers"] == 1)
    assert "alarm" not in status(installed)["haproxy"]


def test_keepalived_and_vrrpd_are_never_there_together(running: Machine):
    running.write("/etc/keepalived/keepalived.conf", KEEPALIVED)
    running.do("systemctl", "start", "keepalived")
    running.wait_for("vrrpd to end", lambda: running.show("vrrpd", "ActiveState") == "inactive")
    running.do("systemctl", "start", "vrrpd")
    running.wait_for("keepalived to end", lambda: running.show("keepalived", "ActiveState") in ("inactive", "failed"))
    wait_for_master(running)


def test_the_link_package_takes_the_place_of_keepalived(installed: Machine):
    installed.write("/etc/keepalived/keepalived.conf", KEEPALIVED)
    installed.do("systemctl", "start", "keepalived")
    installed.wait_for("keepalived's address", lambda: has_address(installed))
    install(installed, built("vrrpd-keepalived"))
    assert installed.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "keepalived").stdout != "installed"
    assert installed.do("readlink", "/usr/sbin/keepalived").strip() == "vrrpd"
    assert installed.do("cat", "/etc/keepalived/keepalived.conf") == KEEPALIVED
    installed.do("systemctl", "daemon-reload")
    installed.do("systemctl", "restart", "keepalived")
    installed.wait_for("the address", lambda: has_address(installed))
    assert installed.show("keepalived", "ActiveState") == "active"
    assert status(installed)["instances"][0]["name"] == "VI_MAIN"
    installed.do("systemctl", "reload", "keepalived")
    assert has_address(installed)
    installed.do("dpkg", "--purge", "vrrpd-keepalived", timeout=120)
    assert not has_address(installed)
    assert installed.run("test", "-e", "/usr/sbin/keepalived").returncode == 1


def test_an_upgrade_goes_on_with_the_configuration_of_before(running: Machine, package: Path, tmp_path: Path):
    before = main_pid(running)
    install(running, other_version(package, tmp_path, "99.0"))
    assert main_pid(running) not in (0, before)
    wait_for_master(running)
    assert running.show("vrrpd", "ActiveState") == "active"


def test_nothing_is_left_when_it_is_removed(running: Machine):
    running.do("dpkg", "--remove", "vrrpd", timeout=120)
    assert not has_address(running)
    assert running.run("pgrep", "-x", "vrrpd").returncode == 1
    assert running.run("test", "-e", "/run/vrrpd").returncode == 1
    assert running.do("cat", "/etc/vrrpd/vrrpd.yaml") == CONFIG, "what the operator wrote stays"
    running.do("dpkg", "--purge", "vrrpd", timeout=120)
    assert running.run("test", "-e", "/usr/lib/systemd/system/vrrpd.service").returncode == 1
    assert running.run("systemctl", "status", "vrrpd").returncode == 4  # no such unit


@pytest.mark.parametrize(("unit", "exposure"), [("vrrpd.service", 2.3), ("gluster-sync.service", 5.0)])
def test_the_units_are_sound_and_tight(installed: Machine, unit: str, exposure: float):
    said = installed.run("systemd-analyze", "verify", f"/usr/lib/systemd/system/{unit}")
    ours = [line for line in said.stderr.splitlines() if unit in line]
    assert (said.returncode, ours) == (0, [])
    # The lower, the less a process that was taken over could do; 10 is a service without any limits.
    verdict = installed.run(
        "systemd-analyze", "security", "--offline=yes", f"--threshold={round(exposure * 10)}", "--no-pager", unit
    )
    assert verdict.returncode == 0, verdict.stdout[-2000:]
