"""Everything together, as on the users' machines: two of them with HAProxy, vrrpd, gluster-sync and a volume, one
address, and a team whose program runs where the address is and is asked through it."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster import NETWORK, Cluster
from machine import ENV, OURS, TEAM, Later, Machine, contents, wait_until
from vrrpd import ADDRESS, Vrrpd

pytestmark = pytest.mark.xdist_group("cluster")

PORT = 8080
MAX_LAG = 10


@dataclass
class Host:
    """One of the two. Its team's program is a web server that shows the team's files; hooks and notifications start and
    stop it, as they would a container."""

    machine: Machine
    number: int
    priority: int

    def __post_init__(self) -> None:
        self.directory = self.machine.directory
        self.haproxy: subprocess.Popen | None = None
        self.vrrpd: Vrrpd | None = None
        self.start_program = self._script("start-program", f"""
            kill -0 $(cat {self.directory}/program.pid) 2> /dev/null && exit
            setsid /usr/bin/python3 -m http.server {PORT} --bind {self.address} --directory {self.machine.source} \\
                > {self.directory}/program.log 2>&1 < /dev/null &
            echo $! > {self.directory}/program.pid""")
        self.stop_program = self._script("stop-program", f"""
            kill $(cat {self.directory}/program.pid) 2> /dev/null; rm -f {self.directory}/program.pid""")
        machine = self.machine
        machine.team_keys = {"environments": [ENV], "writer": {"instance": "VI_MAIN"},
                             "hooks": {"after_recover": [self.start_program]}}
        machine.sections |= {"vrrpd": str(machine.socket.with_name("vrrpd")), "sync": {"interval": "2s", "settle": "200ms"}}
        machine.write_config()

    @property
    def address(self) -> str:
        return f"{NETWORK}.{self.number}"

    def _script(self, name: str, text: str) -> str:
        file = self.directory / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return str(file)

    def run(self, *words: object) -> subprocess.CompletedProcess:
        return subprocess.run([*self.machine.prefix, *map(str, words)], capture_output=True, text=True, timeout=30)

    def start(self) -> None:
        self.start_haproxy()
        self.vrrpd = Vrrpd(
            self.machine, self.priority,
            {"track": ["haproxy", {"sync": TEAM, "demote": 40, "max_lag": f"{MAX_LAG}s"}],
             "notify": {"backup": [self.stop_program], "stop": [self.stop_program]}},
            {"haproxy": {"stats": str(self.stats), "interval": "200ms", "teams": "jenkins_backend_(.+)",
                         # A standby's own server does not run: what counts is whether anybody serves the team.
                         "servers": "all", "recover": "1s", "demote": {"unhealthy": 0, "down": 45}}})

    @property
    def stats(self) -> Path:
        return self.machine.socket.with_name("haproxy")

    def start_haproxy(self) -> None:
        file = self.directory / "haproxy.cfg"
        servers = "\n".join(f"  server {TEAM}-vm{number} {NETWORK}.{number}:{PORT} check inter 200ms fall 2 rise 1"
                            for number in (1, 2))
        file.write_text(f"""
global
  stats socket {self.stats} mode 666 level admin
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend web
  bind :80
  default_backend jenkins_backend_{TEAM}
