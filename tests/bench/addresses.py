"""How long a new master with very many addresses needs until the last of them is there and known to its neighbours."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from statistics import median

import fleet
import measures
from fleet import FLEET, Router, wait_for_end
from lab import Host, Lab, wait_for
from report import Result, Row
from ring import Ring

# keepalived puts no more than 20 into an advertisement.
ADVERTISED, UNADVERTISED = 20, 480
# FRR advertises all it has, which is 255 at most.
FRR_ADDRESSES = 200

_RTMGRP_IPV4_IFADDR = 0x10
_ADDED = re.compile(r"\[(?P<at>[^]]+)\] \d+: \S+ +inet (?P<address>[^/ ]+)")


def router(kind: str) -> Router:
    all_of_them = [f"10.78.{i // 250}.{i % 250 + 1}/32" for i in range(ADVERTISED + UNADVERTISED)]
    if kind == "frr":
        return Router(addresses=tuple(all_of_them[:FRR_ADDRESSES]))
    return Router(addresses=tuple(all_of_them[:ADVERTISED]), unadvertised=tuple(all_of_them[ADVERTISED:]))


class AddedAddresses:
    """When each address came to `host`, as `ip monitor` says."""

    def __init__(self, host: Host):
        self._process = host.start("address-monitor", "ip", "-o", "-ts", "-4", "monitor", "address", env={"TZ": "UTC"})
        wait_for("the address monitor", self._listens)

    def _listens(self) -> bool:
        sockets = Path(f"/proc/{self._process.pid}/net/netlink").read_text().splitlines()[1:]
        return any(int(row.split()[3], 16) & _RTMGRP_IPV4_IFADDR for row in sockets)

    def times(self) -> dict[str, int]:
        """Of each address's first coming, in nanoseconds since the epoch."""
        found: dict[str, int] = {}
        for line in self._process.log.splitlines():
            if event := _ADDED.match(line):
                at = datetime.fromisoformat(event["at"]).replace(tzinfo=timezone.utc).timestamp()
                found.setdefault(event["address"], int(at * 1e9))
        return found


def take_over(kind: str) -> tuple[float, float]:
    """Milliseconds from the first advertisement to the last address announced, and installed. FRR's addresses are
    there from the beginning: 0."""
    with Lab("one") as lab:
        host = lab["one"]
        wanted = {a.partition("/")[0] for a in router(kind).addresses + router(kind).unadvertised}
        ring = Ring(lab.switch, "br0")
        added = AddedAddresses(host)
        daemon = FLEET[kind](host, router(kind))
        fleet.start(daemon)
        wait_for(
            "announcements of all addresses",
            lambda: {a.address for a in ring.read().announcements} >= wanted,
            timeout=20, every=0.1,
        )  # fmt: skip
        times = added.times()
        installed = 0.0 if kind == "frr" else (max(times[a] for a in wanted) - ring.adverts[0].time) / 1e6
        announced = measures.last_announced(ring.adverts, ring.announcements, wanted)
        pids = daemon.pids()
        daemon.stop()
        wait_for_end(pids)
        ring.close()
    return announced, installed


def addresses(kinds: list[str], rounds: int) -> Result:
    samples: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for number in range(rounds):
        turn = number % len(kinds)
        for kind in kinds[turn:] + kinds[:turn]:
            samples[kind].append(take_over(kind))
    rows = []
    for index, what in enumerate(("announced", "installed")):
        values = {kind: [sample[index] for sample in taken] for kind, taken in samples.items()}
        rows.append(Row(f"last one {what}, median", "ms", {kind: median(v) for kind, v in values.items()}, digits=1))
        rows.append(Row(f"last one {what}, worst", "ms", {kind: max(v) for kind, v in values.items()}, digits=1))
    notes = [f"{rounds} rounds; FRR with {FRR_ADDRESSES} addresses that are there before it takes over"]
    title = f"take-over of {ADVERTISED + UNADVERTISED} addresses, from the first advertisement"
    return Result("addresses", title, rows, notes, samples)
