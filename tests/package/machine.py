"""A machine with a systemd of its own: this one's file system with a layer of memory above it, booted as a container. What
is installed, configured and broken there is gone when it is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Callable

_SETUP = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1"/upper "$1"/work "$1"/root
mount -t overlay overlay -o lowerdir=/,upperdir="$1"/upper,workdir="$1"/work "$1"/root
# Nobody looks for a manual page there, and an index of them takes as long as all the rest.
for file in etc/machine-id usr/sbin/policy-rc.d var/lib/man-db/auto-update; do rm -f "$1/root/$file"; done
touch "$1"/root/etc/machine-id
rm -rf "$1"/root/etc/vrrpd "$1"/root/var/lib/vrrpd
exec systemd-nspawn --quiet --directory="$1"/root --machine=vrrpd-package-$$ --register=no --keep-unit --private-network \
  --boot --console=pipe systemd.unit=basic.target
"""


class Machine:
    """Use as a context manager."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="vrrpd-package-", dir="/tmp"))
        self._log = open(self._directory.with_suffix(".log"), "w+b")
        self._nspawn = subprocess.Popen(
            # It ends with the tests, however these end.
            ["setpriv", "--pdeathsig", "TERM", "unshare", "-m", "bash", "-c", _SETUP, "setup", str(self._directory)],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
        )
        self._leader = 0
        try:
            self._leader = self.wait_for("systemd to boot", self._find_leader, 60)
            self.wait_for("systemd to be ready", lambda: self.run("systemctl", "is-active", "basic.target").returncode == 0, 60)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._leader:
                os.kill(self._leader, signal.SIGKILL)  # all its processes end with the first one
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            self._nspawn.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._nspawn.pid, signal.SIGKILL)
        self._nspawn.wait()
        self._log.close()
        self._directory.with_suffix(".log").unlink()
        self._directory.rmdir()  # its mounts were in a namespace that is gone

    def _find_leader(self) -> int:
        if self._nspawn.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended\n{self._directory.with_suffix('.log').read_text()}")
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        for child in children:
            with contextlib.suppress(OSError):
                if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    return int(child)
        return 0

    def run(self, *words: object, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["nsenter", "--all", f"--target={self._leader}", "--", *map(str, words)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
        )

    def do(self, *words: object, timeout: float = 60) -> str:
        """Runs it and returns what it says; it has to succeed."""
        done = self.run(*words, timeout=timeout)
        assert done.returncode == 0, f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}{self.journal()}"
        return done.stdout

    def write(self, path: str, content: str | bytes) -> str:
        """Returns `path`."""
        done = subprocess.run(
            ["nsenter", "--all", f"--target={self._leader}", "--", "tee", path],
            input=content.encode() if isinstance(content, str) else content,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=30, check=False,
        )
        assert done.returncode == 0, done.stderr
        return path

    def journal(self) -> str:
        return self.run("journalctl", "--no-pager", "-n", "60").stdout

    def show(self, unit: str, what: str) -> str:
        return self.do("systemctl", "show", "--value", "--property", what, unit).strip()

    def wait_for(self, what: str, condition: Callable[[], object], timeout: float = 20) -> object:
        deadline = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < deadline, f"waited {timeout:g} s in vain for {what}\n{self.journal() if self._leader else ''}"
            time.sleep(0.05)


# What the packages are tried with.
VIP = "10.78.0.100"
CONFIG = f"""
instances:
  - name: VI_MAIN
    interface: lan0
    vrid: 51
    advertisement_interval: 100ms
    addresses: [{VIP}/24]
"""


def has_address(machine: Machine) -> bool:
    return f" {VIP}/24 " in machine.do("ip", "-4", "address", "show", "dev", "lan0")


def wait_for_master(machine: Machine) -> None:
    machine.wait_for("the address", lambda: has_address(machine))


def main_pid(machine: Machine) -> int:
    return int(machine.show("vrrpd", "MainPID"))
