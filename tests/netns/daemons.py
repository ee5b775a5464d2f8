"""The programs under test and their peers, each started from the same description of a virtual router."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from lab import Host, LabFailure, Process, wait_for

SOURCE_DIR = Path(__file__).resolve().parents[2]


def build_directory() -> Path:
    return Path(os.environ.get("VRRPD_BUILD") or SOURCE_DIR / "build" / "dev")


@dataclass(frozen=True)
class Instance:
    """One virtual router, in words that every daemon here understands."""

    priority: int = 100
    vrid: int = 51
    version: int = 3
    interval: float = 0.1  # seconds
    addresses: tuple[str, ...] = ("10.77.0.100/24",)
    preempt: bool = True
    password: str = ""
    unicast_peers: tuple[str, ...] = ()
    name: str = "VI_MAIN"

    @property
    def skew_time(self) -> float:
        """RFC 3768 section 6.1: not scaled in version 2; RFC 9568 section 6.1: scaled in version 3."""
        return (256 - self.priority) / 256 * (1 if self.version == 2 else self.interval)

    @property
    def master_down_interval(self) -> float:
        return 3 * self.interval + self.skew_time

    @property
    def ipv6(self) -> bool:
        return ":" in self.addresses[0]

    @property
    def virtual_address(self) -> str:
        """The one that clients use, without the prefix length: an IPv6 list begins with a link-local one."""
        return self.addresses[-1].partition("/")[0]


class Daemon:
    """A VRRP daemon on one host, with one instance."""

    kind = ""
    main: Process

    def __init__(self, host: Host, instance: Instance):
        self.host = host
        self.instance = instance

    def start(self) -> None:
        raise NotImplementedError

    def state(self) -> str:
        """One of "master", "backup", "fault" and ""; keepalived and vrrpd log each change in the same words."""
        entered = re.findall(rf"\({re.escape(self.instance.name)}\) Entering (\w+) STATE", self.main.log)
        return entered[-1].lower() if entered else ""

    def wait_for_state(self, state: str, timeout: float = 10) -> None:
        wait_for(f"{self.main.name} to be {state}", lambda: self.alive() and self.state() == state, timeout)

    def alive(self) -> bool:
        if not self.main.running():
            raise LabFailure(f"{self.main.name} ended with {self.main.exit_code()}\n{self.main.log}")
        return True

    def mac(self) -> str:
        """The one its advertisements come from."""
        return self.host.mac()

    def stop(self) -> int:
        """As an operator would; returns the exit code."""
        return self.main.stop()

    def kill(self) -> None:
        """All its processes at the same moment, as when the machine's memory is gone."""
        self.main.kill()


class Keepalived(Daemon):
    kind = "keepalived"

    def config(self) -> str:
        i = self.instance
        lines = ["interface eth0", "state BACKUP", f"virtual_router_id {i.vrid}", f"priority {i.priority}",
                 f"advert_int {i.interval:g}", f"version {i.version}"]
        if not i.preempt:
            lines.append("nopreempt")
        if i.password:
            lines.append(f"authentication {{\n auth_type PASS\n auth_pass {i.password}\n }}")
        if i.unicast_peers:
            lines.append(f"unicast_src_ip {self.host.ipv4}")
            lines.append("unicast_peer {\n  " + "\n  ".join(i.unicast_peers) + "\n }")
        lines.append("virtual_ipaddress {\n  " + "\n  ".join(i.addresses) + "\n }")
        body = "\n ".join(lines)
        return f"global_defs {{\n max_auto_priority -1\n}}\nvrrp_instance {i.name} {{\n {body}\n}}\n"

    def start(self) -> None:
        directory = self.host.directory
        (directory / "keepalived.conf").write_text(self.config())
        # It does not start over the pid file of a killed one whose process is a zombie still.
        for file in ("keepalived.pid", "keepalived-vrrp.pid"):
            (directory / file).unlink(missing_ok=True)
        self.main = self.host.start(
            "keepalived", "keepalived", "-n", "-l", "-D", "-G", "-P", "-f", directory / "keepalived.conf",
            "-p", directory / "keepalived.pid", "-r", directory / "keepalived-vrrp.pid",
            env={"TMPDIR": str(directory)},
        )
        self.main.wait_for_log("Entering BACKUP STATE (init)")


