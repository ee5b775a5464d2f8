"""What a new operator types first, and wrongly: one clear line, nothing on standard output, and the documented exit code."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("VRRPD_BUILD") or SOURCE / "build" / "dev")
CTL = BUILD / "vrrpd/vrrpctl"
CLUSTER = Path(__file__).with_name("cluster.yaml")
SAMPLE = SOURCE / "etc/minimal.yaml"
NOWHERE = "/nonexistent/file"


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ([CTL], "vrrpctl: One of the commands status, explain, reload, "),
        ([CTL, "stat"], "vrrpctl: there is no command stat, but status, explain, reload, "),
        ([CTL, "status", "--jsno"], "--jsno"),
        ([CTL, "status", "VI_MAIN"], "VI_MAIN"),
        ([CTL, "events", "--since", "yesterday"], "--since 'yesterday' is neither a span such as 90s, 10m or 24h nor a time"),
        ([CTL, "generate"], "--cluster is required"),
        ([BUILD / "vrrpd/vrrpd", "vrrpd.yaml"], "vrrpd.yaml (use --config FILE)"),
        ([BUILD / "sync/gluster-sync"], "command is required"),
        ([BUILD / "haproxy_probe/haproxy-probe", "--cofnig"], "--cofnig"),
    ],
)
def test_wrong_usage_is_said_and_exits_2(command: list[object], says: str):
    done = run(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    "command",
    [
        [CTL, "convert", NOWHERE],
        [CTL, "generate", "--cluster", NOWHERE],
        [CTL, "haproxy-config", "--strategy", "active-active", "--team", "a", "--inventory", NOWHERE],
        [BUILD / "vrrpd/vrrpd", "--config", NOWHERE],
        [BUILD / "vrrpd/vrrpd", "--check-config", NOWHERE],
        [BUILD / "sync/gluster-sync", "--config", NOWHERE, "status"],
        [BUILD / "sync/gluster-sync", "check-config", NOWHERE],
    ],
)
def test_a_file_that_cannot_be_read_is_named(command: list[object]):
    done = run(*command)
    assert (done.returncode, done.stdout) == (1, "")
    assert NOWHERE in done.stderr and "No such file or directory" in done.stderr


@pytest.mark.parametrize("command", ["status", "explain", "events", "drain", "undrain", "reload", "confirm", "capture"])
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_where_no_daemon_runs_each_question_says_so_and_exits_3(command: str, options: list[str]):
    if command == "capture" and options:
        return
    done = run(CTL, "--socket", NOWHERE, command, *options)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"vrrpctl: no daemon: {NOWHERE} does not exist; is vrrpd running, or is its socket elsewhere (--socket)?\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        [CTL, "generate", "--cluster", CLUSTER],
        [CTL, "haproxy-config", "--strategy", "active-active", "--team", "a", "--host", "a=10.0.0.1", "b=10.0.0.2"],
        [BUILD / "vrrpd/vrrpd", "--print-config", SAMPLE],
    ],
)
def test_what_cannot_be_printed_is_no_success(command: list[object]):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([str(word) for word in command], stdout=full, stderr=subprocess.PIPE, timeout=30, check=False)
    assert done.returncode == 1
    assert b"standard output: No space left on device" in done.stderr
