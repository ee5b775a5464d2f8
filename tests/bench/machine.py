"""The machine the figures come from: what it is, how busy it was, and what a process costs on it."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path


def describe() -> dict:
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")),
        platform.machine(),
    )  # fmt: skip
    return {"cpus": os.cpu_count(), "model": model, "kernel": platform.release(),
            "virtual": "hypervisor" in Path("/proc/cpuinfo").read_text()}  # fmt: skip


class Load:
    """How much of the machine others took (or the hypervisor did not give) since this was made."""

    def __init__(self) -> None:
        self._begin = self._ticks()

    @staticmethod
    def _ticks() -> list[int]:
        return [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]

    def so_far(self) -> dict:
        user, nice, system, idle, iowait, irq, softirq, steal = (
            end - begin for begin, end in zip(self._begin, self._ticks())
        )
        total = max(1, user + nice + system + idle + iowait + irq + softirq + steal)
        return {
            "loadavg": os.getloadavg()[0],
            "busy_percent": round(100 * (1 - (idle + iowait + steal) / total)),
            "steal_percent": round(100 * steal / total, 1),
        }


def wait(seconds: float) -> float:
    """Waits, in many short sleeps, and returns by how many milliseconds the latest of them was late. A daemon on the
    same machine cannot be expected to be more punctual than this."""
    end = time.monotonic() + seconds
    worst = 0.0
    while (now := time.monotonic()) < end:
        time.sleep(0.005)
        worst = max(worst, time.monotonic() - now - 0.005)
    return worst * 1000




def processor_time(pids: list[int]) -> int:
    """Nanoseconds in user and kernel mode since the processes began, of all their threads. Where the kernel does not
    account interrupt time separately, what the network stack does right after a packet was sent is included."""
    threads = (task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir())
    return sum(int((task / "schedstat").read_text().split()[0]) for task in threads)


def proportional_set_size(pids: list[int]) -> float:
    """In megabytes (10^6 bytes): memory shared with other processes counts by share."""
    kilobytes = 0
    for pid in pids:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        kilobytes += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return kilobytes * 1024 / 1e6
