"""The RPM package: it has what the Debian package has, and its scripts do the same on a machine with systemd."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from machine import CONFIG, Machine, has_address, main_pid, wait_for_master

SOURCE = Path(__file__).resolve().parents[2]
DEBIAN = Path(os.environ.get("VRRPD_PACKAGES") or SOURCE / "build" / "package")
PACKAGES = Path(os.environ.get("VRRPD_RPM_PACKAGES") or SOURCE / "build" / "rpm")


@pytest.fixture(scope="module")
def package() -> Path:
    found = sorted(PACKAGES.glob("vrrpd-*.rpm"))
    assert len(found) == 1, f"packaging/build-rpm.sh builds one into {PACKAGES}"
    return found[0]


def said_by(*command: object) -> str:
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, timeout=60).stdout


def rpm(machine: Machine, *words: object) -> None:
    # What it needs has other names on Debian.
    machine.do("rpm", "--force-debian", "--nodeps", *words, timeout=120)


def in_rpm(name: str) -> str:
    """Where the RPM package has a file of the Debian package, which compresses manuals and documents."""
    name = re.sub(r"^/lib/systemd/", "/usr/lib/systemd/", name.removesuffix(".gz"))
    name = re.sub(r"^/usr/share/doc/vrrpd/examples/", "/usr/share/vrrpd/examples/", name)
    return re.sub(r"/examples/(vrrpd\.json|vrrpd\.\w+\.yml)$", r"/\1", name)


def test_it_has_the_files_of_the_debian_package(package: Path):
    contents = said_by("dpkg-deb", "--contents", next(DEBIAN.glob("vrrpd_*.deb")))
    theirs = {in_rpm(line.split()[5][1:]) for line in contents.splitlines() if not line.startswith("d")}
    listed = said_by("rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]", package)
    ours = {line.split()[1] for line in listed.splitlines() if not line.startswith("d")}
    assert {name for name in ours ^ theirs if not name.startswith("/usr/share/doc/")} == set()
    documents = {Path(name).name for name in ours if name.startswith("/usr/share/doc/")}
    assert documents == {"README.md", "CHANGELOG.md", *(file.name for file in (SOURCE / "packaging/doc").iterdir())}


def test_it_installs_runs_upgrades_and_goes(machine: Machine, package: Path):
    file = machine.write("/root/vrrpd.rpm", package.read_bytes())
    rpm(machine, "--install", file)
    assert "VRRP daemon" in machine.do("getent", "passwd", "vrrpd")
    assert machine.show("vrrpd", "ActiveState") == "inactive"

    machine.write("/etc/vrrpd/vrrpd.yaml", CONFIG)
    machine.do("systemctl", "enable", "--now", "vrrpd")
    wait_for_master(machine)
    before = main_pid(machine)

    rpm(machine, "--upgrade", "--replacepkgs", file)
    machine.wait_for("another process", lambda: main_pid(machine) not in (0, before))
    wait_for_master(machine)

    rpm(machine, "--erase", "vrrpd")
    assert not has_address(machine)
    assert machine.run("pgrep", "-x", "vrrpd").returncode == 1
    assert machine.do("cat", "/etc/vrrpd/vrrpd.yaml") == CONFIG, "what the operator wrote stays"
    assert machine.run("systemctl", "status", "vrrpd").returncode == 4  # no such unit
