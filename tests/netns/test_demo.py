"""packaging/demo.py, the play behind the README's first command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

from daemons import SOURCE_DIR, build_directory
from lab import NETNS_DIR, PREFIX, start_time, wait_for

DEMO = SOURCE_DIR / "packaging" / "demo.py"


def start_demo(*options: str) -> subprocess.Popen:
    env = {**os.environ, "VRRPD_BUILD": str(build_directory().resolve())}
    del env["VRRPD_LAB_OWNER"]  # it is a run of its own
    return subprocess.Popen(
        [sys.executable, "-B", DEMO, *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, env=env,
        # As a terminal starts it; what runs in the background of a script would have the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def namespaces(owner: str) -> list[str]:
    return [path.name for path in NETNS_DIR.glob(f"{PREFIX}-{owner}-*")]


def test_the_demo_plays_its_three_scenarios_is_kept_and_can_be_ended():
    demo = start_demo("--keep")
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    moved = [float(ms) for ms in re.findall(r"moved to vm2 (\d+) ms after the kill", output)]
    assert len(moved) == 2, output
    assert moved[0] < 1500 < 3000 < moved[1], output
    assert "the address has stayed on vm1" in output
    owner = re.search(r"--end (kept\.\w+)", output)[1]
    try:
        assert len(namespaces(owner)) == 4
        status = re.search(r"^  (\S+vrrpctl --socket \S+ status)$", output, re.MULTILINE)[1]
        assert "VI_MAIN" in subprocess.run(status.split(), capture_output=True, text=True, timeout=5).stdout
    finally:
        end = start_demo("--end", owner)
        end.communicate(timeout=20)
    assert end.returncode == 0
    assert namespaces(owner) == []


def test_an_interrupted_demo_leaves_nothing_behind():
    demo = start_demo()
    owner = f"{demo.pid}.{start_time(demo.pid)}"
    wait_for("the demo's machines", lambda: len(namespaces(owner)) == 4)
    for line in demo.stdout:
        if "is on vm1" in line:
            break
    demo.send_signal(signal.SIGINT)
    output, _ = demo.communicate(timeout=20)
    assert demo.returncode == 130, output
    assert namespaces(owner) == []
