"""A keepalived pair becomes ours one machine at a time, on the files it had, and keepalived's again, while a client goes on
asking through the virtual address."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import pytest
from keepalived_conf import Ours, Runner, Theirs
from lab import Host, Lab, wait_for
from observe import AddressMonitor, Client

VIP = "10.77.0.100"
PER_SECOND = 50


@dataclass(frozen=True)
class Kind:
    version: int
    unicast: bool = False
    password: str = ""

    def text(self, host: Host, peer: Host, priority: int) -> str:
        lines = ["interface eth0", "virtual_router_id 51", f"priority {priority}", "advert_int 1"]
        lines.append(f"version {self.version}")
        if self.unicast:
            lines += [f"unicast_src_ip {host.ipv4}", "unicast_peer {", peer.ipv4, "}"]
        if self.password:
            lines += ["authentication {", "auth_type PASS", f"auth_pass {self.password}", "}"]
        lines += ["virtual_ipaddress {", f"{VIP}/24", "}"]
        return "vrrp_instance VI_1 {\n" + "\n".join(lines) + "\n}\n"


KINDS = {
    "v2-password": Kind(2, password="s3cret"),
    "v3": Kind(3),
    "v2-unicast": Kind(2, unicast=True, password="s3cret"),
    "v3-unicast": Kind(3, unicast=True),
}


class Migration:
    def __init__(self, lab: Lab, monitor: AddressMonitor, kind: Kind):
        self.hosts = [lab["one"], lab["two"]]
        self.monitor = monitor
        one, two = self.hosts
        self.texts = [kind.text(one, two, 110), kind.text(two, one, 100)]
        self.runners: list[Runner] = []
        for host in self.hosts:
            (host.directory / "index.html").write_text(f"{host.name}\n")
            host.start("server", sys.executable, "-m", "http.server", "80", "--directory", host.directory)
        self.client: Client | None = None
        self.client_host = lab["client"]

    def begin(self) -> None:
        self.runners = [self._start(Theirs, 0)]
        self.runners[0].wait_for_state("master")
        self.runners.append(self._start(Theirs, 1))
        self.runners[1].wait_for_state("backup")
        self.client = Client(self.client_host, VIP, per_second=PER_SECOND)
        self.client.wait_for_answer()

    def _start(self, kind: type[Runner], number: int) -> Runner:
        runner = kind(self.hosts[number], self.texts[number])
        runner.start()
        return runner

    def exchange(self, number: int, kind: type[Runner]) -> float:
        """Ends the daemon of one machine in an orderly way and starts one of `kind`; waits until all is as before. Returns
        for how many seconds nobody answered, by the requests that were lost."""
        since = time.time()
        assert self.runners[number].stop() == 0
        if number == 0:
            self.monitor.wait_for_owner(VIP, self.hosts[1])
        self.runners[number] = self._start(kind, number)
        self.runners[number].wait_for_state("master" if number == 0 else "backup")
        self.monitor.wait_for_owner(VIP, self.hosts[0])
        self.client.wait_for_answer()
        # A lost request is known as lost when its second is over.
        wait_for("the last answers", lambda: self.client.requests()[-1].sent > time.time() - 0.2)
        return len(self.client.lost(since)) / PER_SECOND


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_a_pair_moves_to_vrrpd_and_back_under_traffic(lab: Lab, monitor: AddressMonitor, kind: Kind):
    migration = Migration(lab, monitor, kind)
    migration.begin()
    usual = [migration.exchange(1, Theirs), migration.exchange(0, Theirs)]
    there = [migration.exchange(1, Ours), migration.exchange(0, Ours)]
    back = [migration.exchange(1, Theirs), migration.exchange(0, Theirs)]
    for took in (there, back):
        # The backup's exchange is not noticed; the master's costs what keepalived's own costs, and a tenth for the noise.
        assert took[0] <= usual[0] + 0.1
        assert took[1] <= usual[1] + 0.1
    assert monitor.longest_with_two_owners(VIP) < 0.1
    for runner in migration.runners:
        assert runner.stop() == 0
