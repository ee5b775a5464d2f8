"""What other people's packets cost: a crowd of other virtual routers on the segment, and a flood of bad packets for our
own. One machine is master of one virtual router; the other end of its cable sends."""

from __future__ import annotations

import time
from statistics import median

import machine
import measures
from fleet import INTERVAL_MS
from forge import frame, message, start_flood
from load import SETTLED_SECONDS, Running, in_turns
from report import Result, Row

SECONDS = 10
FLOOD_PER_SECOND = 100_000
SOURCE = "10.80.0.2"
# The one router has VRID 1.
CROWD = [
    frame(message((f"10.200.0.{vrid}",), SOURCE, vrid=vrid, priority=100), SOURCE) for vrid in range(2, 256)
]
CROWD_PER_SECOND = len(CROWD) * 1000 // INTERVAL_MS
FLOOD = [
    frame(message(("10.100.0.1",), SOURCE, vrid=1, broken=1), SOURCE),
    frame(message(("10.100.0.1",), SOURCE, vrid=1), SOURCE, ttl=64),
    frame(message(("10.100.0.1",), SOURCE, vrid=1, version=4), SOURCE),
    frame(message(("10.100.0.1",), SOURCE, vrid=1, count=200), SOURCE),
]


def _while_sending(frames: list[str], per_second: int, random_sources: bool):
    def measure(kind: str) -> dict:
        with Running(kind, 1, 1) as running:
            running.become_master()
            machine.wait(SETTLED_SECONDS)
            end_host, pids = running.machine.lab["end"], running.pids()
            (ring,) = running.machine.record(SECONDS + 2)
            memory, used, begin = machine.proportional_set_size(pids), machine.processor_time(pids), time.time_ns()
            sender = start_flood(
                end_host, per_second, SECONDS, frames, random_sources=random_sources,
                interface=running.machine.interfaces[0],
            )  # fmt: skip
            sender.wait(5 * SECONDS)
            used, end = machine.processor_time(pids) - used, time.time_ns()
            memory = machine.proportional_set_size(pids) - memory
            ring.close()
            mine = [advert.time for advert in ring.adverts if advert.source != SOURCE]
            found = measures.punctuality({1: mine}, [1], begin, end, INTERVAL_MS)
        return {
            "cpu": 1000 * used / (end - begin),
            "share": 100 * found.sent_share,
            "median": found.late_median_ms,
            "worst": found.late_worst_ms,
            "memory": memory,
        }

    return measure


def _result(case: str, title: str, samples: dict[str, list], keys: tuple[str, ...]) -> Result:
    rows = {
        "cpu": ("processor time", "ms/s", 2),
        "share": ("sent of those due", "%", 1),
        "median": ("distance from the grid, median", "ms", 2),
        "worst": ("latest", "ms", 2),
        "memory": ("memory gained", "MB", 2),
    }
    table = [
        Row(rows[key][0], rows[key][1], {kind: median(one[key] for one in taken) for kind, taken in samples.items()},
            rows[key][2])
        for key in keys
    ]  # fmt: skip
    rounds = len(next(iter(samples.values())))
    return Result(case, title, table, [f"{rounds} rounds of {SECONDS} s; {INTERVAL_MS} ms"], samples)


def crowd(kinds: list[str], rounds: int) -> Result:
    samples = in_turns(kinds, rounds, _while_sending(CROWD, CROWD_PER_SECOND, False))
    title = f"one virtual router, while {len(CROWD)} others advertise on the segment"
    return _result("crowd", title, samples, ("cpu", "worst"))


def flood(kinds: list[str], rounds: int) -> Result:
    samples = in_turns(kinds, rounds, _while_sending(FLOOD, FLOOD_PER_SECOND, True))
    title = f"one virtual router, while {FLOOD_PER_SECOND} bad packets a second arrive for it"
    return _result("flood", title, samples, ("cpu", "share", "median", "worst", "memory"))
