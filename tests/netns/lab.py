"""A network on one machine: hosts and a switch as network namespaces, and the programs that run in them.

A Lab is built in a fraction of a second, its names are unique, and nothing of it is visible in the root namespace
(the veth pairs connect the hosts' namespaces with the switch's). Whoever makes one closes it; what a killed run left
behind is removed by the next one. Nothing here knows VRRP; the daemons are in daemons.py.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, TypeVar

PREFIX = "vrrpd-lab"
NETNS_DIR = Path("/run/netns")
BRIDGE = "br0"
# Not $TMPDIR: daemons that run as nobody or frr have to get in, and socket paths have to be short.
DIRECTORIES = Path("/tmp")

T = TypeVar("T")


class LabFailure(AssertionError):
    """Something did not happen in time, or a program did not do what it was asked to."""


def wait_for(
    what: str | Callable[[], str], condition: Callable[[], T], timeout: float = 10.0, every: float = 0.01
) -> T:
    """Returns the first true value of `condition`. After `timeout` seconds fails and says what it waited for: `what`, or
    what `what` returns then."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise LabFailure(f"waited {timeout:g} s in vain for: {text} (last: {value!r})")
        time.sleep(every)


def holds_for(what: str, condition: Callable[[], object], seconds: float, every: float = 0.02) -> None:
    """Fails as soon as `condition` is false within the next `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            raise LabFailure(f"did not hold for {seconds:g} s: {what}")
        time.sleep(every)


def run(*argv: object, stdin: str | None = None, check: bool = True, timeout: float = 20) -> str:
    """Runs a program to its end and returns its output (both streams)."""
    words = [str(word) for word in argv]
    done = subprocess.run(
        words, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout
    )
    if check and done.returncode != 0:
        raise LabFailure(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def _go_first() -> None:
    """Elsewhere each of these has a computer of its own; here it shares one with every lab and with those who look on. It
    must not be they who make it late."""
    with contextlib.suppress(OSError):
        os.nice(-10)
        Path("/proc/self/autogroup").write_text("-10")


class Process:
    """A program that runs in the background, in a session of its own, with its output in a file."""

    def __init__(
        self, name: str, argv: list[str], log: Path, env: dict[str, str] | None = None, pass_fds: tuple[int, ...] = ()
    ):
        self.name = name
        self.log_path = log
        with open(log, "ab") as output:
            self._popen = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=_go_first,
                pass_fds=pass_fds,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def running(self) -> bool:
        return self._popen.poll() is None

    def exit_code(self) -> int | None:
        """None while it runs; minus the number of the signal that ended it."""
        return self._popen.poll()

    def wait(self, timeout: float = 10) -> int:
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabFailure(f"{self.name} did not end within {timeout:g} s") from None

    def wait_for_log(self, text: str, timeout: float = 10) -> None:
        def seen() -> bool:
            if text in self.log:
                return True
            if not self.running():
                raise LabFailure(f"{self.name} ended with {self.exit_code()} instead of saying: {text}\n{self.log}")
            return False

        wait_for(f"{self.name} to say: {text}", seen, timeout)

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def stop(self, timeout: float = 10) -> int:
        """Asks it to end, and returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self) -> None:
        """Ends it and its children at the same moment, without a chance to clean up."""
        self._signal_session(signal.SIGKILL)
        self._popen.wait()

    def freeze(self) -> None:
        self._signal_session(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_session(signal.SIGCONT)

    def members(self) -> list[int]:
        """It and whatever it started, in whichever session."""
        found = [self.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    found += [int(child) for child in children.read_text().split()]
        return found

    def _signal_session(self, number: signal.Signals) -> None:
        # The group's number is ours only until its first process has been waited for.
        if self._popen.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, number)


class Freezer:
    """A control group that stops and resumes a program as a container's or a virtual machine's pause does: the program
    sees no signal."""

    def __init__(self, lab: Lab, process: Process):
        self._group = control_groups() / f"{lab.name}-{process.pid}"
        self._group.mkdir()
        lab.freezers.append(self)
        for pid in process.members():
            (self._group / "cgroup.procs").write_text(str(pid))

    def freeze(self) -> None:
        (self._group / "cgroup.freeze").write_text("1")
        wait_for(f"{self._group.name} to stand still", lambda: "frozen 1" in (self._group / "cgroup.events").read_text())

    def thaw(self) -> None:
        (self._group / "cgroup.freeze").write_text("0")

    def remove(self) -> None:
        """Once its processes have ended."""
        remove_control_group(self._group)


class Host:
    """A machine: eth0 is 10.77.0.N/24 and fd77::N/64, connected to the lab's switch."""

    def __init__(self, lab: Lab, name: str, number: int):
        self.lab = lab
        self.name = name
        self.number = number
        self.namespace = f"{lab.name}-{name}"
        self.ipv4 = f"10.77.0.{number}"
        self.ipv6 = f"fd77::{number:x}"
        self.directory = lab.directory / name
        self.directory.mkdir()
        self._processes = 0

    def command(self, *argv: object) -> list[str]:
        return ["ip", "netns", "exec", self.namespace, *(str(word) for word in argv)]

    def run(self, *argv: object, **options) -> str:
        return run(*self.command(*argv), **options)

    def start(
        self, name: str, *argv: object, env: dict[str, str] | None = None, pass_fds: tuple[int, ...] = ()
    ) -> Process:
        self._processes += 1
        log = self.directory / f"{self._processes}-{name}.log"
        process = Process(f"{name} on {self.name}", self.command(*argv), log, env, pass_fds)
        self.lab.processes.append(process)
        return process

    def ip(self, *lines: str) -> None:
        """Runs lines of `ip -batch` in this host."""
        run("ip", "-n", self.namespace, "-batch", "-", stdin="\n".join(lines) + "\n")

    def interface_addresses(self, interface: str = "eth0") -> list[dict]:
        links = json.loads(run("ip", "-n", self.namespace, "-json", "address", "show", "dev", interface))
        return [address for link in links for address in link.get("addr_info", [])]

    def addresses(self, interface: str = "eth0") -> set[str]:
        """As "10.77.0.1/24"."""
        return {f"{a['local']}/{a['prefixlen']}" for a in self.interface_addresses(interface)}

    def link_local(self, interface: str = "eth0") -> str:
        """The interface's own one, which the kernel makes a moment after the link came up."""

        def own() -> str:
            found = (a for a in self.interface_addresses(interface) if a.get("scope") == "link")
            return next((a["local"] for a in found if a["prefixlen"] == 64 and "ff:fe" in a["local"]), "")

        return wait_for(f"link-local address of {interface} on {self.name}", own)

    def mac(self, interface: str = "eth0") -> str:
        return json.loads(run("ip", "-n", self.namespace, "-json", "link", "show", "dev", interface))[0]["address"]

    def plug(self) -> None:
        """Makes eth0 and connects it with the switch; it comes up with its addresses."""
        run("ip", "link", "add", self.name, "netns", self.lab.switch, "type", "veth",
            "peer", "name", "eth0", "netns", self.namespace)
        self.ip(
            f"address add {self.ipv4}/24 dev eth0",
            f"address add {self.ipv6}/64 dev eth0 nodad",
            "link set eth0 up",
        )
        self.lab.switch_ip(f"link set {self.name} master {BRIDGE} up")

    def unplug(self) -> None:
        """Takes the network card out: eth0 is gone."""
        self.ip("link delete eth0")

    def cut(self) -> None:
        """Takes the switch's port down: the cable is out, the host sees no carrier."""
        self.lab.switch_ip(f"link set {self.name} down")

    def mend(self) -> None:
        self.lab.switch_ip(f"link set {self.name} up")

    def flap(self) -> None:
        """cut() and mend() within a millisecond."""
        self.lab.switch_ip(f"link set {self.name} down", f"link set {self.name} up")

    def add_interface(self, interface: str, subnet: str) -> None:
        """A further one on a switch port of its own; `subnet` as "10.78.0" for 10.78.0.N/24."""
        port = f"{self.name}-{interface}"
        run("ip", "link", "add", port, "netns", self.lab.switch, "type", "veth",
            "peer", "name", interface, "netns", self.namespace)
        self.lab.switch_ip(f"link set {port} master {BRIDGE} up")
        self.ip(f"address add {subnet}.{self.number}/24 dev {interface}", f"link set {interface} up")


class Lab:
    """A switch and its hosts. Use as a context manager, or call close()."""

    def __init__(self, *names: str):
        self.name = f"{PREFIX}-{owner()}-{secrets.token_hex(3)}"
        self.switch = f"{self.name}-switch"
        self.directory = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=DIRECTORIES))
        self.directory.chmod(0o755)
        self.processes: list[Process] = []
        self.hosts: dict[str, Host] = {}
        self.freezers: list[Freezer] = []
        _open_labs.append(self)
        try:
            self._build(names)
        except BaseException:
            self.close()
            raise

    def _build(self, names: tuple[str, ...]) -> None:
        run("ip", "netns", "add", self.switch)
        sysctl(self.switch, "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        self.switch_ip(
            f"link add {BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            f"link set {BRIDGE} up",
            "link set lo up",
        )
        for number, name in enumerate(names, start=1):
            self.add_host(name, number)

    def add_host(self, name: str, number: int) -> Host:
        host = Host(self, name, number)
        self.hosts[name] = host
        run("ip", "netns", "add", host.namespace)
        # Without duplicate address detection an address is usable at once; router solicitations are only noise.
        sysctl(
            host.namespace,
            *(f"net.ipv6.conf.{scope}.{key}=0"
              for scope in ("all", "default")
              for key in ("accept_dad", "dad_transmits", "router_solicitations", "accept_ra")),
        )
        host.ip("link set lo up")
        host.plug()
        return host

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def switch_ip(self, *lines: str) -> None:
        run("ip", "-n", self.switch, "-batch", "-", stdin="\n".join(lines) + "\n")

    def start_on_switch(self, name: str, *argv: object) -> Process:
        command = ["ip", "netns", "exec", self.switch, *(str(word) for word in argv)]
        log = self.directory / f"switch-{len(self.processes)}-{name}.log"
        process = Process(f"{name} on the switch", command, log)
        self.processes.append(process)
        return process

    def drop(self, sender: Host, receiver: Host) -> None:
        """From now on nothing of `sender` reaches `receiver`; the other direction is not touched."""
        rules = (
            "add table bridge lab\n"
            "add chain bridge lab oneway { type filter hook forward priority 0; }\n"
            f"add rule bridge lab oneway iifname {sender.name} oifname {receiver.name} drop\n"
        )
        run("ip", "netns", "exec", self.switch, "nft", "-f", "-", stdin=rules)

    def deliver_all(self) -> None:
        """Ends every drop()."""
        run("ip", "netns", "exec", self.switch, "nft", "delete", "table", "bridge", "lab")

    def logs(self) -> list[tuple[str, str]]:
        """(program, output) of everything that was started and said something."""
        return [(p.name, p.log) for p in self.processes if p.log_path.exists() and p.log]

    def leave_running(self) -> None:
        """From now on nobody closes it but remove_labs_of()."""
        _open_labs.remove(self)

    def close(self) -> None:
        """Ends every process and removes the namespaces; harmless when repeated."""
        for freezer in self.freezers:
            freezer.thaw()
        for process in self.processes:
            process.kill()
        for freezer in self.freezers:
            freezer.remove()
        self.freezers.clear()
        for namespace in [host.namespace for host in self.hosts.values()] + [self.switch]:
            remove_namespace(namespace)
        shutil.rmtree(self.directory, ignore_errors=True)
        if self in _open_labs:
            _open_labs.remove(self)