class Frr(Daemon):
    """FRR's vrrpd with the zebra it needs. Its addresses wait on macvlans that are there all the time, so who owns an
    address is not to be seen in the kernel's address list but only in its state."""

    kind = "frr"

    def config(self) -> str:
        i = self.instance
        lines = [f"vrrp {i.vrid} version {i.version}", f"vrrp {i.vrid} priority {i.priority}",
                 f"vrrp {i.vrid} advertisement-interval {round(i.interval * 1000)}"]
        if not i.preempt:
            lines.append(f"no vrrp {i.vrid} preempt")
        for address in i.addresses:
            lines.append(f"vrrp {i.vrid} {'ipv6' if ':' in address else 'ip'} {address.partition('/')[0]}")
        return "log stdout informational\ninterface eth0\n " + "\n ".join(lines) + "\n"

    def start(self) -> None:
        directory = self.host.directory / "frr"
        if not directory.exists():
            directory.mkdir()
            # The daemons give up root, and insist on this group for their command sockets.
            shutil.chown(directory, "frr", "frrvty")
            self._make_macvlan()
        for left_by_a_killed_one in directory.iterdir():
            left_by_a_killed_one.unlink()
        config = directory / "frr.conf"
        config.write_text(self.config())
        common = ["-u", "frr", "-g", "frr", "--vty_socket", directory, "-z", directory / "zserv.api", "-f", config]
        self._zebra = self.host.start("zebra", "/usr/lib/frr/zebra", *common, "-i", directory / "zebra.pid")
        wait_for("zebra's socket", lambda: (directory / "zserv.api").exists())
        self.main = self.host.start("frr-vrrpd", "/usr/lib/frr/vrrpd", *common, "-i", directory / "vrrpd.pid")
        wait_for("FRR's vrrpd to take part", lambda: self.state() in ("backup", "master"))

    def _make_macvlan(self) -> None:
        i, device = self.instance, f"vrrp{'6' if self.instance.ipv6 else '4'}-{self.instance.vrid}"
        # Its own link-local address must not be made from the virtual MAC: every router would have the same one. The
        # one added last comes first in the kernel's list, and FRR sends from the first.
        own = [f"address add fe80::77:{self.host.number}:{i.vrid}/64 dev {device} nodad"] if i.ipv6 else []
        self.host.ip(
            f"link add {device} link eth0 address {self.mac()} type macvlan mode bridge",
            f"link set {device} addrgenmode none",
            f"link set {device} up",
            *(f"address add {address} dev {device}{' nodad' if i.ipv6 else ''}" for address in i.addresses),
            *own,
        )

    def mac(self) -> str:
        return f"00:00:5e:00:{2 if self.instance.ipv6 else 1:02x}:{self.instance.vrid:02x}"

    def _status(self) -> dict:
        output = self.host.run(
            "vtysh", "--vty_socket", self.host.directory / "frr", "-d", "vrrpd", "-c", "show vrrp json", check=False
        )
        try:
            return json.loads(output)[0]["v6" if self.instance.ipv6 else "v4"]
        except (ValueError, LookupError):
            return {}

    def state(self) -> str:
        return self._status().get("status", "").lower()

    def stop(self) -> int:
        code = self.main.stop()
        self._zebra.stop()
        return code

    def kill(self) -> None:
        self.main.kill()
        self._zebra.kill()


