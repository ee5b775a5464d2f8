"""What happened in a Lab, seen from outside the daemons: who owned an address when, and which requests of a client were
lost. All times are seconds since the epoch, comparable with time.time(). What was on the wire is in capture.py.
"""

from __future__ import annotations

import math
import re
import signal
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable

from lab import Host, Lab, LabFailure, Process, wait_for

_ADDRESS_GROUPS = 0x110  # RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
_EVENT = re.compile(r"\[(?P<at>[^]]+)\] (?P<gone>Deleted )?\d+: (?P<interface>\S+) +inet6? (?P<address>[^/ ]+)")


@dataclass(frozen=True)
class Stretch:
    """One host having one address; `end` is infinite while it still has it."""

    host: str
    begin: float
    end: float


class AddressMonitor:
    """Records on which hosts an address appears and disappears, from the kernels' notifications."""

    def __init__(self, lab: Lab, *hosts: Host):
        self._hosts = hosts or tuple(lab.hosts.values())
        self._processes = {
            host.name: host.start("address-monitor", "ip", "-o", "-ts", "monitor", "address", env={"TZ": "UTC"})
            for host in self._hosts
        }
        for host in self._hosts:
            process = self._processes[host.name]
            wait_for(f"address monitor of {host.name}", lambda: self._listens(process))

    @staticmethod
    def _listens(process: Process) -> bool:
        sockets = Path(f"/proc/{process.pid}/net/netlink").read_text().splitlines()[1:]
        rows = (line.split() for line in sockets)
        return any(row[1] == "0" and int(row[3], 16) & _ADDRESS_GROUPS for row in rows)

    def stretches(self, address: str) -> list[Stretch]:
        """Every time a host had `address` (without prefix length) on any interface, in order of begin."""
        found = []
        for host, process in self._processes.items():
            begin: float | None = None
            for line in process.log.splitlines():
                event = _EVENT.match(line)
                if not event or event["address"] != address:
                    continue
                at = datetime.fromisoformat(event["at"]).replace(tzinfo=timezone.utc).timestamp()
                if event["gone"]:
                    if begin is not None:
                        found.append(Stretch(host, begin, at))
                    begin = None
                elif begin is None:
                    begin = at
            if begin is not None:
                found.append(Stretch(host, begin, math.inf))
        return sorted(found, key=lambda stretch: stretch.begin)

    def owners(self, address: str) -> list[str]:
        """The names of the hosts that have it now."""
        return [stretch.host for stretch in self.stretches(address) if stretch.end == math.inf]

    def wait_for_owner(self, address: str, host: Host, timeout: float = 10) -> float:
        """Waits until `host`, and nobody else, has `address`; returns since when `host` has had it."""
        wait_for(
            lambda: f"{address} on {host.name} alone; it is on {self.owners(address)}",
            lambda: self.owners(address) == [host.name],
            timeout,
        )
        return self.stretches(address)[-1].begin

    def longest_with_two_owners(self, address: str, since: float = 0, until: float | None = None) -> float:
        """Seconds within [since, until]; `until` is now by default."""
        return self._longest(address, since, until or time.time(), lambda count: count >= 2)

    def longest_with_none(self, address: str, since: float = 0, until: float | None = None) -> float:
        """Seconds within [since, until], but not before the first owner; `until` is now by default."""
        stretches = self.stretches(address)
        if not stretches:
            raise LabFailure(f"nobody ever had {address}")
        since = max(since, stretches[0].begin)
        return self._longest(address, since, until or time.time(), lambda count: count == 0)

    def _longest(self, address: str, since: float, until: float, wanted: Callable[[int], bool]) -> float:
        changes = [(since, 0), (until, 0)]
        for stretch in self.stretches(address):
            changes += [(stretch.begin, 1), (stretch.end, -1)]
        changes.sort()
        longest, count, run_begin = 0.0, 0, None
        for at, change in changes:
            count += change
            inside = since <= at < until
            if wanted(count) and inside:
                run_begin = at if run_begin is None else run_begin
            elif run_begin is not None:
                longest = max(longest, min(at, until) - run_begin)
                run_begin = None
        return longest


@dataclass(frozen=True)
class Request:
    """`answer` is what the server said, empty if the request was lost."""

    sent: float
    finished: float
    answer: str


class Client:
    """Asks http://ADDRESS:PORT/PATH at a fixed pace, whether or not earlier requests have been answered."""

    def __init__(self, host: Host, address: str, port: int = 80, path: str = "/", per_second: int = 50):
        script = Path(__file__).with_name("client.py")
        self._process = host.start("client", sys.executable, script, address, port, path, per_second)

    def stop(self) -> list[Request]:
        """Waits for what is under way and returns every request, in the order of sending."""
        self._process.signal(signal.SIGINT)
        self._process.wait()
        return self.requests()

    def requests(self) -> list[Request]:
        whole_lines = self._process.log.rpartition("\n")[0].splitlines()
        parts = (line.split(" ", 2) for line in whole_lines)
        return sorted((Request(float(a), float(b), c) for a, b, c in parts), key=lambda r: r.sent)

    def lost(self, since: float = 0) -> list[Request]:
        return [r for r in self.requests() if r.sent >= since and not r.answer]

    def wait_for_answer(self, timeout: float = 10) -> None:
        """Returns once a request that was sent after this call has been answered."""
        begin = time.time()
        wait_for(
            "an answer through the virtual address",
            lambda: any(r.answer for r in self.requests() if r.sent > begin),
            timeout,
        )
