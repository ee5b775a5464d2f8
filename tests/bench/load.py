"""What very many virtual routers cost, and whether they keep time. One machine is master of all of them; the other end
of each of its cables only records, so that neither a peer daemon nor a bridge takes part."""

from __future__ import annotations

import time
from statistics import median

import fleet
import machine
import measures
from fleet import FLEET, INTERVAL_MS, PRIORITY, Router, wait_for_end
from lab import Lab, LabFailure, run, wait_for
from report import Result, Row
from ring import Ring

VRIDS = 255
MEASURED_SECONDS = {"cpu": 10, "scale": 20}
# keepalived and vrrpd repeat their announcements 5 s after becoming master.
SETTLED_SECONDS = 7


class Machine:
    """`interfaces` cables named wan0, wan1, … from the host `one`, with 255 virtual routers or fewer on each.

    They become master in the same instant and so advertise at the same instants; if `spread`, they have all priorities
    there are, and so become master, and advertise, evenly spread over the interval.
    """

    def __init__(self, interfaces: int, vrids: int, spread: bool):
        self.vrids = range(1, vrids + 1)
        self.lab = Lab("one", "end")
        self.one = self.lab["one"]
        self.interfaces = [f"wan{number}" for number in range(interfaces)]
        for number, name in enumerate(self.interfaces):
            run("ip", "link", "add", name, "netns", self.one.namespace, "type", "veth",
                "peer", "name", name, "netns", self.lab["end"].namespace)  # fmt: skip
            for host in (self.one, self.lab["end"]):
                host.ip(f"address add 10.80.{number}.{host.number}/24 dev {name}", f"link set {name} up")
        self.routers = [
            Router(vrid, name, (f"10.{100 + number}.0.{vrid}/32",), max(1, 255 - vrid) if spread else PRIORITY)
            for number, name in enumerate(self.interfaces)
            for vrid in self.vrids
        ]

    def record(self, seconds: float) -> list[Ring]:
        """At the far end of every cable, for advertisements of `seconds` and some announcements."""
        per_interface = int(len(self.vrids) * (seconds * 1000 / INTERVAL_MS + 20)) + 1000
        return [Ring(self.lab["end"].namespace, name, per_interface) for name in self.interfaces]

    def all_masters(self, rings: list[Ring]) -> bool:
        return all(len({advert.vrid for advert in ring.read().adverts}) == len(self.vrids) for ring in rings)

    def close(self) -> None:
        self.lab.close()


class Running:
    """A daemon with all virtual routers of a Machine, started when entered, gone with its machine when left."""

    def __init__(self, kind: str, interfaces: int, vrids: int, spread: bool = False):
        self.machine = Machine(interfaces, vrids, spread)
        self._daemon = FLEET[kind](self.machine.one, *self.machine.routers)

    def __enter__(self) -> Running:
        fleet.start(self._daemon)
        return self

    def __exit__(self, *_) -> None:
        pids = self.pids()
        self.machine.close()
        wait_for_end(pids)

    def pids(self) -> list[int]:
        return self._daemon.pids()

    def become_master(self) -> None:
        """Returns when every virtual router has advertised."""
        rings = self.machine.record(20)
        wait_for("every router to be master", lambda: self.machine.all_masters(rings), timeout=20, every=0.2)
        for ring in rings:
            ring.close()


def _microseconds_per_advert(kind: str, spread: bool) -> float:
    seconds = MEASURED_SECONDS["cpu"]
    with Running(kind, 1, VRIDS, spread) as running:
        running.become_master()
        machine.wait(SETTLED_SECONDS)
        (ring,) = running.machine.record(seconds + 2)
        pids = running.pids()
        began, used = time.time_ns(), machine.processor_time(pids)
        machine.wait(seconds)
        used, ended = machine.processor_time(pids) - used, time.time_ns()
        ring.close()
        count = sum(began <= advert.time < ended for advert in ring.adverts)
    if count < VRIDS * seconds:
        raise LabFailure(f"{kind} sent {count} advertisements only")
    return used / count / 1000


