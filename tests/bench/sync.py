#!/usr/bin/env python3
"""gluster-sync beside `rsync -a --delete`, in one run over one tree: what users have in their guides, and what replaces it.

    sudo tests/bench/sync.py                   # 100,000 files on a local disk, 10,000 on a real volume
    sudo tests/bench/sync.py local --files 20000 --rounds 5
    sudo tests/bench/sync.py local --directory /dev/shm       # where the disk would be the limit of both
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gluster"))

from cluster import VOLUME, Cluster
from machine import OURS, Daemon, Machine, contents, wait_until

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


def row(what: str, ours: list[float], theirs: list[float] | None = None, unit: str = "s") -> None:
    """Medians; the ratio is that of the pairs, each of which was measured at about the same time."""
    first = f"{median(theirs):9.2f}" if theirs else " " * 9
    ratio = f"{median(our / their for our, their in zip(ours, theirs)):9.3f}" if theirs else " " * 9
    print(f"  {what:46} {first} {median(ours):9.2f} {max(ours):9.2f} {ratio}  {unit}", flush=True)


def in_turn(rounds: int, theirs, ours, before=lambda round_: None) -> tuple[list[float], list[float]]:
    """Seconds of both, one after the other, each of them first every second time. What is still to be written to the
    disk by then is."""
    took: tuple[list[float], list[float]] = [], []
    for round_ in range(rounds):
        before(round_)
        for which, work in sorted(enumerate((theirs, ours)), key=lambda one: one[0] ^ (round_ & 1)):
            os.sync()
            took[which].append(seconds(lambda: work(round_)))
    return took


def start_anew(machine: Machine, round_: int) -> None:
    """As if nothing had been committed yet."""
    shutil.rmtree(machine.source / OURS, ignore_errors=True)
    machine.state = machine.directory / f"state{round_}"
    machine.target = machine.target.with_name(f"sync{round_}")
    machine.write_config()


def applied(daemon: Daemon) -> int:
    return daemon.mirror()["applied-generation"]


def watched(one: Machine, rounds: int) -> None:
    """What the daemon takes and costs."""
    one.team_keys = {"environments": ["blue"], "writer": "always"}
    one.sections["sync"] = {"interval": "5m", "settle": "1s"}
    one.write_config()
    with one.daemon() as daemon:
        daemon.wait_at_rest(timeout=600)
        took = []
        for round_ in range(max(rounds, 5)):
            generation = applied(daemon)
            began = time.monotonic()
            change(one, 100 + round_)
            # Asking costs something as well.
            wait_until(lambda: applied(daemon) > generation, f"generation {generation + 1}", 120, every=0.1)
            took.append(time.monotonic() - began)
        row(f"{CHANGED} files changed until committed (1 s settle)", took)
        daemon.wait_at_rest()
        before = processor_seconds(daemon.pid)
        deadline = time.monotonic() + IDLE_SECONDS
        wait_until(lambda: time.monotonic() > deadline, "an idle minute", IDLE_SECONDS + 10, every=1)
        row("an idle minute of the daemon", [100 * (processor_seconds(daemon.pid) - before) / IDLE_SECONDS],
            unit="% of a core")


def recovered(one: Machine, two: Machine, rounds: int) -> None:
    """On the other machine: everything, and then only what the last generation changed, as with a warm standby."""
    two.target = two.target.with_name(one.target.name)
    two.write_config()
    row("recovery into an empty directory", [seconds(lambda: two.recover(timeout=3600))])
    took = []
    for round_ in range(rounds):
        one.recover(timeout=3600)
        change(one, 200 + round_)
        one.now(timeout=600)
        took.append(seconds(lambda: two.recover(timeout=600)))
    row("recovery of a copy that lacks one generation", took)
    assert contents(one.source) == contents(two.source)


def measure(one: Machine, two: Machine, files: int, rounds: int) -> None:
    fill(one, files)
    plain = one.target.with_name("rsync")
    print(f"  {'medians':46} {'rsync':>9} {'sync':>9} {'worst':>9} sync/rsync")
    theirs, ours = in_turn(rounds, lambda round_: rsync(one, plain.with_name(f"rsync{round_}")),
                           lambda round_: one.now(timeout=3600), lambda round_: start_anew(one, round_))
    row("first copy", ours, theirs)
    plain = plain.with_name(f"rsync{rounds - 1}")
    # Once without looking: the first pass looks into files that changed as it began.
    one.now(timeout=600)
    theirs, ours = in_turn(rounds, lambda _: rsync(one, plain), lambda _: one.now(timeout=600))
    row("nothing has changed", ours, theirs)
    theirs, ours = in_turn(rounds, lambda _: rsync(one, plain), lambda _: one.now(timeout=600),
                           lambda round_: change(one, round_))
    row(f"{CHANGED} files have changed", ours, theirs)
    watched(one, rounds)
    recovered(one, two, rounds)


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
    parser.add_argument("--files", type=int, help="in the tree")
    parser.add_argument("--rounds", type=int, default=3, help="of each pair")
    parser.add_argument("--directory", help="where the local files are; default: where temporary files are")
    arguments = parser.parse_args()
    for case in arguments.cases:
        files = arguments.files or FILES[case]
        print(f"{case}: {files} files, {arguments.rounds} rounds", flush=True)
        with tempfile.TemporaryDirectory(prefix="sync-bench", dir=arguments.directory) as directory:
            with {"local": local, "volume": volume}[case](Path(directory)) as machines:
                try:
                    measure(*machines, files, arguments.rounds)
                finally:
                    for machine in machines:
                        machine.close()
        print(f"  (load average {os.getloadavg()[0]:.1f})", flush=True)


if __name__ == "__main__":
    main()
