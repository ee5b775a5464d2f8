#!/usr/bin/env python3
"""gluster-sync beside `rsync -a --delete`, in one run over one tree: what users have in their guides, and what replaces it.

    sudo tests/bench/sync.py                   # 100,000 files on a local disk, 10,000 on a real volume
    sudo tests/bench/sync.py local --files 20000
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gluster"))

from cluster import VOLUME, Cluster
from machine import MIRROR, Daemon, Machine, contents, wait_until

FILES = {"local": 100_000, "volume": 10_000}
FILES_PER_DIRECTORY = 5
CHANGED = 10
IDLE_SECONDS = 60


def fill(machine: Machine, files: int) -> None:
    """Small files in many directories, as a Jenkins home has them."""
    for number in range(files // FILES_PER_DIRECTORY):
        directory = machine.source / f"jobs/job{number // 20}/builds/{number % 20}"
        directory.mkdir(parents=True, exist_ok=True)
        for file in range(FILES_PER_DIRECTORY):
            (directory / f"file{file}.xml").write_text(f"<file>{number} {file}</file>" + "x" * (number % 40 * 100))


def change(machine: Machine, round_: int) -> None:
    for number in range(CHANGED):
        machine.write(f"jobs/job{number}/builds/0/file0.xml", f"<changed>{round_}</changed>")


def seconds(work) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def rsync(machine: Machine, to: Path) -> None:
    subprocess.run([*machine.prefix, "rsync", "-a", "--delete", "--exclude=/.gluster-sync", f"{machine.source}/", f"{to}/"],
                   check=True)


def processor_seconds(pid: int) -> float:
    """Of a process, of its children that live, and of all those that have ended."""
    total = 0
    for one in [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]:
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


def row(what: str, theirs: float | None, ours: float, unit: str = "s") -> None:
    ratio = f"{ours / theirs:8.3f}" if theirs else " " * 8
    print(f"  {what:52} {theirs if theirs is not None else float('nan'):9.2f} {ours:9.2f} {unit} {ratio}", flush=True)


def wait_committed(daemon: Daemon, generation: int) -> None:
    wait_until(lambda: daemon.mirror()["applied-generation"] >= generation, f"generation {generation}", 120, every=0.02)


def watched(one: Machine) -> None:
    """What the daemon takes and costs."""
    one.team_keys = {"environments": ["blue"], "writer": "always"}
    one.sections["sync"] = {"interval": "5m", "settle": "1s"}
    one.write_config()
    with one.daemon() as daemon:
        daemon.wait_at_rest(timeout=600)
        took = []
        for round_ in range(5):
            generation = daemon.mirror()["applied-generation"]
            change(one, 100 + round_)
            took.append(seconds(lambda: wait_committed(daemon, generation + 1)))
        row(f"{CHANGED} files changed until committed, median", None, sorted(took)[len(took) // 2])
        row(f"{CHANGED} files changed until committed, worst", None, max(took))
        daemon.wait_at_rest()
        before = processor_seconds(daemon.pid)
        deadline = time.monotonic() + IDLE_SECONDS
        wait_until(lambda: time.monotonic() > deadline, "an idle minute", IDLE_SECONDS + 10, every=1)
        row("an idle minute of the daemon", None, 100 * (processor_seconds(daemon.pid) - before) / IDLE_SECONDS,
            "% of a core")


def measure(one: Machine, two: Machine, files: int) -> None:
    fill(one, files)
    plain = one.target.with_name(one.target.name + "-rsync")
    subprocess.run([*one.prefix, "mkdir", "-p", plain], check=True)
    print(f"  {'':52} {'rsync':>9} {'sync':>9}   sync/rsync")
    row("first copy", seconds(lambda: rsync(one, plain)), seconds(lambda: one.now(timeout=3600)))
    # The second time: the first one looks into files that changed as it began.
    one.now(timeout=600)
    row("nothing has changed", seconds(lambda: rsync(one, plain)), seconds(lambda: one.now(timeout=600)))
    change(one, 1)
    row(f"{CHANGED} files have changed", seconds(lambda: rsync(one, plain)), seconds(lambda: one.now(timeout=600)))
    watched(one)
    cold = seconds(lambda: two.recover(timeout=3600))
    row("recovery into an empty directory", None, cold)
    change(one, 2)
    one.recover(timeout=600)
    change(one, 3)
    one.now(timeout=600)
    row("recovery of a copy that lacks one generation", None, seconds(lambda: two.recover(timeout=600)))
    assert contents(one.source) == contents(two.source)


@contextlib.contextmanager
def local(directory: Path) -> Iterator[tuple[Machine, Machine]]:
    yield (Machine("one", directory / "one", directory / "sync"), Machine("two", directory / "two", directory / "sync"))


@contextlib.contextmanager
def volume(directory: Path) -> Iterator[tuple[Machine, Machine]]:
    cluster = Cluster(directory / "cluster")
    try:
        machines = []
        for node in cluster.nodes[:2]:
            volumes = [{"name": VOLUME, "server": node.address, "mount": str(node.mount)}]
            machines.append(Machine(f"node{node.number}", directory / f"m{node.number}", node.mount / "sync",
                                    allow_local=False, prefix=node.inside.prefix, view=node.view,
                                    sections={"volumes": volumes}))
        yield tuple(machines)
    finally:
        cluster.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(FILES), choices=list(FILES), metavar="case")
    parser.add_argument("--files", type=int)
    arguments = parser.parse_args()
    for case in arguments.cases:
        files = arguments.files or FILES[case]
        print(f"{case}: {files} files", flush=True)
        with tempfile.TemporaryDirectory(prefix="sync-bench") as directory:
            with {"local": local, "volume": volume}[case](Path(directory)) as machines:
                try:
                    measure(*machines, files)
                finally:
                    for machine in machines:
                        machine.close()
        print(f"  (load average {os.getloadavg()[0]:.1f})", flush=True)


if __name__ == "__main__":
    main()
