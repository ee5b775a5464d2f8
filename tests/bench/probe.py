#!/usr/bin/python3
"""Measures what asking HAProxy costs: the probe beside the check that the users' guides have, a shell with socat and
awk. Needs haproxy and socat, not root; README.md says what the figures mean. Nothing here passes or fails on a time.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "netns"))
sys.dont_write_bytecode = True

import machine  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
POLLS = Path(os.environ.get("VRRPD_BUILD", ROOT / "build" / "dev")) / "tests" / "bench" / "bench_polls"
SIZES = {8: 2000, 1_000: 200, 10_000: 50}  # servers: polls
SHELL_POLLS = 20
MEMORY_POLLS = 10_000
SERVERS_PER_BACKEND = 2

SHELL = (
    "echo 'show stat' | socat stdio {socket} | awk -F, '$2 != \"FRONTEND\" && $2 != \"BACKEND\" && $1 ~ /^jenkins/ "
    "{{ total++; if ($18 ~ /^UP/) up++ }} END {{ exit up * 100 < total * 50 }}'"
)


class Haproxy:
    """With `servers` servers that are never checked within the run: nothing but us gives it work."""

    def __init__(self, directory: Path, servers: int):
        self.socket = directory / f"{servers}.sock"
        lines = ["global", f"  stats socket {self.socket} level operator", "  nbthread 1", "defaults", "  mode http",
                 "  timeout connect 1s", "  timeout client 1s", "  timeout server 1s"]  # fmt: skip
        for number in range(servers):
            if number % SERVERS_PER_BACKEND == 0:
                lines.append(f"backend jenkins_backend_{number // SERVERS_PER_BACKEND}")
            lines.append(f"  server jenkins-vm{number} 127.0.0.1:1 check inter 24h")
        file = directory / f"{servers}.cfg"
        file.write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen(["haproxy", "-db", "-f", file], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not self.ask("show info"):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"HAProxy with {servers} servers does not answer")
            time.sleep(0.1)

    def ask(self, command: str) -> bytes:
        # Not just the path: where nothing is yet, socat would make a file and read back what it wrote.
        socket = f"UNIX-CONNECT:{self.socket}"
        return subprocess.run(["socat", "stdio", socket], input=command.encode() + b"\n", capture_output=True).stdout

    def microseconds(self) -> float:
        return machine.processor_time([self.process.pid]) / 1000

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def children() -> float:
    """Microseconds of user and kernel mode of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1e6


def shell(haproxy: Haproxy) -> tuple[float, float]:
    """Microseconds a poll: the check's, and HAProxy's for it."""
    ours, theirs = children(), haproxy.microseconds()
    for _ in range(SHELL_POLLS):
        subprocess.run(["sh", "-c", SHELL.format(socket=haproxy.socket)])
    return (children() - ours) / SHELL_POLLS, (haproxy.microseconds() - theirs) / SHELL_POLLS


def probe(haproxy: Haproxy, polls: int) -> tuple[dict, float]:
    theirs = haproxy.microseconds()
    done = subprocess.run([POLLS, haproxy.socket, str(polls)], capture_output=True, text=True, check=True)
    # It warms up with a tenth more.
    return json.loads(done.stdout), (haproxy.microseconds() - theirs) / (polls * 1.1)


def parsing(directory: Path, haproxy: Haproxy, command: str) -> float:
    file = directory / "answer"
    file.write_bytes(haproxy.ask(f"show info;{command}"))
    done = subprocess.run([POLLS, "--parse", file, "2"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["megabytes_per_second"]


def main() -> None:
    print(", ".join(f"{key}: {value}" for key, value in machine.describe().items()))
    during = machine.Load()
    print(f"\n{'servers':>8} {'shell [us]':>12} {'probe [us]':>12} {'ratio':>8} {'longest [us]':>13}"
          f" {'HAProxy for the shell':>22} {'for the probe':>14} {'ratio':>8}")
    with tempfile.TemporaryDirectory(prefix="bench-probe-") as name:
        directory = Path(name)
        for servers, polls in SIZES.items():
            haproxy = Haproxy(directory, servers)
            try:
                by_shell, for_shell = shell(haproxy)
                by_probe, for_probe = probe(haproxy, polls)
                print(f"{servers:>8} {by_shell:>12.0f} {by_probe['us']:>12.0f} {by_probe['us'] / by_shell:>8.3f}"
                      f" {by_probe['longest_us']:>13.0f}"
                      f" {for_shell:>22.0f} {for_probe:>14.0f} {for_probe / for_shell:>8.3f}", flush=True)
                if servers == min(SIZES):
                    many, _ = probe(haproxy, MEMORY_POLLS)
                if servers == max(SIZES):
                    rates = {command: parsing(directory, haproxy, command)
                             for command in ("show servers state", "show stat -1 4 -1")}
            finally:
                haproxy.close()
    print(f"\nresident after {MEMORY_POLLS // 10} polls {many['rss_begin_kb']} kB,"
          f" after {MEMORY_POLLS} more {many['rss_end_kb']} kB")
    for command, rate in rates.items():
        print(f"parsing `{command}`: {rate:.0f} MB/s")
    so_far = during.so_far()
    print(f"(load average {so_far['loadavg']:.2f}, {so_far['busy_percent']} % busy)")


if __name__ == "__main__":
    main()