_open_labs: list[Lab] = []


def sysctl(namespace: str, *settings: str) -> None:
    run("ip", "netns", "exec", namespace, "sysctl", "-qw", *settings)


def start_time(pid: int) -> str:
    """In clock ticks since boot, "" if there is no such process: with it, a pid names one process for ever."""
    try:
        # The command name, the second field, may contain blanks and parentheses.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def owner() -> str:
    """Whose labs these are: PID.STARTTIME of the run, which is not this process when tests run in parallel."""
    return os.environ.setdefault("VRRPD_LAB_OWNER", f"{os.getpid()}.{start_time(os.getpid())}")


def remove_namespace(namespace: str) -> None:
    """Removes it and ends what still runs in it."""
    if not (NETNS_DIR / namespace).exists():
        return
    for pid in run("ip", "netns", "pids", namespace, check=False).split():
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(int(pid), signal.SIGKILL)
    run("ip", "netns", "delete", namespace, check=False)


def control_groups() -> Path:
    """The root of the second version's hierarchy, which some systems have beside the first one's."""
    roots = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
    return next(root for root in roots if (root / "cgroup.procs").exists())


def remove_control_group(group: Path) -> None:
    """With those that its processes have made in it."""
    wait_for(f"{group.name} to be empty", lambda: "populated 0" in (group / "cgroup.events").read_text())
    for inner, _, _ in os.walk(group, topdown=False):
        Path(inner).rmdir()


