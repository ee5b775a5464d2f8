"""How fast a backup takes over from a master that was killed or stopped, beyond what the protocol makes it wait."""

from __future__ import annotations

import random
import signal
import time
from contextlib import ExitStack
from statistics import median

import fleet
import measures
from fleet import FLEET, INTERVAL_MS, PRIORITY, SKEW_MS, Router
from lab import Lab, wait_for
from report import Result, Row
from ring import Ring


class Pair:
    """Two machines with the same daemon at the same priority: who starts later becomes backup, and stays."""

    def __init__(self, kind: str):
        self.kind = kind
        self.lab = Lab("one", "two")
        self._daemons = {host.ipv4: FLEET[kind](host, Router()) for host in self.lab.hosts.values()}
        self._ring: Ring | None = None

    def start(self) -> None:
        self._listen()
        self.master, self.backup = self._daemons
        fleet.start(self._daemons[self.master])
        self._wait_for_advert(self.master)
        fleet.start(self._daemons[self.backup])

    def killed(self) -> float:
        self._settle()
        self._daemons[self.master].kill()
        self._wait_for_advert(self.backup)
        return measures.killed_excess(self._seen(), self.master, self.backup, INTERVAL_MS, SKEW_MS)

    def stopped(self) -> float:
        self._settle()
        self._daemons[self.master].main.signal(signal.SIGTERM)
        self._wait_for_advert(self.backup)
        excess = measures.stopped_excess(self._seen(), self.master, self.backup, SKEW_MS)
        self._daemons[self.master].stop()
        return excess

    def swap(self) -> None:
        """Whoever has just been taken over from starts again, as the backup."""
        fleet.start(self._daemons[self.master])
        self.master, self.backup = self.backup, self.master

    def close(self) -> None:
        if self._ring:
            self._ring.close()
        self.lab.close()

    def _listen(self) -> None:
        if self._ring:
            self._ring.close()
        self._ring = Ring(self.lab.switch, "br0", frames=1024)

    def _settle(self) -> None:
        """The backup has heard the master for a while; then any moment between two advertisements is as likely."""
        self._listen()
        wait_for("five advertisements of the master", lambda: len(self._seen()) >= 5)
        time.sleep(random.uniform(0, INTERVAL_MS / 1000))

    def _seen(self) -> list:
        return self._ring.read().adverts

    def _wait_for_advert(self, sender: str) -> None:
        wait_for(f"an advertisement of {sender}", lambda: any(a.source == sender for a in self._seen()), every=0.02)


def _measure(case: str, title: str, kinds: list[str], rounds: int) -> Result:
    samples: dict[str, list[float]] = {kind: [] for kind in kinds}
    with ExitStack() as stack:
        pairs = [Pair(kind) for kind in kinds]
        for pair in pairs:
            stack.callback(pair.close)
            pair.start()
        for number in range(rounds):
            turn = number % len(pairs)
            for pair in pairs[turn:] + pairs[:turn]:
                samples[pair.kind].append(pair.killed() if case == "killed" else pair.stopped())
                pair.swap()
    rows = [
        Row("excess, median", "ms", {kind: median(values) for kind, values in samples.items()}),
        Row("excess, worst", "ms", {kind: max(values) for kind, values in samples.items()}),
    ]
    notes = [f"{rounds} rounds; version 3, {INTERVAL_MS} ms, priority {PRIORITY}"]
    return Result(case, title, rows, notes, samples)


def killed(kinds: list[str], rounds: int) -> Result:
    title = "SIGKILL of the master; first advertisement of the backup, beyond 3 intervals + skew time"
    return _measure("killed", title, kinds, rounds)


def stopped(kinds: list[str], rounds: int) -> Result:
    title = "SIGTERM of the master; first advertisement of the backup, beyond its skew time after the priority 0"
    return _measure("stopped", title, kinds, rounds)
