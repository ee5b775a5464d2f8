"""keepalived and ours on the same keepalived.conf, each in a lab of its own, so that what they do can be compared."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Iterator

from capture import Advert, Capture
from keepalived_conf import Ours, Runner, Theirs
from lab import Host, Lab, run


@dataclass
class Side:
    """One of the two daemons, alone in its lab."""

    lab: Lab
    runner: Runner
    capture: Capture
    before: set[str] = field(default_factory=set)

    @property
    def host(self) -> Host:
        return self.runner.host

    def adverts(self) -> list[Advert]:
        return self.capture.adverts(self.host.mac())

    def messages(self) -> list[tuple]:
        """All that one advertisement says but its priority, which changes; once for each router."""
        found = {
            a.vrid: (a.version, a.vrid, a.interval, a.addresses, a.password, a.source, a.destination)
            for a in self.adverts()
        }
        return [found[vrid] for vrid in sorted(found)]

    def fields(self) -> list[dict[str, str]]:
        """What the headers say besides: one row for each different one."""
        names = ["ip.ttl", "ip.dsfield", "ip.proto", "vrrp.auth_type", "vrrp.virt_rtr_id", "eth.dst"]
        rows = self.capture.rows(f"vrrp && eth.src == {self.host.mac()}", *names)
        unique = {json.dumps(row, sort_keys=True) for row in rows}
        # Each lab has its own hardware addresses; a group's is everybody's.
        return [
            {**row, "eth.dst": row["eth.dst"] if row["eth.dst"].startswith("01:00:5e") else "unicast"}
            for row in map(json.loads, sorted(unique))
        ]

    def priorities(self) -> dict[int, list[int]]:
        """Of each router: those it advertised, one after the other, without repeats."""
        found: dict[int, list[int]] = {}
        for advert in self.adverts():
            sequence = found.setdefault(advert.vrid, [])
            if not sequence or sequence[-1] != advert.priority:
                sequence.append(advert.priority)
        return found

    def announced(self, until: float) -> Counter[str]:
        """How often each virtual address was announced."""
        found = self.capture.announcements(self.host.mac())
        return Counter(a.address for a in found if a.time < until and a.address != self.host.ipv4)

    def addresses(self) -> list[tuple]:
        """What is on the interfaces that was not there before."""
        return sorted(
            (name, a["local"], a["prefixlen"], a["scope"], a.get("label", ""), a.get("broadcast", ""))
            for name, found in self._all_addresses().items()
            for a in found
            if a["local"] not in self.before and not a["local"].startswith("fe80:")
        )

    def _all_addresses(self) -> dict[str, list[dict]]:
        links = json.loads(run("ip", "-n", self.host.namespace, "-json", "address", "show"))
        return {link["ifname"]: link["addr_info"] for link in links}

    def remember_addresses(self) -> None:
        self.before = {a["local"] for found in self._all_addresses().values() for a in found}

    def ip_lines(self, *words: str) -> set[str]:
        """As `ip` prints them, without who installed them."""
        lines = run("ip", "-4", "-n", self.host.namespace, *words).splitlines()
        return {re.sub(r" proto \S+", "", line).strip() for line in lines}

    def routing(self) -> tuple[set[str], set[str]]:
        return self.ip_lines("route", "show", "table", "all"), self.ip_lines("rule", "show")


@contextlib.contextmanager
def side_by_side(text: str) -> Iterator[tuple[Side, Side]]:
    """keepalived and ours, not started yet."""
    with Lab("one", "two") as theirs, Lab("one", "two") as ours:
        made = [Side(lab, kind(lab["one"], text), Capture(lab)) for lab, kind in ((theirs, Theirs), (ours, Ours))]
        for side in made:
            side.remember_addresses()
        yield made[0], made[1]
        for side in made:  # shown if the test has failed
            print(f"--- {side.runner.kind}\n{side.runner.main.log}")