backend jenkins_backend_{TEAM}
{servers}
""")
        with open(self.directory / "haproxy.log", "ab") as log:
            self.haproxy = subprocess.Popen([*self.machine.prefix, "haproxy", "-db", "-f", str(file)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(self.stats.exists, Later(lambda: (self.directory / "haproxy.log").read_text()))

    def kill_haproxy(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.haproxy.pid, 9)
        self.haproxy.wait()

    def close(self) -> None:
        if self.vrrpd:
            self.vrrpd.kill()
        if self.haproxy:
            self.kill_haproxy()
        self.run(self.stop_program)
        self.run("ip", "address", "flush", "to", ADDRESS)


@pytest.fixture
def hosts(nodes) -> Iterator[tuple[Host, Host]]:
    hosts = Host(nodes[0], 1, 110), Host(nodes[1], 2, 100)
    yield hosts
    for host in hosts:
        host.close()


@pytest.fixture
def ask(cluster: Cluster):
    """What a client on the network gets for a path from the virtual address; nothing while there is none."""
    client = cluster.bridge
    client.run("ip", "address", "add", f"{NETWORK}.200/24", "dev", "br0")

    def ask_(path: str) -> str:
        text = client.run("curl", "--silent", "--fail", "--max-time", "2", f"http://{ADDRESS}/{path}", check=False)
        return text

    yield ask_
    client.run("ip", "address", "delete", f"{NETWORK}.200/24", "dev", "br0")


def lag_is_demoting(host: Host) -> bool:
    return host.vrrpd.track(f"sync {TEAM}")["demotion"] == 40


def logs_of(*hosts: Host) -> Later:
    return Later(lambda: "\n".join(file.read_text(errors="replace") for host in hosts
                                   for file in sorted(host.directory.glob("*.log"))))


def test_address_writer_and_data_move_together_and_only_to_a_machine_whose_copy_is_fresh(hosts, ask, cluster: Cluster):
    one, two = hosts
    logs = logs_of(*hosts)
    one.machine.write("job/config.xml", "<job>1</job>")
    with one.machine.daemon() as first, two.machine.daemon() as second:
        one.start()
        first.wait_at_rest()
        # As at every boot, whoever was the writer before: hooks are for those who take over.
        one.run(one.start_program)
        wait_until(lambda: ask("job/config.xml") == "<job>1</job>", logs)
        two.start()
        wait_until(lambda: two.machine.contents() == {"job/config.xml": "<job>1</job>"}, logs)
        wait_until(lambda: not lag_is_demoting(two), logs)

        # The standby does not see the volume any more, and its copy grows old.
        cluster.nodes[1].unmount()
        wait_until(lambda: lag_is_demoting(two), logs)
        one.machine.write("job/config.xml", "<job>2</job>")
        wait_until(lambda: (one.machine.tree() / "job/config.xml").read_text() == "<job>2</job>", logs)
        # HAProxy dies on the master. The other one could serve, but not with what was committed last.
        one.kill_haproxy()
        wait_until(lambda: one.vrrpd.instance()["effective-priority"] == 65, logs)
        assert two.vrrpd.instance()["effective-priority"] == 60
        assert "Entering MASTER STATE" not in two.vrrpd.log()

        # As soon as its copy is fresh, everything moves.
        cluster.nodes[1].mount_volume()
        wait_until(lambda: ask("job/config.xml") == "<job>2</job>", logs)
        told = two.vrrpd.log()
        assert told.index("Changing effective priority from 60 to 100") < told.index("Entering MASTER STATE")
        wait_until(lambda: (first.mirror()["role"], second.mirror()["role"]) == ("standby", "writer"), logs)
        # Whatever still writes on the machine that was relieved does not replace what the new writer commits.
        one.machine.write("job/late.xml", "written on the old machine")
        two.machine.write("job/config.xml", "<job>3</job>")
        wait_until(lambda: ask("job/config.xml") == "<job>3</job>", logs)
        wait_until(lambda: one.machine.contents() == {"job/config.xml": "<job>3</job>"}, logs)
        assert contents(two.machine.tree()) == {"job/config.xml": "<job>3</job>"}
        kept = (two.machine.tree() / OURS / "conflicts").glob("*/files/job/late.xml")
        assert [file.read_text() for file in kept] == ["written on the old machine"]

        # Repaired, the first one takes the address back, and with it the team's data.
        one.start_haproxy()
        wait_until(lambda: first.mirror()["role"] == "writer", logs)
        wait_until(lambda: ask("job/config.xml") == "<job>3</job>", logs)
        one.machine.write("job/config.xml", "<job>4</job>")
        wait_until(lambda: two.machine.contents() == {"job/config.xml": "<job>4</job>"}, logs)
        assert ask("job/config.xml") == "<job>4</job>"


def test_where_the_standby_is_cold_a_recovery_by_hand_follows_the_address(hosts, ask, cluster: Cluster):
    one, two = hosts
    logs = logs_of(*hosts)
    for host in hosts:
        host.machine.team_keys["standby"] = "cold"
        host.machine.write_config()
    one.machine.write("job/config.xml", "<job>1</job>")
    with one.machine.daemon() as first, two.machine.daemon() as second:
        one.start()
        first.wait_at_rest()
        one.run(one.start_program)
        two.start()
        wait_until(lambda: two.vrrpd.instance()["state"] == "backup", logs)
        wait_until(lambda: ask("job/config.xml") == "<job>1</job>", logs)

        # The power cut.
        first.kill()
        one.vrrpd.kill()
        one.kill_haproxy()
        cluster.cut(cluster.nodes[0])
        wait_until(lambda: second.mirror()["role"] == "writer", logs)
        second.wait_for("was never equal to it")
        assert two.machine.contents() == {} and ask("job/config.xml") == ""

        two.machine.recover()
        wait_until(lambda: ask("job/config.xml") == "<job>1</job>", logs)
        two.machine.write("job/config.xml", "<job>2</job>")
        wait_until(lambda: contents(two.machine.tree()) == {"job/config.xml": "<job>2</job>"}, logs)
        wait_until(lambda: not second.mirror()["alarm"], logs)