class Vrrpd(Daemon):
    """Ours. `sections` are added to the configuration, `instance_keys` to its one instance, which
    loses those that are None."""

    kind = "vrrpd"

    def __init__(
        self, host: Host, instance: Instance, sections: dict | None = None, instance_keys: dict | None = None
    ):
        super().__init__(host, instance)
        self.sections = sections or {}
        self.instance_keys = instance_keys or {}
        self.file = host.directory / "vrrpd.yaml"
        self.socket = host.directory / "control.sock"
        self.state_directory = host.directory / "state"
        self.prefix: list[str] = []  # a command that starts the daemon, as setpriv

    def config(self) -> dict:
        i = self.instance
        entry: dict = {
            "name": i.name,
            "interface": "eth0",
            "vrid": i.vrid,
            "version": i.version,
            "priority": i.priority,
            "advertisement_interval": f"{i.interval:g}s" if i.interval >= 1 else f"{round(i.interval * 1000)}ms",
            "preempt": i.preempt,
            "addresses": list(i.addresses),
        }
        if i.password:
            entry["authentication"] = {"type": "pass", "password": i.password}
        if i.unicast_peers:
            entry["unicast_peers"] = list(i.unicast_peers)
        entry.update(self.instance_keys)
        entry = {key: value for key, value in entry.items() if value is not None}
        return {"node": self.host.name, "instances": [entry], "control": {"socket": str(self.socket)}, **self.sections}

    def config_text(self) -> str:
        # JSON is YAML.
        return json.dumps(self.config(), indent=2) + "\n"

    def write_config(self) -> None:
        self.file.write_text(self.config_text())

    def start(self, wait: bool = True) -> None:
        self.write_config()
        self.main = self.host.start(
            "vrrpd", *self.prefix, build_directory() / "vrrpd" / "vrrpd", "--config", self.file,
            env={"STATE_DIRECTORY": str(self.state_directory)},
        )
        if wait:
            wait_for("vrrpd to answer", lambda: self.alive() and self.ctl("status", check=False).code in (0, 1))

    def engine(self) -> int:
        """The process that does the work, a child of the guard; 0 while there is none."""
        children = Path(f"/proc/{self.main.pid}/task/{self.main.pid}/children")
        return int((children.read_text().split() or ["0"])[0]) if children.exists() else 0

    def ctl(self, *words: str, check: bool = True) -> Answer:
        done = subprocess.run(
            [str(build_directory() / "vrrpd" / "vrrpctl"), "--socket", str(self.socket), *words],
            capture_output=True, text=True, timeout=10,
        )
        if check and done.returncode != 0:
            raise LabFailure(f"vrrpctl {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return Answer(done.returncode, done.stdout, done.stderr)

    def status(self) -> dict:
        # 1 says that something is not well, and what.
        answer = self.ctl("status", "--json", check=False)
        if answer.code > 1:
            raise LabFailure(f"vrrpctl status: exit code {answer.code}\n{answer.output}{answer.errors}")
        return json.loads(answer.output)

    def instance_status(self) -> dict:
        return self.status()["instances"][0]


@dataclass(frozen=True)
class Answer:
    code: int
    output: str
    errors: str


DAEMONS = {daemon.kind: daemon for daemon in (Keepalived, Frr, Vrrpd)}


TEAMS = ("devops", "ma", "ba", "tw")


@dataclass
class Haproxy:
    """A machine's HAProxy in front of one server per team here and on the other machines, as
    etc/ shows it, and the servers of this machine themselves, small HTTP programs that can be killed by team.

    `options` replaces the check of a team's servers; `globals` are added to the section global, `extra` at the end."""

    host: Host
    others: tuple[Host, ...] = ()
    teams: tuple[str, ...] = TEAMS
    check: str = "inter 100ms fall 2 rise 1"
    options: dict[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    globals: tuple[str, ...] = ()
    main: Process | None = field(default=None, init=False)
    servers: dict[str, Process] = field(default_factory=dict, init=False)

    @property
    def stats_socket(self) -> Path:
        return self.host.directory / "haproxy.sock"

    def config(self) -> str:
        lines = [
            "global", f"  stats socket {self.stats_socket} mode 666 level admin", "  maxconn 500", "  nbthread 1",
            *self.globals,
            "defaults", "  mode http", "  log global", "  timeout connect 200ms", "  timeout client 5s", "  timeout server 5s",
            "  timeout check 200ms", "  option redispatch 1", "  retries 3",
            "frontend web", "  bind :::80 v4v6",
        ]
        lines += [f"  use_backend jenkins_backend_{team} if {{ path_beg /{team} }}" for team in self.teams]
        lines.append(f"  default_backend jenkins_backend_{self.teams[0]}")
        for number, team in enumerate(self.teams):
            check = self.options.get(team, f"check {self.check}")
            lines += [f"backend jenkins_backend_{team}", "  option httpchk GET /login"]
            lines.append(f"  server {team}-{self.host.name} {self.host.ipv4}:{8080 + number} {check}")
            lines += [
                f"  server {team}-{other.name} {other.ipv4}:{8080 + number} {check} backup"
                for other in self.others
            ]
        lines += self.extra
        return "\n".join(lines) + "\n"

    def start(self) -> None:
        """With all servers; returns when HAProxy sees all local ones up."""
        for team in self.teams:
            self.revive(team)
        self.start_haproxy()
        checked = {team for team in self.teams if team not in self.options}
        wait_for("HAProxy to see its servers up", lambda: self.servers_up() >= checked)

    def start_haproxy(self) -> None:
        file = self.host.directory / "haproxy.cfg"
        file.write_text(self.config())
        self.main = self.host.start("haproxy", "haproxy", "-db", "-f", file)
        wait_for("HAProxy's stats socket", lambda: self.ask("show stat -1 4 -1") != "")

    def reload(self) -> None:
        """As `systemctl reload` without a master process: the new one takes over the sockets, the old one ends."""
        old = self.main
        file = self.host.directory / "haproxy.cfg"
        self.main = self.host.start("haproxy", "haproxy", "-db", "-f", file, "-sf", old.pid)
        wait_for("the new HAProxy's stats socket", lambda: self.ask("show stat -1 4 -1") != "")

    def kill_haproxy(self) -> None:
        self.main.kill()

    def revive(self, team: str) -> None:
        port = 8080 + self.teams.index(team)
        file = self.host.directory / f"server-{team}.cfg"
        file.write_text(
            "global\n  nbthread 1\ndefaults\n  mode http\n  timeout client 5s\n"
            f"frontend {team}\n  bind :{port}\n"
            f'  http-request return status 200 content-type text/plain string "{team} on {self.host.name}"\n'
        )
        self.servers[team] = self.host.start(f"server-{team}", "haproxy", "-db", "-f", file)

    def kill_servers(self, *teams: str) -> None:
        for team in teams:
            self.servers[team].kill()

    def servers_up(self) -> set[str]:
        """The teams whose server on this machine is UP after a check, not merely by default."""
        rows = (line.split(",") for line in self.ask("show stat -1 4 -1").splitlines() if line and not line.startswith("#"))
        local = (row for row in rows if row[1].endswith(f"-{self.host.name}"))
        return {row[1].rpartition("-")[0] for row in local if row[17].startswith("UP") and row[36] not in ("", "INI")}

    def wait_for_servers(self, *teams: str, timeout: float = 5) -> None:
        wait_for(f"HAProxy of {self.host.name} to see {teams} up", lambda: self.servers_up() == set(teams), timeout)

    def ask(self, command: str) -> str:
        """HAProxy's answer to a command on its stats socket, empty while there is none."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.stats_socket))
                connection.sendall(command.encode() + b"\n")
                return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
            except OSError:
                return ""