def owner_of(name: str) -> str:
    return name.removeprefix(f"{PREFIX}-").split("-")[0]


def remove_labs_of(gone: Callable[[str], bool]) -> None:
    """Removes the namespaces and directories of every owner that is `gone`."""
    namespaces = NETNS_DIR.glob(f"{PREFIX}-*") if NETNS_DIR.exists() else []
    for path in namespaces:
        if gone(owner_of(path.name)):
            remove_namespace(path.name)
    for path in control_groups().glob(f"{PREFIX}-*"):
        if gone(owner_of(path.name)):
            (path / "cgroup.kill").write_text("1")
            remove_control_group(path)
    for path in DIRECTORIES.glob(f"{PREFIX}-*"):
        if gone(owner_of(path.name)):
            shutil.rmtree(path, ignore_errors=True)


def remove_stale_labs() -> None:
    """Removes what runs left behind that are no longer alive."""

    def gone(name: str) -> bool:
        pid, _, started = name.partition(".")
        return pid.isdigit() and start_time(int(pid)) != started

    remove_labs_of(gone)


def remove_own_labs() -> None:
    """Removes what this run made, in whichever of its processes."""
    remove_labs_of(lambda name: name == owner())


@atexit.register
def _close_open_labs() -> None:
    for lab in list(_open_labs):
        lab.close()


def exit_on_sigterm() -> None:
    """Makes SIGTERM end the program like Ctrl-C does, through everybody's clean-up."""

    def handler(*_) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, handler)


def require_root() -> None:
    if os.geteuid() != 0:
        sys.exit("network namespaces need root: run this with sudo")