def _cpu(case: str, when: str, spread: bool, kinds: list[str], rounds: int) -> Result:
    samples = in_turns(kinds, rounds, lambda kind: _microseconds_per_advert(kind, spread))
    values = {kind: median(taken) for kind, taken in samples.items()}
    title = f"processor time for an advertisement, {VRIDS} virtual routers on one interface, {when}"
    notes = [f"{rounds} rounds of {MEASURED_SECONDS['cpu']} s, user and kernel mode of all processes; {INTERVAL_MS} ms"]
    return Result(case, title, [Row("per advertisement", "us", values, digits=1)], notes, samples)


def cpu(kinds: list[str], rounds: int) -> Result:
    return _cpu("cpu", "all at the same instants", False, kinds, rounds)


def cpu_spread(kinds: list[str], rounds: int) -> Result:
    return _cpu("cpu-spread", "spread over the interval", True, kinds, rounds)


# The first second after the first advertisement is given to become master of everything.
SCALE_INTERFACES, SCALE_START_SECONDS = 4, 1


def _keep_time(kind: str) -> dict:
    seconds = MEASURED_SECONDS["scale"]
    running = Running(kind, SCALE_INTERFACES, VRIDS)
    rings = running.machine.record(seconds + 10)
    with running:
        wait_for("the first advertisement", lambda: any(ring.read().adverts for ring in rings), every=0.02)
        machine_late = machine.wait(SCALE_START_SECONDS + seconds + 0.1)
        for ring in rings:
            ring.close()
    begin = min(ring.adverts[0].time for ring in rings) + SCALE_START_SECONDS * 1_000_000_000
    end = begin + seconds * 1_000_000_000
    times = {
        (number, vrid): mine
        for number, ring in enumerate(rings)
        for vrid, mine in measures.by_router(ring.adverts).items()
    }
    expected = [(number, vrid) for number in range(SCALE_INTERFACES) for vrid in running.machine.vrids]
    found = measures.punctuality(times, expected, begin, end, INTERVAL_MS)
    return {
        "share": 100 * found.sent_share,
        "late": found.late_count,
        "median": found.late_median_ms,
        "worst": found.late_worst_ms,
        "machine": machine_late,
    }


def scale(kinds: list[str], rounds: int) -> Result:
    samples = in_turns(kinds, rounds, _keep_time)
    rows = [
        Row(label, unit, {kind: median(one[key] for one in taken) for kind, taken in samples.items()}, digits)
        for label, unit, key, digits in (
            ("sent of those due", "%", "share", 1),
            ("over 5 ms late", "adverts", "late", 0),
            ("distance from the grid, median", "ms", "median", 2),
            ("latest", "ms", "worst", 1),
            ("the machine's latest wake-up", "ms", "machine", 1),
        )
    ]
    seconds = MEASURED_SECONDS["scale"]
    count = SCALE_INTERFACES * VRIDS
    title = f"{count} virtual routers on {SCALE_INTERFACES} interfaces, for {seconds} s"
    notes = [f"{rounds} rounds, beginning {SCALE_START_SECONDS} s after the first advertisement; {INTERVAL_MS} ms"]
    return Result("scale", title, rows, notes, samples)


def _megabytes(interfaces: int, vrids: int):
    def measure(kind: str) -> float:
        with Running(kind, interfaces, vrids) as running:
            running.become_master()
            machine.wait(1)
            return machine.proportional_set_size(running.pids())

    return measure


def memory(kinds: list[str], rounds: int) -> Result:
    few = in_turns(kinds, rounds, _megabytes(1, 1))
    many = in_turns(kinds, rounds, _megabytes(SCALE_INTERFACES, VRIDS))
    rows = [
        Row("1 virtual router", "MB", {kind: median(taken) for kind, taken in few.items()}),
        Row(f"{SCALE_INTERFACES * VRIDS} virtual routers", "MB", {k: median(taken) for k, taken in many.items()}),
    ]
    samples = {kind: [few[kind], many[kind]] for kind in kinds}
    return Result("memory", "proportional set size of all processes, as master", rows, [f"{rounds} rounds"], samples)


def in_turns(kinds: list[str], rounds: int, measure) -> dict[str, list]:
    """Each round measures every daemon once, and begins with another one than the round before."""
    samples: dict[str, list] = {kind: [] for kind in kinds}
    for number in range(rounds):
        turn = number % len(kinds)
        for kind in kinds[turn:] + kinds[:turn]:
            samples[kind].append(measure(kind))
    return samples
